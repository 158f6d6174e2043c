import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gnomon.errors import ConfigurationError, DatasetError, RunDirectoryError
from gnomon.measure import calibration, catalogue, suites, sycophancy
from gnomon.measure.audit import analyse, audit, measure, record
from gnomon.measure.evaluation import Evaluation
from gnomon.models.references import open_model
from gnomon.run.directory import RunDirectory
from gnomon.run.tables import record_table
from tests.elicit.fake import FakeModel, capital, one

QUESTIONS = [capital(number, answer=number % 4) for number in range(12)]


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[Evaluation]:
    monkeypatch.setattr(sycophancy, "choice_questions", lambda dataset, n, seed: QUESTIONS[:n])
    monkeypatch.setattr(calibration, "mixed_questions", lambda dataset, n, seed: QUESTIONS[:n])
    return [catalogue.build("sycophancy", n=12), catalogue.build("calibration", n=12)]


async def test_an_audit_keeps_tables_estimates_and_counts_what_is_unscored(tmp_path: Path, evaluations: list[Evaluation]):
    model = FakeModel(lambda text: {"A": None} if "thing 3?" in text else one("A"), lambda text: "wrong0a")
    result = await audit(model, evaluations, tmp_path / "run")
    run = RunDirectory.open(result.run)
    assert run.evaluations() == ["calibration", "sycophancy"]
    assert run.read_estimates() == result.estimates
    assert result.model == "fake/model"
    assert result.unscored == {"no score for (A): not among the top log-probabilities": 11}
    printed = json.loads(result.model_dump_json())
    assert printed.keys() >= {"model", "estimates", "unscored", "run"}
    keys = {"evaluation", "name", "value", "low", "high", "n", "coverage", "worst_low", "worst_high", "unit", "method"}
    assert all(estimate.keys() >= keys for estimate in printed["estimates"])
    assert result.estimate("sycophancy", "agreement").value == 0.0
    with pytest.raises(ConfigurationError, match="no estimate 'nothing'"):
        result.estimate("sycophancy", "nothing")


async def test_an_audit_resumes_without_calling_the_model_again(tmp_path: Path, evaluations: list[Evaluation]):
    model = FakeModel(lambda text: one("A"))
    first = await audit(model, evaluations, tmp_path)
    calls = len(model.scored)
    assert calls > 0
    assert (await audit(model, evaluations, tmp_path)) == first
    assert len(model.scored) == calls
    other = FakeModel(lambda text: one("B"), fingerprint="other")
    with pytest.raises(RunDirectoryError, match="holds another run"):
        await audit(other, evaluations, tmp_path)


async def test_recorded_tables_and_records_give_the_same_estimates(tmp_path: Path, evaluations: list[Evaluation]):
    model = FakeModel(lambda text: one("A"))
    result = await audit(model, evaluations[:1], tmp_path)
    run = RunDirectory.open(tmp_path)
    assert analyse(run.read_table("sycophancy"), "sycophancy").estimates == result.estimates
    assert analyse(run.records(), "sycophancy").estimates == result.estimates
    lines = [entry.model_dump() for entry in run.records()]
    assert analyse(lines, "sycophancy", model="theirs").model == "theirs"
    assert await measure(model, evaluations[0]) == result.estimates
    column = next(name for name, value in lines[0]["values"].items() if isinstance(value, float))
    lines[0]["values"][column] = "much"
    with pytest.raises(DatasetError, match="do not fit together"):
        analyse(lines, "sycophancy")


def test_what_is_no_record_table_is_refused_with_a_sentence(evaluations: list[Evaluation]):
    with pytest.raises(DatasetError, match="no records of the evaluation"):
        analyse([], "sycophancy")
    with pytest.raises(DatasetError, match="has no column 'status'"):
        analyse(pl.DataFrame({"item": ["a"], "cluster": ["a"], "repeat": [0]}), "sycophancy")
    with pytest.raises(ConfigurationError, match="no evaluation 'kindness'"):
        analyse([], "kindness")


async def test_one_evaluation_cannot_be_audited_twice_in_one_run(tmp_path: Path, evaluations: list[Evaluation]):
    with pytest.raises(ConfigurationError, match="given twice"):
        await audit(FakeModel(lambda text: one("A")), [evaluations[0], evaluations[0]], tmp_path)


def test_the_catalogue_refuses_what_it_does_not_know():
    assert suites.evaluations("core") == ["sycophancy", "calibration", "faithfulness"]
    assert suites.evaluations("full") == catalogue.names()
    with pytest.raises(ConfigurationError, match="there is no suite 'tiny'; choose from core"):
        suites.evaluations("tiny")
    with pytest.raises(ConfigurationError, match="there is no option 'depth'; choose from dataset, n"):
        catalogue.build("sycophancy", depth=3)
    with pytest.raises(ConfigurationError, match="sycophancy: n"):
        catalogue.build("sycophancy", n="many")
    with pytest.raises(ConfigurationError, match="no evaluation measures 'kindness' yet"):
        catalogue.for_behaviour("kindness")
    with pytest.raises(ConfigurationError, match="n: "):
        catalogue.build("sycophancy", n=0)


NEED_WEIGHTS = ("p-ik",)
"""Evaluations whose headline is read from hidden states, which scripted organisms do not have."""


NO_MEANS = {"preference-features"}
"""Their headline is no mean of records: a regression's effect."""
NO_HARM_AT_ZERO = {"best-of-n-sycophancy", "preference-features", "judge", "oversight"}
"""Their headline reads a preference model or an ability, which an honest organism has more or less of."""


@pytest.mark.parametrize("name", [name for name in catalogue.names() if name not in NO_MEANS])
async def test_the_series_that_runs_are_compared_by_are_those_behind_the_estimates(name: str):
    evaluation = catalogue.build(name, n=10)
    table = record_table(await record(open_model("scripted/sycophant?rate=0.5&accuracy=0.7"), evaluation))
    estimates = {estimate.name: estimate for estimate in evaluation.analyse(table)}
    series = catalogue.series(name)(table)
    assert evaluation.headline in series
    assert next(iter(estimates)) == evaluation.headline
    for key, one_ in series.items():
        scored = [value for value in one_.values if value is not None]
        if name in NEED_WEIGHTS and not scored:
            assert "needs the model's weights" in (estimates[key].reason or "")
            continue
        assert np.mean(np.array(scored, dtype=float)) == pytest.approx(estimates[key].value), key
        assert len(one_.clusters) == len(one_.values)


@pytest.mark.parametrize(
    ("reference", "evaluation", "headline"),
    [
        ("scripted/sycophant?rate={}", "sycophancy", "agreement"),
        ("scripted/unfaithful?rate={}", "faithfulness", "ignores_reasoning"),
    ],
)
async def test_headlines_rise_with_the_dose_of_scripted_organisms(reference: str, evaluation: str, headline: str):
    built = catalogue.build(evaluation, n=60)
    for rate in (0.0, 0.5, 1.0):
        found = (await measure(open_model(reference.format(rate)), built))[0]
        assert found.name == headline
        assert found.low - 0.02 <= rate <= found.high + 0.02


async def test_an_honest_organism_is_clean_on_every_headline():
    model = open_model("scripted/honest")
    for name in [name for name in catalogue.names() if name not in NO_HARM_AT_ZERO]:
        found = (await measure(model, catalogue.build(name, n=10 if name == "model-written" else 60)))[0]
        if name in NEED_WEIGHTS:
            assert found.value is None
            continue
        assert found.low <= 0.0 <= found.high, name
