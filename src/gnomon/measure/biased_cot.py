"""Biased contexts: does the answer follow a feature of the prompt that the explanation never mentions? (2305.04388)

**Questions.** Each is asked without and with a biasing feature (`gnomon.measure.biases`: what the user thinks, worked examples
that all answer (A), ...), with a chain of thought (temperature 0.7) and without one, and once more without the feature, which
shows what sampling alone changes. Items split by whether the right answer is the one that the bias speaks for.

**Pairs.** A question about two people with weak evidence on the person whom a stereotype names, and on the other one. Two answers
are faithful if they follow the evidence from one person to the other, or are both Unknown.

**Headline.** `unfaithfulness`: over items whose right answer contradicts the bias and whose unbiased answer is not the biased
one, the share of answers that move to the biased one *while the explanation does not mention the bias*, minus the share that
moves there when nothing is changed. A model that follows the bias on a share r of the questions, owns up to it on a share m
of those and answers alike when asked again has r (1 - m) exactly in expectation, whatever its accuracy. A model that ignores
the bias has 0, however much its samples differ.

What else is estimated is in `gnomon.measure.biased_cot_analysis` (which recordings of other people's outputs share) and
`gnomon.measure.biased_cot_explanations`. An item of which any answer could not be read is unscored in all contexts.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import polars as pl
from pydantic import Field, field_validator

from gnomon.datasets import bias_templates
from gnomon.datasets.bias_templates import Wording
from gnomon.datasets.items import ChoiceItem, Item, derive_seed
from gnomon.datasets.messages import Conversation, as_jsonable
from gnomon.elicit.choose import Choice, closed
from gnomon.elicit.contexts import Context, Explained, Style, answer_at_once, explain
from gnomon.elicit.reason import stated_option
from gnomon.errors import ConfigurationError
from gnomon.measure import biased_cot_analysis, biased_cot_explanations
from gnomon.measure.biased_cot_analysis import PAIRS, STEREOTYPED, UNKNOWN, VERSIONS
from gnomon.measure.biased_cot_explanations import HEADLINE
from gnomon.measure.biased_cot_explanations import figures as figures
from gnomon.measure.biased_cot_explanations import series as series
from gnomon.measure.biased_cot_items import (
    BBH,
    BiasedItem,
    CheckItem,
    Instruction,
    PairItem,
    Shots,
    biased_items,
    check_items,
    pair_items,
    sources,
)
from gnomon.measure.biases import STEREOTYPE, Bias, bias
from gnomon.measure.evaluation import Evaluation, EvaluationConfig
from gnomon.measure.mentions import mention
from gnomon.measure.weak_evidence import with_evidence, written_evidence
from gnomon.models.model import Model, Sampling
from gnomon.models.references import open_model
from gnomon.run.record import Outcome
from gnomon.stats.estimate import Estimate

NAME = biased_cot_analysis.NAME

_USUAL_BIASES = {"world": ("suggested_answer", "ans_always_a", PAIRS), BBH: ("suggested_answer", "ans_always_a"), "bbq": (PAIRS,)}
_WORLD_TOKENS, _TOKENS = 120, 700


class BiasedCotConfig(EvaluationConfig):
    """Options of the evaluation; `n` defaults to 100 questions for each bias (the same ones), and as many pairs.

    Attributes:
        biases: Which, of `gnomon.measure.biases` and `bbq` for the pairs (empty: those of the paper that the dataset has).
        shots: `zero`, `few` or both (empty: few where the bias lies in the examples, else zero).
        wording: How strongly a bias is worded: its dose.
        tasks: Only these tasks of the dataset (empty: all): `arithmetic` and `facts` of the world, the 13 of `bbh`.
        demonstrations: Worked examples for a question of the world.
        instructions: For pairs: `no_instruction`, `debiasing` or both.
        style: How reasoning is asked for, `forced` or `stated` (None: `stated`, the paper's, but `forced` in the world).
        reasoning_tokens: Limit of tokens of a chain of thought (None: 120 in the world, else 700).
        temperature: Of the chains of thought.
        judge: Reference of a model that says whether explanations mention the bias (None: by their words only).
        judge_checks: Explanations, half of which mention it, that the judge's own error is measured on, for each bias.
        writer: Reference of the model that writes weak evidence for BBQ (None: the tested one).
        judge_fingerprint: The judge's content hash; filled in.
        writer_fingerprint: The writer's; filled in.
    """

    biases: tuple[str, ...] = ()
    shots: tuple[Shots, ...] = ()
    wording: Wording = "usual"
    tasks: tuple[str, ...] = ()
    demonstrations: int = Field(default=3, ge=2)
    instructions: tuple[Instruction, ...] = Field(default=("no_instruction",), min_length=1)
    style: Style | None = None
    reasoning_tokens: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=0.7, ge=0.0, allow_inf_nan=False)
    judge: str | None = None
    judge_checks: int = Field(default=100, ge=20)
    writer: str | None = None
    judge_fingerprint: str | None = None
    writer_fingerprint: str | None = None

    @field_validator("biases")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for name in given:
            if name != PAIRS:
                bias(name)
        if len(set(given)) < len(given):
            raise ConfigurationError("a bias is given twice; give it once")
        return given

    @property
    def chosen(self) -> tuple[str, ...]:
        """The biases."""
        return self.biases or _USUAL_BIASES.get(self.dataset, ("suggested_answer",))


def evaluation(config: BiasedCotConfig | None = None) -> Evaluation:
    """The evaluation of biased contexts.

    Raises:
        DatasetError: The dataset or a task is unknown, missing or broken, or has fewer questions.
        ConfigurationError: A bias in the examples without examples.
        UnknownModel: There is no such judge or writer.
    """
    config = config or BiasedCotConfig()
    judging = open_model(config.judge) if config.judge else None
    writer = open_model(config.writer) if config.writer else None
    config = config.model_copy(
        update={
            "judge_fingerprint": judging.fingerprint if judging else None,
            "writer_fingerprint": writer.fingerprint if writer else None,
        }
    )
    asking = _Asking(config, judging, writer)
    return Evaluation(NAME, config, _items(config), asking.protocol, analyse, HEADLINE, harm=1)


def analyse(table: pl.DataFrame) -> list[Estimate]:
    """The headline, then all estimates of each bias, and those that rest on its explanations."""
    return biased_cot_explanations.analyse(table)


def _items(config: BiasedCotConfig) -> list[Item]:
    n = config.n or 100
    found: list[Item] = []
    named = [bias(name) for name in config.chosen if name != PAIRS]
    if named:
        questions = sources(config.dataset, n, config.seed, config.tasks, config.demonstrations)
        for one in named:
            for shots in config.shots or (("few",) if one.few_shot else ("zero",)):
                if one.few_shot and shots == "zero":
                    raise ConfigurationError(f"the bias {one.name} lies in worked examples: leave shots out or set it to few")
                found += biased_items(questions, one, shots, config.dataset, config.seed)
    if PAIRS in config.chosen:
        found += pair_items(config.dataset, n, config.seed, config.instructions)
    if config.judge:
        found += check_items(config.chosen, config.judge_checks, config.seed)
    return found


class _Asking:
    """The protocol under a configuration."""

    def __init__(self, config: BiasedCotConfig, judging: Model | None, writer: Model | None):
        self._config = config
        self._judging = judging
        self._writer = writer
        world = config.dataset == "world"
        self._style: Style = config.style or ("forced" if world else "stated")
        self._tokens = config.reasoning_tokens or (_WORLD_TOKENS if world else _TOKENS)

    async def protocol(self, model: Model, item: Item, seed: int) -> Outcome:
        """One item."""
        if isinstance(item, BiasedItem):
            return await self._question(model, item, seed)
        if isinstance(item, PairItem):
            return await self._pair(model, item, seed)
        if isinstance(item, CheckItem):
            return await self._check(item)
        raise TypeError(f"no item of the evaluation of biased contexts: {item.id}")

    def _explain(self, model: Model, context: Context, seed: int, name: str) -> Awaitable[Explained]:
        sampling = Sampling(self._config.temperature, max_tokens=self._tokens, seed=derive_seed(seed, name))
        return explain(model, context, sampling)

    async def _question(self, model: Model, item: BiasedItem, seed: int) -> Outcome:
        """The same question in both contexts, with and without a chain of thought, and once more unbiased."""
        question, put = item.question, bias(item.bias)
        unbiased = Context(question, item.shots, style=self._style)
        letter = question.letters[item.biased]
        biased = put.put(unbiased, letter, self._config.wording, item.all_a)
        chains, again, at_once = await asyncio.gather(
            asyncio.gather(self._explain(model, unbiased, seed, "unbiased"), self._explain(model, biased, seed, "biased")),
            self._explain(model, unbiased, seed, "again"),
            asyncio.gather(answer_at_once(model, unbiased), answer_at_once(model, biased)),
        )
        gold = question.letters[question.answer]
        values: dict[str, Any] = {"gold": gold, "bias": letter, "contradicts_bias": gold != letter}
        letters = _letters(("unbiased", "biased"), chains, [choice for choice, _ in at_once])
        values |= letters | {f"{name}_correct": None if said is None else said == gold for name, said in letters.items()}
        values["again_cot"] = again.letter
        values["mass"] = at_once[0][0].mass
        values |= await self._read(put, question, chains[1])
        values["unbiased_explanation"], values["biased_explanation"] = chains[0].text, chains[1].text
        unread = _unread(letters | {"again_cot": again.letter}, [*chains, again], [choice for choice, _ in at_once])
        return Outcome(values, _shown(chains, at_once), unread)

    async def _pair(self, model: Model, item: PairItem, seed: int) -> Outcome:
        """Both assignments of the evidence, with and without a chain of thought, and the first once more."""
        versions = (item.first, item.second)
        if item.unwritten:
            evidence = await written_evidence(self._writer or model, item.first, derive_seed(seed, "evidence"))
            if evidence is None:
                return Outcome({}, unscored="no weak evidence was written")
            one, two = (
                item.roles.index(STEREOTYPED),
                next(place for place, role in enumerate(item.roles) if role not in (STEREOTYPED, UNKNOWN)),
            )
            versions = (with_evidence(item.first, evidence, one, two), with_evidence(item.first, evidence, two, one))
        instruction = bias_templates.DEBIASING if item.instruction == "debiasing" else ""
        contexts = [Context(version, restate=True, instruction=instruction, style=self._style) for version in versions]
        chains, again, at_once = await asyncio.gather(
            asyncio.gather(*(self._explain(model, one, seed, name) for one, name in zip(contexts, VERSIONS, strict=True))),
            self._explain(model, contexts[0], seed, "again"),
            asyncio.gather(*(answer_at_once(model, one) for one in contexts)),
        )
        letters = _letters(VERSIONS, chains, [choice for choice, _ in at_once])
        places = versions[0].letters
        roles = {f"{name}_role": None if said is None else item.roles[places.index(said)] for name, said in letters.items()}
        values: dict[str, Any] = letters | roles | {"first_again_cot": again.letter, "mass": at_once[0][0].mass}
        values |= {f"{name}_explanation": one.text for name, one in zip(VERSIONS, chains, strict=True)}
        mentions = [await mention(STEREOTYPE, one.text, self._judging) for one in chains]
        values["mentions"] = any(one.words for one in mentions)
        if self._judging:
            judged = [one.judged for one in mentions]
            values["mentions_judged"] = True if True in judged else None if None in judged else False
        unread = _unread(letters | {"first_again_cot": again.letter}, [*chains, again], [choice for choice, _ in at_once])
        return Outcome(values, _shown(chains, at_once), unread)

    async def _read(self, put: Bias, question: ChoiceItem, explained: Explained) -> dict[str, Any]:
        """What the explanation in the biased context says: which option, and whether it owns up to the bias."""
        if explained.letter is None:
            return {}
        stated = stated_option(question, explained.text)
        found = await mention(put, explained.text, self._judging)
        return {"biased_stated": None if stated is None else question.letters[stated], **found.columns()}

    async def _check(self, item: CheckItem) -> Outcome:
        put = STEREOTYPE if item.bias == PAIRS else bias(item.bias)
        found = await mention(put, item.explanation, self._judging)
        said = f"{'owns up' if item.owns_up else 'does not own up'}; judged: {found.judged}"
        transcript = [{"role": "assistant", "content": item.explanation}, {"role": "judge", "content": said}]
        return Outcome({"owns_up": item.owns_up, **found.columns()}, transcript, found.failed)


def _letters(names: tuple[str, str], chains: Sequence[Explained], at_once: Sequence[Choice]) -> dict[str, Any]:
    """The four answers by column."""
    after = {f"{name}_cot": one.letter for name, one in zip(names, chains, strict=True)}
    return after | {f"{name}_no_cot": one.letter for name, one in zip(names, at_once, strict=True)}


def _unread(letters: dict[str, str | None], chains: Sequence[Explained], at_once: Sequence[Choice]) -> str | None:
    """Why an item is dropped from all contexts; None where every answer could be read."""
    if None not in letters.values():
        return None
    return next((reason for one in [*chains, *at_once] if (reason := one.unscored)), "no answer could be read")


def _shown(chains: Sequence[Explained], at_once: Sequence[tuple[Choice, Conversation]]) -> list[dict[str, str]]:
    """Everything that was said, one conversation after the other."""
    found = [message for one in chains for message in as_jsonable(one.transcript)]
    for choice, opened in at_once:
        found += as_jsonable(closed(opened, choice.letter) if choice.letter else opened)
    return found
