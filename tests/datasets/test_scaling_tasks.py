"""Files of inverse-scaling tasks: each metric's fields, classes as literals, and every way to be broken."""

import json
from pathlib import Path

import pytest

from gnomon.datasets.scaling_tasks import parsed_classes, published_names, read_file, read_published
from gnomon.errors import DatasetError

CLASSIFICATION = {"prompt": "Is it?", "classes": "[' Yes', \" No, it's not\"]", "answer_index": 1}
LOGODDS = {"prompt": "I think so. Is it?", "other_prompt": "Is it?", "classes": [" Yes", " No"], "answer_index": 0}


def written(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_each_form_has_its_metric_and_its_fields(tmp_path: Path) -> None:
    (item,) = read_file(written(tmp_path / "modus-tollens_classification.jsonl", CLASSIFICATION))
    assert (item.task, item.cause, item.metric) == ("modus-tollens", "unwanted imitation", "classification")
    assert (item.classes, item.answer, item.id) == ((" Yes", " No, it's not"), 1, "modus-tollens:0")
    (item,) = read_file(written(tmp_path / "prompt-injection_sequence_prob.jsonl", {"prompt": "Echo: a", "completion": " a"}))
    assert (item.metric, item.classes, item.cause) == ("sequence_prob", (" a",), "strong prior")
    (item,) = read_file(written(tmp_path / "mine.jsonl", LOGODDS))
    assert (item.task, item.cause, item.metric, item.other_prompt) == ("mine", None, "logodds", "Is it?")
    (item,) = read_file(tmp_path / "mine.jsonl", "absolute_logodds")
    assert item.metric == "absolute_logodds"


def test_the_csv_form_reads_classes_as_a_literal(tmp_path: Path) -> None:
    path = tmp_path / "task.csv"
    path.write_text("prompt,classes,answer_index\n\"Absence, they say\",\"[' heavy, man.', ' fonder.']\",0\n")
    (item,) = read_file(path)
    assert item.classes == (" heavy, man.", " fonder.")
    assert item.prompt == "Absence, they say"


@pytest.mark.parametrize("text", ["__import__('os').getcwd()", "[1, 2]", "' Yes'", "[' Yes'", "{}"])
def test_classes_are_never_evaluated(text: str) -> None:
    with pytest.raises(ValueError, match="no list of texts"):
        parsed_classes(text)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"prompt": "a", "answer_index": 0}, "has no field 'classes'"),
        ({**CLASSIFICATION, "answer_index": 2}, "answer_index 2 is not one of its 2 classes"),
        ({**CLASSIFICATION, "answer_index": -1}, "is no place in a list"),
        ({**CLASSIFICATION, "answer_index": True}, "is no place in a list"),
        ({**CLASSIFICATION, "classes": [" a", " a"]}, "not different texts"),
        ({**CLASSIFICATION, "classes": [" a"], "answer_index": 0}, "two classes or more"),
        ({**LOGODDS, "classes": [" a", " b", " c"]}, "two classes, not 3"),
        ([1], "no JSON object"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_line(tmp_path: Path, row: object, complaint: str) -> None:
    good = LOGODDS if isinstance(row, dict) and "other_prompt" in row else CLASSIFICATION
    with pytest.raises(DatasetError, match=rf"line 2 .*{complaint}"):
        read_file(written(tmp_path / "task.jsonl", good, row))


def test_a_file_of_log_odds_lacks_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has no field 'other_prompt', which a task of the metric logodds needs"):
        read_file(written(tmp_path / "task_logodds.jsonl", CLASSIFICATION))
    (tmp_path / "broken.jsonl").write_text("{")
    with pytest.raises(DatasetError, match=r"line 1 of .* is not JSON"):
        read_file(tmp_path / "broken.jsonl")
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DatasetError, match="has no rows"):
        read_file(tmp_path / "empty.jsonl")
    with pytest.raises(DatasetError, match="cannot read"):
        read_file(tmp_path / "missing.jsonl")
    with pytest.raises(DatasetError, match="'mmlu' has no inverse-scaling tasks"):
        read_published("mmlu")


COUNTS = {
    ("inverse-scaling-prize", "hindsight-neglect"): 315,
    ("inverse-scaling-prize", "memo-trap"): 936,
    ("inverse-scaling-prize", "neqa"): 300,
    ("inverse-scaling-prompts", "hindsight-neglect"): 314,
    ("inverse-scaling-prompts", "neqa"): 296,
    ("inverse-scaling-prompts", "resisting-correction"): 299,
    ("inverse-scaling-prompts", "redefine-e"): 100,
    ("inverse-scaling-prompts", "redefine-pi"): 200,
    ("inverse-scaling-prompts", "redefine-pi-mod"): 100,
    ("inverse-scaling-prompts", "number-as-text"): 100,
    ("inverse-scaling-prompts", "plus-as-digit"): 100,
    ("neqa", "neqa"): 1718,
    ("memo-trap", "proverb-ending"): 860,
    ("memo-trap", "hate-speech-ending"): 100,
}


def test_the_published_tasks_are_read_whole(mirror: Path) -> None:
    found = {(dataset, task): read() for dataset in published_names() for task, read in read_published(dataset).items()}
    assert {name: len(items) for name, items in found.items()} == COUNTS
    for items in found.values():
        assert all(text.startswith(" ") for item in items for text in item.classes)
    prize = found["inverse-scaling-prize", "neqa"][0]
    extended = next(item for item in found["neqa", "neqa"] if "barometer" in item.prompt)
    assert prize.prompt.partition("\n\n")[0] == extended.prompt.partition("\n\n")[0]
    asked = found["inverse-scaling-prompts", "hindsight-neglect"][0]
    assert asked.prompt.endswith("A: The answer is")
    assert asked.classes == (" yes", " no")
