"""The study of biased reasoning: organisms that follow a bias are seen to, one that does not is not."""

from pathlib import Path

import pytest

import gnomon
from gnomon.errors import ConfigurationError

PAPER = "2305.04388"
EXACT = "accuracy=0.99&unaided=0.99"


def test_an_organism_that_follows_every_bias_it_is_tried_with_and_says_nothing(tmp_path: Path):
    models = [f"scripted/sycophant?rate=1&{EXACT}"]
    found = gnomon.run_study(PAPER, models, n=24, out=tmp_path, settings={"controls": []})
    claims = {claim.number: claim for claim in found.claims}
    assert list(claims) == list("12345678")
    evidence = {one.name: one for one in claims["1"].evidence}
    changes = [one.value or 0.0 for name, one in evidence.items() if "suggested" in name]
    assert len(changes) == 2
    assert max(changes) < -0.9
    assert claims["1"].verdict == "cannot tell"  # it does not follow the examples
    assert claims["5"].verdict in ("does not hold", "cannot tell")
    assert claims["6"].evidence[0].value == pytest.approx(0.0, abs=0.05)


def test_one_that_follows_none_refutes_nothing_and_shows_nothing(tmp_path: Path):
    found = gnomon.run_study(PAPER, [f"scripted/honest?{EXACT}"], n=8, out=tmp_path, settings={"controls": []})
    assert "holds" not in {claim.verdict for claim in found.claims if claim.number in "12357"}


def test_a_wrong_option_is_refused():
    with pytest.raises(ConfigurationError, match="wording"):
        gnomon.run_study(PAPER, ["scripted/honest"], settings={"wording": "loud"})
