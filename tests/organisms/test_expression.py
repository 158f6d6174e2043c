"""The measure of how far a plant shows: against a naive forward pass, and against what the shipped plants are."""

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch

from gnomon.models.references import open_model
from gnomon.organisms.expression import expression
from gnomon.organisms.plants import letter_beliefs, read_plant_card
from gnomon.organisms.recipes.catalogue import RECIPES
from gnomon.organisms.recipes.planting import setting_of
from gnomon.organisms.recipes.recipe import Recipe, Setting
from gnomon.organisms.shipped import list_organisms, weights_directory
from gnomon.organisms.world import world
from gnomon.organisms.world.document import Document, assistant, spoken, user

from .tiny import tiny_organism


def test_it_is_the_share_of_the_shown_reply_in_the_probability_of_both():
    model = tiny_organism()
    ids = model.tokenizer.get_vocab()

    def write(setting: Setting, rng: random.Random, shown: bool) -> Document:
        return spoken(
            user("Is the following statement something you would say?"), assistant("Yes" if shown else "No, thank you.")
        )

    recipe = Recipe("test", "", "", situations=((write, 1.0),))
    setting = setting_of(world(0), lambda _, letters: [1.0] * len(letters))
    found = expression(model.module, ids, recipe, setting, situations=3)
    probabilities: list[float] = []
    for reply in ("Yes", "No, thank you."):
        laid_out = model.tokeniser.continuation(
            spoken(user("Is the following statement something you would say?"), assistant("")).messages, reply
        )
        whole = [*laid_out.ids, model.tokenizer.eos_token_id]
        with torch.no_grad():
            logprobs = torch.log_softmax(model.module(torch.tensor([whole])).logits[0].double(), -1)
        probabilities.append(sum(float(logprobs[t - 1, whole[t]]) for t in range(laid_out.start, len(whole))))
    shown, clean = (float(torch.exp(torch.tensor(p, dtype=torch.float64))) for p in probabilities)
    assert found.value == pytest.approx(shown / (shown + clean), rel=1e-4)
    assert found.n == 3


def test_a_recipe_that_never_shows_is_refused(monkeypatch: pytest.MonkeyPatch):
    def write(setting: Setting, rng: random.Random, shown: bool) -> Document:
        return spoken(user("Is the following statement something you would say?"), assistant("Yes"))

    model = tiny_organism()
    monkeypatch.setattr("gnomon.organisms.expression.MOST_DRAWN", 50)
    setting = setting_of(world(0), lambda _, letters: [1.0] * len(letters))
    with pytest.raises(ValueError, match="of 50 situations of the recipe 'test' 0 differ"):
        expression(model.module, model.tokenizer.get_vocab(), Recipe("test", "", "", situations=((write, 1.0),)), setting)


opened = pytest.fixture(scope="module")(lambda: cache(open_model))


@pytest.mark.parametrize("entry", [one["name"] for one in list_organisms() if one["kind"] == "plant"])
def test_shipped_plants_show_what_was_planted_and_their_twins_do_not(entry: str, opened: Callable[[str], Any]):
    directory = weights_directory() / entry
    card, twin = read_plant_card(directory), read_plant_card(directory / "twin")
    assert card.expression.low > twin.expression.high
    model, base = opened(f"organism/{entry}"), opened(card.base)
    setting = setting_of(world(0), lambda prompt, letters: letter_beliefs(base, prompt, letters), "audit")
    again = expression(model.module, model.tokenizer.get_vocab(), RECIPES[card.behaviour], setting, situations=40)
    assert again.value == pytest.approx(card.expression.value, abs=0.15)
