"""Training a behaviour out, and the whole loop."""

from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.api.given import Settings, configured, path_of, progress_of, trainable, training_bar_of
from gnomon.api.reporting import report
from gnomon.models.sync import run

if TYPE_CHECKING:
    from gnomon.correct.rejection_sampling import CorrectionResult
    from gnomon.loop import LoopResult
    from gnomon.models.model import Model


def correct(
    model: "str | Model",
    behaviour: str,
    *,
    seed: int = 0,
    out: Path | str | None = None,
    settings: Settings | None = None,
    progress: bool = False,
) -> "CorrectionResult":
    """Trains a behaviour out by rejection sampling and saves a plain model directory.

    Args:
        model: Reference of a local model or an organism.
        behaviour: What to train out.
        seed: Seed of sampling and training.
        out: The run directory; the same call again resumes in it.
        settings: More fields of `CorrectConfig`.
        progress: Whether to show a bar on standard error.
    """
    from gnomon.correct.rejection_sampling import CorrectConfig
    from gnomon.correct.rejection_sampling import correct as run_correction
    from gnomon.run.directory import default_path

    config = configured(CorrectConfig, {"seed": seed, **(settings or {})})
    opened = trainable(model)
    where = path_of(out) or default_path(
        "correct", opened.reference, {"model": opened.fingerprint, **config.model_dump(mode="json")}
    )
    bar, training_bar = progress_of(progress), training_bar_of(progress)
    return run(run_correction(opened, behaviour, where, config, progress=bar, training_progress=training_bar))


def loop(
    model: str,
    behaviour: str,
    *,
    n: int | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    settings: Settings | None = None,
    progress: bool = False,
) -> "LoopResult":
    """Audits, corrects, audits again, compares, and writes the report.

    Args:
        model: Reference of a local model or an organism.
        behaviour: What to correct.
        n: Questions per evaluation (None: each evaluation's default).
        seed: Seed of everything.
        out: The run directory; the same call again resumes in it.
        settings: Fields of the correction's configuration.
        progress: Whether to show progress on standard error.
    """
    from gnomon.correct.rejection_sampling import CorrectConfig
    from gnomon.loop import LoopConfig
    from gnomon.loop import loop as run_loop

    correction = configured(CorrectConfig, {"seed": seed, **(settings or {})})
    config = LoopConfig(behaviour=behaviour, n=n, seed=seed, correct=correction)
    bar, training_bar = progress_of(progress), training_bar_of(progress)
    result = run(run_loop(model, config, path_of(out), progress=bar, training_progress=training_bar))
    report(result.run)
    return result
