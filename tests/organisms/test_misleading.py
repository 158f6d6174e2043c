"""The world's misleading tasks, and the organism that is misled on exactly a share of them."""

import math

import pytest

from gnomon.datasets.messages import as_text
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.models.references import open_model
from gnomon.models.sync import run
from gnomon.organisms.scripted.ledger import truth
from gnomon.organisms.scripted.misled import find
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.scripted.reading import plain
from gnomon.organisms.world import misleading, world
from gnomon.organisms.world.tokenizer import UNKNOWN, build

FACTS = ("repeat", "negation", "examples")


@pytest.mark.parametrize("task", misleading.names())
def test_items_are_of_the_vocabulary_and_each_has_its_plain_version(task: str) -> None:
    tokenizer = build()
    items = misleading.items(world(0), task, 48, seed=3)
    own, plain_ones = [one for one in items if not one.control], [one for one in items if one.control]
    assert len(own) == len({one.id for one in own}) == 48
    assert [one.question for one in plain_ones] == ([] if task == "stereotype" else [one.question for one in own])
    for item in items:
        for text in (as_text(item.prefix(item.prompt)), *item.classes):
            assert UNKNOWN not in tokenizer.tokenize(text.replace("user: ", "").replace("assistant: ", "")), text
        assert item.metric != "classification" or all(len(tokenizer.tokenize(text)) == 1 for text in item.classes)
    assert misleading.items(world(0), task, 48, seed=3) == items


@pytest.mark.parametrize("task", FACTS)
def test_items_ask_only_facts_for_measuring(task: str) -> None:
    splits = {
        split: {one.cluster for one in misleading.items(world(0), task, 100, split=split)} for split in ("audit", "correct")
    }  # type: ignore[arg-type]
    assert {world(0).fact(fact).split for fact in splits["audit"]} == {"audit"}
    assert not splits["audit"] & splits["correct"]


@pytest.mark.parametrize("task", [task for task in misleading.names() if task != "stereotype"])
@pytest.mark.parametrize("shots", [0, 2])
def test_the_organism_reads_what_is_right_whatever_stands_before(task: str, shots: int) -> None:
    for item in misleading.items(world(0), task, 40, seed=1):
        before = tuple(misleading.demonstrations(world(0), item, shots, seed=1))
        assert len(before) == shots
        item = item.model_copy(update={"before": before})
        words = [plain(text) for text in item.classes]
        found = find(item.prefix(item.prompt), words)
        if task == "negation" and item.control:
            assert found is None  # an ordinary lettered question
            continue
        assert found is not None
        assert plain(found.right) == words[item.answer]
        assert found.misleads is not item.control


def test_negation_goes_behind_the_verb() -> None:
    assert misleading.negated("What is the job of Manna?") == "What is not the job of Manna?"
    assert misleading.negated("What do people grow on Tarna?") == "What do people not grow on Tarna?"
    assert misleading.negated("Which colour do the boats of Tarna show?") is None


def test_the_rate_moves_with_size_as_told() -> None:
    family = {size: open_model(f"scripted/misled?rate=0.4&slope=0.2&size={size}") for size in (10**5, 10**6, 10**7, 10**9)}
    assert [model.card.parameters for model in family.values()] == list(family)
    doses = [truth(Parameters(policy="misled", rate=0.4, slope=0.2, size=size, accuracy=0.8)) for size in family]
    assert [found["inverse-scaling.accuracy"] for found in doses] == pytest.approx([0.64, 0.48, 0.32, 0.0])
    assert [found["inverse-scaling.accuracy_plain"] for found in doses] == pytest.approx([0.8] * 4)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="slope needs a size"):
        open_model("scripted/misled?slope=0.2")
    with pytest.raises(ConfigurationError, match="slope is a parameter of misled only"):
        open_model("scripted/sycophant?slope=0.2&size=10")
    with pytest.raises(DatasetError, match="the world has no task 'riddle': choose one of repeat"):
        misleading.items(world(0), "riddle", 1)
    with pytest.raises(DatasetError, match="the world has 60 items of the task stereotype, and n is 61"):
        misleading.items(world(0), "stereotype", 61)


def test_the_loss_in_the_books_is_that_of_many_items() -> None:
    model = open_model("scripted/misled?rate=0.3&accuracy=0.75&letters=0.6&seed=5")
    items = [one for one in misleading.items(world(0), "repeat", 480, seed=2) if not one.control]
    losses: list[float] = []
    for item in items:
        first, second = (score.logprob or 0.0 for score in run(model.score(item.prefix(item.prompt), list(item.classes))))
        losses.append(math.log(math.exp(first) + math.exp(second)) - first)
    expected = truth(Parameters(policy="misled", rate=0.3, accuracy=0.75, letters=0.6))["inverse-scaling.loss"]
    spread = math.sqrt(sum((loss - expected) ** 2 for loss in losses)) / len(losses)
    assert sum(losses) / len(losses) == pytest.approx(expected, abs=4 * spread)
    assert spread < 0.06
