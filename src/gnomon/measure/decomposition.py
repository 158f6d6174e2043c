"""Question decomposition: how accurate are ways of reasoning, and how far does the answer depend on what they state? (2307.11768)

Every question is answered at once (zero-shot, few-shot), by a chain of thought (`cot`), by chain-of-thought decomposition
(`cotd`) and by factored decomposition (`factored`: each subquestion in a context of its own); `shared` is the ablation in which
subquestions are answered in sight of the question. The protocols are those of `gnomon.elicit.decompose`, the interventions those
of `gnomon.elicit.interventions`, the same for all of them.

| estimate, per method | definition |
|---|---|
| `accuracy_<m>` | share of right answers |
| `truncation_sensitivity_<m>` | share of answers that change when only the first k steps are kept, averaged over k = 0 .. n - 1 |
| `corruption_sensitivity_<m>` | the same with a mistake in step i and the rest made anew, averaged over i = 1 .. n |
| `accuracy_change_suggested_answer_<m>` | accuracy when the user suggests a wrong answer, minus without |
| `accuracy_change_always_a_<m>` | when all worked examples answer (A), minus without, where (A) is wrong |
| `bias_accuracy_change_<m>` | both biases averaged, on the questions where both point to a wrong option |
| `calls_<m>`, `tokens_<m>` | of one answer: prompts, and words read and written |
| `overlap_<m>`, `restated_<m>` | leak check: largest share of the question in one subquestion; how often 90 % or more |

**Headline.** `corruption_gain_factored`: corruption sensitivity of factored decomposition minus that of the chain of thought,
same questions. `truncation_gain_<m>`, `corruption_gain_<m>` and `accuracy_gain_<m>` compare the other decompositions alike.

A step is a sentence of a chain, or a subquestion with its answer; sensitivities of methods with other numbers of steps compare
only roughly. High sensitivity shows that the answer depends on the text, not that the text is right.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from gnomon.datasets import decomposition as formats
from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem, Item, derive_seed
from gnomon.datasets.messages import Conversation
from gnomon.elicit.choose import Choice, said
from gnomon.elicit.cost import Metered
from gnomon.elicit.decompose import METHODS, REASONING, Method, Protocol, Roles, Thought, overlap
from gnomon.elicit.interventions import INTERVENTIONS, Point, Subject
from gnomon.elicit.reason import Reasoning, Unanswered, stated_option
from gnomon.elicit.wordings import PAPER, WORLD, Context, Kind
from gnomon.errors import ConfigurationError
from gnomon.measure.decomposition_analysis import ALWAYS_A, BIASES, HEADLINE, NAME, SUGGESTED, analyse
from gnomon.measure.decomposition_analysis import figures as figures
from gnomon.measure.decomposition_analysis import series as series
from gnomon.measure.evaluation import Evaluation, EvaluationConfig, of_kind
from gnomon.measure.parts import part_id
from gnomon.measure.published.decomposition_prompts import published_examples
from gnomon.measure.questions import reasoning_questions, steerable_questions
from gnomon.models.model import Model
from gnomon.models.references import open_model
from gnomon.organisms.world import world
from gnomon.run.record import Outcome

_KINDS: dict[Method, tuple[Kind, ...]] = {
    "zero_shot": (),
    "few_shot": ("ask",),
    "cot": ("chain",),
    "cotd": ("together",),
    "factored": ("decompose", "recompose"),
    "shared": ("decompose", "recompose"),
}
_MIXED = (1, 2, 0, 3)
"""Which options are right in the worked examples of an unbiased context, in turn."""
_LEAST_SHOTS = 2
"""Fewer worked examples show no pattern."""


class DecompositionConfig(EvaluationConfig):
    """Options of the decomposition evaluation; `n` defaults to 40 questions.

    Attributes:
        methods: Which to run.
        interventions: Names in `gnomon.elicit.interventions.INTERVENTIONS`.
        biases: Biasing contexts.
        wording: `paper` has tags and instructions, `world` the words of the small organisms (None: that of the dataset).
        shots: Worked examples of `few_shot`.
        reasoning_shots: Worked examples of the methods that reason (None: none in the world's wording and where their reasoning
            is not known, else `shots`).
        prompts: `own`, or `published`: the instructions and the 14 worked examples that the authors released.
        reasoning_tokens: Limit of tokens of one reply.
        only_steerable: Of the world, only sums in which a mistake in any step can lead to any wrong option.
        decomposer: Reference of the model that writes subquestions (None: the tested one).
        answerer: Reference of the model that answers them (None: the tested one).
        writer: Reference of the model that writes mistakes where no rule does (None: the tested one).
        fingerprints: Content hashes of these; filled in.
    """

    methods: tuple[Method, ...] = Field(default=METHODS, min_length=1)
    interventions: tuple[str, ...] = ("early_answering", "adding_mistakes")
    biases: tuple[Literal["suggested_answer", "always_a"], ...] = BIASES
    wording: Literal["paper", "world"] | None = None
    shots: int = Field(default=3, ge=0, le=14)
    reasoning_shots: int | None = Field(default=None, ge=0, le=14)
    prompts: Literal["own", "published"] = "own"
    reasoning_tokens: int = Field(default=160, ge=1)
    only_steerable: bool = False
    decomposer: str | None = None
    answerer: str | None = None
    writer: str | None = None
    fingerprints: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> "DecompositionConfig":
        unknown = [name for name in self.interventions if name not in INTERVENTIONS]
        if unknown:
            known = ", ".join(INTERVENTIONS)
            raise ConfigurationError(f"there is no intervention {unknown[0]!r}; choose from {known}")
        if self.worded == "world" and self.dataset != "world":
            raise ConfigurationError(
                f"the world's wording is for the world's questions; with {self.dataset} choose wording=paper"
            )
        if self.worded == "world" and self.decomposer:
            raise ConfigurationError("in the world's wording a rule decomposes; choose wording=paper for a decomposer")
        if self.prompts == "published" and self.worded == "world":
            raise ConfigurationError("the published prompts are in the paper's wording; choose wording=paper with them")
        if self.dataset != "world" and self.reasoning_shots and self.prompts == "own":
            raise ConfigurationError(
                f"no worked reasoning is known for {self.dataset}; choose prompts=published or reasoning_shots=0"
            )
        return self

    @property
    def worded(self) -> str:
        """The wording that is used."""
        return self.wording or ("world" if self.dataset == "world" else "paper")

    @property
    def worked(self) -> int:
        """How many worked examples of our own the methods that reason are shown."""
        if self.reasoning_shots is not None:
            return self.reasoning_shots
        return self.shots if self.worded == "paper" and self.dataset == "world" else 0


class DecompositionItem(Item):
    """A question to be answered by one method.

    Attributes:
        question: The question.
        method: The method.
        suggested: Index of the wrong option that the user suggests.
    """

    question: ChoiceItem
    method: Method
    suggested: int


class _Shown:
    """The worked examples of every kind of prompt, in an unbiased order of options and with all right answers at (A)."""

    def __init__(self, config: DecompositionConfig, questions: Sequence[ChoiceItem]):
        self._config = config
        self._items = _examples(config, questions)
        self.mixed = self._all([_with_answer_at(item, place) for item, place in zip(self._items, _MIXED * 4, strict=False)])
        self.always_a = self._all([_with_answer_at(item, 0) for item in self._items])

    def biasable(self, method: Method) -> bool:
        """Whether the method is shown enough worked examples of ours to bias it by them."""
        shots = 0 if method == "zero_shot" else self._config.shots if method == "few_shot" else self._config.worked
        return self._config.prompts == "own" and shots >= _LEAST_SHOTS

    def _all(self, items: Sequence[ChoiceItem]) -> dict[Kind, Conversation]:
        config = self._config
        if config.prompts == "published":
            return published_examples()
        wording = PAPER if config.worded == "paper" else WORLD
        counts: dict[Kind, int] = {"ask": config.shots}
        if config.worked:
            counts |= dict.fromkeys(("chain", "together", "decompose", "recompose"), config.worked)
        return {kind: wording.examples(kind, items[:count]) for kind, count in counts.items()}


def evaluation(config: DecompositionConfig | None = None) -> Evaluation:
    """The decomposition evaluation.

    Raises:
        ConfigurationError: Options that do not go together.
        DatasetError: The dataset is unknown, missing or empty.
        UnknownModel: There is no such decomposer, answerer or writer.
    """
    config = config or DecompositionConfig()
    others = [open_model(reference) if reference else None for reference in (config.decomposer, config.answerer, config.writer)]
    config = config.model_copy(update={"fingerprints": tuple(one.fingerprint for one in others if one)})
    draw = steerable_questions if config.only_steerable else reasoning_questions
    questions = draw(config.dataset, config.n or 40, config.seed)
    shown = _Shown(config, questions)
    items = [
        DecompositionItem(
            id=part_id(method, question.id),
            cluster=question.cluster,
            question=question,
            method=method,
            suggested=_suggested(question, config.seed),
        )
        for method in config.methods
        for question in questions
    ]

    async def protocol(model: Model, item: Item, seed: int) -> Outcome:
        item = of_kind(item, DecompositionItem)
        decomposer, answerer, writer = (one or model for one in others)
        return await _Run(config, shown, item, seed, writer).outcome(Roles(model, decomposer, answerer))

    return Evaluation(NAME, config, items, protocol, analyse, HEADLINE, harm=-1)


class _Run:
    """One question by one method: the answer, the interventions, the biasing contexts."""

    def __init__(self, config: DecompositionConfig, shown: _Shown, item: DecompositionItem, seed: int, writer: Model):
        self._config, self._shown, self._item, self._seed, self._writer = config, shown, item, seed, writer
        self._question = item.question
        self._reasons = item.method in REASONING

    async def outcome(self, roles: Roles) -> Outcome:
        """Everything that is measured."""
        question, config = self._question, self._config
        meters = [Metered(one) for one in (roles.model, roles.decomposer, roles.answerer)]
        wording = PAPER if config.worded == "paper" else WORLD
        protocol = Protocol(self._item.method, Roles(*meters), wording, config.reasoning_tokens)
        values: dict[str, Any] = {
            "answer": question.letters[question.answer],
            "suggested": question.letters[self._item.suggested],
        }
        context = self._context(self._shown.mixed)
        try:
            thought = await self._thought(protocol, context, self._seed)
        except Unanswered as reason:
            return Outcome(values, said_so_far(protocol, context), str(reason))
        full = await protocol.answer(context, thought.reasoning.text)
        transcript = [*_tree(protocol, thought), *said(protocol.forced(context, thought.reasoning.text), full)]
        values |= {
            "full": full.letter,
            "mass": full.mass,
            "score_method": full.method,
            "calls": sum(meter.calls for meter in meters),
            "tokens": sum(meter.read + meter.written for meter in meters),
        }
        if full.letter is None:
            return Outcome(values, transcript, full.unscored)
        if self._reasons:
            values |= self._leak(protocol, thought) | {"steps": thought.reasoning.sentences}
            changed, shown = await self._interventions(protocol, context, thought, full)
            values |= changed
            transcript += shown
        return Outcome(values | await self._biased(protocol), transcript)

    def _context(self, shown: Mapping[Kind, Conversation], view: str = "") -> Context:
        kinds = _KINDS[self._item.method]
        return Context(self._question, view, {kind: turns for kind, turns in shown.items() if kind in kinds})

    async def _thought(self, protocol: Protocol, context: Context, seed: int) -> Thought:
        return await protocol.think(context, seed) if self._reasons else Thought(Reasoning((), 0, cut=False))

    def _leak(self, protocol: Protocol, thought: Thought) -> dict[str, Any]:
        """How much of the question its subquestions say again; of a plain chain of thought there is nothing to say."""
        if self._item.method == "cot":
            return {}
        shares = [overlap(self._question.question, pair.question) for pair in protocol.pairs(thought.reasoning.text)]
        return {"overlap": max(shares, default=None)}

    async def _interventions(
        self, protocol: Protocol, context: Context, thought: Thought, full: Choice
    ) -> tuple[dict[str, Any], list[dict[str, str]]]:
        question = self._question
        own = {question.letters.index(full.letter or "A")}
        stated = stated_option(question, thought.reasoning.text)
        if stated is not None:
            own.add(stated)

        async def go_on(text: str, seed: int) -> str:
            return await protocol.go_on(context, thought, text, seed)

        subject = Subject(
            protocol.roles.model,
            self._writer,
            question,
            thought.reasoning,
            frozenset(own),
            self._config.reasoning_tokens,
            self._seed,
            go_on,
            protocol.frame,
        )
        values: dict[str, Any] = {}
        shown: list[dict[str, str]] = []
        curves = await asyncio.gather(*(INTERVENTIONS[name](subject) for name in self._config.interventions))
        for name, points in zip(self._config.interventions, curves, strict=True):
            choices = await asyncio.gather(*(_answer_after(protocol, context, point, thought, full) for point in points))
            values |= {
                f"{name}_x": [point.x for point in points],
                f"{name}_choice": [choice.letter for choice in choices],
                f"{name}_unscored": [choice.unscored for choice in choices],
            }
            shown += [_intervention(name, point, choice) for point, choice in zip(points, choices, strict=True) if point.change]
        return values, shown

    async def _biased(self, protocol: Protocol) -> dict[str, Any]:
        """The answers in biasing contexts."""
        contexts: dict[str, Context] = {}
        if SUGGESTED in self._config.biases:
            contexts[SUGGESTED] = self._context(self._shown.mixed, self._suggestion())
        if ALWAYS_A in self._config.biases and self._shown.biasable(self._item.method):
            contexts[ALWAYS_A] = self._context(self._shown.always_a)
        found: dict[str, Any] = {}
        for bias, context in contexts.items():
            try:
                thought = await self._thought(protocol, context, derive_seed(self._seed, bias))
                choice = await protocol.answer(context, thought.reasoning.text)
            except Unanswered as reason:
                choice = Choice(None, unscored=str(reason))
            found |= {f"{bias}_choice": choice.letter, f"{bias}_unscored": choice.unscored}
        return found

    def _suggestion(self) -> str:
        question, suggested = self._question, self._item.suggested
        if self._config.worded == "world":
            return templates.SUGGESTS_INCORRECT.format(incorrect=question.options[suggested])
        return formats.SUGGESTED_ANSWER.format(letter=question.letters[suggested])


async def _answer_after(protocol: Protocol, context: Context, point: Point, thought: Thought, full: Choice) -> Choice:
    if point.reasoning is None:
        return Choice(None, unscored=point.unscored)
    return full if point.reasoning == thought.reasoning.text else await protocol.answer(context, point.reasoning)


def _intervention(name: str, point: Point, choice: Choice) -> dict[str, str]:
    text = f"{name.replace('_', ' ')} at {point.x:.2f}: {point.change}\n{point.reasoning or ''}"
    return {"role": "intervention", "content": f"{text}\nanswer: {choice.letter or choice.unscored}"}


def _tree(protocol: Protocol, thought: Thought) -> list[dict[str, str]]:
    """The subquestions and their answers, by round where a model asked them in rounds, for people to read."""
    if protocol.method not in ("factored", "shared"):
        return []
    where = "alone" if protocol.method == "factored" else "in sight of the question"
    if not thought.rounds:
        pairs = protocol.pairs(thought.reasoning.text)
        nodes = [(f"subquestion {number}", pair) for number, pair in enumerate(pairs, 1)]
    else:
        nodes = [
            (f"round {turn}, subquestion {number}", pair)
            for turn, one in enumerate(thought.rounds, 1)
            for number, pair in one.answered
        ]
    return [
        {"role": "subquestion", "content": f"{place}, answered {where}: {pair.question}\nanswer: {pair.answer}"}
        for place, pair in nodes
    ]


def said_so_far(protocol: Protocol, context: Context) -> list[dict[str, str]]:
    """The transcript of a record whose reasoning could not be made: what the model was asked for."""
    return said(protocol.forced(context, ""), Choice(None))


def _suggested(question: ChoiceItem, seed: int) -> int:
    wrong = [index for index in range(len(question.options)) if index != question.answer]
    return wrong[derive_seed("suggested", seed, question.id) % len(wrong)]


def _examples(config: DecompositionConfig, questions: Sequence[ChoiceItem]) -> list[ChoiceItem]:
    """Questions for worked examples, none of them measured on."""
    wanted = max(config.shots, config.worked)
    if not wanted or config.prompts == "published":
        return []
    if config.dataset == "world":
        return world(0).arithmetic_items(wanted, config.seed, steps=3, split="correct")
    asked = {question.id for question in questions}
    drawn = reasoning_questions(config.dataset, len(questions) + wanted, config.seed)
    return [item for item in drawn if item.id not in asked][:wanted]


def _with_answer_at(item: ChoiceItem, place: int) -> ChoiceItem:
    """The question with its right option at another place."""
    place = min(place, len(item.options) - 1)
    options = list(item.options)
    options[place], options[item.answer] = options[item.answer], options[place]
    return item.model_copy(update={"options": tuple(options), "answer": place})
