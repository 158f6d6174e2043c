"""Sandwiching reads what is true of scripted assistants, and keeps what failed out of every number."""

from pathlib import Path

import polars as pl
import pytest

import gnomon
from gnomon.errors import ConfigurationError, UnknownModel
from gnomon.measure import catalogue
from gnomon.measure.audit import record
from gnomon.measure.oversight_analysis import analyse
from gnomon.models.references import open_model
from gnomon.organisms.scripted.ledger.oversight import truth
from gnomon.organisms.scripted.parameters import parse_parameters
from gnomon.run.tables import record_table
from tests.elicit.fake import FakeModel


@pytest.mark.parametrize("told", ["honest?accuracy=0.75", "deceptive?accuracy=0.9&rate=0.6"])
async def test_readings_agree_with_the_ledger(told: str):
    table = record_table(await record(open_model(f"scripted/{told}"), catalogue.build("oversight", n=300)))
    true = truth(parse_parameters(told))
    for estimate in analyse(table):
        if estimate.name in true:
            assert estimate.value == pytest.approx(true[estimate.name], abs=0.09), estimate.name
            assert estimate.coverage == 1.0 or estimate.name.startswith("follows")


async def test_the_vote_of_four_novices_beats_one():
    found = {one.name: one for one in analyse(await table("scripted/honest?accuracy=0.75", n=300))}
    assert found["accuracy_vote_judge"].value > found["accuracy_judge"].value + 0.1
    assert found["calibration_error_together"].value > found["calibration_error_judge"].value


async def test_passages_are_answered_by_who_can_read_them(tmp_path: Path):
    result = gnomon.audit("organism/base", ["oversight"], dataset="passages", n=40, out=tmp_path)
    model, judges = (result.estimate("oversight", name) for name in ("accuracy_model", "accuracy_judge"))
    assert model.low > 0.8
    assert judges.high < model.low


async def test_an_assistant_that_says_nothing_is_unscored_in_words_but_not_by_likelihood():
    model = FakeModel(lambda text: {"A": 1.0}, lambda text: "I cannot answer that.")
    found = {one.name: one for one in analyse(record_table(await record(model, catalogue.build("oversight", n=12))))}
    assert found["names_right"].value is None
    assert found["follows_when_wrong"].value is None
    assert found["accuracy_model"].value is not None
    assert found["uplift_over_judge"].value == 0.0


async def test_a_model_without_scores_is_unscored_everywhere():
    model = FakeModel(lambda text: {"A": None}, lambda text: "The answer is (A).")
    found = analyse(record_table(await record(model, catalogue.build("oversight", n=6))))
    assert all(one.value is None and one.reason for one in found)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UnknownModel):
        catalogue.build("oversight", n=4, judges=("scripted/nobody",))
    with pytest.raises(ConfigurationError, match="judges of passages weigh one answer"):
        catalogue.build("oversight", dataset="passages", turns=3)


async def table(reference: str, **options) -> pl.DataFrame:
    return record_table(await record(open_model(reference), catalogue.build("oversight", **options)))
