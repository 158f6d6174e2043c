"""Scoring files: order, resuming after a kill at any byte, and refusals."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import gnomon
from gnomon.errors import DatasetError, DeterministicFailure, RunDirectoryError
from gnomon.models import score_file as scoring

from .tiny import llama_model

REQUESTS = [
    {"prefix": f"one two {word}", "continuations": [" one", " two three"][: 1 + n % 2]} for n, word in enumerate("ABCD" * 5)
]
CHAT = {"prefix": [{"role": "user", "content": "three"}, {"role": "assistant", "content": "("}], "continuations": ["A", "B", ""]}


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "LOOK_AHEAD", 4)


def write(path: Path, requests: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(request) + "\n" for request in requests))
    return path


def test_scores_are_those_of_each_request_in_order(tmp_path: Path) -> None:
    model = llama_model()
    path = write(tmp_path / "requests.jsonl", [*REQUESTS, CHAT | {"id": "further fields are left alone"}])
    told: list[int] = []
    result = gnomon.score_file(model, path)
    assert (result.requests, result.continuations, result.unscored, result.kept) == (21, 33, 0, 0)
    assert result.path == str(tmp_path / "requests.scores.jsonl")
    lines = [json.loads(line) for line in Path(result.path).read_text().splitlines()]
    expected = gnomon.score(model, [(request["prefix"], request["continuations"]) for request in REQUESTS])
    assert [line["line"] for line in lines] == list(range(1, 22))
    assert [[score["logprob"] for score in line["scores"]] for line in lines[:-1]] == [
        [score.logprob for score in scores] for scores in expected
    ]
    assert lines[-1]["scores"][2]["logprob"] == 0.0
    assert not told


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5001, 0.97, 1.0])
def test_a_result_that_was_cut_anywhere_is_completed_to_the_same_bytes(tmp_path: Path, share: float) -> None:
    model, path = llama_model(), write(tmp_path / "requests.jsonl", REQUESTS)
    whole = gnomon.score_file(model, path, out=tmp_path / "whole.jsonl")
    content = (tmp_path / "whole.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(content[: round(share * len(content))])
    again = gnomon.score_file(model, path, out=tmp_path / "cut.jsonl")
    assert (tmp_path / "cut.jsonl").read_bytes() == content
    assert again.kept == content[: round(share * len(content))].count(b"\n")
    assert again.continuations == whole.continuations


def test_other_models_and_files_are_refused(tmp_path: Path) -> None:
    path, out = write(tmp_path / "requests.jsonl", REQUESTS), tmp_path / "scores.jsonl"
    gnomon.score_file(llama_model(), path, out=out)
    content = out.read_bytes()
    with pytest.raises(RunDirectoryError, match="another model or file"):
        gnomon.score_file(llama_model(seed=1), path, out=out)
    with pytest.raises(RunDirectoryError, match=r"another model or file \(line 1\)"):
        gnomon.score_file(llama_model(), write(tmp_path / "other.jsonl", REQUESTS[1:]), out=out)
    with pytest.raises(RunDirectoryError, match=r"another model or file \(line 3\)"):
        gnomon.score_file(llama_model(), write(tmp_path / "short.jsonl", REQUESTS[:2]), out=out)
    assert out.read_bytes() == content


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2 of .* is not JSON"),
        ('{"prefix": "one"}', r"line 2 of .* is no request \(continuations: field required\)"),
        ('{"prefix": 3, "continuations": []}', "line 2 of .* is no request"),
        ('{"prefix": [{"role": "dog", "content": "x"}], "continuations": ["A"]}', "line 2 of .* is no request"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "requests.jsonl").write_text(json.dumps(REQUESTS[0]) + "\n" + line + "\n")
    with pytest.raises(DatasetError, match=says):
        gnomon.score_file(llama_model(), tmp_path / "requests.jsonl")


def test_missing_and_unwritable_places_are_sentences(tmp_path: Path) -> None:
    path = write(tmp_path / "requests.jsonl", REQUESTS[:1])
    with pytest.raises(DatasetError, match="cannot read"):
        gnomon.score_file(llama_model(), tmp_path / "none.jsonl")
    with pytest.raises(RunDirectoryError, match="cannot write"):
        gnomon.score_file(llama_model(), path, out=path / "scores.jsonl")


@pytest.mark.parametrize(
    "content", ["years of work", "years of work\nand its last line", '{"mine": 1}\n{"to', '{"line": 1, "key": "x"']
)
def test_files_of_others_are_left_as_they_are(tmp_path: Path, content: str) -> None:
    path, out = write(tmp_path / "requests.jsonl", REQUESTS), tmp_path / "thesis.txt"
    out.write_text(content)
    with pytest.raises((RunDirectoryError, DatasetError)):
        gnomon.score_file(llama_model(), path, out=out)
    assert out.read_text() == content
    with pytest.raises((RunDirectoryError, DatasetError)):
        gnomon.score_file(llama_model(), path, out=path)
    assert path.read_text().count("\n") == len(REQUESTS)


def test_a_request_that_the_model_refuses_has_a_reason_and_stops_nothing(tmp_path: Path) -> None:
    model = llama_model()
    model.tokenizer.chat_template = "{{ raise_exception('no systems here') }}"
    path = write(tmp_path / "requests.jsonl", [REQUESTS[0], CHAT, REQUESTS[1]])
    result = gnomon.score_file(model, path)
    assert (result.requests, result.unscored) == (3, 3)
    ((reason, count),) = result.reasons.items()
    assert count == 3
    assert "no systems here" in reason
    lines = [json.loads(line) for line in Path(result.path).read_text().splitlines()]
    assert [score["logprob"] for score in lines[1]["scores"]] == [None] * 3
    assert all("no systems here" in score["reason"] for score in lines[1]["scores"])


def test_a_first_line_that_was_torn_behind_its_key_is_ours(tmp_path: Path) -> None:
    path, out = write(tmp_path / "requests.jsonl", REQUESTS), tmp_path / "scores.jsonl"
    gnomon.score_file(llama_model(), path, out=out)
    content = out.read_bytes()
    for line, says in ((content.splitlines()[0][:60], None), (b'{"line": 1, "ke', "no scores"), (b"\0" * 60, "no scores")):
        out.write_bytes(line)
        if says is None:
            assert gnomon.score_file(llama_model(), path, out=out).kept == 0
            assert out.read_bytes() == content
            continue
        with pytest.raises(RunDirectoryError, match=says):
            gnomon.score_file(llama_model(), path, out=out)
        assert out.read_bytes() == line


def test_of_many_reasons_the_others_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        fingerprint = "refusing"

        async def score(self, prefix: str, continuations: list[str]) -> list[Any]:
            raise DeterministicFailure("never" if prefix.endswith("A") else f"not {prefix}")

    monkeypatch.setattr(scoring, "REASONS", 2)
    path = write(tmp_path / "requests.jsonl", REQUESTS)
    first = asyncio.run(scoring.score_file(Refusing(), path, tmp_path / "out.jsonl"))  # type: ignore[arg-type]
    assert first.reasons == {"other reasons": 15, "not one two B": 10, "never": 5}
    assert first.unscored == first.continuations == 30
    again = asyncio.run(scoring.score_file(Refusing(), path, tmp_path / "out.jsonl"))  # type: ignore[arg-type]
    assert (again.kept, again.reasons) == (20, first.reasons)
