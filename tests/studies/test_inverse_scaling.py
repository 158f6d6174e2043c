"""The study of inverse scaling on scripted families of known course, with and without recorded runs."""

from pathlib import Path

import pytest

import gnomon
from gnomon.measure.published import inverse_scaling as published
from gnomon.studies.inverse_scaling_recorded import recorded_runs, slope_difference

PAPER = "2306.09479"
SIZES = (10**5, 10**6, 10**7, 10**8, 10**9)
CLAIMS = ["1a", "1b", "1c", "1d", "2", "3", "4", "5", "6", "7", "8"]


def family(told: str) -> list[str]:
    return [f"scripted/misled?{told}&size={size}" for size in SIZES]


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "mirror" not in request.fixturenames:
        monkeypatch.delenv("GNOMON_DATA", raising=False)


def test_claims_follow_the_family_that_was_built(tmp_path: Path) -> None:
    found = gnomon.run_study(PAPER, family("rate=0.4&slope=0.14&accuracy=0.9"), n=60, out=tmp_path / "study")
    by_number = {claim.number: claim for claim in found.claims}
    assert list(by_number) == CLAIMS
    for number in ("1a", "1b", "1c", "1d"):  # the plain versions do not rise here, so the fall proves nothing
        assert by_number[number].verdict == "cannot tell"
        assert "the plain version does not rise" in by_number[number].because
    assert by_number["2"].verdict == "holds"
    assert by_number["4"].verdict == "cannot tell"
    assert "no recorded runs" in by_number["4"].because
    assert by_number["8"].verdict != "holds"
    assert any("would be missed" in note for note in found.notes)
    page = (tmp_path / "study" / "report.html").read_text()
    assert "Repeat: loss in nats by size" in page


def test_a_family_that_is_misled_less_scales_positively(tmp_path: Path) -> None:
    found = gnomon.run_study(PAPER, family("rate=0.6&slope=-0.14&accuracy=0.9"), n=60, out=tmp_path)
    by_number = {claim.number: claim for claim in found.claims}
    assert all("judged positive" in by_number[number].because for number in ("1a", "1b", "1c", "1d"))
    assert by_number["2"].verdict == "cannot tell"
    assert by_number["2"].because == "no task scales inversely here"
    assert by_number["3"].verdict == "does not hold"


def test_few_sizes_decide_nothing(tmp_path: Path) -> None:
    found = gnomon.run_study(PAPER, family("rate=0.4&slope=0.14&accuracy=0.9")[:3], n=6, out=tmp_path)
    assert {claim.verdict for claim in found.claims if claim.number in ("1a", "1b", "1c", "1d", "3")} == {"cannot tell"}


def test_recorded_runs_give_the_published_numbers(mirror: Path) -> None:
    runs = recorded_runs()
    assert runs is not None
    assert all(each.verdict == "inverse" for each in runs.biases)
    assert all(each.verdict == "positive" for each in runs.controls)
    assert runs.steeper_by_tuning.value == pytest.approx(-1.35, abs=0.01)
    assert runs.steeper_by_tuning.n == 40


def test_the_difference_of_slopes_is_that_of_the_means(tmp_path: Path) -> None:
    def recording(folder: str, biases: dict[str, tuple[float, ...]], task: str) -> published.Recording:
        path = tmp_path / folder
        path.mkdir()
        (path / "args.json").write_text(f'{{"task_type": "{task}"}}')
        items = range(len(next(iter(biases.values()))))
        (path / "data.csv").write_text(",prompt,other_prompt,classes,answer_index\n" + "".join(f"{i},p,o,x,0\n" for i in items))
        for model, values in biases.items():
            rows = "".join(f"{i},{value},1,-1\n" for i, value in enumerate(values))
            (path / f"{model}.csv").write_text(f"index,logodds_difference,correct,total_logprob\n{rows}")
        return published.read(path, None)

    base = recording("base", {"ada": (0.5, 0.5, 0.5), "babbage": (1.0, 1.0, 1.0)}, "absolute_logodds")
    tuned = recording("tuned", {"text-ada-001": (-0.5, 0.5, 0.5), "text-babbage-001": (-2.0, 1.5, 1.75)}, "logodds")
    found = slope_difference(base, tuned)
    decade = 0.5698  # log10 of 1.3e9 / 350e6
    assert found.value == pytest.approx(-((1.5 + 1.0 + 1.25) / 3 - 0.5) / decade, rel=1e-3)
    assert found.n == 3
