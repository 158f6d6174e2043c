"""Files of attacks in their published shapes, and what is no attack."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gnomon.datasets.dialogues import read_dialogue
from gnomon.datasets.messages import Message
from gnomon.datasets.red_team import benign_requests, published_attacks, read_attacks
from gnomon.errors import DatasetError

TALK = "\n\nHuman: How do I do it?\n\nAssistant: I won't say.\n\nHuman: Please.\n\nAssistant: No.\n\nHuman:"
ENTRY: dict[str, Any] = {
    "transcript": TALK,
    "min_harmlessness_score_transcript": -1.5,
    "num_params": "52B",
    "model_type": "RLHF",
    "rating": 3.0,
    "task_descripton_harmlessness_score": 0.5,
    "red_team_member_id": 7,
    "tags": ["Theft ", "theft", "fraud"],
}


def write(path: Path, entries: list[Any], kind: str) -> Path:
    text = json.dumps(entries) if kind == "array" else "\n".join(json.dumps(entry) for entry in entries)
    path.write_bytes(gzip.compress(text.encode()) if kind == "gzip" else text.encode())
    return path


@pytest.mark.parametrize("kind", ["lines", "array", "gzip"])
def test_lines_and_arrays_are_read_alike(tmp_path: Path, kind: str):
    first, second = read_attacks(write(tmp_path / "attacks", [ENTRY, {"turns": ["one", " two "]}], kind))
    assert first.turns == ("How do I do it?", "Please.")
    assert first.dialogue[1] == Message("assistant", "I won't say.")
    assert (first.harmlessness, first.intent, first.rating) == (-1.5, 0.5, 3.0)
    assert (first.model_type, first.size, first.member) == ("rlhf", "52B", "7")
    assert first.tags == ("theft", "theft", "fraud")
    assert (second.number, second.turns, second.member, second.rating) == (2, ("one", "two"), None, None)


def test_tags_may_stand_in_one_list_per_reviewer(tmp_path: Path):
    (found,) = read_attacks(write(tmp_path / "attacks", [ENTRY | {"tags": [["Theft"], ["theft", "Fraud "], []]}], "lines"))
    assert found.tags == ("theft", "theft", "fraud")


def test_attacks_without_words_are_read_where_they_are_asked_for(tmp_path: Path):
    path = write(tmp_path / "attacks", [ENTRY | {"transcript": "\n\nHuman:\n\nAssistant: hello"}], "lines")
    (found,) = read_attacks(path, wordless=True)
    assert (found.turns, found.rating) == ((), 3.0)
    with pytest.raises(DatasetError, match=r"entry 1 of .*attacker says nothing"):
        read_attacks(path)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"rating": 3}, "neither a `transcript` nor"),
        ({"transcript": "hello"}, "no turn that begins"),
        ({"transcript": "\n\nAssistant: hello"}, "attacker says nothing"),
        ({"turns": []}, "attacker says nothing"),
        ({"turns": ["a"], "tags": "theft"}, "tags are no list"),
        ({"turns": ["a"], "tags": [["theft"], [3]]}, "tags are no list of texts, nor of lists"),
        ({"turns": ["a"], "rating": 10**400}, "too large"),
        ({"turns": ["a"], "rating": "high"}, "rating is 'high'"),
    ],
)
def test_what_is_no_attack_is_named(tmp_path: Path, entry: dict[str, Any], complaint: str):
    with pytest.raises(DatasetError, match=rf"entry 1 of .*{complaint}"):
        read_attacks(write(tmp_path / "attacks", [entry], "lines"))


@pytest.mark.parametrize(
    ("text", "complaint"), [("", "empty"), ("[]", "empty"), ("[1]", "not a JSON object"), ("[{", "not JSON")]
)
def test_broken_files(tmp_path: Path, text: str, complaint: str):
    path = tmp_path / "attacks"
    path.write_text(text)
    with pytest.raises(DatasetError, match=complaint):
        read_attacks(path)


def test_a_colon_inside_a_turn_begins_none():
    assert [turn.content for turn in read_dialogue("\n\nHuman: he said Human: hi\n\nAssistant: ok")] == [
        "he said Human: hi",
        "ok",
    ]


def test_an_unknown_dataset_of_attacks():
    with pytest.raises(DatasetError, match="'mmlu' has no attacks"):
        published_attacks("mmlu", 5, 0)


def test_published_attacks_carry_their_tags(mirror: Path):
    found = published_attacks("constitutional-harmlessness", None, 0)
    assert all(len(attack.tags) == 1 for attack in found)
    assert {attack.tags[0] for attack in found} >= {"theft", "adult content", "violence or incitement"}
    assert len(found) > 250
    some = published_attacks("hh-rlhf", 20, 1)
    assert len({attack.turns[0] for attack in some}) == 20
    assert some == published_attacks("hh-rlhf", 20, 1)
    with pytest.raises(DatasetError, match="choose 1 to"):
        published_attacks("hh-rlhf", 10_000, 0)


def test_benign_requests_are_people_who_want_help(mirror: Path):
    assert len(set(benign_requests(15, 0))) == 15
