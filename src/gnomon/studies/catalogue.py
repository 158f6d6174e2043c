"""The studies by paper, and how one is run."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from gnomon.errors import ConfigurationError, complaint
from gnomon.report.content import Claim
from gnomon.run.directory import RunDirectory, default_path
from gnomon.run.limits import Limits
from gnomon.run.progress import Progress
from gnomon.run.source import code_hash
from gnomon.stats.estimate import Estimate
from gnomon.studies.bench import Bench
from gnomon.studies.study import Findings, Study, StudyConfig

_STUDIES = {
    "2207.05221": "self_knowledge",
    "2211.03540": "scalable_oversight",
    "2209.07858": "red_teaming",
    "2306.09479": "inverse_scaling",
    "2307.11768": "question_decomposition",
    "2212.09251": "model_written_evaluations",
    "2305.04388": "biased_reasoning",
    "2302.07459": "moral_self_correction",
    "2307.13702": "reasoning_faithfulness",
    "2310.13548": "sycophancy",
}
"""arXiv id and the module of this package that has `STUDY`."""

FINDINGS = "study.json"


class StudyResult(BaseModel):
    """What `gnomon study run --json` prints.

    Attributes:
        paper: arXiv id.
        title: The paper's title.
        models: References of the models it was run on.
        claims: Every claim with its verdict.
        estimates: What was measured.
        notes: Limits, and what could not be tried.
        run: The run directory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    paper: str
    title: str
    models: tuple[str, ...]
    claims: tuple[Claim, ...]
    estimates: tuple[Estimate, ...]
    notes: tuple[str, ...]
    run: str


def listing() -> list[dict[str, Any]]:
    """Paper and title of every study."""
    return [{"id": paper, "title": study(paper).title} for paper in sorted(_STUDIES)]


def study(paper: str) -> Study:
    """The study of a paper.

    Raises:
        ConfigurationError: There is none.
    """
    if paper not in _STUDIES:
        raise ConfigurationError(f"there is no study of {paper!r}; choose from {', '.join(sorted(_STUDIES))}")
    return import_module(f"gnomon.studies.{_STUDIES[paper]}").STUDY


def configured(chosen: Study, options: Mapping[str, Any]) -> StudyConfig:
    """A study's configuration; what is None is left to the study.

    Raises:
        ConfigurationError: An option that it does not have, or that does not fit.
    """
    told = {**chosen.defaults, **{name: value for name, value in options.items() if value is not None}}
    try:
        return chosen.config(**told)
    except ValidationError as error:
        raise ConfigurationError(f"study {chosen.paper}: {complaint(error, 'option', chosen.config.model_fields)}") from None


async def run_study(
    paper: str,
    out: Path | None = None,
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
) -> StudyResult:
    """Runs a paper's experiment; stopped, the same call resumes it.

    Args:
        paper: arXiv id.
        out: The run directory (None: one named after the configuration under `runs/`).
        limits: Of the measurements.
        progress: Told of every record.
        options: Fields of the study's configuration; None: its default.

    Raises:
        ConfigurationError: No such study, or an option that does not fit.
        RunDirectoryError: The directory cannot be written or holds another run.
        RunInterrupted: Stopped.
    """
    chosen = study(paper)
    config = configured(chosen, options or {})
    identity = {"study": paper, "code": code_hash(), **config.model_dump(mode="json")}
    out = out or default_path("study", paper, identity)
    with RunDirectory.create_or_resume(out, identity, verb="study") as run:
        bench = Bench(run, limits, progress)
        try:
            found = await chosen.run(bench, config)
        finally:
            await bench.aclose()
        result = _result(chosen, config, found, run)
        run.write_json(FINDINGS, result.model_dump(mode="json") | {"drawn": [each.model_dump() for each in found.figures]})
    return result


def _result(chosen: Study, config: StudyConfig, found: Findings, run: RunDirectory) -> StudyResult:
    return StudyResult(
        paper=chosen.paper,
        title=chosen.title,
        models=config.models,
        claims=tuple(found.claims),
        estimates=tuple(found.estimates),
        notes=tuple(found.notes),
        run=str(run.path),
    )
