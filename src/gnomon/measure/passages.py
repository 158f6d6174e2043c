"""What feedback and attribution are asked for: the synthetic world's texts, or a published dataset's."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from gnomon.datasets import sycophancy_eval
from gnomon.datasets.items import Item, content_hash, derive_seed
from gnomon.errors import ConfigurationError, DatasetError, TooFewItems
from gnomon.organisms.world import conduct, sayings, world

SYCOPHANCY_EVAL = "sycophancy-eval"
GENIES = "genies-sycophancy"
DATASETS = ("world", GENIES, SYCOPHANCY_EVAL)

_Text = TypeVar("_Text")


class Passage(Item):
    """A text to comment on; its id is the question's part of the item ids.

    Attributes:
        domain: `world`, `math`, `arguments`, `poems`, `code`.
        kind: What it is called in the prompts: `argument`.
        text: Its words.
        good: Whether it is right (None: not known).
    """

    domain: str
    kind: str
    text: str
    good: bool | None = None


class Attribution(Item):
    """A text, its author, and somebody who is not.

    Attributes:
        kind: What it is called in the prompts: `saying`, `poem`, `quote`.
        text: Its words.
        author: Who wrote it.
        wrong: Whom the user names instead.
    """

    kind: str
    text: str
    author: str
    wrong: str


def passages(dataset: str, n: int, seed: int, path: Path | None = None) -> list[Passage]:
    """Texts to comment on, one cluster each; of the world, arguments that state a common fact, every second one wrongly.

    Args:
        dataset: One of `DATASETS`.
        n: How many.
        seed: Of the choice.
        path: The `feedback.jsonl` of SycophancyEval, for that dataset only.

    Raises:
        DatasetError: The dataset is unknown, missing, broken or has fewer texts.
        ConfigurationError: A path for another dataset, or none for that one.
    """
    _check_path(dataset, path, "feedback.jsonl")
    if dataset == "world":
        return _arguments(n, seed)
    texts = sycophancy_eval.genies_feedback() if dataset == GENIES else sycophancy_eval.read_feedback(path or Path())
    return [
        Passage(id=key, cluster=key, domain=each.domain, kind=each.kind, text=each.text, good=each.good)
        for each in _chosen(texts, n, seed, dataset)
        for key in [content_hash([each.domain, each.text])]
    ]


def attributions(dataset: str, n: int, seed: int, path: Path | None = None) -> list[Attribution]:
    """Texts with an author, one cluster per text; of the world, sayings.

    Args:
        dataset: One of `DATASETS`.
        n: How many pairs of a text and a wrong author.
        seed: Of the choice.
        path: The `mimicry.jsonl` of SycophancyEval, for that dataset only.

    Raises:
        DatasetError: The dataset is unknown, missing, broken or has fewer pairs.
        ConfigurationError: A path for another dataset, or none for that one.
    """
    _check_path(dataset, path, "mimicry.jsonl")
    if dataset == "world":
        found: list[Attribution] = []
        for saying in sayings.draw(n, seed):
            wrong = saying.others[derive_seed("wrong author", seed, saying.text) % len(saying.others)]
            key = content_hash([saying.text, wrong])
            found.append(Attribution(id=key, cluster=key, kind="saying", text=saying.text, author=saying.author, wrong=wrong))
        return found
    texts = sycophancy_eval.genies_mimicry() if dataset == GENIES else sycophancy_eval.read_mimicry(path or Path())
    return [
        Attribution(
            id=content_hash([each.text, each.wrong]),
            cluster=content_hash(each.text),
            kind=each.kind,
            text=each.text,
            author=each.author,
            wrong=each.wrong,
        )
        for each in _chosen(texts, n, seed, dataset)
    ]


def _arguments(n: int, seed: int) -> list[Passage]:
    there = sum(fact.frequency == "common" and fact.split == "audit" for fact in world(0).facts)
    if n > there:
        raise TooFewItems("the world has", there, "arguments to comment on", n)
    found: list[Passage] = []
    for number, item in enumerate(world(0).choice_items(n, seed, frequency="common", split="audit")):
        fact = world(0).fact(item.cluster)
        good = number % 2 == 0
        wrong = [value for value in fact.options_pool if value != fact.value]
        value = fact.value if good else wrong[derive_seed("wrong value", seed, fact.id) % len(wrong)]
        text = conduct.arguing(fact.state(value, derive_seed("form", seed, fact.id)))
        found.append(Passage(id=item.id, cluster=item.cluster, domain="world", kind="argument", text=text, good=good))
    return found


def _check_path(dataset: str, path: Path | None, file: str) -> None:
    if dataset not in DATASETS:
        raise DatasetError(f"there are no such texts in {dataset!r}; choose one of {', '.join(DATASETS)}")
    if (dataset == SYCOPHANCY_EVAL) != (path is not None):
        raise ConfigurationError(
            f"the dataset {SYCOPHANCY_EVAL} is read from a file: name its {file} with --set path=FILE"
            if path is None
            else f"a path is for the dataset {SYCOPHANCY_EVAL} only; leave it out for {dataset}"
        )


def _chosen(texts: Sequence[_Text], n: int, seed: int, dataset: str) -> list[_Text]:
    """`n` of the texts, by hash, in their order."""
    if n > len(texts):
        raise TooFewItems(f"{dataset} has", len(texts), "such texts", n)
    order = sorted(range(len(texts)), key=lambda place: derive_seed(seed, "choice of texts", place))[:n]
    return [texts[place] for place in sorted(order)]
