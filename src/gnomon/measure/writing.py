"""Writes a new evaluation from a description of a behaviour: generate, deduplicate, filter, balance, validate, publish.

After 2212.09251 (persona, procedure 1 to 3, and the filter): a generator writes statements for either label, a discriminator says
how probable each label is and a judge whether the statement is about the behaviour at all; per label the best are kept, as many
of either. A sample of what was kept and of what was dropped is then labelled by judges who have not seen the label. Every call is
a record of a journal, so that what was stopped goes on where it was.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gnomon.datasets import similarity
from gnomon.datasets.items import Item, content_hash, derive_seed
from gnomon.datasets.messages import as_jsonable
from gnomon.elicit.judge import Judgement
from gnomon.elicit.write import STOPS, Behaviour, judged_stance, relevance, stance, write_statement
from gnomon.errors import DatasetError
from gnomon.measure.writing_publish import Step, WrittenEvaluation, publish, write_map
from gnomon.measure.writing_statistics import Candidate, validation
from gnomon.models.model import Model, Sampling
from gnomon.run.directory import RunDirectory, default_path
from gnomon.run.limits import Limits
from gnomon.run.progress import Progress
from gnomon.run.record import Outcome, Record
from gnomon.run.runner import execute

DRAFTS_PER_ITEM = 4
"""Drafts written for each item wanted, unless `drafts` says otherwise; the paper wrote ten."""


class WriteConfig(BaseModel):
    """What to write.

    Attributes:
        behaviour: What goes behind `a person who`: `is interested in music`.
        about: Whether the statements are a person's or an AI system's.
        n: Items wanted, half of either label.
        drafts: Statements to generate per label (None: four for each item wanted of it).
        temperature: Of the generator.
        top_p: Of the generator.
        tokens: Limit of tokens of a statement.
        relevant: Least probability, in the judge's view, that a statement is about the behaviour (0: the judge is not asked).
        near: Cosine of words from which a statement is a near-duplicate.
        validated: Items of those kept, and as many of those dropped by the filter, that the judges label.
        licence: What the card says of it.
        seed: Seed of everything.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    behaviour: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    about: Literal["person", "ai"] = "person"
    n: int = Field(default=200, ge=2, le=100_000)
    drafts: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=1.4, ge=0.0, le=10.0, allow_inf_nan=False)
    top_p: float = Field(default=0.975, gt=0.0, le=1.0)
    tokens: int = Field(default=48, ge=1)
    relevant: float = Field(default=0.5, ge=0.0, le=1.0)
    near: float = Field(default=similarity.NEAR, gt=0.0, le=1.0)
    validated: int = Field(default=100, ge=0)
    licence: str = "not stated"
    seed: int = 0

    @property
    def drafts_per_label(self) -> int:
        """Statements to generate for each label."""
        return self.drafts if self.drafts is not None else DRAFTS_PER_ITEM * ((self.n + 1) // 2)


@dataclass(frozen=True)
class Crew:
    """The models that take part.

    Attributes:
        generator: Writes.
        discriminator: Says how probable a label is.
        judges: Say whether a statement is about the behaviour (the first of them), and label what is validated.
    """

    generator: Model
    discriminator: Model
    judges: Sequence[Model]

    def roles(self) -> dict[str, Model]:
        """The models by role."""
        named = {f"judge {place}": model for place, model in enumerate(self.judges, 1)}
        return {"generator": self.generator, "discriminator": self.discriminator, **named}

    def warnings(self) -> list[str]:
        """What makes the result circular."""
        found: list[str] = []
        if self.generator.fingerprint == self.discriminator.fingerprint:
            found.append("The generator filters its own statements: its mistakes about the behaviour pass its own filter.")
        if self.discriminator.fingerprint in {judge.fingerprint for judge in self.judges}:
            found.append("A judge is the discriminator itself: its agreement with the labels says little about their truth.")
        return found


class Draft(Item):
    """A statement to be written."""

    behaviour: str
    about: str
    matching: bool
    number: int


class Statement(Item):
    """A statement to be judged."""

    behaviour: str
    about: str
    statement: str


@dataclass
class _Work:
    """What the steps of one run share."""

    config: WriteConfig
    run: RunDirectory
    limits: Limits | None
    progress: Progress | None

    @property
    def behaviour(self) -> Behaviour:
        return Behaviour(self.config.behaviour, self.config.about)

    async def each(self, what: str, model: Model, protocol: Any, items: Sequence[Item], told: Sequence[Any] = ()) -> list[Record]:
        """Runs a protocol on every item through the journal; no items, no records."""
        if not items:
            return []
        return await execute(
            partial(protocol, model),
            items,
            evaluation=what,
            config_hash=content_hash(list(told)),
            fingerprint=model.fingerprint,
            run=self.run,
            limits=self.limits,
            seed=self.config.seed,
            progress=self.progress,
        )

    def statement(self, candidate: Candidate) -> Statement:
        """What is asked about a candidate; its id does not tell the label."""
        name = content_hash(candidate.statement)
        return Statement(
            id=name,
            cluster=name,
            behaviour=self.config.behaviour,
            about=self.config.about,
            statement=candidate.statement,
        )


async def write(
    crew: Crew,
    config: WriteConfig,
    out: Path | None = None,
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> WrittenEvaluation:
    """Writes an evaluation; stopped, the same call resumes it.

    Args:
        crew: The models.
        config: What to write.
        out: The directory of run and dataset (None: one named after behaviour and models under `runs/`).
        limits: Concurrency, attempts and time.
        progress: Told of every record.

    Returns:
        What was written, perhaps fewer items than wanted: then a warning says where the others were lost.

    Raises:
        DatasetError: Not one balanced pair of items is left.
        RunDirectoryError: The directory cannot be written or holds another run.
        RunInterrupted: Stopped.
    """
    identity = {**config.model_dump(mode="json"), "models": {role: model.fingerprint for role, model in crew.roles().items()}}
    out = out or default_path("write", config.behaviour, identity)
    cards = {role: model.card.as_jsonable() for role, model in crew.roles().items()}
    with RunDirectory.create_or_resume(out, identity, verb="write", models=cards) as run:
        work = _Work(config, run, limits, progress)
        steps: list[Step] = []
        distinct = await _generated(work, crew, steps)
        judged = await _discriminated(work, crew, distinct, steps)
        kept = _kept(judged, config, steps)
        if not kept:
            raise DatasetError(f"nothing is left to publish: {_lost(steps)}")
        labelled, checked = await _validated(work, crew, kept, _dropped(judged, kept))
        estimates = await asyncio.to_thread(validation, labelled, checked, kept, judged)
        warnings = [*crew.warnings(), *_shortfall(kept, config, steps)]
        card = publish(run, config, crew.roles(), kept, steps, estimates, warnings)
        await asyncio.to_thread(write_map, run.path, config.behaviour, kept, config.seed)
        return card


async def _generated(work: _Work, crew: Crew, steps: list[Step]) -> list[Candidate]:
    """Statements of both labels without repeats within a label."""
    config = work.config
    drafts = [
        Draft(
            id=f"{'matching' if matching else 'other'}/{number}",
            cluster=str(matching),
            behaviour=config.behaviour,
            about=config.about,
            matching=matching,
            number=number,
        )
        for matching in (True, False)
        for number in range(config.drafts_per_label)
    ]
    told = [config.temperature, config.top_p, config.tokens]
    stops = STOPS if crew.generator.card.kind != "inspect" else ()

    async def protocol(model: Model, item: Draft, seed: int) -> Outcome:
        sampling = Sampling(config.temperature, config.top_p, config.tokens, stops, seed)
        found = await write_statement(model, work.behaviour, item.matching, sampling)
        return Outcome({"statement": found.statement}, as_jsonable(found.said), found.unscored)

    records = await work.each("write", crew.generator, protocol, drafts, told)
    candidates = [
        Candidate(record.values["statement"], draft.matching)
        for draft, record in zip(drafts, records, strict=True)
        if record.status == "value"
    ]
    steps.append(Step.of("drafts", drafts))
    steps.append(Step.of("written", candidates, _reasons(records)))
    candidates = _without_repeats(candidates, similarity.duplicates)
    steps.append(Step.of("distinct", candidates))
    candidates = _without_repeats(candidates, partial(similarity.near_duplicates, threshold=config.near))
    steps.append(Step.of("without near-duplicates", candidates))
    return candidates


def _without_repeats(candidates: Sequence[Candidate], grouped: Any) -> list[Candidate]:
    """The first of each group, within each label: which label a text has that both were written for, the discriminator says."""
    found: list[Candidate] = []
    for matching in (True, False):
        own = [candidate for candidate in candidates if candidate.matching is matching]
        groups: list[int] = grouped([candidate.statement for candidate in own])
        found += [candidate for place, (candidate, group) in enumerate(zip(own, groups, strict=True)) if place == group]
    return found


async def _discriminated(work: _Work, crew: Crew, candidates: Sequence[Candidate], steps: list[Step]) -> list[Candidate]:
    """The candidates with their label's probability and their relevance; those of which either is not known are left out."""

    async def labels(model: Model, item: Statement, seed: int) -> Outcome:
        found = await stance(model, work.behaviour, item.statement)
        return Outcome({"agrees": found.agrees, "method": found.method}, unscored=found.unscored)

    async def fits(model: Model, item: Statement, seed: int) -> Outcome:
        return _judgement_outcome(await relevance(model, work.behaviour, item.statement))

    texts = {candidate.statement: work.statement(candidate) for candidate in candidates}
    records = await work.each("discriminate", crew.discriminator, labels, list(texts.values()))
    agrees = {text: record.values["agrees"] for text, record in zip(texts, records, strict=True) if record.status == "value"}
    known = [
        replace(candidate, confidence=agrees[candidate.statement] if candidate.matching else 1 - agrees[candidate.statement])
        for candidate in candidates
        if candidate.statement in agrees
    ]
    steps.append(Step.of("labelled by the discriminator", known, _reasons(records)))
    if work.config.relevant > 0:
        records = await work.each("relevance", crew.judges[0], fits, list(texts.values()))
        about = {text: record.values["first"] for text, record in zip(texts, records, strict=True) if record.status == "value"}
        known = [replace(one, relevance=about[one.statement]) for one in known if one.statement in about]
        steps.append(Step.of("judged for relevance", known, _reasons(records)))
    return known


def _judgement_outcome(found: Judgement) -> Outcome:
    """A judgement between two options: the probability of the first."""
    if found.option is None:
        return Outcome({}, unscored=found.unscored)
    return Outcome({"first": found.probabilities[0], "option": found.option, "consistent": found.consistent})


def _kept(judged: Sequence[Candidate], config: WriteConfig, steps: list[Step]) -> list[Candidate]:
    """Of those whose label the discriminator finds the likelier one, the best, as many of either label, none repeated."""
    fitting = [one for one in judged if one.confirmed]
    steps.append(Step.of("label confirmed by the discriminator", fitting))
    if config.relevant > 0:
        fitting = [one for one in fitting if one.relevance is not None and one.relevance >= config.relevant]
        steps.append(Step.of("relevant", fitting))
    ranked = sorted(fitting, key=lambda one: (-one.score, one.statement))
    groups = similarity.near_duplicates([one.statement for one in ranked], config.near)
    single = [one for place, (one, group) in enumerate(zip(ranked, groups, strict=True)) if place == group]
    if len(single) < len(ranked):
        steps.append(Step.of("without repeats of the other label", single))
    counts = Counter(one.matching for one in single)
    half = min(counts[True], counts[False], (config.n + 1) // 2)
    kept = [one for matching in (True, False) for one in [each for each in single if each.matching is matching][:half]]
    steps.append(Step.of("kept: the best of either label, balanced", kept))
    return sorted(kept, key=lambda one: derive_seed(config.seed, "order of items", one.statement))


def _dropped(judged: Sequence[Candidate], kept: Sequence[Candidate]) -> list[Candidate]:
    there = {one.statement for one in kept}
    return [one for one in judged if one.statement not in there and not one.confirmed]


async def _validated(
    work: _Work, crew: Crew, kept: Sequence[Candidate], dropped: Sequence[Candidate]
) -> tuple[list[Candidate], list[list[bool | None]]]:
    """A sample of the kept and of the dropped, and for each what the judges say: does somebody with the behaviour agree?"""

    async def label(model: Model, item: Statement, seed: int) -> Outcome:
        return _judgement_outcome(await judged_stance(model, work.behaviour, item.statement))

    size, seed = work.config.validated, work.config.seed
    sample = [
        one
        for group in (kept, dropped)
        for one in sorted(group, key=lambda one: derive_seed(seed, "sample to validate", one.statement))[:size]
    ]
    items = list({one.statement: work.statement(one) for one in sample}.values())
    said: dict[str, list[bool | None]] = {item.statement: [] for item in items}
    for place, model in enumerate(crew.judges, 1):
        records = await work.each(f"validate-{place}", model, label, items)
        for item, record in zip(items, records, strict=True):
            said[item.statement].append(record.values["option"] == 0 if record.status == "value" else None)
    return sample, [said[one.statement] for one in sample]


def _reasons(records: Sequence[Record]) -> dict[str, int]:
    return dict(Counter(str(record.reason) for record in records if record.status != "value").most_common())


def _lost(steps: Sequence[Step]) -> str:
    told = ", ".join(f"{step.name} {step.matching} + {step.other}" for step in steps)
    reasons = "; ".join(f"{count} times: {reason}" for step in steps for reason, count in list(step.lost.items())[:2])
    return told + (f" ({reasons})" if reasons else "")


def _shortfall(kept: Sequence[Candidate], config: WriteConfig, steps: Sequence[Step]) -> list[str]:
    if len(kept) >= config.n:
        return []
    return [f"{len(kept)} items instead of {config.n}: {_lost(steps)}. More drafts (drafts=...) may give more items."]
