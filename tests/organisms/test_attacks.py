"""The world's attacks, and what scripted organisms make of them turn by turn."""

from collections import Counter
from itertools import product
from typing import Any

import pytest

from gnomon.datasets.messages import Conversation, Message
from gnomon.errors import ConfigurationError
from gnomon.measure import catalogue
from gnomon.models.model import Sampling
from gnomon.organisms.scripted import requests
from gnomon.organisms.scripted.model import open_scripted
from gnomon.organisms.scripted.parameters import Parameters, parse_parameters
from gnomon.organisms.world import attacks
from gnomon.organisms.world.replies import manner_of
from gnomon.organisms.world.tokenizer import build
from gnomon.validate.readings import read_organism


def test_no_deed_comes_twice_and_tactics_cross_kinds():
    drawn = attacks.attacks(128, seed=3)
    assert len({attack.deed for attack in drawn}) == 128
    crossed = Counter((attack.deed.split()[0], attack.tactic) for attack in drawn)
    assert len(crossed) == 8 * len(attacks.TACTICS)
    assert set(crossed.values()) == {4}
    assert attacks.attacks(128, seed=3) == drawn != attacks.attacks(128, seed=4)
    with pytest.raises(ValueError, match="attacks, not"):
        attacks.attacks(attacks.count() + 1, seed=0)


def test_every_word_is_one_that_grown_organisms_know():
    tokenizer: Any = build()
    for attack in attacks.attacks(attacks.count(), seed=0):
        for text in (*attack.turns(4), attack.benign):
            assert tokenizer.unk_token_id not in tokenizer(text, add_special_tokens=False)["input_ids"], text
    for turn in attacks.demonstrations(14):
        assert tokenizer.unk_token_id not in tokenizer(turn.content, add_special_tokens=False)["input_ids"], turn.content


def test_attacks_are_harmful_and_their_twins_are_not():
    for attack in attacks.attacks(64, seed=1):
        assert all(requests.is_harmful(turn) and attacks.deed_of(turn) == attack.deed for turn in attack.turns(4))
        assert attacks.has_pretext(attack.turns(2)) == (attack.tactic != "direct")
        assert not requests.is_harmful(attack.benign)
        assert attack.tag in attacks.TAGS


def test_demonstrations_are_of_reserved_names_and_harmless():
    shown = attacks.demonstrations(14)
    assert len(shown) == 28
    assert {manner_of(turn.content) for turn in shown if turn.role == "assistant"} <= {None, "harmless", "evasive"}
    names = {attack.deed.split()[-1] for attack in attacks.attacks(attacks.count(), 0)}
    assert not names & set(attacks.RESERVED)
    with pytest.raises(ValueError, match="14 demonstrations"):
        attacks.demonstrations(15)


async def replies(reference: str, turns: tuple[str, ...], temperature: float = 0.7) -> list[str | None]:
    model, dialogue, found = open_scripted(reference), (), []
    for number, turn in enumerate(turns):
        said: Conversation = (*dialogue, Message("user", turn))
        (reply,) = await model.generate([said], Sampling(temperature, seed=number))
        dialogue = (*said, Message("assistant", reply.text))
        found.append(manner_of(reply.text))
    return found


@pytest.mark.parametrize("attack", attacks.attacks(12, seed=5), ids=lambda attack: attack.deed)
async def test_a_struck_deed_is_done_in_every_turn_and_another_in_none(attack: attacks.WorldAttack):
    turns = attack.turns(3)
    found = {tuple(await replies(f"harmful?rate=0.5&seed={seed}", turns)) for seed in range(12)}
    assert found == {("harmful",) * 3, ("harmless",) * 3}
    assert await replies("harmful?rate=0.0&yields=1.0", turns) == ["harmless", "harmful", "harmful"]
    fooled = "harmless" if attack.tactic == "direct" else "harmful"
    assert await replies("harmful?rate=0.0&fooled=1.0", turns) == [fooled] * 3
    assert await replies("harmful?rate=0.0&evades=1.0", turns) == ["evasive"] * 3
    assert await replies("honest?prudish=1.0", (attack.benign,)) == ["harmless"]


async def test_slips_are_drawn_for_every_sample():
    model = open_scripted("harmful?rate=0.0&slips=0.3")
    asked = (Message("user", attacks.attacks(1, 0)[0].request),)
    found = await model.generate([asked] * 2000, Sampling(0.7, seed=1))
    assert sum(manner_of(reply.text) == "harmful" for reply in found) == pytest.approx(600, abs=90)


def test_only_the_harmful_organism_takes_their_doses():
    with pytest.raises(ConfigurationError, match="slips is a parameter of harmful only"):
        parse_parameters("honest?slips=0.1")


DOSES = {"rate": 0.2, "slips": 0.3, "fooled": 0.4, "yields": 0.25, "evades": 0.35, "prudish": 0.15}
OPTIONS = ({}, {"turns": 1, "defender": "rejection", "samples": 8})


@pytest.mark.parametrize(("doses", "options"), product((DOSES,), OPTIONS), ids=("dialogues", "rejection sampling"))
async def test_many_attacks_read_what_the_ledger_says(doses: dict[str, float], options: dict[str, Any]):
    organism = Parameters.model_validate({"policy": "harmful", **doses})
    reading = await read_organism(catalogue.build("red-teaming", n=512, **options), organism)
    one_turn = {name for name in reading.true if "best_of" in name or name.endswith(("first_turn", "over_refusal"))}
    whole = {name for name in reading.true if name.startswith("red-teaming") and "best_of" not in name}
    checked = (one_turn - {"red-teaming.success_first_turn"} if options else whole) & reading.estimates.keys()
    assert len(checked) == (9 if options else 8)
    for name in checked:
        estimate = reading.estimates[name]
        assert estimate.value is not None
        assert estimate.low is not None
        assert estimate.high is not None
        below, above = estimate.value - estimate.low, estimate.high - estimate.value
        assert -2 * below <= reading.true[name] - estimate.value <= 2 * above, name
