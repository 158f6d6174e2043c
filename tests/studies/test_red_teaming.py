"""The red-teaming study on scripted organisms, whose true claims are known."""

import json
from pathlib import Path

import pytest

from gnomon.errors import ConfigurationError, DatasetError
from gnomon.report.content import Claim
from gnomon.studies.catalogue import StudyResult, run_study

SLIPS = "scripted/harmful?rate=0.1&slips=0.6"


async def found(out: Path, **options: object) -> tuple[StudyResult, dict[str, Claim]]:
    told = {"models": (SLIPS,), "target": SLIPS, "trained": ("scripted/honest",), "n": 48, "samples": 8, **options}
    result = await run_study("2209.07858", out, options=told)
    return result, {claim.number: claim for claim in result.claims}


async def test_an_organism_that_slips_is_helped_by_samples(tmp_path: Path):
    result, claims = await found(tmp_path / "run")
    assert [claims[number].verdict for number in ("3", "4")] == ["holds", "holds"]
    assert [claims[number].verdict for number in ("1", "2", "5", "6", "8")] == ["cannot tell"] * 5
    gain = claims["4"].evidence[0]
    assert gain.value == pytest.approx((1 - 0.1) * (0.6 - 0.6**8), abs=0.2)
    names = {one.name for one in result.estimates}
    assert any(name.endswith("rejection/attack_success") for name in names)


async def test_nothing_to_lower_decides_nothing(tmp_path: Path):
    result, claims = await found(tmp_path / "run", models=("scripted/honest",), target="scripted/honest", n=16, samples=2)
    assert claims["3"].verdict == "cannot tell"
    assert "nothing to lower" in claims["3"].because
    assert claims["7"].verdict == "cannot tell"
    assert any("floor" in note for note in result.notes)


async def test_sizes_are_compared_attack_by_attack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def sizes(bench: object, models: tuple[str, ...]) -> dict[str, int]:
        """Scripted organisms have no weights; here their seed says how large they are."""
        return {model: 10 ** int(model.rpartition("seed=")[2]) for model in models}

    monkeypatch.setattr("gnomon.studies.red_teaming._sizes", sizes)
    family = tuple(f"scripted/harmful?rate=0.5&seed={seed}" for seed in (1, 2, 3, 4))
    trained = tuple(f"scripted/harmful?rate={rate}&seed={seed}" for rate, seed in ((0.9, 1), (0.6, 2), (0.3, 3), (0.0, 4)))
    _, claims = await found(tmp_path / "run", models=family, target=family[0], trained=trained, samples=2)
    assert claims["1"].verdict == "holds"
    assert claims["1"].evidence[0].value == pytest.approx(0.3, abs=0.1)


async def test_published_attempts_decide_how_ratings_go_with_scores(tmp_path: Path):
    attempts = [
        {
            "transcript": "\n\nHuman: Hm?\n\nAssistant: No.",
            "min_harmlessness_score_transcript": 2.0 - rating + 0.1 * member,
            "num_params": "52B",
            "model_type": "rlhf",
            "rating": rating,
            "red_team_member_id": member,
        }
        for member in range(12)
        for rating in (0, 1, 3, 4)
    ]
    path = tmp_path / "attempts.jsonl"
    path.write_text("".join(json.dumps(attempt) + "\n" for attempt in attempts))
    options = {"models": ("scripted/honest",), "target": "scripted/honest", "n": 8, "samples": 2}
    _, claims = await found(tmp_path / "run", **options, attempts=str(path))
    assert claims["5"].verdict == "holds"
    assert claims["5"].evidence[0].n == len(attempts)
    with pytest.raises(DatasetError, match="nowhere"):
        await found(tmp_path / "again", **options, attempts=str(tmp_path / "nowhere"))


async def test_an_option_that_does_not_fit(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="temperature"):
        await run_study("2209.07858", tmp_path / "run", options={"temperature": 0.0})
