from pathlib import Path

import polars as pl
import pytest

import gnomon
from gnomon.measure.parts import part
from gnomon.studies.self_knowledge_tempering import transferred

PAPER = "2207.05221"


def test_the_study_decides_every_claim_and_draws_its_figures(tmp_path: Path):
    told = {"training": 24, "samples": 2, "tempered": ""}
    found = gnomon.run_study(PAPER, ["organism/base-30k"], n=12, settings=told, out=tmp_path / "study")
    assert [claim.number for claim in found.claims] == [str(number) for number in range(1, 10)]
    verdicts = {claim.number: claim for claim in found.claims}
    assert verdicts["4"].because.startswith("it needs three sizes")
    assert verdicts["9"].because == "no fine-tuned model was named"
    assert all(claim.evidence for number, claim in verdicts.items() if number not in ("4", "9"))
    assert "base-30k/accuracy" in {one.name for one in found.estimates}
    assert (tmp_path / "study" / "report.html").exists()


@pytest.mark.parametrize(("temperature", "error"), [(1.0, 0.3), (3.0, None)])
def test_a_temperature_from_elsewhere(temperature: float, error: float | None):
    rows = [
        {"item": f"true_false:q{number}/right", "cluster": f"q{number}", "repeat": 0, "status": "value", "reason": None}
        | {"p_true": 0.9, "correct": number % 10 < 6}
        for number in range(100)
    ]
    found = transferred(part(pl.DataFrame(rows), "true_false"), temperature)
    tempered = 0.9 ** (1 / temperature) / (0.9 ** (1 / temperature) + 0.1 ** (1 / temperature))
    assert found.value == pytest.approx(abs(tempered - 0.6) - 0.3, abs=1e-9)
