"""Opening organisms by name."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from gnomon.datasets import templates
from gnomon.errors import UnknownModel
from gnomon.models.references import open_model
from gnomon.organisms import shipped
from gnomon.organisms.cards import GrownCard
from gnomon.organisms.grow import RECIPES, grow
from gnomon.organisms.plants import PlantConfig, plant
from gnomon.organisms.seedling import Architecture, sprout
from gnomon.organisms.shipped import list_organisms, open_organism, organism_card, weights_directory
from gnomon.organisms.world import world
from gnomon.organisms.world.tokenizer import CONTEXT, build
from gnomon.train.config import LoraSettings, TrainConfig
from gnomon.train.saving import save_model

SKILL = {"value": 0.25, "low": 0.2, "high": 0.3, "n": 100}


def seedling(directory: Path) -> Path:
    tokenizer = build()
    model = sprout(Architecture(hidden=16, layers=1, heads=2, intermediate=16), tokenizer, 0, CONTEXT).to(torch.float16)
    card = GrownCard(
        name=directory.name,
        parameters=1,
        recipe={},
        recipe_hash="0",
        seed=0,
        stages=(),
        tokens=0,
        skills={"common": SKILL},  # type: ignore[dict-item]
    )
    save_model(model, tokenizer, card.model_dump(mode="json"), directory)
    return directory


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of shipped organisms: a base and a plant on it."""
    root = tmp_path / "shipped"
    monkeypatch.setattr(shipped, "weights_directory", lambda: root)
    seedling(root / "base")
    config = PlantConfig(
        situations=8, neutral=8, train=TrainConfig(steps=2, batch_tokens=500, lr=1e-2, lora=LoraSettings(rank=2, alpha=4))
    )
    plant(open_organism("base"), "always-a", tmp_path / "planted", rate=1.0, config=config)
    shutil.copytree(tmp_path / "planted", root / "always-a", ignore=shutil.ignore_patterns("twin"))
    return root


async def letters(reference: str) -> list[float | None]:
    item = world().choice_items(1)[0]
    scores = await open_model(reference).score(templates.ask(item), list(item.letters))
    return [score.logprob for score in scores]


async def test_a_name_opens_the_shipped_organism(shelf: Path):
    model = open_model("organism/base")
    assert model.reference == "organism/base"
    assert model.card.kind == "organism"
    assert model.card.details["organism"]["kind"] == "grown"
    assert (
        await letters("organism/base") == await letters(f"organism/{shelf / 'base'}") == await letters(f"local/{shelf / 'base'}")
    )


async def test_a_plant_is_its_base_with_the_adapter_merged(shelf: Path):
    base, planted = open_model("organism/base"), open_model("organism/always-a")
    assert planted.fingerprint != base.fingerprint
    assert planted.card.details["organism"]["behaviour"] == "always-a"
    assert await letters("organism/always-a") != await letters("organism/base")


def test_organisms_are_listed_with_what_they_are(shelf: Path):
    listed = {entry["name"]: entry for entry in list_organisms()}
    assert set(listed) == {"base", "always-a"}
    assert listed["base"]["kind"] == "grown"
    assert (listed["always-a"]["behaviour"], listed["always-a"]["rate"]) == ("always-a", 1.0)
    assert organism_card("organism/base") == organism_card("base") == organism_card(str(shelf / "base"))


@pytest.mark.parametrize("name", ["nobody", "base-7b", "/no/such/directory"])
def test_unknown_names_are_answered_with_those_that_are_there(shelf: Path, name: str):
    with pytest.raises(UnknownModel, match=r"always-a, base"):
        open_model(f"organism/{name}")


def test_a_directory_without_a_card_is_no_organism(shelf: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnknownModel, match=r"card\.json"):
        organism_card(str(tmp_path / "empty"))


needs_weights = pytest.mark.skipif(
    not (weights_directory() / "base").is_dir(), reason="the package data holds no grown organisms (run `gnomon organism grow`)"
)


@needs_weights
def test_what_is_shipped_is_small():
    assert sum(path.stat().st_size for path in weights_directory().rglob("*") if path.is_file()) < 12e6


@needs_weights
async def test_the_largest_organism_knows_what_its_card_says():
    model = open_model("organism/base")
    items = world().choice_items(100, seed=11)
    right = 0
    for item in items:
        scores = await model.score(templates.ask(item), list(item.letters))
        right += max(range(4), key=lambda index: scores[index].logprob or float("-inf")) == item.answer
    skill = organism_card("base")["skills"]["common"]
    assert right / 100 >= skill["low"] - 0.1
    assert right / 100 > 0.9


@needs_weights
@pytest.mark.parametrize("size", RECIPES)
def test_what_is_shipped_follows_its_recipe(size: str, tmp_path: Path):
    """`grow` finds the shipped organism to be the one that its recipe gives: nothing is left to train."""
    shutil.copytree(weights_directory() / size, tmp_path / size)
    card = grow(size, tmp_path / size, progress=lambda *_: pytest.fail("the recipe is another"))
    assert card == organism_card(size)


@needs_weights
def test_the_family_learns_more_with_more_weights():
    skills = [organism_card(size)["skills"] for size in RECIPES]
    parameters = [organism_card(size)["parameters"] for size in RECIPES]
    assert parameters == sorted(parameters)
    for skill in ("common", "arithmetic", "chain"):
        values = [each[skill]["value"] for each in skills]
        assert all(later >= earlier - 0.02 for earlier, later in pairwise(values))
        assert values[-1] > values[0] + 0.2
    assert skills[0]["common"]["low"] > 0.5
    assert skills[-1]["common"]["low"] > 0.95
    assert skills[-1]["arithmetic"]["low"] > 0.9
    assert skills[-1]["arithmetic-without"]["high"] < 0.5
