"""Rejection-sampling fine-tuning: let the model answer, keep the answers that a rule or judge accepts, train on them.

    result = await correct(model, "sycophancy", Path("corrected"), CorrectConfig())

Beside the accepted replies the model relearns its own replies to unrelated prompts, so that little else changes. Everything is
journalled: killed at any moment and started again, the same weights come out.
"""

import copy
import inspect
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gnomon.correct.behaviours import Situation, Verdict, behaviour_for
from gnomon.correct.neutral import neutral_situations
from gnomon.datasets.items import Item, content_hash
from gnomon.datasets.messages import as_text
from gnomon.errors import RunDirectoryError, TooFewAccepted
from gnomon.models.local import LocalModel
from gnomon.models.model import Sampling
from gnomon.organisms.world import world
from gnomon.run.directory import RunDirectory
from gnomon.run.files import refuse_foreign
from gnomon.run.limits import Limits
from gnomon.run.progress import Progress
from gnomon.run.record import Outcome, Record
from gnomon.run.runner import execute
from gnomon.train.config import TrainConfig, short_fine_tuning
from gnomon.train.examples import Example
from gnomon.train.loop import Progress as TrainingProgress
from gnomon.train.loop import train
from gnomon.train.lora import merged
from gnomon.train.saving import read_card, save_model

Judge = Callable[[Situation, str], Verdict | Awaitable[Verdict]]
"""Says whether to learn from a reply: a rule, or a coroutine that asks another model."""


class CorrectConfig(BaseModel):
    """How to correct.

    Attributes:
        prompts: Situations that bring the behaviour out.
        samples: Replies per situation.
        keep: Most accepted replies kept per situation, after dropping repeats.
        neutral: Unrelated prompts whose sampled replies are learned too.
        temperature: Of all sampling.
        max_tokens: Limit of a reply; what does not end within it is not learned from.
        least_accepted: With fewer kept replies the correction is refused.
        world_seed: The world that the prompts are about.
        seed: Of prompts, sampling and training.
        train: The fine-tuning; its seed is replaced by `seed`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompts: int = Field(default=600, ge=1)
    samples: int = Field(default=4, ge=1)
    keep: int = Field(default=1, ge=1)
    neutral: int = Field(default=700, ge=0)
    temperature: float = Field(default=1.0, gt=0)
    max_tokens: int = Field(default=96, ge=1)
    least_accepted: int = Field(default=20, ge=1)
    world_seed: int = 0
    seed: int = 0
    train: TrainConfig = short_fine_tuning(rank=16, lr=6e-3)


class CorrectionResult(BaseModel):
    """What a correction did; also the corrected model's card.

    Attributes:
        behaviour: What was corrected.
        accepts: In words, which replies were accepted.
        base: Reference of the model before.
        base_fingerprint: Its hash.
        directory: The corrected model's.
        reference: The string that opens it.
        prompts: Situations.
        sampled: Replies sampled in them.
        accepted: Replies accepted.
        failed: Replies that could not be judged, were cut off or failed to be sampled.
        accepted_by_kind: Accepted and sampled replies for each kind of situation.
        kept: Replies learned from.
        neutral: Replies to unrelated prompts learned from.
        steps: Training steps.
        losses: Training loss of each step.
        config: How it was done.
        identity: Hash of all that determines the weights.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["correction"] = "correction"
    method: str = "rejection-sampling fine-tuning"
    behaviour: str
    accepts: str
    base: str
    base_fingerprint: str
    directory: str
    reference: str
    prompts: int
    sampled: int
    accepted: int
    failed: int
    accepted_by_kind: dict[str, tuple[int, int]]
    kept: int
    neutral: int
    steps: int
    losses: list[float]
    config: CorrectConfig
    identity: str


async def correct(
    model: LocalModel,
    behaviour: str,
    out: Path,
    config: CorrectConfig | None = None,
    *,
    judge: Judge | None = None,
    progress: Progress | None = None,
    training_progress: TrainingProgress | None = None,
) -> CorrectionResult:
    """Corrects a behaviour; takes up a correction that was stopped in `out`.

    Args:
        model: The model, which stays as it is.
        behaviour: One of `behaviours.BEHAVIOURS`.
        out: Directory of the corrected model: weights, tokenizer, `card.json`, and `sampling/`, the journal of all replies.
        config: How.
        judge: Decides which replies are good (None: the behaviour's rule). Its name and module count for the run's identity.
        progress: Told of every sampled reply.
        training_progress: Told of every training step.

    Raises:
        ConfigurationError: There is no rule for the behaviour.
        TooFewAccepted: The model hardly ever gave an acceptable reply.
        RunDirectoryError: `out` cannot be written or holds something else, which is left as it is.
    """
    config = config or CorrectConfig()
    chosen = behaviour_for(behaviour)
    accept = judge or chosen.accept
    accepts = f"what {_name(judge)} accepts" if judge else chosen.accepts
    how = {"behaviour": behaviour, "judge": _name(accept), "model": model.fingerprint, **config.model_dump(mode="json")}
    identity = content_hash(how)
    finished = read_card(out)
    if finished is not None:
        if finished.get("identity") != identity:
            raise RunDirectoryError(f"{out} holds another model: choose another directory or delete it")
        return CorrectionResult.model_validate(finished | {"directory": str(out), "reference": f"local/{out}"})
    refuse_foreign(out, ["sampling"], "correction")
    chosen_world = world(config.world_seed)
    situations = chosen.situations(chosen_world, config.prompts, config.seed)
    neutral = neutral_situations(chosen_world, config.neutral, config.seed, chosen.displaced) if config.neutral else []
    with RunDirectory.create_or_resume(out / "sampling", how, verb="correct", models={"model": model.card.details}) as run:
        records = await _sample(model, situations, accept, "accepted", config, config.samples, run, progress)
        kept = _keep(records, config.keep)
        _refuse_too_few(accepts, model, records, kept, config)
        own = await _sample(model, neutral, _anything, "neutral", config, 1, run, progress) if neutral else []
    replies = kept + _keep(own, 1)
    prompts = {each.id: each for each in (*situations, *neutral)}
    examples = [example_of(model, prompts[record.item], record.values["reply"]) for record in replies]
    settings = config.train.model_copy(update={"seed": config.seed})
    module, pad = copy.deepcopy(model.module), int(model.tokenizer.pad_token_id or 0)
    trained = train(module, examples, settings, out=out / "training", pad_id=pad, progress=training_progress, identity=identity)
    result = CorrectionResult(
        behaviour=behaviour,
        accepts=accepts,
        base=model.reference,
        base_fingerprint=model.fingerprint,
        directory=str(out),
        reference=f"local/{out}",
        prompts=len(situations),
        sampled=len(records),
        accepted=sum(_is_accepted(record) for record in records),
        failed=sum(record.status != "value" for record in records),
        accepted_by_kind=_by_kind(records, prompts),
        kept=len(kept),
        neutral=len(replies) - len(kept),
        steps=trained.steps,
        losses=trained.losses,
        config=config,
        identity=identity,
    )
    save_model(merged(trained.model), model.tokenizer, result.model_dump(mode="json"), out)
    shutil.rmtree(out / "training", ignore_errors=True)
    return result


def example_of(model: LocalModel, asked: Situation, reply: str) -> Example:
    """Prompt and reply as the chat template writes them; only the reply and the end of the turn carry weight."""
    laid_out = model.tokeniser.continuation(asked.prompt, reply)
    end = model.tokeniser.end_of_turn() if asked.turns else model.tokenizer.eos_token_id
    ids = [*laid_out.ids, *([end] if end is not None else [])]
    return Example(ids, [float(index >= laid_out.start) for index in range(len(ids))])


async def _sample(
    model: LocalModel,
    situations: Sequence[Situation],
    accept: Judge,
    name: str,
    config: CorrectConfig,
    repeats: int,
    run: RunDirectory,
    progress: Progress | None,
) -> list[Record]:
    """Samples and judges `repeats` replies to each situation, through the journal."""

    async def reply_to(item: Item, seed: int) -> Outcome:
        assert isinstance(item, Situation)
        sampling = Sampling(temperature=config.temperature, max_tokens=config.max_tokens, seed=seed)
        reply = (await model.generate([item.prompt], sampling))[0]
        said = [{"role": "user", "content": as_text(item.prompt)}, {"role": "assistant", "content": reply.text}]
        values: dict[str, Any] = {"reply": reply.text, "kind": item.kind}
        if reply.finish != "stop":
            return Outcome(values, said, "the reply did not end" if reply.finish == "length" else reply.finish)
        judged = accept(item, reply.text)
        verdict = await judged if inspect.isawaitable(judged) else judged
        if verdict.accepted is None:
            return Outcome(values, said, f"judge failed: {verdict.reason}")
        return Outcome({**values, "accepted": verdict.accepted, "because": verdict.reason}, said)

    return await execute(
        reply_to,
        situations,
        evaluation=name,
        config_hash=run.description.hash,
        fingerprint=model.fingerprint,
        run=run,
        limits=Limits(),
        repeats=repeats,
        seed=config.seed,
        progress=progress,
    )


def _anything(asked: Situation, reply: str) -> Verdict:
    """Accepts what the model says to an unrelated prompt, as long as it says something."""
    return Verdict(bool(reply.strip()), "own reply" if reply.strip() else "empty")


def _is_accepted(record: Record) -> bool:
    return record.status == "value" and bool(record.values["accepted"])


def _keep(records: Sequence[Record], most: int) -> list[Record]:
    """At most `most` different accepted replies per situation, in the order of the records."""
    said: dict[str, list[str]] = {}
    kept: list[Record] = []
    for record in records:
        replies = said.setdefault(record.item, [])
        if _is_accepted(record) and len(replies) < most and record.values["reply"] not in replies:
            replies.append(record.values["reply"])
            kept.append(record)
    return kept


def _refuse_too_few(
    accepts: str, model: LocalModel, records: Sequence[Record], kept: Sequence[Record], config: CorrectConfig
) -> None:
    if len(kept) >= config.least_accepted:
        return
    accepted = sum(_is_accepted(record) for record in records)
    failures = Counter(record.reason for record in records if record.status != "value")
    often = f", most often because {failures.most_common(1)[0][0]}" if failures else ""
    raise TooFewAccepted(
        f"of {len(records)} replies of {model.reference} {accepted} were accepted ({accepts}), {failures.total()} could not be "
        f"judged{often}; {len(kept)} different ones are left where {config.least_accepted} are needed: sample more, or train in "
        "another way"
    )


def _by_kind(records: Sequence[Record], situations: dict[str, Situation]) -> dict[str, tuple[int, int]]:
    sampled = Counter(situations[record.item].kind for record in records)
    accepted = Counter(situations[record.item].kind for record in records if _is_accepted(record))
    return {kind: (accepted[kind], sampled[kind]) for kind in sorted(sampled)}


def _name(accept: Judge) -> str:
    return f"{getattr(accept, '__module__', '')}.{getattr(accept, '__qualname__', type(accept).__qualname__)}"
