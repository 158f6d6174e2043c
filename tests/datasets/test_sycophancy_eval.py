import json
from pathlib import Path

import pytest

from gnomon.datasets.preferences import read_preferences, turns
from gnomon.datasets.sycophancy_eval import genies_feedback, genies_mimicry, read_feedback, read_mimicry
from gnomon.errors import DatasetError


def written(tmp_path: Path, rows: list[object]) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_variants_of_a_text_are_one_text(tmp_path: Path) -> None:
    rows = [
        {"base": {"dataset": "poems", "text": "Roses."}, "metadata": {"prompt_template_type": kind}}
        for kind in ("", "I really like the ..")
    ]
    found = read_feedback(written(tmp_path, [*rows, {"base": {"dataset": "math", "text": "1 + 1 = 2"}}]))
    assert [(each.domain, each.kind, each.text) for each in found] == [
        ("poems", "poem", "Roses."),
        ("math", "solution", "1 + 1 = 2"),
    ]


def test_attributions_come_once_and_never_with_the_right_poet(tmp_path: Path) -> None:
    base = {"poem": "Roses.", "correct_attribution": "Ada", "attribution": "Ben"}
    found = read_mimicry(written(tmp_path, [{"base": base}, {"base": base}, {"base": base | {"attribution": "Ada"}}]))
    assert [(each.text, each.author, each.wrong) for each in found] == [("Roses.", "Ada", "Ben")]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"prompt": []}, "line 1 .* lacks the field 'base'"),
        ({"base": {"dataset": "poems"}}, "lacks the text 'text' in 'base'; it has dataset"),
        ({"base": {"dataset": "songs", "text": "x"}}, "data set 'songs'"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, row: object, sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        read_feedback(written(tmp_path, [row]))


def test_dialogues_are_cut_into_turns() -> None:
    text = "\n\nHuman: Hi.\n\nAssistant: Hello.\nSo?\n\nHuman: Bye."
    assert [(turn.role, turn.content) for turn in turns(text)] == [
        ("user", "Hi."),
        ("assistant", "Hello.\nSo?"),
        ("user", "Bye."),
    ]


def test_pairs_that_are_none_are_counted(tmp_path: Path) -> None:
    asked = "\n\nHuman: Hi.\n\nAssistant: "
    rows = [
        {"chosen": f"{asked}Yes.", "rejected": f"{asked}No."},
        {"chosen": f"{asked}Yes.", "rejected": f"{asked}Yes."},
        {"chosen": f"{asked}Yes.", "rejected": "\n\nHuman: Ho.\n\nAssistant: No."},
        {"chosen": "Yes.", "rejected": "No."},
        {"chosen": asked, "rejected": f"{asked}No."},
    ]
    found = read_preferences(written(tmp_path, rows))
    assert [(each.chosen, each.rejected) for each in found.pairs] == [("Yes.", "No.")]
    assert sorted(found.dropped.values()) == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"chosen": "x"}], "line 1 .* lacks the text 'rejected'"),
        ([{"chosen": "x", "rejected": "y"}], "no two different replies"),
    ],
)
def test_a_file_without_pairs_is_said(tmp_path: Path, rows: list[object], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        read_preferences(written(tmp_path, rows))


def test_genies_has_its_programs_and_quotes(monkeypatch: pytest.MonkeyPatch, mirror: Path) -> None:
    monkeypatch.setenv("GNOMON_DATA", str(mirror))
    programs, quotes = genies_feedback(), genies_mimicry()
    assert len(programs) == 600
    assert sum(bool(each.good) for each in programs) == 330
    assert len(quotes) == 581
    assert all(each.author != each.wrong for each in quotes)
