"""The study of question decomposition: on an organism of known behaviour, and its statistics by hand."""

from pathlib import Path

import numpy as np
import pytest

import gnomon
from gnomon.studies.question_decomposition import size_difference

PAPER = "2307.11768"


def test_every_claim_is_decided(tmp_path: Path) -> None:
    found = gnomon.run_study(PAPER, ["scripted/sycophant?rate=1.0&accuracy=1.0"], n=12, out=tmp_path / "study")
    verdicts = {claim.number: claim.verdict for claim in found.claims}
    assert list(verdicts) == ["1", "2", "3", "4", "5", "6", "7"]
    assert verdicts["6"] == "holds"  # it flatters wherever it sees the view; answered alone it does not see it
    assert verdicts["5"] == "cannot tell"  # a chain and its decomposition are moved alike
    assert (tmp_path / "study" / "report.html").is_file()


def test_sizes_of_changes_are_compared() -> None:
    statistic = size_difference(np.array([-1.0, 0.0]), np.array([0.0, 0.5]))
    assert statistic(np.array([[1.0, 1.0], [0.0, 2.0]])) == pytest.approx([0.25, -0.5])
