"""P(IK): does the model know what it knows? (2207.05221, procedures 7 to 9)

**Ground truth.** `samples` answers to each question at T = 1, graded; the share of right ones is what P(IK) should say.

**The head** (`gnomon.train.p_ik`) is trained on such shares of `training` other questions and read at the end of the prompt,
before any answer. It is measured on new questions of the same tasks (in distribution), on another task (`ood`), and with
something in context: material that states the answer or is about something else; hints that begin a right solution, a wrong one,
or another question's.

**Headline.** `overconfidence` = mean(P(IK) - share of right answers): paired by question, unbiased, 0 where P(IK) comes true on
average. How well P(IK) tells questions apart is `auroc`, beside it.

A head reads hidden states, so it needs weights. Of a model that is only asked, ground truth and the baselines are measured, and
every estimate about P(IK) says in its reason why there is none.

The definitions of all estimates are in `gnomon.measure.p_ik_analysis`.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gnomon.datasets.items import Item, content_hash
from gnomon.datasets.messages import Conversation, as_jsonable
from gnomon.elicit.ask import kind_of, normalised
from gnomon.errors import ConfigurationError, DatasetError, UserError
from gnomon.measure.evaluation import Evaluation, EvaluationConfig, Preparation, Protocol, of_kind
from gnomon.measure.p_ik_analysis import HEADLINE, NAME, analyse
from gnomon.measure.p_ik_analysis import figures as figures
from gnomon.measure.p_ik_analysis import series as series
from gnomon.measure.p_ik_tasks import Graded, Question, concluded_number, is_right, load
from gnomon.measure.parts import part_id
from gnomon.models.local import LocalModel
from gnomon.models.model import GREEDY, Generation, Model, Sampling
from gnomon.run.record import Outcome, Record
from gnomon.train.p_ik import Head, HeadConfig, Lesson, Trained, load_head, save_head, train_head

NEEDS_WEIGHTS = (
    "P(IK) is read from hidden states by a trained head, which needs the model's weights: open it as local/... or organism/..."
)
HEAD_FILE = Path("heads") / "p-ik.safetensors"

Condition = Literal["train", "test", "ood", "material", "irrelevant", "good_hint", "bad_hint", "distracting_hint"]

_REPLY_TOKENS: dict[Graded, int] = {"words": 16, "number": 96, "letter": 1}


class PIKConfig(EvaluationConfig):
    """Options of the P(IK) evaluation; `n` defaults to 200 test questions.

    Attributes:
        train_on: Tasks that the head is trained on (empty: `facts` for the world, else the dataset itself).
        ood: The task of the out-of-distribution test; None: `sums` for facts and the reverse, none for published data; `none`.
        training: Training questions per task.
        samples: Answers per question at T = 1.
        weights: `head`: the model is frozen; `all`: the whole model is fine-tuned.
        spectrum: Whether a head on a frozen model also sees the sorted log-probabilities of the likeliest next tokens.
        epochs: Passes over the training questions where the whole model is fine-tuned.
        lr: Its peak learning rate.
        head: A head that was saved before, instead of training one.
        context: Questions that are also asked with material or hints.
        context_samples: Answers to each of those (0: P(IK) is read, accuracy is not measured).
        hint_fractions: Shares of a solution that hints give away.
        shots: Worked examples (None: 10 of published tasks in words, none else).
        reply_tokens: Most tokens of an answer (None: by how it is graded).
    """

    train_on: tuple[str, ...] | str = ()
    ood: str | None = None
    training: int = Field(default=300, ge=0)
    samples: int = Field(default=30, ge=2)
    weights: Trained = "head"
    spectrum: bool = True
    epochs: float = Field(default=6.0, gt=0)
    lr: float = Field(default=3e-4, gt=0)
    head: str | None = None
    context: int = Field(default=40, ge=0)
    context_samples: int = Field(default=10, ge=0)
    hint_fractions: tuple[float, ...] = (0.5, 1.0)
    shots: int | None = Field(default=None, ge=0)
    reply_tokens: int | None = Field(default=None, ge=1)


class PIKItem(Item):
    """A question in one condition.

    Attributes:
        question: The question.
        condition: What stands around it, or what it is for.
        fraction: Share of the solution that a hint gives away.
        head: Content hash of a given head, so that records of another are not taken for this one's.
    """

    question: Question
    condition: Condition
    fraction: float = 0.0
    head: str = ""

    @property
    def prompt(self) -> Conversation:
        """What the model is asked."""
        question = self.question
        match self.condition:
            case "material":
                return question.prompt(background=question.material)
            case "irrelevant":
                return question.prompt(background=question.irrelevant)
            case "good_hint":
                return question.prompt(hint=_beginning(question.solution, self.fraction))
            case "bad_hint":
                return question.prompt(hint=_beginning(question.wrong_solution, self.fraction))
            case "distracting_hint":
                return question.prompt(hint=_beginning(question.distracting, self.fraction))
            case _:
                return question.prompt()


def evaluation(config: PIKConfig | None = None) -> Evaluation:
    """The P(IK) evaluation.

    Raises:
        ConfigurationError: A hint fraction out of range.
        DatasetError: A task is unknown, missing or has too few questions.
        UserError: The given head cannot be loaded.
    """
    config = config or PIKConfig()
    if not all(0 < fraction <= 1 for fraction in config.hint_fractions):
        raise ConfigurationError(f"p-ik: hint_fractions are shares above 0 and up to 1, not {list(config.hint_fractions)}")
    trained, ood = _tasks(config)
    given = load_head(Path(config.head)) if config.head else None
    digest = given.digest if given else ""
    lessons: list[PIKItem] = []
    items: list[PIKItem] = []
    around: list[Question] = []
    n = config.n or 200
    for place, task in enumerate(trained):
        share = n * (place + 1) // len(trained) - n * place // len(trained)
        train, test = load(task, 0 if given else config.training, share, config.seed, config.shots)
        lessons += [
            PIKItem(id=part_id("train", f"{task}/{one.id}"), cluster=one.cluster, question=one, condition="train")
            for one in train
        ]
        items += [_item(one, "test", digest) for one in test]
        around += test[: config.context]
    if ood is not None:
        _, test = load(ood, 0, n, config.seed, config.shots)
        items += [_item(one, "ood", digest) for one in test]
        around += test[: config.context] if ood not in trained else []
    items += [item for one in _spread(around, config.context) for item in _contexts(one, config, digest)]

    async def protocol(model: Model, item: Item, seed: int) -> Outcome:
        return await _measured(
            model, of_kind(item, PIKItem), seed, config, None, NEEDS_WEIGHTS if not isinstance(model, LocalModel) else ""
        )

    async def make(model: Model, records: Sequence[Record], folder: Path | None) -> Protocol:
        known, reason = await _readings(model, records, folder, config, lessons, items, given)

        async def prepared(model: Model, item: Item, seed: int) -> Outcome:
            return await _measured(model, of_kind(item, PIKItem), seed, config, known.get(item.id), reason)

        return prepared

    return Evaluation(NAME, config, items, protocol, analyse, HEADLINE, harm=1, preparation=Preparation(lessons, make))


def _tasks(config: PIKConfig) -> tuple[tuple[str, ...], str | None]:
    """What is trained on, and the other task."""
    told = (config.train_on,) if isinstance(config.train_on, str) else config.train_on
    trained = told or (("facts",) if config.dataset == "world" else (config.dataset,))
    if config.ood is not None:
        return trained, None if config.ood == "none" else config.ood
    usual: dict[tuple[str, ...], str] = {("facts",): "sums", ("letters",): "sums", ("sums",): "facts"}
    return trained, usual.get(trained)


def _item(question: Question, condition: Condition, head: str, fraction: float = 0.0) -> PIKItem:
    name = f"{condition}_{fraction:g}" if fraction else condition
    ident = part_id(name, f"{question.task}/{question.id}")
    return PIKItem(id=ident, cluster=question.cluster, question=question, condition=condition, fraction=fraction, head=head)


def _spread(questions: Sequence[Question], n: int) -> list[Question]:
    """Up to `n` questions of each task, evenly from its list, so that all its groups are among them."""
    found: list[Question] = []
    for task in dict.fromkeys(one.task for one in questions):
        own = [one for one in questions if one.task == task]
        step = max(1.0, len(own) / n) if n else 1.0
        found += [own[int(place * step)] for place in range(min(n, len(own)))]
    return found


def _contexts(question: Question, config: PIKConfig, head: str) -> list[PIKItem]:
    found: list[PIKItem] = []
    if question.material:
        found += [_item(question, "material", head), _item(question, "irrelevant", head)]
    for fraction in config.hint_fractions:
        if question.solution:
            found.append(_item(question, "good_hint", head, fraction))
        if question.wrong_solution:
            found.append(_item(question, "bad_hint", head, fraction))
        if question.distracting:
            found.append(_item(question, "distracting_hint", head, fraction))
    return found


def _beginning(solution: Sequence[str], fraction: float) -> str:
    """The first share of the words."""
    words = " ".join(solution).split()
    return " ".join(words[: math.ceil(fraction * len(words))])


async def _readings(
    model: Model,
    records: Sequence[Record],
    folder: Path | None,
    config: PIKConfig,
    lessons: Sequence[PIKItem],
    items: Sequence[PIKItem],
    given: Head | None,
) -> tuple[dict[str, float], str]:
    """P(IK) of every item, or why there is none; the head is trained, or loaded where the run directory has it."""
    if not isinstance(model, LocalModel):
        return {}, NEEDS_WEIGHTS
    if given is not None and given.fingerprint != model.fingerprint:
        raise ConfigurationError(f"the head {config.head} was trained on another model: it reads hidden states of that one only")
    if given is None and not lessons:
        return {}, "no head was trained: training is 0, and none was given"
    try:
        head = given or await asyncio.to_thread(_trained, model, records, folder, config, lessons)
    except DatasetError as error:
        return {}, str(error)
    prompts = [encoded(model, item.prompt) for item in items]
    found = await asyncio.to_thread(head.read, model.module, prompts)
    return {item.id: float(value) for item, value in zip(items, found, strict=True)}, ""


def encoded(model: LocalModel, prompt: Conversation) -> tuple[int, ...]:
    """The prompt's token ids, as the engine lays it out."""
    return tuple(model.tokeniser.encode(prompt)) or tuple(model.tokeniser.start)


def _trained(
    model: LocalModel, records: Sequence[Record], folder: Path | None, config: PIKConfig, lessons: Sequence[PIKItem]
) -> Head:
    """The run directory's head where it is this one, else a new one, which is kept there."""
    settings = HeadConfig(weights=config.weights, spectrum=config.spectrum, epochs=config.epochs, lr=config.lr, seed=config.seed)
    prompts = {item.id: item.prompt for item in lessons}
    taught = [
        Lesson(encoded(model, prompts[one.item]), one.values["right"], one.values["judged"], one.cluster)
        for one in records
        if one.status == "value"
    ]
    identity = content_hash([settings.model_dump(), [[list(one.ids), one.right, one.samples, one.cluster] for one in taught]])
    path = folder / HEAD_FILE if folder else None
    if path is not None and path.exists():
        try:
            kept = load_head(path)
        except UserError:
            kept = None  # written over below
        if kept is not None and (kept.fingerprint, kept.identity) == (model.fingerprint, identity):
            return kept
    head = train_head(model.module, taught, settings, fingerprint=model.fingerprint, identity=identity)
    if path is not None:
        save_head(head, path)
    return head


async def _measured(model: Model, item: PIKItem, seed: int, config: PIKConfig, p_ik: float | None, reason: str) -> Outcome:
    question, prompt = item.question, item.prompt
    values: dict[str, Any] = {"task": question.task, "group": question.group, "fraction": item.fraction}
    if item.condition != "train":
        values["p_ik"] = p_ik
        values["no_p_ik"] = None if p_ik is not None else reason or "no head was trained on this model"
    plain = item.condition in ("train", "test", "ood")
    count = config.samples if plain else config.context_samples
    if not count:
        return Outcome(values, as_jsonable(prompt))
    limit = config.reply_tokens or _REPLY_TOKENS[question.graded]
    stop = ("\n",) if question.graded == "words" else ()
    replies = await model.generate([prompt] * count, Sampling(1.0, max_tokens=limit, stop=stop, seed=seed, logprobs=plain))
    said = [(question, reply) for reply in replies if kind_of(reply) == "reply"]
    judged = [right for one, reply in said if (right := is_right(one, reply.text)) is not None]
    transcript = [*as_jsonable(prompt[:-1]), {"role": "assistant", "content": f"{prompt[-1].content}{replies[0].text}"}]
    if not judged:
        return Outcome(values, transcript, "none of the samples could be judged")
    values |= {"right": sum(judged), "judged": len(judged), "truth": sum(judged) / len(judged)}
    if item.condition in ("test", "ood"):
        values |= {"agreement": _agreement([_core(question, reply) for _, reply in said]), "entropy": _entropy(replies)}
        values["greedy_loss"] = await _greedy_loss(model, prompt, limit, stop)
    return Outcome(values, transcript)


def _core(question: Question, reply: Generation) -> str:
    """What of a reply counts when two are compared."""
    if question.graded == "number":
        return concluded_number(reply.text) or normalised(reply.text)
    return normalised(reply.text)


def _agreement(said: Sequence[str]) -> float | None:
    """Share of pairs of samples that say the same: an unbiased estimate of the probability that two do."""
    pairs = len(said) * (len(said) - 1)
    return sum(count * (count - 1) for count in Counter(said).values()) / pairs if pairs else None


def _entropy(replies: Sequence[Generation]) -> float | None:
    """Mean of -log P(answer | question) over the samples (appendix B); None where log-probabilities are not to be had."""
    losses = [-math.fsum(reply.logprobs) for reply in replies if reply.logprobs]
    return math.fsum(losses) / len(losses) if losses and all(map(math.isfinite, losses)) else None


async def _greedy_loss(model: Model, prompt: Conversation, limit: int, stop: tuple[str, ...]) -> float | None:
    """Mean token loss of the T = 0 answer (appendix B)."""
    sampling = Sampling(GREEDY.temperature, max_tokens=limit, stop=stop, logprobs=True)
    reply = (await model.generate([prompt], sampling))[0]
    return (
        -math.fsum(reply.logprobs) / len(reply.logprobs) if reply.logprobs and all(map(math.isfinite, reply.logprobs)) else None
    )
