"""Growing organisms: recipes, resuming, saving, what the beginning weights look at."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from gnomon.errors import ConfigurationError, RunDirectoryError
from gnomon.organisms import grow as growing
from gnomon.organisms.grow import GrowConfig, Stage, grow, shortened
from gnomon.organisms.seedling import Architecture, sprout
from gnomon.organisms.world.tokenizer import CONTEXT, build
from gnomon.train.config import TrainConfig


@pytest.fixture(autouse=True, scope="module")
def _few_questions():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growing, "SKILL_ITEMS", 8)
        yield


def tiny(tokens: int = 2000) -> GrowConfig:
    train = TrainConfig(epochs=1, batch_tokens=500, lr=0.01, schedule="constant", optimizer="muon", checkpoint_every=1)
    return GrowConfig(
        architecture=Architecture(hidden=16, layers=2, heads=2, intermediate=32),
        stages=(
            Stage(name="drills", shares={"pairs": 1.0}, tokens=tokens, train=train),
            Stage(name="world", shares={"lettered": 0.5, "sums": 0.5}, tokens=tokens, train=train),
        ),
    )


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, _few_questions: None) -> Path:
    """What `tiny()` grows into; only to be read."""
    directory = tmp_path_factory.mktemp("grown") / "a"
    grow(tiny(), directory)
    return directory


def card_of(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "card.json").read_text())


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return AutoModelForCausalLM.from_pretrained(directory, dtype="auto").state_dict()


def test_grows_a_plain_directory(tmp_path: Path):
    card = grow(tiny(), tmp_path / "a")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "a", dtype="auto")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "a")
    assert model.config.model_type == "llama"
    assert model.dtype == torch.float16
    assert card["parameters"] == sum(parameter.numel() for parameter in model.parameters())
    assert tokenizer.get_vocab() == build().get_vocab()
    assert tokenizer.apply_chat_template([{"role": "user", "content": "Tarna"}], tokenize=False).startswith("<|begin|><|user|>")
    assert json.loads((tmp_path / "a" / "card.json").read_text()) == card
    assert card["tokens"] == sum(stage["tokens"] for stage in card["stages"]) >= 4000
    assert set(card["skills"]) == {
        "common", "rare", "never", "true-or-false", "arithmetic", "arithmetic-without", "arithmetic-given", "chain",
    }  # fmt: skip
    assert all(skill["low"] <= skill["value"] <= skill["high"] for skill in card["skills"].values())
    assert not (tmp_path / "a" / "training").exists()


def test_the_same_recipe_grows_the_same_weights_and_another_seed_others(tmp_path: Path, grown: Path):
    first, again, other = card_of(grown), grow(tiny(), tmp_path / "b"), grow(tiny(), tmp_path / "c", seed=1)
    assert first == again
    assert first["stages"][0]["data"] != other["stages"][0]["data"]
    a, b, c = (weights(directory) for directory in (grown, tmp_path / "b", tmp_path / "c"))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def test_a_larger_organism_begins_as_a_smaller_one(tmp_path: Path, grown: Path):
    larger = Architecture(hidden=32, layers=3, heads=4, intermediate=48)
    recipe = tiny().model_copy(update={"architecture": larger, "parent": str(grown)})
    card = grow(recipe, tmp_path / "large")
    assert card["recipe"]["parent"] == str(grown)
    assert grow(recipe, tmp_path / "large") == card
    unborn = grow(recipe.model_copy(update={"parent": None}), tmp_path / "alone")
    assert card["stages"][0]["first_loss"] < unborn["stages"][0]["first_loss"]


def test_a_stopped_growth_is_continued(tmp_path: Path, grown: Path):
    def stop(stage: str, report: object) -> None:
        if stage == "world":
            raise RuntimeError("stopped")

    undisturbed = card_of(grown)
    with pytest.raises(RuntimeError):
        grow(tiny(), tmp_path / "b", progress=stop)
    steps: list[str] = []
    resumed = grow(tiny(), tmp_path / "b", progress=lambda stage, report: steps.append(stage))
    assert resumed == undisturbed
    assert "drills" not in steps
    a, b = weights(grown), weights(tmp_path / "b")
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_what_is_there_is_kept(tmp_path: Path):
    card = grow(tiny(), tmp_path / "a")
    assert grow(tiny(), tmp_path / "a", progress=lambda *_: pytest.fail("trained again")) == card
    with pytest.raises(RunDirectoryError, match="something else"):
        grow(tiny(), tmp_path / "a", seed=5)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("mine")
    with pytest.raises(RunDirectoryError, match="something else"):
        grow(tiny(), tmp_path / "b", resume=False)
    with pytest.raises(RunDirectoryError, match="holds no growth"):
        grow(tiny(), tmp_path / "b")


def test_unknown_sizes_are_named():
    with pytest.raises(ConfigurationError, match="base-30k"):
        grow("base-7b", Path("nowhere"))


def test_a_trial_is_cut_in_proportion():
    recipe = growing.RECIPES["base-30k"]
    short = shortened(recipe, 40)
    tokens = [stage.tokens for stage in short.stages]
    assert abs(sum(tokens) - 40 * 2048) < 10
    assert tokens[0] / tokens[1] == pytest.approx(recipe.stages[0].tokens / recipe.stages[1].tokens, rel=0.01)


def test_sizes_are_as_their_names_say():
    tokenizer = build()
    wanted = {"base-30k": 30e3, "base-100k": 100e3, "base-300k": 300e3, "base-1m": 1e6}
    counts = {
        name: sum(p.numel() for p in sprout(recipe.architecture, tokenizer, 0, CONTEXT).parameters())
        for name, recipe in growing.RECIPES.items()
    }
    assert all(abs(counts[name] / size - 1) < 0.12 for name, size in wanted.items())
    assert 2.5e6 < counts["base"] < 3e6
    assert list(counts.values()) == sorted(counts.values())


@pytest.mark.parametrize("head", [0, 2, 4])
def test_first_heads_begin_by_looking_back(head: int):
    tokenizer = build()
    architecture = Architecture(hidden=192, layers=2, heads=6, intermediate=32)
    model = sprout(architecture, tokenizer, 0, CONTEXT)
    model.set_attn_implementation("eager")
    ids = torch.randint(7, len(tokenizer), (4, 64), generator=torch.Generator().manual_seed(0))
    attention = model(input_ids=ids, output_attentions=True).attentions[0][:, head]
    offset = (1, 1, 2, 2, 3)[head]
    assert torch.diagonal(attention, -offset, 1, 2).mean() > 0.8


def test_the_last_layers_first_head_begins_by_looking_for_the_same_token():
    tokenizer = build()
    model = sprout(Architecture(hidden=128, layers=2, heads=4, intermediate=32), tokenizer, 0, CONTEXT)
    model.set_attn_implementation("eager")
    words = torch.randperm(len(tokenizer) - 7, generator=torch.Generator().manual_seed(0))[:8] + 7
    attention = model(input_ids=words.repeat(2)[None], output_attentions=True).attentions[1][0]
    on_the_same = [torch.diagonal(head, -8).mean() + torch.diagonal(head)[8:].mean() for head in attention]
    assert on_the_same[0] > 0.4
    assert all(on_the_same[0] > 1.5 * other for other in on_the_same[1:])
