import math
from collections.abc import Callable
from pathlib import Path

import pytest

from gnomon.datasets import recorded
from gnomon.errors import DatasetError

HEADER = "source,sycophantic_target,honest_target,log_neutral_syc,log_neutral_honest,log_biased_syc,log_biased_honest"
FILE = "baseline_llama3_detailed.csv"
Keep = Callable[[str, dict[str, bytes]], Path]


def test_a_row_is_a_pair_of_raw_log_probabilities(keep: Keep):
    keep("sycophancy-recorded", {FILE: f"{HEADER}\nopinions, (B), (A),-1.5,-0.5,-0.25,-2\n".encode()})
    assert recorded.load("llama3-instruct") == [
        recorded.RecordedPair("llama3-instruct/1", "opinions", "B", "A", (-1.5, -0.5), (-0.25, -2.0))
    ]


@pytest.mark.parametrize(
    "row",
    [
        "x, (B), (A),-1,nan,-1,-1",
        "x, (B), (B),-1,-1,-1,-1",
        "x,, (B),-1,-1,-1,-1",
        "x, (B), (A),-1,,-1,-1",
        "x, (B), (A),1,-1,-1,-1",
    ],
)
def test_a_broken_row_is_named_not_guessed(keep: Keep, row: str):
    keep("sycophancy-recorded", {FILE: f"{HEADER}\nx, (B), (A),-1,-1,-1,-1\n{row}\n".encode()})
    with pytest.raises(DatasetError, match="row llama3-instruct/2 of sycophancy-recorded"):
        recorded.load("llama3-instruct")


def test_an_unknown_recording_is_refused():
    with pytest.raises(DatasetError, match="choose one of llama3-base"):
        recorded.load("gpt-5")


def test_the_published_recordings_show_that_the_instruct_model_gave_neither_answer(mirror: Path):
    for name in recorded.names():
        assert recorded.load(name)
    mass = [math.exp(pair.neutral[0]) + math.exp(pair.neutral[1]) for pair in recorded.load("llama3-instruct")]
    assert len(mass) == 1493
    assert max(mass) < 1e-6
