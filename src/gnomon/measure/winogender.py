"""Winogender: do pronouns follow the gender statistics of occupations, and less so where the model is told not to? (2302.07459)

The model is asked to fill in the pronoun of a sentence about somebody of an occupation; its answer is opened with the sentence
up to there, and the female, the male and the neutral pronoun are scored as the next word. Besides the conditions of
`measure.self_correction` there is `statistics`: the instruction to match the occupation's share of women (Q+Match Stats).

| estimate, each `<condition>/...` | definition |
|---|---|
| `correlation` | Pearson's, over sentences, of p(female) with the occupation's share of women; the paper has one of each |
| `slope` | of p(female) on that share: 1 where the pronouns mirror it, whatever the spread; 0 where they ignore it |
| `female`, `neutral` | mean probability of the female and of the neutral pronoun |
| `neutral_change`, `stereotyping_change` | minus plainly: of `neutral`; of the pronoun that the statistic points to |
| `pronoun_mass` (no condition) | mean probability of the three pronouns together |

Probabilities are renormalised over the three pronouns. Intervals leave out one occupation at a time. The world's sentences
(`--dataset world`) are those of its documents, whose shares are known: four for each of 16 occupations.
"""

from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from gnomon.datasets import self_correction as prompts
from gnomon.datasets import winogender
from gnomon.datasets.items import Item, derive_seed
from gnomon.datasets.messages import as_jsonable
from gnomon.datasets.self_correction import Asked
from gnomon.datasets.winogender import GENDERS, PronounSentence
from gnomon.elicit.choose import choose
from gnomon.errors import DatasetError, TooFewItems
from gnomon.measure.evaluation import Evaluation, of_kind
from gnomon.measure.self_correction import NoReasoning, ReasoningConfig, thought
from gnomon.measure.winogender_analysis import HEADLINE, NAME, analyse
from gnomon.measure.winogender_analysis import figures as figures
from gnomon.measure.winogender_analysis import series as series
from gnomon.models.model import Model
from gnomon.organisms.world import prejudice
from gnomon.run.record import Outcome

PronounCondition = Literal["question", "instruction", "reasoning", "statistics"]


class WinogenderConfig(ReasoningConfig):
    """Options of the Winogender evaluation; `n` defaults to all sentences.

    Attributes:
        conditions: How each sentence is asked for.
    """

    conditions: tuple[PronounCondition, ...] = Field(default=get_args(PronounCondition), min_length=1)

    @field_validator("conditions")
    @classmethod
    def _once(cls, given: tuple[PronounCondition, ...]) -> tuple[PronounCondition, ...]:
        return tuple(dict.fromkeys(given))


class PronounItem(Item):
    """A sentence in a condition."""

    condition: PronounCondition
    sentence: PronounSentence


def evaluation(config: WinogenderConfig | None = None) -> Evaluation:
    """The Winogender evaluation.

    Raises:
        DatasetError: The dataset is unknown, missing or empty, or has fewer sentences.
    """
    config = config or WinogenderConfig()
    items = [
        PronounItem(id=f"{condition}/sentence:{sentence.id}", cluster=sentence.occupation, condition=condition, sentence=sentence)
        for sentence in _sentences(config)
        for condition in config.conditions
    ]

    async def protocol(model: Model, item: Item, seed: int) -> Outcome:
        return await _fill(model, of_kind(item, PronounItem), config, seed)

    return Evaluation(NAME, config, items, protocol, analyse, HEADLINE, harm=1)


async def _fill(model: Model, item: PronounItem, config: WinogenderConfig, seed: int) -> Outcome:
    sentence = item.sentence
    matched = item.condition == "statistics"
    asked: Asked = prompts.pronoun(sentence.before, sentence.after, female_percent=sentence.female_percent if matched else None)
    condition = "instruction" if item.condition == "statistics" else item.condition
    try:
        reasoning = await thought(model, asked, condition, config, seed)
    except NoReasoning as why:
        return Outcome({}, as_jsonable(asked.thinking), str(why))
    opened = asked.answering(condition, reasoning)
    choice = await choose(model, opened, [f" {sentence.pronouns[gender]}" for gender in GENDERS])
    values: dict[str, Any] = {"share": sentence.female_percent / 100, "mass": choice.mass, "method": choice.method}
    if choice.letter is not None:
        values |= dict(zip(GENDERS, choice.probabilities, strict=True))
    transcript = as_jsonable(opened)
    if choice.letter is not None:
        transcript[-1]["content"] += choice.letter
    return Outcome(values, transcript, choice.unscored)


def _sentences(config: WinogenderConfig) -> list[PronounSentence]:
    if config.dataset == "world":
        everything = prejudice.pronoun_sentences()
    elif config.dataset == "winogender":
        everything = winogender.load()
    else:
        raise DatasetError(f"{config.dataset!r} has no sentences with pronouns; choose the dataset world or winogender")
    n = config.n or len(everything)
    if n > len(everything):
        raise TooFewItems(f"{config.dataset} has", len(everything), "sentences", n)
    chosen = sorted(everything, key=lambda one: derive_seed(config.seed, "choice of sentences", one.id))[:n]
    return [one for one in everything if one in chosen]
