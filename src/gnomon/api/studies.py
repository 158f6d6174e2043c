"""The papers' experiments."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.api.given import Settings, path_of, progress_of
from gnomon.api.reporting import report
from gnomon.models.sync import run

if TYPE_CHECKING:
    from gnomon.studies.catalogue import StudyResult


def studies_available() -> list[dict[str, Any]]:
    """The papers whose experiments can be run."""
    from gnomon.studies.catalogue import listing

    return listing()


def run_study(
    paper: str,
    models: Sequence[str] | None = None,
    *,
    n: int | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    settings: Settings | None = None,
    progress: bool = False,
) -> "StudyResult":
    """Runs one paper's experiment and says, claim by claim, whether it holds.

    Args:
        paper: arXiv id.
        models: References, smallest first (None: the study's own choice of organisms).
        n: Questions per measurement (None: the study's default).
        seed: Seed of everything.
        out: The run directory; the same call again resumes in it.
        settings: More fields of the study's configuration.
        progress: Whether to show a bar on standard error.
    """
    from gnomon.studies.catalogue import run_study as run_paper

    told = {"models": tuple(models) if models else None, "n": n, "seed": seed, **(settings or {})}
    result = run(run_paper(paper, path_of(out), progress=progress_of(progress), options=told))
    report(result.run)
    return result
