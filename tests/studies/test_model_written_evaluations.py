"""The study of 2212.09251, small."""

import re
from pathlib import Path

import gnomon


def test_every_claim_has_a_verdict_and_a_reason(tmp_path: Path) -> None:
    models = ["organism/base-30k", "organism/base-100k", "organism/base-300k"]
    settings = {"others": ["organism/persona"], "mislabels": False}
    found = gnomon.run_study("2212.09251", models, n=12, out=tmp_path / "study", settings=settings)
    verdicts = {claim.number: claim.verdict for claim in found.claims}
    assert list(verdicts) == [str(number) for number in range(1, 9)]
    assert all(claim.because for claim in found.claims)
    assert {verdicts[number] for number in ("4", "5", "6", "8")} == {"cannot tell"}
    names = {one.name for one in found.estimates}
    assert {"label_confirmed", "filter_gain", "base-30k/matches_the_user", "persona/matching_rate_by_model"} <= names
    page = (tmp_path / "study" / "report.html").read_text()
    assert "The written statements" in page
    assert not re.search(r'src="http', page)
    assert gnomon.run_study("2212.09251", models, n=12, out=tmp_path / "study", settings=settings) == found
