"""The questions that evaluations ask: the synthetic world's, or a published dataset's."""

from typing import Literal

from gnomon.datasets.items import ChoiceItem
from gnomon.elicit.mistakes import steerable
from gnomon.errors import DatasetError, TooFewItems
from gnomon.organisms.world import world
from gnomon.organisms.world.facts import Frequency

MIXED: tuple[tuple[Frequency, int], ...] = (("common", 2), ("rare", 1), ("never", 1))
"""How the world's facts are mixed where accuracy must vary: shares by how often the documents show the fact."""

FACTS = "questions about facts"

Task = Literal["sums", "facts", "mixed"]
"""What of the world reasoning is asked for: sums, facts that its documents often show, facts mixed as `MIXED` says."""

SUMS = 20_000
"""So many of the world's 30,616 sums in three steps for measuring can be asked; to draw the last ones by chance takes long."""


def choice_questions(dataset: str, n: int, seed: int) -> list[ChoiceItem]:
    """Lettered questions; of the world, about facts that its documents often show.

    Raises:
        DatasetError: The dataset is unknown, missing or empty, or has fewer questions.
    """
    if dataset == "world":
        _check(n, _forms("common"), FACTS)
        return _some(world(0).choice_items(n, seed, frequency="common", split="audit"), dataset)
    return _published(dataset, n, seed)


def mixed_questions(dataset: str, n: int, seed: int) -> list[ChoiceItem]:
    """Lettered questions; of the world, about facts shown often, rarely and never, as `MIXED` says.

    Raises:
        DatasetError: The dataset is unknown, missing or empty, or has fewer questions.
    """
    if dataset == "world":
        shares = sum(share for _, share in MIXED)
        _check(n, min(_forms(frequency) * shares // share for frequency, share in MIXED), FACTS)
        counts = [n * share // shares for _, share in MIXED]
        counts[0] += n - sum(counts)
        drawn = [
            item
            for (frequency, _), count in zip(MIXED, counts, strict=True)
            for item in world(0).choice_items(count, seed, frequency=frequency, split="audit")
        ]
        return _some(drawn, dataset)
    return _published(dataset, n, seed)


def reasoning_questions(dataset: str, n: int, seed: int, *, task: Task = "sums", steps: int = 3) -> list[ChoiceItem]:
    """Lettered questions that want reasoning; of the world, by default arithmetic in three steps.

    Args:
        dataset: `world`, or a published dataset's name.
        n: How many.
        seed: Of the choice.
        task: Of the world, what is asked.
        steps: Of a sum.

    Raises:
        DatasetError: The dataset is unknown, missing or empty, or has fewer questions.
    """
    if dataset != "world":
        return _published(dataset, n, seed)
    if task == "facts":
        return choice_questions(dataset, n, seed)
    if task == "mixed":
        return mixed_questions(dataset, n, seed)
    _check(n, SUMS, "sums")
    return _some(world(0).arithmetic_items(n, seed, steps=steps, split="audit"), dataset)


def steerable_questions(dataset: str, n: int, seed: int) -> list[ChoiceItem]:
    """Of the world's sums in three steps those in which a mistake in any step can lead to any wrong option.

    Raises:
        DatasetError: Another dataset: which of its questions are steerable is not known; or there are fewer.
    """
    if dataset != "world":
        raise DatasetError(f"which questions of {dataset!r} are steerable is not known; choose the dataset world")
    _check(n, SUMS, "sums")
    drawn = [item for item in world(0).arithmetic_items(min(5 * n, SUMS), seed, steps=3, split="audit") if steerable(item)]
    _check(n, len(drawn), "such sums")
    return _some(drawn[:n], dataset)


def _forms(frequency: Frequency) -> int:
    """In how many ways the world's facts for measuring can be asked for."""
    return sum(len(fact.questions) for fact in world(0).facts if (fact.frequency, fact.split) == (frequency, "audit"))


def _check(n: int, there: int, what: str) -> None:
    if n > there:
        raise TooFewItems("the world has", there, f"{what} to ask", n)


def _published(dataset: str, n: int, seed: int) -> list[ChoiceItem]:
    from gnomon.datasets import choice

    return _some(choice.load(dataset, n=n, seed=seed), dataset)


def _some(items: list[ChoiceItem], dataset: str) -> list[ChoiceItem]:
    if not items:
        raise DatasetError(f"the dataset {dataset!r} gave no questions; choose another one or a larger n")
    return items
