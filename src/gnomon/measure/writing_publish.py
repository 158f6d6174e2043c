"""Publishes a written evaluation: items in the published format, a card for machines and one for people."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from gnomon.datasets.model_written import statement_row
from gnomon.datasets.similarity import near_duplicates, self_similarity
from gnomon.measure.writing_statistics import Candidate
from gnomon.models.model import Model
from gnomon.report.map import Example, example_map
from gnomon.report.numbers import number
from gnomon.run.directory import RunDirectory
from gnomon.run.files import write_atomically
from gnomon.stats.estimate import Estimate

ITEMS, CARD, README, MAP = "items.jsonl", "card.json", "README.md", "map.html"
IDEA = 0.4
"""Cosine of words from which two statements share an idea, for the count of distinct ideas."""


class Labelled(Protocol):
    """Anything of which it is known which label it was written for."""

    @property
    def matching(self) -> bool: ...  # noqa: D102


class Step(BaseModel):
    """What is left after a step.

    Attributes:
        name: Of the step.
        matching: Statements for the matching label.
        other: Statements for the other one.
        lost: How many calls gave nothing, by reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    matching: int
    other: int
    lost: dict[str, int] = {}

    @classmethod
    def of(cls, name: str, left: Sequence[Labelled], lost: dict[str, int] | None = None) -> "Step":
        """The step of which these are left."""
        counts = Counter(one.matching for one in left)
        return cls(name=name, matching=counts[True], other=counts[False], lost=lost or {})


class WrittenEvaluation(BaseModel):
    """What `gnomon write` made; `card.json` holds it, and `--json` prints it.

    Attributes:
        behaviour: Its description.
        about: Of whom statements are: `person` or `ai`.
        items: Number of items.
        models: Reference and fingerprint by role.
        steps: What was left after each step.
        estimates: Label agreement, the filter's gain, confidence, relevance.
        ideas: Statements left when those that share an idea count once.
        self_similarity: Mean cosine of two items' words, 0 to 1.
        warnings: What to know before using it.
        licence: As given.
        configuration: All options.
        sha256: Of `items.jsonl`.
        gnomon: Version that wrote it.
        directory: Where it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    behaviour: str
    about: str
    items: int
    models: dict[str, dict[str, str]]
    steps: tuple[Step, ...]
    estimates: tuple[Estimate, ...]
    ideas: int
    self_similarity: float | None
    warnings: tuple[str, ...]
    licence: str
    configuration: dict[str, Any]
    sha256: str
    gnomon: str
    directory: str


class Config(Protocol):
    """The part of the configuration that a card shows."""

    behaviour: str
    about: Any
    licence: str

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """All options."""
        ...


def publish(
    run: RunDirectory,
    config: Config,
    models: Mapping[str, Model],
    kept: Sequence[Candidate],
    steps: Sequence[Step],
    estimates: Sequence[Estimate],
    warnings: Sequence[str],
) -> WrittenEvaluation:
    """Writes the dataset into the run's directory and returns its card."""
    content = b"".join(_line(one) for one in kept)
    texts = [one.statement for one in kept]
    card = WrittenEvaluation(
        behaviour=config.behaviour,
        about=config.about,
        items=len(kept),
        models={role: {"reference": model.reference, "fingerprint": model.fingerprint} for role, model in models.items()},
        steps=tuple(steps),
        estimates=tuple(estimates),
        ideas=len(set(near_duplicates(texts, IDEA))),
        self_similarity=self_similarity(texts),
        warnings=tuple(warnings),
        licence=config.licence,
        configuration=config.model_dump(mode="json"),
        sha256=hashlib.sha256(content).hexdigest(),
        gnomon=metadata.version("gnomon"),
        directory=str(run.path),
    )
    write_atomically(run.path / ITEMS, content)
    run.write_estimates(estimates)
    run.write_json(CARD, card.model_dump(mode="json", exclude={"directory"}))
    write_atomically(run.path / README, _readme(card).encode("utf-8", errors="replace"))
    return card


def write_map(directory: Path, behaviour: str, kept: Sequence[Candidate], seed: int) -> Path:
    """Writes the map of the items, `map.html`, beside them."""
    examples = [
        Example(
            one.statement,
            "Yes matches" if one.matching else "No matches",
            {"label confidence": number(one.confidence)}
            | ({} if one.relevance is None else {"relevance": number(one.relevance)}),
        )
        for one in kept
    ]
    drawn = example_map(f"Statements: {behaviour}", examples, labelled="matching answer", seed=seed)
    return drawn.write(directory / MAP)


def _line(one: Candidate) -> bytes:
    further: dict[str, Any] = {"label_confidence": one.confidence}
    if one.relevance is not None:
        further["relevance"] = one.relevance
    return (json.dumps(statement_row(one.statement, one.matching, **further), ensure_ascii=True) + "\n").encode()


def _readme(card: WrittenEvaluation) -> str:
    who = "an AI system" if card.about == "ai" else "a person"
    lines = [
        f"# Would {who} who {_one_line(card.behaviour)} say this?",
        "",
        f"{card.items} statements in the format of the published model-written evaluations (`{ITEMS}`), one per line, "
        "half of them with the matching answer ` Yes`. Written by models and filtered by models: it measures what a model "
        f"*says* of itself. `{MAP}` shows them by likeness.",
        "",
        *(f"**Mind:** {_one_line(warning)}\n" for warning in card.warnings),
        "| role | model | fingerprint |",
        "|---|---|---|",
        *(f"| {role} | `{_one_line(model['reference'])}` | `{model['fingerprint']}` |" for role, model in card.models.items()),
        "",
        "| step | matching | other |",
        "|---|---:|---:|",
        *(f"| {step.name} | {step.matching} | {step.other} |" for step in card.steps),
        "",
        "| quality | value | 95 % interval | n |",
        "|---|---:|---|---:|",
        *(_quality(estimate) for estimate in card.estimates),
        f"| distinct ideas | {card.ideas} | | {card.items} |",
        *([f"| self-similarity | {number(card.self_similarity)} | | {card.items} |"] if card.self_similarity is not None else []),
        "",
        f"Licence: {_one_line(card.licence)}. SHA-256 of `{ITEMS}`: `{card.sha256}`. gnomon {card.gnomon}.",
        "",
        "Run it: `gnomon audit MODEL -e model-written --set file=PATH-OF-THIS-DIRECTORY`.",
        "",
    ]
    return "\n".join(lines)


def _quality(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return f"| {estimate.name} | not measured | {_one_line(estimate.reason or '')} | |"
    return f"| {estimate.name} | {number(estimate.value)} | {number(estimate.low)} to {number(estimate.high)} | {estimate.n} |"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def read_card(directory: Path) -> WrittenEvaluation:
    """The card of a written evaluation's directory.

    Raises:
        DatasetError: There is none, or it is broken.
    """
    from gnomon.datasets.files import read_json
    from gnomon.errors import DatasetError

    path = directory / CARD
    content = read_json(path)
    try:
        return WrittenEvaluation.model_validate({**content, "directory": str(directory)})
    except (TypeError, ValueError):
        raise DatasetError(f"{path} is not the card of a written evaluation") from None
