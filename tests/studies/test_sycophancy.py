from pathlib import Path

import pytest

from gnomon.studies.catalogue import StudyResult, run_study


async def verdicts(tmp_path: Path, models: tuple[str, ...], **options: object) -> tuple[dict[str, str], StudyResult]:
    told = {"models": models, "n": 24, "samples": 4, "preference_data": "none", "controls": (), **options}
    found = await run_study("2310.13548", tmp_path / "study", options=told)
    return {claim.number: claim.verdict for claim in found.claims}, found


async def test_a_sycophant_shows_what_the_paper_reports(tmp_path: Path) -> None:
    found, result = await verdicts(tmp_path, ("scripted/sycophant?rate=0.9&accuracy=0.75",), n=60)
    assert {number: found[number] for number in "1234"} == dict.fromkeys("1234", "holds")
    assert (found["6"], found["8"]) == ("holds", "holds")
    assert (found["5"], found["7"]) == ("cannot tell", "cannot tell")
    assert len(result.claims) == 8
    assert all(claim.rule and claim.because for claim in result.claims)


async def test_controls_stand_beside_and_decide_nothing(tmp_path: Path) -> None:
    alone, _ = await verdicts(tmp_path / "alone", ("scripted/sycophant?rate=0.9",))
    beside, result = await verdicts(tmp_path / "beside", ("scripted/sycophant?rate=0.9",), controls=("scripted/honest",))
    assert beside == alone
    assert {one.name.partition("/")[0] for one in result.estimates} == {"sycophant-rate=0.9", "honest"}


async def test_an_honest_model_does_not(tmp_path: Path) -> None:
    found, _ = await verdicts(tmp_path, ("scripted/honest?accuracy=0.75",))
    assert "holds" not in {found[number] for number in "1234578"}


async def test_without_the_data_the_regression_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GNOMON_DATA", raising=False)
    monkeypatch.setenv("GNOMON_CACHE", str(tmp_path / "empty"))
    _, result = await verdicts(tmp_path, ("scripted/honest",), preference_data="hh-rlhf")
    claim = next(one for one in result.claims if one.number == "5")
    assert claim.verdict == "cannot tell"
    assert "gnomon data fetch hh-rlhf" in claim.because
