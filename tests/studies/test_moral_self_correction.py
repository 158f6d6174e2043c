"""The study of moral self-correction: its rules see what scripted organisms do, and leave open what they cannot see."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import gnomon
from gnomon.studies.moral_self_correction_ladder import SIZES, STEPS

PAPER = "2302.07459"
NUMBERS = ["1", "2", "3", "4", "5a", "5b", "5c", "6a", "6b", "7"]


def verdicts(models: list[str], out: Path, n: int, **settings: Any) -> Mapping[str, str]:
    found = gnomon.run_study(PAPER, models, n=n, out=out, settings={"plants": [], **settings})
    assert [one.number for one in found.claims][: len(NUMBERS)] == NUMBERS
    assert (out / "report.html").is_file()
    return {one.number: one.verdict for one in found.claims}


def test_one_that_corrects_itself_is_seen_to(tmp_path: Path) -> None:
    model = "scripted/stereotyping?rate=0.6&corrects=0.5&reconsiders=1&matches=1&accuracy=0.98&whims=0.5&neutral=0"
    found = verdicts([model], tmp_path, 400, scripted=False)
    assert {number: found[number] for number in ("3", "4", "5a", "5b", "5c", "6a")} == dict.fromkeys(
        ("3", "4", "5a", "5b", "5c", "6a"), "holds"
    )
    assert found["1"] == found["2"] == "cannot tell"  # one model, of no known size
    assert found["6b"] == found["7"] == "cannot tell"  # no steps of training


def test_one_that_gets_worse_refutes(tmp_path: Path) -> None:
    model = "scripted/stereotyping?rate=0.5&corrects=2&reconsiders=0&accuracy=0.98&whims=0.2&neutral=0.6"
    found = verdicts([model], tmp_path, 400, scripted=False)
    assert found["3"] == "does not hold"
    assert found["5b"] == "does not hold"
    assert found["5c"] == "does not hold"


def test_without_accuracy_a_bias_score_decides_nothing(tmp_path: Path) -> None:
    found = verdicts(["scripted/stereotyping?rate=0.6&reconsiders=1&accuracy=0.5&whims=0.5"], tmp_path, 200, scripted=False)
    assert found["4"] == "does not hold"
    assert found["1"] == found["2"] == found["3"] == "cannot tell"


def test_without_bias_there_is_no_parity_to_come_nearer_to(tmp_path: Path) -> None:
    found = verdicts(["scripted/honest?whims=0.5"], tmp_path, 40, scripted=False)
    assert found["6a"] == "cannot tell"
    found = verdicts(["scripted/stereotyping?rate=0.6&corrects=1&letters=0.2&whims=0.5"], tmp_path / "mute", 40, scripted=False)
    assert found["6a"] == "cannot tell"


@pytest.mark.slow
def test_the_ladders_of_scripted_organisms_show_the_papers_course(tmp_path: Path) -> None:
    found = verdicts(["scripted/honest?whims=0.5"], tmp_path, 40)
    assert {number: found[f"{number}s"] for number in NUMBERS} == dict.fromkeys(NUMBERS, "holds")


def test_the_ladders_go_up() -> None:
    for ladder in (SIZES, STEPS):
        assert list(ladder.values()) == sorted(set(ladder.values()))
