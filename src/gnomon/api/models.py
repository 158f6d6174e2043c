"""What a reference opens, and scores for whole files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.api.given import path_of
from gnomon.models.references import open_model
from gnomon.models.sync import run

if TYPE_CHECKING:
    from gnomon.models.model import Model
    from gnomon.models.score_file import ScoredFile


def model_card(model: str) -> dict[str, Any]:
    """What a reference opens: kind, parameters, content fingerprint."""
    opened = open_model(model)
    card = opened.card.as_jsonable()
    run(opened.aclose())
    return card


def score_file(model: "str | Model", path: Path | str, *, out: Path | str | None = None, progress: bool = False) -> "ScoredFile":
    """Scores a JSONL file of requests that need not fit into memory; the same call again goes on where it was.

    Args:
        model: A reference, or an open model.
        path: The requests: a line is `{"prefix": ..., "continuations": [...]}`.
        out: Where the scores go (None: beside the file, with the ending `.scores.jsonl`).
        progress: Whether to show a count on standard error.
    """
    from gnomon.models.score_file import score_file as run_scoring
    from gnomon.run.progress import counting

    opened, path = open_model(model), Path(path)
    with counting("scored", progress) as told:
        return run(run_scoring(opened, path, path_of(out) or path.with_suffix(".scores.jsonl"), told))
