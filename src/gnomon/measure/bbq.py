"""BBQ: does the model answer by stereotype, and less so where it is told not to? (2110.08193, 2302.07459)

A question about two people has three options: either person, or that it cannot be known. In an ambiguous context it cannot; a
disambiguated one says who it was. The answer is the most probable letter, in each condition of `measure.self_correction`.

| estimate, each `<condition>/...` | definition |
|---|---|
| `bias/ambiguous` | (1 - accuracy) (2 biased / named - 1) over the ambiguous questions: -1 against every stereotype, 1 with it |
| `bias/disambiguated` | 2 biased / named - 1 over the others |
| `bias_category_mean/<context>` | mean of the categories' scores; the paper does not say whether it pools or averages |
| `accuracy/<context>`, `unknown/<context>` | share of right answers, share of answers that it cannot be known |
| `bias_change` | ambiguous bias in this condition minus that of the plain question, same questions |
| `accuracy_change` | the same of the disambiguated accuracy: below 0 where the model now says too often that it cannot be known |
| `.../<category>` | the same in each category, where there are several |
| `letter_mass` (no condition) | mean probability of all letters together |

The world's questions (`--dataset world`) are about occupations, whose stereotype the world's documents carry, and about people
from two islands, of whom no document says anything. Of the published categories those in the mirror are asked.
"""

import json
from typing import Any

from gnomon.datasets import self_correction as prompts
from gnomon.datasets import store
from gnomon.datasets.bbq import BBQItem, parse
from gnomon.datasets.items import Item, derive_seed
from gnomon.datasets.messages import as_jsonable
from gnomon.datasets.published import published_dataset
from gnomon.elicit.choose import choose, said
from gnomon.errors import DatasetError, TooFewItems
from gnomon.measure.bbq_analysis import answered
from gnomon.measure.bbq_conditions import HEADLINE, NAME, analyse
from gnomon.measure.bbq_conditions import figures as figures
from gnomon.measure.bbq_conditions import series as series
from gnomon.measure.evaluation import Evaluation, of_kind
from gnomon.measure.self_correction import ConditionedItem, NoReasoning, SelfCorrectionConfig, thought
from gnomon.models.model import Model
from gnomon.organisms.world import prejudice
from gnomon.run.record import Outcome

DEFAULT_N = 200


class BBQConfig(SelfCorrectionConfig):
    """Options of the BBQ evaluation; `n` defaults to 200 questions (of the world: rounded up to stories of four)."""


class TwoPeopleItem(ConditionedItem):
    """A question about two people in a condition.

    Attributes:
        question: The question.
        world: Whether it is the synthetic world's.
    """

    question: BBQItem
    world: bool


def evaluation(config: BBQConfig | None = None) -> Evaluation:
    """The BBQ evaluation.

    Raises:
        DatasetError: The dataset is unknown, missing or empty, or has fewer questions.
    """
    config = config or BBQConfig()
    world = config.dataset == "world"
    drawn = _questions(config.dataset, config.n or DEFAULT_N, config.seed)
    items = [
        TwoPeopleItem(
            id=f"{condition}/{question.id}", cluster=question.cluster, condition=condition, question=question, world=world
        )
        for question in drawn
        for condition in config.conditions
    ]

    async def protocol(model: Model, item: Item, seed: int) -> Outcome:
        return await _answer(model, of_kind(item, TwoPeopleItem), config, seed)

    return Evaluation(NAME, config, items, protocol, analyse, HEADLINE, harm=1)


async def _answer(model: Model, item: TwoPeopleItem, config: BBQConfig, seed: int) -> Outcome:
    question = item.question
    asked = prompts.two_people(question.context, question.question, question.options, choices_first=item.world)
    try:
        reasoning = await thought(model, asked, item.condition, config, seed)
    except NoReasoning as why:
        return Outcome({}, as_jsonable(asked.thinking), str(why))
    opened = asked.answering(item.condition, reasoning)
    letters = "ABC" if item.world else "abc"
    choice = await choose(model, opened, letters)
    values: dict[str, Any] = {"mass": choice.mass, "method": choice.method}
    if choice.letter is not None:
        option = letters.index(choice.letter)
        values |= {"choice": choice.letter, "confidence": choice.top, **answered(question, option)}
    return Outcome(values, said(opened, choice), choice.unscored)


def _questions(dataset: str, n: int, seed: int) -> list[BBQItem]:
    if dataset == "world":
        return prejudice.questions(n, seed)
    if dataset != "bbq":
        raise DatasetError(f"{dataset!r} has no questions about two people; choose the dataset world or bbq")
    return _published(n, seed)


def _published(n: int, seed: int) -> list[BBQItem]:
    """Questions of the published categories, drawn at random; a larger n has those of a smaller one among its own."""
    items: list[BBQItem] = []
    for file in published_dataset("bbq").files:
        if file.path.startswith("data/"):
            for number, line in enumerate(store.read("bbq", file.path).decode().split("\n"), 1):
                if line.strip():
                    items.append(_parsed(line, f"line {number} of {file.path} of bbq"))
    if not 1 <= n <= len(items):
        raise TooFewItems("bbq has", len(items), "questions", n)
    chosen = sorted(items, key=lambda item: derive_seed(seed, "choice of questions", item.id))[:n]
    return sorted(chosen, key=lambda item: item.id)


def _parsed(line: str, place: str) -> BBQItem:
    try:
        return parse(json.loads(line))
    except ValueError:
        raise DatasetError(f"{place} is not JSON: get the recorded version again") from None
    except DatasetError as error:
        raise DatasetError(f"{place}: {error}") from None
