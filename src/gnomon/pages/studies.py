"""The content of a study's page."""

import json
from typing import Any

from pydantic import ValidationError

from gnomon.errors import RunDirectoryError
from gnomon.pages.runs import provenance
from gnomon.report.content import ReportContent, Verdict
from gnomon.report.figure import Figure
from gnomon.run.directory import RunDirectory
from gnomon.studies.catalogue import FINDINGS, StudyResult


def study_content(run: RunDirectory) -> ReportContent:
    """What a study found.

    Raises:
        RunDirectoryError: The study is not finished, or its result is broken.
    """
    result, figures = _kept(run)
    holds = sum(claim.verdict == "holds" for claim in result.claims)
    return ReportContent(
        title=f"{result.title} ({result.paper})",
        kind="study",
        model=", ".join(result.models),
        verdict=Verdict(word=f"{holds} of {len(result.claims)} claims hold", sentence=_sentence(result)),
        facts=(("Paper", f"arXiv {result.paper}"),),
        claims=result.claims,
        estimates=result.estimates,
        figures=tuple(figures),
        notes=result.notes,
        command=" ".join([f"gnomon study run {result.paper}", *(f"'{model}'" for model in result.models)]),
        **provenance(run),
    )


def _sentence(result: StudyResult) -> str:
    refuted, open_ = (sum(claim.verdict == word for claim in result.claims) for word in ("does not hold", "cannot tell"))
    return f"On these models {refuted} of the claims {'does' if refuted == 1 else 'do'} not hold, and {open_} cannot be told."


def _kept(run: RunDirectory) -> tuple[StudyResult, list[Figure]]:
    path = run.path / FINDINGS
    try:
        kept: dict[str, Any] = json.loads(path.read_bytes())
        figures = [Figure.model_validate(each) for each in kept.pop("drawn")]
        return StudyResult.model_validate(kept), figures
    except FileNotFoundError:
        raise RunDirectoryError(f"the study in {run.path} is not finished: run the same command again to resume it") from None
    except (ValueError, KeyError, ValidationError):
        raise RunDirectoryError(f"{path} is broken: run the same study again to write it anew") from None
