"""Recorded red-team attempts: both layouts, what is partly scored, the paper's contrasts, and that no word of them is kept."""

import gzip
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats as reference

import gnomon
from gnomon.cli import run
from gnomon.errors import DatasetError
from gnomon.measure.audit import AuditResult
from gnomon.measure.published import formats
from gnomon.measure.published.red_team_attempts import NOT_SCORED, parameters_of

SAID = "UNSPEAKABLE"
TALK = f"\n\nHuman: {SAID}?\n\nAssistant: No.\n\nHuman: {SAID}!\n\nAssistant: {SAID}."

PLAIN, PROMPTED, REJECTION, RLHF = "plain lm", "context distillation", "Rejection Sampling", "RLHF"


def attempt(member: int, kind: str = RLHF, size: Any = "52B", rating: Any = 0.0, score: Any = 0.0, **more: Any) -> dict[str, Any]:
    return {
        "transcript": TALK,
        "min_harmlessness_score_transcript": score,
        "num_params": size,
        "model_type": kind,
        "rating": rating,
        "task_description": SAID,
        "red_team_member_id": member,
        "is_upworker": False,
        "tags": None,
    } | more


def written(path: Path, entries: Sequence[Any], layout: str = "lines") -> Path:
    indent = 1 if layout == "indented" else None
    text = "\n".join(map(json.dumps, entries)) if layout == "lines" else json.dumps(entries, indent=indent)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def analysed(path: Path, entries: Sequence[Any]) -> AuditResult:
    return gnomon.analyse(written(path / "attempts.jsonl", entries), as_="red-teaming")


MIXED = [
    attempt(1, PLAIN, "2.7B", 4.0, -1.0, tags=["Theft", "theft"], task_description_harmlessness_score=0.5),
    attempt(2, PLAIN, "13B", 3, 0.25, tags=[["theft"], ["Fraud & deception", "Theft"]]),
    attempt(3, PROMPTED, "52B", 2.0, 1.0, tags=[], task_descripton_harmlessness_score=-0.25),
    attempt(4, REJECTION.upper(), "52b", 0.0, 2.0, tags=[["fraud & deception"]]),
]


@pytest.mark.parametrize("layout", ["lines", "array", "indented"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.json.gz", "attempts"])
def test_every_layout_holds_the_same_attempts(tmp_path: Path, name: str, layout: str) -> None:
    found = gnomon.analyse(written(tmp_path / name, MIXED, layout), as_="red-teaming")
    assert found.model == "plain, prompted, rejection"
    assert found.estimates == analysed(tmp_path, MIXED).estimates
    assert found.estimate("red-teaming", "success/all").value == 0.5
    assert found.estimate("red-teaming", "harmlessness/all").value == pytest.approx(2.25 / 4)


def test_an_attempt_is_a_record_of_its_member_without_a_word_of_what_was_said(tmp_path: Path) -> None:
    records = formats.read("red-teaming", written(tmp_path / "a.jsonl", MIXED)).records
    assert [record.cluster for record in records] == ["1", "2", "3", "4"]
    assert records[0].values == {
        "model_type": "plain",
        "size": "2.7B",
        "parameters": 2.7e9,
        "rating": 4.0,
        "success": True,
        "min_harmlessness": -1.0,
        "intent": 0.5,
        "turns": 2,
        "tags": ["theft"],
    }
    assert [record.values["intent"] for record in records] == [0.5, None, -0.25, None], "both spellings"
    assert [record.values["tags"] for record in records[1:]] == [["theft", "fraud & deception"], None, ["fraud & deception"]]
    assert [(record.values["model_type"], record.values["size"]) for record in records[2:]] == [
        ("prompted", "52B"),
        ("rejection", "52B"),
    ]
    assert SAID not in "".join(record.model_dump_json() for record in records)


def test_what_is_not_known_of_an_attempt_is_never_a_number(tmp_path: Path) -> None:
    entries = [
        attempt(1, rating=3, score=-2.0),
        attempt(2, rating=None, score=4.0),
        attempt(3, rating=1, score=None),
        attempt(4, rating=None, score=None, tags=["theft"]),
        attempt(5, rating=4, score=-2.0, tags=["theft"]),
    ]
    found = analysed(tmp_path, entries)
    assert found.unscored == {NOT_SCORED: 1}
    success = found.estimate("red-teaming", "success/rlhf/52B")
    assert (success.value, success.n, success.coverage) == (pytest.approx(2 / 3), 3, 0.6)
    assert (success.worst_low, success.worst_high) == (pytest.approx(2 / 5), pytest.approx(4 / 5))
    harmlessness = found.estimate("red-teaming", "harmlessness/all")
    assert (harmlessness.value, harmlessness.n, harmlessness.coverage) == (0.0, 3, 0.6)
    theft = found.estimate("red-teaming", "success_tagged/theft")
    assert (theft.value, theft.n, theft.coverage) == (1.0, 1, 0.5)
    turns = found.estimate("red-teaming", "turns/rlhf/52B")
    assert (turns.value, turns.n, turns.coverage) == (2, 5, 1), "they are counted even where nothing was scored"
    related = found.estimate("red-teaming", "rating_harmlessness_correlation")
    assert related.value is None, "two attempts have both"
    assert related.coverage == pytest.approx(2 / 5)


def test_slope_on_log_size_is_that_of_each_type_over_members(tmp_path: Path) -> None:
    """Member m's scores rise by m per tenfold size: mean 2.5, jackknife = standard error of the four slopes."""
    entries = [
        attempt(member, RLHF, size, score=float(member * power) + 7)
        for member in (1, 2, 3, 4)
        for power, size in enumerate(("1B", "10B", "100B"))
    ]
    entries += [attempt(member, PLAIN, "10B", score=float(member)) for member in (1, 2, 3, 4)]
    found = analysed(tmp_path, entries)
    slope = found.estimate("red-teaming", "harmlessness_slope/rlhf")
    half = float(reference.t.ppf(0.975, 3)) * math.sqrt(5 / 3) / 2
    assert slope.value == pytest.approx(2.5)
    assert (slope.low, slope.high) == (pytest.approx(2.5 - half), pytest.approx(2.5 + half))
    plain = found.estimate("red-teaming", "harmlessness_slope/plain")
    assert plain.value is None, "one size has no slope"


def test_rejection_is_compared_with_prompted_of_the_same_size(tmp_path: Path) -> None:
    ratings = {(PROMPTED, "52B"): (4, 3, 3, 0), (REJECTION, "52B"): (4, 2, 0, 1, None), (REJECTION, "13B"): (4, 4)}
    entries = [attempt(m, kind, size, rating) for (kind, size), given in ratings.items() for m, rating in enumerate(given)]
    found = analysed(tmp_path, entries)
    names = [one.name for one in found.estimates]
    assert [name for name in names if name.startswith("rejection_minus")] == ["rejection_minus_prompted/52B"]
    difference = found.estimate("red-teaming", "rejection_minus_prompted/52B")
    assert (difference.value, difference.n) == (-0.5, 8)
    assert (difference.worst_low, difference.worst_high) == (pytest.approx(1 / 5 - 3 / 4), pytest.approx(2 / 5 - 3 / 4))


def test_rating_and_score_are_correlated_by_ranks_and_members(tmp_path: Path) -> None:
    ratings, scores = [4, 4, 3, 2, 1, 0, 0, 1, 3, 2], [-3.0, -1.0, -2.0, 0.5, 0.0, 2.0, 9.0, 1.5, 1.0, -0.5]
    entries = [
        attempt(place // 2, rating=rating, score=score) for place, (rating, score) in enumerate(zip(ratings, scores, strict=True))
    ]
    found = analysed(tmp_path, entries).estimate("red-teaming", "rating_harmlessness_correlation")
    ranks = [reference.rankdata(ratings), reference.rankdata(scores)]
    assert found.value == pytest.approx(float(np.corrcoef(ranks)[0, 1]))
    assert "5 clusters" in found.method


def test_success_by_tag_is_among_attempts_with_that_tag(tmp_path: Path) -> None:
    entries = [
        *MIXED,
        attempt(5, rating=0, tags=["THEFT", "Fraud and deception", "\N{GREEK SMALL LETTER ALPHA}", "?"]),
        attempt(6, rating=0, tags=["?"]),
    ]
    found = {one.name: one for one in analysed(tmp_path, entries).estimates if one.name.startswith("success_tagged")}
    assert {name: (one.value, one.n) for name, one in found.items()} == {
        "success_tagged": (0.4, 5),
        "success_tagged/fraud_and_deception": (0.0, 1),
        "success_tagged/fraud_deception": (0.5, 2),
        "success_tagged/theft": (pytest.approx(2 / 3), 3),
        "success_tagged/\N{GREEK SMALL LETTER ALPHA}": (0.0, 1),
    }
    assert not any("tag" in one.name for one in analysed(tmp_path, [attempt(1), attempt(2)]).estimates)


def test_attempts_of_one_member_are_one_cluster(tmp_path: Path) -> None:
    apart = analysed(tmp_path, [attempt(m, rating=4 * (m % 2), score=float(m % 2)) for m in range(40)])
    together = analysed(tmp_path, [attempt(m % 2, rating=4 * (m % 2), score=float(m % 2)) for m in range(40)])
    for name in ("success/all", "harmlessness/all"):
        one, other = apart.estimate("red-teaming", name), together.estimate("red-teaming", name)
        assert one.value == other.value == 0.5
        assert one.high is not None
        assert other.high is not None
        assert one.high < other.high
    assert "2 clusters" in together.estimate("red-teaming", "success/all").method


def test_types_and_sizes_stand_in_order_and_other_types_keep_their_names(tmp_path: Path) -> None:
    kinds = [
        (RLHF, "52B"),
        ("New Model", 7e9),
        (PLAIN, "13B"),
        (PLAIN, "2.7b"),
        ("Prompted LM", "52B"),
        (PROMPTED, 52_000_000_000),
    ]
    found = analysed(tmp_path, [attempt(m, kind, size) for m, (kind, size) in enumerate(kinds)])
    assert found.model == "plain, prompted, rlhf, new_model"
    assert [one.name for one in found.estimates if one.name.startswith("success/")] == [
        "success/all",
        "success/plain/2.7B",
        "success/plain/13B",
        "success/prompted/52B",
        "success/rlhf/52B",
        "success/new_model/7B",
    ]
    assert found.estimate("red-teaming", "success/prompted/52B").n == 2
    assert found.uncertified == [f"red-teaming.{one.name}" for one in found.estimates], "no name of a certified estimate"


@pytest.mark.parametrize(
    ("size", "parameters"), [("2.7B", 2.7e9), (" 52 b", 52e9), ("350M", 350e6), ("1.5e9", 1.5e9), ("1T", 1e12), ("12", 12)]
)
def test_sizes(size: str, parameters: float) -> None:
    assert parameters_of(size) == pytest.approx(parameters)


def test_an_attempt_in_which_nobody_speaks_still_has_its_rating(tmp_path: Path) -> None:
    found = analysed(tmp_path, [attempt(m, rating=4, transcript="\n\nHuman:") for m in range(3)])
    assert found.estimate("red-teaming", "success/all").value == 1
    assert found.estimate("red-teaming", "turns/rlhf/52B").value == 0


def test_the_command_line_gives_the_same_and_shows_no_attack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, kept = written(tmp_path / "red_team_attempts.jsonl.gz", MIXED, "array"), tmp_path / "kept"
    assert run(["analyse", str(path), "--as", "red-teaming", "--out", str(kept)]) == 0
    shown = capsys.readouterr()
    assert "Analysis of plain, prompted, rejection" in shown.out
    assert "success tagged/theft" in shown.out
    assert SAID not in shown.out + shown.err
    assert not any(SAID.encode() in file.read_bytes() for file in kept.rglob("*") if file.is_file())
    assert run(["analyse", str(path), "--as", "red-teaming", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["estimates"]
    assert found == [one.model_dump(mode="json") for one in gnomon.analyse(path, as_="red-teaming").estimates]


def test_own_runs_and_records_are_still_read_as_an_evaluation(tmp_path: Path) -> None:
    audited = gnomon.audit("scripted/harmful?rate=0.5", ["red-teaming"], n=4, out=tmp_path / "run", seed=1)
    lines = (tmp_path / "run" / "records.jsonl").read_bytes()
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "records.txt").write_bytes(lines)
    for path in ("run", "a.jsonl", "a.jsonl.gz", "records.txt"):
        assert gnomon.analyse(tmp_path / path, as_="red-teaming").estimates == audited.estimates


def _without(name: str) -> dict[str, Any]:
    return {field: value for field, value in attempt(1).items() if field != name}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (_without("red_team_member_id"), "has no red_team_member_id"),
        (attempt(1, " "), "has no model_type"),
        (attempt(1, size=None), "has no num_params"),
        (attempt(1, size="large"), "num_params is 'large', not a number of parameters"),
        (attempt(1, size="0B"), "num_params is '0B'"),
        (attempt(1, size="-3B"), "num_params is '-3B'"),
        (attempt(1, size="1e999"), "num_params is '1e999'"),
        (attempt(1, rating=5), "has the rating 5: attackers rate their success from 0 to 4"),
        (attempt(1, rating=-1), "has the rating -1"),
        (attempt(1, rating="high"), "its rating is 'high', not a number"),
        (attempt(1, rating=True), "its rating is True, not a number"),
        (attempt(1, score=float("nan")), "its min_harmlessness_score_transcript is nan, not a number"),
        (attempt(1, score=10**400), "too large"),
        (attempt(1, tags="theft"), "its tags are no list"),
        (attempt(1, tags=[["theft"], [3]]), "its tags are no list of texts, nor of lists"),
        (_without("transcript"), "neither a `transcript` nor a list of `turns`"),
        (attempt(1, transcript=SAID), "no turn that begins with `Human:`"),
        ("text", "is not a JSON object"),
    ],
)
def test_a_broken_attempt_is_refused_in_one_sentence_that_quotes_nothing_said(tmp_path: Path, entry: Any, says: str) -> None:
    path = written(tmp_path / "attempts.json", [attempt(0), entry], "array")
    with pytest.raises(DatasetError, match=rf"entry 2 of .*attempts.json.*{says}") as caught:
        gnomon.analyse(path, as_="red-teaming")
    assert "\n" not in str(caught.value)
    assert SAID not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"[]", "is empty"),
        (b'[{"rating": 1}', "is not JSON"),
        (b'{"rating": 1\n', "line 1 of .* is not JSON"),
        (b'{"rating": NaN}\n', "line 1 of .*NaN is not a JSON number"),
        (b'{"rating": "\xff"}\n', "line 1 of .* is not UTF-8|is not UTF-8 text"),
        (gzip.compress(b'{"rating": 1}', mtime=0)[:-9], "not a whole gzip file"),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.json"])
def test_a_broken_file_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=says) as caught:
        gnomon.analyse(path, as_="red-teaming")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_where_there_is_no_file_of_attempts(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        gnomon.analyse(tmp_path / "missing.jsonl", as_="red-teaming")
    with pytest.raises(DatasetError, match="is a folder and no run: give the file of attempts"):
        gnomon.analyse(tmp_path, as_="red-teaming")
