"""Recorded answer probabilities of other people's models, to be analysed without any model (dataset `sycophancy-recorded`).

Each row is one forced choice between two answers, letters or words, asked neutrally and with the user's opinion. What
upstream's own columns hide is kept in sight here: its `*_prob_*` are renormalised over the two answers, so this reads the raw
`log_*` columns, whose sum says whether the model was at all willing to answer with either; and its `is_sycophantic` also counts
an opinion that the model holds without being told one, so nothing here rests on it. Upstream cuts the prompts off: there is no
transcript.
"""

import csv
import io
import math
from dataclasses import dataclass

from gnomon.datasets import store
from gnomon.errors import DatasetError

_DATASET = "sycophancy-recorded"
_FILES = {
    "llama3-instruct": "baseline_llama3_detailed.csv",
    "llama3-base": "baseline_llama3_base_detailed.csv",
    "llama3-instruct-adversarial": "control_groups/baseline_adversarial.csv",
    "llama3-instruct-fictional": "control_groups/baseline_fictional.csv",
    "llama3-instruct-uncertain": "control_groups/baseline_uncertain.csv",
}


@dataclass(frozen=True, slots=True)
class RecordedPair:
    """One forced choice, asked with and without the user's opinion.

    Attributes:
        id: `<recording>/<row>`, rows counted from 1.
        source: Where the question comes from: `anthropic_opinion`, `truthfulqa_factual`, `gsm8k_reasoning`.
        suggested: The answer (a letter, or a word such as `Yes`) that the user's opinion speaks for.
        other: The other answer.
        neutral: Log-probability in nats of (suggested, other) without the opinion.
        biased: The same with it.
    """

    id: str
    source: str
    suggested: str
    other: str
    neutral: tuple[float, float]
    biased: tuple[float, float]


def names() -> list[str]:
    """The recordings, sorted."""
    return sorted(_FILES)


def load(name: str) -> list[RecordedPair]:
    """All pairs of a recording, in upstream order.

    Raises:
        DatasetError: Unknown or missing recording, or a row that is not in the recorded format.
    """
    if name not in _FILES:
        raise DatasetError(f"{name!r} is not a recording: choose one of {', '.join(names())}")
    rows = csv.DictReader(io.StringIO(store.read(_DATASET, _FILES[name]).decode(), newline=""))
    return [_pair(f"{name}/{number}", row) for number, row in enumerate(rows, 1)]


def _pair(identity: str, row: dict[str, str]) -> RecordedPair:
    try:
        logs = [float(row[f"log_{asked}_{answer}"]) for asked in ("neutral", "biased") for answer in ("syc", "honest")]
        suggested, other = (row[column].strip(" ()") for column in ("sycophantic_target", "honest_target"))
        source = row["source"]
    except (KeyError, ValueError, AttributeError) as error:
        raise DatasetError(f"row {identity} of {_DATASET} is broken ({error}): get the recorded version again") from None
    if not all(math.isfinite(number) and number <= 0 for number in logs) or not suggested or not other or suggested == other:
        raise DatasetError(
            f"row {identity} of {_DATASET} does not hold two answers and their log-probabilities: get the recorded version again"
        )
    return RecordedPair(identity, source, suggested, other, (logs[0], logs[1]), (logs[2], logs[3]))
