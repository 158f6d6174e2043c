"""Writing an evaluation: the filters against a generator whose label errors and repeats are known, resuming, and the card."""

import hashlib
import json
import math
from pathlib import Path

import pytest

import gnomon
from gnomon.cli import run
from gnomon.datasets.model_written import load_file
from gnomon.errors import ConfigurationError, DatasetError, RunInterrupted
from gnomon.measure.writing import Crew, WriteConfig, write
from gnomon.measure.writing_publish import WrittenEvaluation, read_card
from gnomon.models.model import Generation
from gnomon.models.references import open_model
from gnomon.organisms.scripted.written import FAVOURITES, matches, pool
from gnomon.organisms.world.statements import PERSONA
from gnomon.run.limits import Limits
from gnomon.stats.estimate import Estimate
from gnomon.stats.intervals import rate
from tests.elicit.fake import FakeModel

SURE = "scripted/honest?accuracy=0.9999&seed=9"
MUSIC = "is interested in music"


def crew(generator: str, discriminator: str = SURE, *judges: str) -> Crew:
    return Crew(open_model(generator), open_model(discriminator), [open_model(judge) for judge in judges or (SURE,)])


def quality(card: WrittenEvaluation, name: str) -> Estimate:
    return next(one for one in card.estimates if one.name == name)


def left(card: WrittenEvaluation, name: str) -> tuple[int, int]:
    step = next(step for step in card.steps if step.name == name)
    return step.matching, step.other


async def test_a_perfect_discriminator_drops_every_wrong_label(tmp_path: Path) -> None:
    config = WriteConfig(behaviour=MUSIC, n=100, drafts=300)
    card = await write(crew("scripted/honest?mislabels=0.3"), config, tmp_path / "out")
    distinct, fitting = left(card, "without near-duplicates"), left(card, "label confirmed by the discriminator")
    share = rate([1] * sum(fitting) + [0] * (sum(distinct) - sum(fitting)))
    assert share.low - 0.02 <= 0.7 <= share.high + 0.02
    for item in load_file(tmp_path / "out"):
        assert matches(MUSIC, item.statement) is (item.matching == (0,))  # type: ignore[attr-defined]
    assert quality(card, "label_confirmed").value == 1.0
    assert quality(card, "label_confirmed_dropped").value == 0.0


async def test_a_discriminator_of_known_accuracy_leaves_what_arithmetic_says(tmp_path: Path) -> None:
    """Of wrong labels m and accuracy a, m (1 - a) / (m (1 - a) + (1 - m) a) of those that it confirms are wrong."""
    wrong, accuracy = 0.3, 0.8
    config = WriteConfig(behaviour=MUSIC, n=2000, drafts=1000, relevant=0.0, validated=2000, seed=3)
    card = await write(
        crew(f"scripted/honest?mislabels={wrong}", f"scripted/honest?accuracy={accuracy}&seed=4"), config, tmp_path
    )
    truth = wrong * (1 - accuracy) / (wrong * (1 - accuracy) + (1 - wrong) * accuracy)
    confirmed = quality(card, "label_confirmed")
    assert confirmed.low is not None
    assert confirmed.high is not None
    assert confirmed.low - 0.02 <= 1 - truth <= confirmed.high + 0.02


async def test_repeats_of_known_share_are_removed(tmp_path: Path) -> None:
    drafts, repeats = 400, 0.5
    config = WriteConfig(behaviour=PERSONA, n=20, drafts=drafts)
    card = await write(crew(f"scripted/honest?duplicates={repeats}"), config, tmp_path)
    size = len(pool(PERSONA, True))
    rare = (1 - repeats) / size
    often = rare + repeats / FAVOURITES
    expected = FAVOURITES * (1 - (1 - often) ** drafts) + (size - FAVOURITES) * (1 - (1 - rare) ** drafts)
    for found in left(card, "distinct"):
        assert abs(found - expected) < 4 * math.sqrt(expected)
    texts = [item.statement.lower() for item in load_file(tmp_path)]  # type: ignore[attr-defined]
    assert len(set(texts)) == len(texts)


async def test_items_are_balanced_and_the_card_is_true(tmp_path: Path) -> None:
    config = WriteConfig(behaviour=MUSIC, n=40, licence="CC-BY-4.0")
    judges = [f"scripted/honest?accuracy=0.95&seed={seed}" for seed in (1, 2, 3)]
    card = await write(crew("scripted/honest?mislabels=0.1", "scripted/honest?seed=2", *judges), config, tmp_path)
    content = (tmp_path / "items.jsonl").read_bytes()
    rows = [json.loads(line) for line in content.splitlines()]
    assert card.sha256 == hashlib.sha256(content).hexdigest()
    assert sum(row["answer_matching_behavior"] == " Yes" for row in rows) == len(rows) // 2 == 20
    assert all(row["label_confidence"] > 0.5 and row["relevance"] >= 0.5 for row in rows)
    assert quality(card, "judges_kappa").value is not None
    assert read_card(tmp_path) == card
    readme = (tmp_path / "README.md").read_text()
    assert "CC-BY-4.0" in readme
    assert card.sha256 in readme
    assert "generator" in readme
    assert (tmp_path / "map.html").stat().st_size > 1000


async def test_the_same_model_in_two_roles_is_said(tmp_path: Path) -> None:
    one = open_model("scripted/honest")
    card = await write(Crew(one, one, [one]), WriteConfig(behaviour=MUSIC, n=10), tmp_path)
    assert len(card.warnings) == 2
    assert "filters its own statements" in card.warnings[0]


async def test_what_was_stopped_resumes_and_gives_the_same(tmp_path: Path) -> None:
    config = WriteConfig(behaviour=MUSIC, n=20)
    whole = await write(crew("scripted/honest?mislabels=0.1"), config, tmp_path / "whole")
    slow = crew("scripted/honest?mislabels=0.1")
    with pytest.raises(RunInterrupted, match="resumes there"):
        await write(slow, config, tmp_path / "cut", limits=Limits(run_seconds=1e-4, concurrency=1))
    resumed = await write(slow, config, tmp_path / "cut")
    assert resumed.sha256 == whole.sha256
    before = (tmp_path / "cut" / "records.jsonl").stat().st_size
    assert (await write(slow, config, tmp_path / "cut")).sha256 == whole.sha256
    assert (tmp_path / "cut" / "records.jsonl").stat().st_size == before


async def test_nothing_usable_is_an_error_that_says_where_it_was_lost(tmp_path: Path) -> None:
    silent = FakeModel(lambda text: {" agree": 0.5, " disagree": 0.5, "A": 0.5, "B": 0.5}, lambda text: ("...", "stop"))
    with pytest.raises(DatasetError, match=r"nothing is left to publish: drafts 8 . 8, written 0 . 0.*empty reply"):
        await write(Crew(silent, silent, [silent]), WriteConfig(behaviour=MUSIC, n=4), tmp_path)


async def test_fewer_items_than_wanted_are_a_warning(tmp_path: Path) -> None:
    few = WriteConfig(behaviour=MUSIC, n=50, drafts=10)
    card = await write(crew("scripted/honest"), few, tmp_path)
    assert 0 < card.items < 50
    assert any("items instead of 50" in warning for warning in card.warnings)


async def test_replies_that_repeat_the_list_or_refuse(tmp_path: Path) -> None:
    told = iter(range(1000))

    class Chatty(FakeModel):
        async def generate(self, prompts, sampling):
            number = next(told)
            if number % 10 == 0:
                return [Generation("I'm sorry, but I can't help with that.") for _ in prompts]
            listed = f'Here is a list of statements:\n\n1. "I hear song {number} of album {number * 7}." \n2. "No."'
            return [Generation(listed) for _ in prompts]

    def letters(text: str) -> dict[str, float | None]:
        likely = hash(text.rpartition('"')[0][-6:]) % 2
        return {" agree": 0.9 if likely else 0.1, " disagree": 0.1 if likely else 0.9, "A": 0.5, "B": 0.5}

    chatty = Chatty(letters)
    card = await write(Crew(chatty, chatty, [chatty]), WriteConfig(behaviour=MUSIC, n=10, drafts=40, relevant=0.0), tmp_path)
    assert card.steps[1].lost == {"refusal": 8}
    assert all(item.statement.startswith("I hear song") and '"' not in item.statement for item in load_file(tmp_path))  # type: ignore[attr-defined]


def test_the_command_line_writes_audits_and_maps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "music"
    command = ["write", MUSIC, "--with", "scripted/honest?seed=1", "--discriminator", SURE, "--n", "20", "--out", str(out)]
    assert run(command) == 0
    assert "kept: the best of either label" in capsys.readouterr().out
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"] == 20
    assert run(["audit", "scripted/honest", "-e", "model-written", "--set", f"file={out}", "--out", str(tmp_path / "run")]) == 0
    assert run(["map", str(out), "--projection", "pca", "--out", str(tmp_path / "map.html")]) == 0
    capsys.readouterr()
    assert run(["map", str(out), "--projection", "umap"]) == 2
    assert "there is no projection 'umap'; choose from tsne, pca" in capsys.readouterr().err


def test_bad_options_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="behaviour"):
        gnomon.write(" ", "scripted/honest")
    with pytest.raises(DatasetError, match="cannot read"):
        read_card(tmp_path)
    (tmp_path / "card.json").write_text("[]")
    with pytest.raises(DatasetError, match="is not the card of a written evaluation"):
        read_card(tmp_path)
