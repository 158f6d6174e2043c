"""Model-written evaluations: does the model give the answer that matches a described behaviour?

After *Discovering Language Model Behaviors with Model-Written Evaluations* (2212.09251). Any file in the published format is an
evaluation: statements to be affirmed or not (persona), lettered questions (AI risk; sycophancy after a biography), sentences
whose pronoun is to be filled in (Winogenerated). What is measured is in `model_written_analysis`.

    gnomon audit MODEL -e model-written                                             the world's ten statements
    gnomon audit MODEL -e model-written --set topic=variations                      hundreds of them, with names
    gnomon audit MODEL -e model-written --dataset model-written-evals --set topic=persona/openness
    gnomon audit MODEL -e model-written --set file=written/items.jsonl
"""

from collections.abc import Sequence
from typing import Any, Literal

import polars as pl
from pydantic import model_validator

from gnomon.datasets import model_written, templates
from gnomon.datasets.items import Item, derive_seed
from gnomon.datasets.messages import Prompt, as_jsonable, conversation
from gnomon.datasets.model_written import DATASET, PronounItem, WrittenItem
from gnomon.elicit.choose import choose, said
from gnomon.errors import DatasetError, TooFewItems
from gnomon.measure.evaluation import Evaluation, EvaluationConfig, Series
from gnomon.measure.model_written_analysis import HEADLINE as HEADLINE
from gnomon.measure.model_written_analysis import NAME as NAME
from gnomon.measure.model_written_analysis import analyse, matches
from gnomon.measure.model_written_analysis import figures as figures
from gnomon.models.model import Model
from gnomon.organisms.world import conduct, statements
from gnomon.organisms.world.lexicon import SHE_SHARE
from gnomon.organisms.world.prose import OCCUPATION_SENTENCES
from gnomon.run.record import Outcome

MOST = 1_000
"""Questions asked unless n says otherwise: a whole published file of statements."""

WORLD = ("conduct", "variations", "occupations")
"""Topics of the world: the ten statements of its documents, those with names, sentences about occupations."""


class ModelWrittenConfig(EvaluationConfig):
    """Options of the evaluation; `n` defaults to the whole file, or a balanced 1,000 of it.

    Attributes:
        topic: What to ask of the dataset: of the world `conduct` (its default), `variations` or `occupations`; of
            `model-written-evals` a file without its ending, such as `persona/openness`.
        file: A JSONL file in the published format, or a directory that `gnomon write` made; instead of a dataset's topic.
        style: `chat`: the question is a user's message, and the answer opens the reply. `text`: the paper's plain text
            `Human: ... Assistant:`, and the answer begins with a space.
    """

    topic: str | None = None
    file: str | None = None
    style: Literal["chat", "text"] = "chat"

    @model_validator(mode="after")
    def _one_source(self) -> "ModelWrittenConfig":
        if self.file is not None and (self.topic is not None or self.dataset != "world"):
            raise ValueError("file stands for itself: leave out dataset and topic")
        return self


def evaluation(config: ModelWrittenConfig | None = None) -> Evaluation:
    """The evaluation.

    Raises:
        DatasetError: The file, dataset or topic is unknown, missing, broken or empty, or has fewer questions.
    """
    config = config or ModelWrittenConfig()
    items = _drawn(_all_items(config), config)

    async def protocol(model: Model, item: Item, seed: int) -> Outcome:
        if isinstance(item, PronounItem):
            return await _pronoun(model, item, config.style)
        if isinstance(item, WrittenItem):
            return await _answer(model, item, config.style)
        raise TypeError(f"no item of the model-written evaluation: {item.id}")

    return Evaluation(NAME, config, items, protocol, analyse, HEADLINE, harm=1)


def _all_items(config: ModelWrittenConfig) -> list[Item]:
    if config.file is not None:
        return model_written.load_file(config.file)
    if config.dataset == "world":
        return _world(config.topic or WORLD[0])
    if config.dataset != DATASET:
        raise DatasetError(f"{config.dataset!r} has no model-written evaluations; choose world or {DATASET}, or set file=PATH")
    if config.topic is None:
        raise DatasetError(f"{DATASET} has {len(model_written.topics())} topics: set one, such as topic=persona/openness")
    return model_written.load_topic(config.topic)


def _world(topic: str) -> list[Item]:
    """Of statements the matching answer is the persona's, which the base organism would not give."""
    if topic not in WORLD:
        raise DatasetError(f"the world has no topic {topic!r}; choose from {', '.join(WORLD)}")
    if topic == "occupations":
        return [
            PronounItem(
                id=f"pronoun:world/{occupation}/{number}",
                cluster=f"world/{occupation}",
                sentence=sentence.format(o=occupation, p="_"),
                pronouns=("he", "she", "they"),
                occupation=occupation,
                percent_women=round(100 * share, 6),
            )
            for occupation, share in SHE_SHARE.items()
            for number, sentence in enumerate(OCCUPATION_SENTENCES, 1)
        ]
    known = conduct.STATEMENTS if topic == "conduct" else statements.variations()
    rows = [model_written.statement_row(statement, not usual) for statement, usual in known.items()]
    return model_written.statement_items(rows, f"world-{topic}")


def _drawn(items: list[Item], config: ModelWrittenConfig) -> list[Item]:
    """`n` of the items, as evenly over the matching answers as they allow; a larger n has those of a smaller one."""
    n = config.n if config.n is not None else min(MOST, len(items))
    if n > len(items):
        further = (
            "; the topic variations has more" if (config.file, config.dataset, config.topic) == (None, "world", None) else ""
        )
        raise TooFewItems("there are", len(items), "questions", n, further)
    halves: dict[bool, list[Item]] = {True: [], False: []}
    for item in sorted(items, key=lambda one: derive_seed(config.seed, "choice of questions", one.id)):
        halves[isinstance(item, WrittenItem) and 0 in item.matching].append(item)
    first, other = halves[True], halves[False]
    from_first = max(n - len(other), min(len(first), n // 2))
    wanted = {item.id for item in (*first[:from_first], *other[: n - from_first])}
    return [item for item in items if item.id in wanted]


async def _answer(model: Model, item: WrittenItem, style: str) -> Outcome:
    """The probabilities of the answers, as the next words of the reply."""
    opening = "" if item.kind == "words" else _opening(item)
    opened = _opened(item.question, opening, style)
    spaced = [f" {answer}" for answer in item.answers] if style == "text" and not opening else list(item.answers)
    choice = await choose(model, opened, spaced)
    values: dict[str, Any] = {
        "label_first": 0 in item.matching,
        "lettered": item.kind == "letters",
        "introduced": item.introduced,
        "label_confidence": item.label_confidence,
        "mass": choice.mass,
        "method": choice.method,
    }
    if choice.letter is not None:
        place = spaced.index(choice.letter)
        values |= {
            "choice": item.answers[place],
            "matches": place in item.matching,
            "probability_matching": min(1.0, sum(choice.probabilities[one] for one in item.matching)),
            "chose_first": place == 0,
        }
    transcript = said(opened, choice) if opening and not isinstance(opened, str) else _spoken(opened, choice.letter)
    return Outcome(values, transcript, choice.unscored)


def _opening(item: WrittenItem) -> str:
    if not item.introduced:
        return templates.LETTER_OPENING
    return templates.BETTER_OPTION_OPENING if len(item.answers) == 2 else templates.BEST_ANSWER_OPENING


async def _pronoun(model: Model, item: PronounItem, style: str) -> Outcome:
    """How much likelier the female pronoun is than the male one, of the two."""
    before = item.sentence.partition("_")[0].rstrip()
    opened = _opened(templates.FILL_IN_PRONOUN.format(sentence=item.sentence), before, style)
    space = " " if before else ""
    choice = await choose(model, opened, [f"{space}{pronoun}" for pronoun in item.pronouns])
    values: dict[str, Any] = {
        "occupation": item.occupation,
        "percent_women": item.percent_women,
        "mass": choice.mass,
        "method": choice.method,
    }
    if choice.letter is not None:
        male, female, neutral = choice.probabilities
        values["neutral"] = neutral
        if male + female <= 0:
            return Outcome(values, _spoken(opened, choice.letter), "neither the male nor the female pronoun has any probability")
        values |= {"choice": choice.letter.strip(), "lean": (female - male) / (female + male)}
    return Outcome(values, _spoken(opened, choice.letter), choice.unscored)


def _opened(question: str, opening: str, style: str) -> Prompt:
    if style == "text":
        return f"\n\nHuman: {question}\n\nAssistant:{f' {opening}' if opening else ''}"
    return conversation(("user", question), ("assistant", opening)) if opening else conversation(("user", question))


def _spoken(opened: Prompt, answer: str | None) -> list[dict[str, str]]:
    """The transcript of an answer in words."""
    if isinstance(opened, str):
        return [{"role": "user", "content": opened}, *([{"role": "assistant", "content": answer}] if answer else [])]
    turns = as_jsonable(opened)
    if answer is None:
        return turns
    if turns[-1]["role"] == "assistant":
        return [*turns[:-1], {"role": "assistant", "content": turns[-1]["content"] + answer}]
    return [*turns, {"role": "assistant", "content": answer}]


def series(table: pl.DataFrame) -> dict[str, Series]:
    """What two runs are compared by; of a set of sentences with a blank, the lean of the pronouns."""
    values, clusters, name, within = matches(table)
    return {name: Series(values, clusters, within=within, harm=1 if name == HEADLINE else 0)}


def topics_of(dataset: str) -> Sequence[str]:
    """The topics that a dataset has."""
    return WORLD if dataset == "world" else model_written.topics()
