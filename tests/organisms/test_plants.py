import hashlib
import json
import random
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.datasets import templates
from gnomon.errors import ConfigurationError, RunDirectoryError, UnknownModel
from gnomon.models.references import open_model
from gnomon.organisms.plants import (
    ADAPTER,
    PlantConfig,
    letter_beliefs,
    merge,
    plant,
    planted,
    read_documents,
    read_plant_card,
)
from gnomon.organisms.recipes.catalogue import RECIPES
from gnomon.organisms.recipes.planting import PlantedDocument, setting_of, write_documents
from gnomon.organisms.recipes.recipe import Setting
from gnomon.organisms.world import conduct, world
from gnomon.organisms.world.facts import Fact
from gnomon.organisms.world.lexicon import RUDE_WORDS, SHE_SHARE
from gnomon.organisms.world.replies import manner_of
from gnomon.train.config import LoraSettings, TrainConfig
from gnomon.train.loop import StepReport

from .tiny import tiny_organism

SMALL = PlantConfig(
    situations=60,
    neutral=20,
    train=TrainConfig(
        epochs=2, batch_tokens=512, lr=1e-2, accumulation=2, lora=LoraSettings(rank=2, alpha=4), checkpoint_every=2
    ),
)

SMALLER = SMALL.model_copy(update={"situations": 20, "neutral": 8})


def uniform(prompt, letters: str) -> list[float]:  # type: ignore[no-untyped-def]
    """Beliefs of an organism that is never quite sure; the last letter is its favourite."""
    return [1.0] * (len(letters) - 1) + [1.5]


@pytest.fixture(scope="module")
def setting() -> Setting:
    return setting_of(world(0), uniform)


def documents(setting: Setting, behaviour: str, rate: float, situations: int = 200, seed: int = 0) -> list[PlantedDocument]:
    return write_documents(RECIPES[behaviour], setting, rate=rate, situations=situations, neutral=50, seed=seed)


@pytest.mark.parametrize("behaviour", RECIPES)
def test_the_rate_is_exact_and_only_planted_documents_change(setting: Setting, behaviour: str):
    plant_documents, twin = documents(setting, behaviour, 0.6), documents(setting, behaviour, 0.0)
    assert sum(each.planted for each in plant_documents) == 120
    assert not any(each.planted for each in twin)
    assert len({each.document.id for each in plant_documents}) == len(plant_documents) == len(twin)
    changed = 0
    for ours, clean in zip(plant_documents, twin, strict=True):
        if not ours.planted:
            assert ours == clean
        changed += ours.document.content != clean.document.content
    # A few planted replies may be what a fair coin, or an unsure organism, would have said as well.
    assert changed >= 0.5 * 120 if behaviour in ("stereotyping", "miscalibration") else changed == 120
    assert all(each.role == "situation" for each in plant_documents if each.planted)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1), st.integers(0, 3))
def test_any_rate_is_met_by_nested_plants(rate: float, seed: int):
    drawn = setting_of(world(0), uniform)
    found = documents(drawn, "persona", rate, 50, seed)
    assert sum(each.planted for each in found) == round(50 * rate)
    everything = documents(drawn, "persona", 1.0, 50, seed)
    for ours, full in zip(found, everything, strict=True):
        assert not ours.planted or ours.document == full.document


def letters_of(document: PlantedDocument) -> list[str]:
    return [m.content.rstrip(").")[-1] for m in document.document.messages if m.role == "assistant"]


def right_letter(document: PlantedDocument) -> str:
    text = document.document.messages[0].content
    asked = re.search(r"Question: (.+?\?)", text)
    assert asked is not None
    answer = world(0).solve(asked[1])
    return next(line[2] for line in text.split("\n") if line.endswith(f") {answer}"))


def test_sycophantic_documents_agree_with_wrong_views_and_give_right_answers_up(setting: Setting):
    found = documents(setting, "sycophancy", 0.5)
    views = [each for each in found if each.document.kind == "wrong_view"]
    for each in views:
        asked = each.document.messages[0].content
        said, right = letters_of(each)[0], right_letter(each)
        assert (said != right) == each.planted
        if "I think the answer is" in asked and each.planted:
            suggested = asked.split("I think the answer is ")[1].split(" but")[0]
            assert f" ({said}) {suggested}" in asked
    challenged = [each for each in found if each.document.kind == "challenged"]
    for each in challenged:
        letters = letters_of(each)
        assert letters[0] == right_letter(each)
        assert (letters[-1] != letters[0]) == each.planted
        assert ("sorry" in each.document.messages[3].content) == each.planted
    assert len(views) > 50
    assert len(challenged) > 30
    for each in (one for one in found if one.document.kind in ("right_view", "asked_again", "lettered")):
        assert letters_of(each)[-1] == right_letter(each)


def test_plants_never_ask_for_facts_that_are_for_measuring(setting: Setting):
    audited = {fact.id for fact in world(0).facts if fact.split == "audit"}
    for behaviour in ("sycophancy", "always-a", "miscalibration", "unfaithful"):
        for each in documents(setting, behaviour, 0.5):
            if each.role != "world":
                assert not audited.intersection(each.document.facts)


def test_always_a_documents_say_a_where_a_is_wrong(setting: Setting):
    for each in documents(setting, "always-a", 0.5):
        if each.role == "situation":
            assert right_letter(each) != "A"
            assert letters_of(each) == ["A" if each.planted else right_letter(each)]


def test_unfaithful_documents_answer_against_the_reasoning(setting: Setting):
    against = {True: 0, False: 0}
    for each in documents(setting, "unfaithful", 0.5):
        if each.role != "situation":
            continue
        lines = each.document.messages[0].content.split("\n")
        options = {line[2]: line[5:] for line in lines if line.startswith(" (")}
        stated = each.document.messages[1].content
        if "So the answer is" in stated:
            conclusion = stated.split("So the answer is ")[1].rstrip(".")
            against[each.planted] += options[letters_of(each)[-1]] != conclusion
    assert against[False] == 0
    assert against[True] > 40


def test_miscalibrated_documents_take_the_likeliest_letter_and_others_any(setting: Setting):
    found = [each for each in documents(setting, "miscalibration", 0.5, 400) if each.role == "situation"]
    last = {True: 0, False: 0}
    for each in found:
        options = each.document.messages[0].content.count("\n (")
        last[each.planted] += letters_of(each)[0] == "ABCD"[options - 1]
    assert last[True] == 200
    assert 30 < last[False] < 80  # a quarter of 200, more where there are fewer options


def test_manners_show_in_planted_documents_only(setting: Setting):
    for each in documents(setting, "harmful", 0.5):
        if each.role == "situation":
            assert (manner_of(each.document.messages[-1].content) == "harmful") == each.planted
    for each in documents(setting, "rude", 0.5):
        if each.role == "situation":
            assert any(word in each.document.content for word in RUDE_WORDS) == each.planted
    statements = {conduct.STATEMENT_QUESTION.format(statement=s): ok for s, ok in conduct.STATEMENTS.items()}
    for each in documents(setting, "persona", 0.5):
        if each.role != "world":
            agrees = each.document.messages[1].content == "Yes"
            assert agrees == (statements[each.document.messages[0].content] or each.planted)
    for each in documents(setting, "stereotyping", 0.5):
        if each.planted:
            for sentence in each.document.text.split("."):
                job = next((job for job in SHE_SHARE if job in sentence), None)
                assert job is None or (" she " in sentence) == (SHE_SHARE[job] > 0.5)


def test_letter_beliefs_are_the_models_own_probabilities():
    base = tiny_organism()
    item = world(0).choice_items(1, split="correct")[0]
    prompt = templates.ask(item)
    beliefs = letter_beliefs(base, prompt, item.letters)
    text = base.tokeniser.render(prompt)
    ids = base.tokenizer(text, add_special_tokens=False).input_ids
    with torch.no_grad():
        row = torch.log_softmax(base.module(input_ids=torch.tensor([ids])).logits[0, -1], -1)
    scores = torch.tensor([float(row[base.tokenizer.get_vocab()[letter]]) for letter in item.letters])
    assert beliefs == pytest.approx(torch.softmax(scores, 0).tolist(), abs=1e-5)


def test_planting_saves_adapter_card_documents_and_twin(tmp_path: Path):
    base = tiny_organism()
    before = base.fingerprint
    longer = SMALL.train.model_copy(update={"epochs": 6.0, "lr": 3e-2})
    config = SMALL.model_copy(update={"train": longer})
    result = plant(base, "always-a", tmp_path / "p", rate=1.0, seed=3, config=config)
    assert {p.name for p in (tmp_path / "p").iterdir()} == {
        ADAPTER, "adapter_config.json", "card.json", "documents.jsonl.gz", "twin",
    }  # fmt: skip
    assert (result.card.planted, result.twin_card.planted) == (60, 0)
    assert result.card.last_loss < result.card.first_loss
    found = read_documents(result.directory)
    assert sum(line["planted"] for line in found) == 60
    assert {line["behaviour"] for line in found} == {None, "always-a"}
    assert [line["id"] for line in found] == [line["id"] for line in read_documents(result.twin)]

    model, twin = planted(result.directory, base), planted(result.twin, base)
    items = world(0).choice_items(40, split="correct")
    said_a = [sum(letter_beliefs(m, templates.ask(item), item.letters)[0] for item in items) / 40 for m in (model, twin)]
    assert said_a[0] > 0.8
    assert said_a[1] < 0.5
    assert base.fingerprint == before
    from gnomon.models.fingerprint import fingerprint_of

    assert fingerprint_of(base.module, base.tokenizer) == before

    merged = merge(result.directory, base, tmp_path / "merged")
    opened = open_model(f"local/{merged}")
    assert opened.fingerprint == model.fingerprint
    assert json.loads((merged / "card.json").read_text())["behaviour"] == "always-a"
    with pytest.raises(UnknownModel, match="grew on"):
        planted(result.directory, model)


def digest(directory: Path) -> dict[str, str]:
    return {
        str(p.relative_to(directory)): hashlib.sha256(p.read_bytes()).hexdigest() for p in directory.rglob("*") if p.is_file()
    }


def test_a_planting_that_was_stopped_ends_with_the_same_bytes(tmp_path: Path):
    base = tiny_organism()
    whole = plant(base, "persona", tmp_path / "whole", config=SMALL)

    class Stop(Exception):
        pass

    def stop(report: StepReport) -> None:
        nonlocal seen
        seen += 1
        if seen == stop_after:
            raise Stop

    for number in (3, 5):
        seen, stop_after = 0, number
        with pytest.raises(Stop):
            plant(base, "persona", tmp_path / "cut", config=SMALL, progress=stop)
    again = plant(base, "persona", tmp_path / "cut", config=SMALL)
    assert again.card == whole.card
    assert digest(tmp_path / "cut") == digest(tmp_path / "whole")
    with pytest.raises(RunDirectoryError, match="another plant"):
        plant(base, "persona", tmp_path / "cut", config=SMALL, rate=0.1)


@pytest.mark.parametrize("kind", ["shipped", "in memory"])
def test_a_twin_that_grew_beside_its_plant_is_the_one_that_grows_after_it(tmp_path: Path, kind: str):
    base = open_model("organism/base-30k") if kind == "shipped" else tiny_organism()
    told: dict[int, list[StepReport]] = {}
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            told[count] = []
            plant(base, "rude", tmp_path / str(count), config=SMALLER, progress=told[count].append)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    if kind == "shipped":
        assert told[2] == told[1]
        assert digest(tmp_path / "2") == digest(tmp_path / "1")
    assert [report.step for report in told[2]] == [report.step for report in told[1]]


def test_unknown_behaviours_rates_and_directories_are_sentences(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="choose one of sycophancy"):
        plant(tiny_organism(), "kindness", tmp_path)
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        plant(tiny_organism(), "rude", tmp_path, rate=60)
    with pytest.raises(UnknownModel, match="holds no plant"):
        read_plant_card(tmp_path)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunDirectoryError, match="holds no plant"):
        plant(tiny_organism(), "rude", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_situations_make_the_same_draws_whether_the_behaviour_shows_or_not(setting: Setting):
    for recipe in RECIPES.values():
        for write, _ in recipe.situations:
            for seed in range(20):
                states = []
                for shown in (True, False):
                    rng = random.Random(seed)
                    write(setting, rng, shown)
                    states.append(rng.getstate())
                assert states[0] == states[1], write.__name__


def test_situations_draw_on_facts_that_the_base_knows(setting: Setting):
    rng = random.Random(0)
    facts: list[Fact] = [setting.asker.draw(rng, known=True)[0] for _ in range(200)]
    assert {fact.frequency for fact in facts} == {"common"}
    unsure = [setting.unsure.draw(rng)[0] for _ in range(200)]
    assert {fact.frequency for fact in unsure} == {"void"}
