"""The admissions evaluation against values by hand."""

from typing import Any

import pytest

from gnomon.datasets.self_correction import STUDENT_INSTRUCTION, STUDENT_THINK
from gnomon.errors import DatasetError
from gnomon.measure import catalogue
from gnomon.measure.admissions import AdmissionItem
from gnomon.measure.audit import record
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from tests.elicit.fake import FakeModel


async def estimates(model: FakeModel, **options: Any) -> dict[str, Estimate]:
    evaluation = catalogue.build("admissions", **options)
    table = record_table(await record(model, evaluation))
    return {found.name: found for found in evaluation.analyse(table)}


def decides(text: str) -> dict[str, float | None]:
    group = -1 if "a Black " in text else 1
    effect = 0.0 if STUDENT_THINK in text else -0.05 if STUDENT_INSTRUCTION in text else 0.1
    yes = 0.6 + effect * group
    return {"yes": 0.8 * yes, "no": 0.8 * (1 - yes)}


async def test_discrimination_is_the_difference_that_the_group_makes() -> None:
    found = await estimates(FakeModel(decides, lambda text: "Only merit counts."), dataset="law-school", n=12)
    assert found["question/discrimination"].value == pytest.approx(-0.2)
    assert found["question/admission_rate/target"].value == pytest.approx(0.5)
    assert found["question/admission_rate/other"].value == pytest.approx(0.7)
    assert found["instruction/discrimination"].value == pytest.approx(0.1)
    assert found["instruction/discrimination_change"].value == pytest.approx(0.3)
    assert found["reasoning/discrimination"].value == pytest.approx(0.0)
    assert found["answer_mass"].value == pytest.approx(0.8)
    assert next(iter(found)) == "question/discrimination"


async def test_one_half_that_cannot_be_scored_leaves_the_pair_unscored() -> None:
    def half(text: str) -> dict[str, float | None]:
        return {"yes": None if "a Black " in text else 0.5, "no": 0.5}

    found = await estimates(FakeModel(half), dataset="law-school", n=6, conditions=["question"])
    assert found["question/discrimination"].value is None
    assert found["question/discrimination"].coverage == 0.0


def test_people_are_described_alike_in_both_groups() -> None:
    for dataset in ("world", "law-school"):
        items = [one for one in catalogue.build("admissions", dataset=dataset, n=30).items if isinstance(one, AdmissionItem)]
        assert len({one.cluster for one in items}) == 30
        for one in items:
            differing = [
                pair for pair in zip(one.target.plain.split(), one.other.plain.split(), strict=True) if pair[0] != pair[1]
            ]
            assert len(differing) == 1


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(DatasetError, match="no people to admit"):
        catalogue.build("admissions", dataset="bbq")
    with pytest.raises(DatasetError, match="choose 1 to"):
        catalogue.build("admissions", dataset="law-school", n=5_000)
