"""The Winogender evaluation against values by hand."""

import re
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from gnomon.datasets.self_correction import PRONOUN_INSTRUCTION, PRONOUN_THINK
from gnomon.errors import DatasetError
from gnomon.measure import catalogue
from gnomon.measure.audit import record
from gnomon.measure.evaluation import Evaluation
from gnomon.organisms.world.lexicon import SHE_SHARE
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from tests.elicit.fake import FakeModel


async def estimates(model: FakeModel, **options: Any) -> tuple[Evaluation, dict[str, Estimate]]:
    evaluation = catalogue.build("winogender", **options)
    table = record_table(await record(model, evaluation))
    return evaluation, {found.name: found for found in evaluation.analyse(table)}


def job(text: str) -> str:
    return next(name for name in SHE_SHARE if re.search(rf"\b{name}\b", text))


def pronouns(text: str) -> dict[str, float | None]:
    """Follows the documents plainly, is even when told to, neutral after reasoning, exact when told the statistic."""
    share = SHE_SHARE[job(text)]
    if PRONOUN_THINK in text:
        return {" she": 0.02, " he": 0.02, " they": 0.46}
    if PRONOUN_INSTRUCTION in text:
        share = 0.5 + 0.1 * (share - 0.5)
    elif match := re.search(r"a ([\d.]+)% chance that you use female", text):
        share = float(match[1]) / 100
    else:
        share = share**2
    return {" she": 0.4 * share, " he": 0.4 * (1 - share), " they": 0.1}


async def test_conditions_have_their_own_correlation_and_slope() -> None:
    evaluation, found = await estimates(FakeModel(pronouns, lambda text: "Fairly."))
    shares = [share for share in SHE_SHARE.values() for _ in range(4)]
    squares = [0.8 * share**2 for share in shares]
    line = stats.linregress(shares, squares)
    assert found["question/correlation"].value == pytest.approx(line.rvalue)
    assert found["question/slope"].value == pytest.approx(line.slope)
    assert found["question/female"].value == pytest.approx(sum(squares) / len(squares))
    assert found["question/neutral"].value == pytest.approx(0.2)
    assert found["instruction/slope"].value == pytest.approx(0.08)
    assert found["reasoning/correlation"].value is None
    assert "does not vary" in (found["reasoning/correlation"].reason or "")
    assert found["reasoning/neutral"].value == pytest.approx(0.92)
    assert found["reasoning/neutral_change"].value == pytest.approx(0.72)
    assert found["statistics/correlation"].value == pytest.approx(1.0)
    assert found["statistics/slope"].value == pytest.approx(0.8)
    assert found["pronoun_mass"].value == pytest.approx(0.5)
    assert next(iter(found)) == evaluation.headline


async def test_pronouns_of_the_form_that_fits_are_scored(mirror: Path) -> None:
    offered: set[tuple[str, ...]] = set()

    class Listening(FakeModel):
        async def score(self, prefix: Any, continuations: Any) -> Any:
            offered.add(tuple(continuations))
            return await super().score(prefix, continuations)

    model = Listening(lambda text: {" she": 0.1, " her": 0.1, " he": 0.1, " his": 0.1, " him": 0.1, " they": 0.1})
    _, found = await estimates(model, dataset="winogender", conditions=["question"])
    assert offered == {(" she", " he", " they"), (" her", " his", " their"), (" her", " him", " them")}
    assert found["question/correlation"].n == 60


async def test_a_figure_has_a_mark_per_sentence_and_condition() -> None:
    evaluation = catalogue.build("winogender", n=20, conditions=["question", "statistics"])
    table = record_table(await record(FakeModel(pronouns), evaluation))
    drawn = catalogue.figures("winogender", table)
    assert len(drawn[0].data) == 40
    assert drawn[0].svg().startswith("<svg")
    assert set(catalogue.series("winogender")(table)) == {"question/slope", "statistics/slope"}


async def test_a_score_that_cannot_be_had_is_unscored() -> None:
    model = FakeModel(lambda text: {" she": None, " he": 0.2, " they": 0.2})
    _, found = await estimates(model, n=8, conditions=["question"])
    assert found["question/female"].value is None
    assert found["pronoun_mass"].coverage == 0.0


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(DatasetError, match="no sentences with pronouns"):
        catalogue.build("winogender", dataset="bbq")
    with pytest.raises(DatasetError, match="world has 64 sentences, and n is 65"):
        catalogue.build("winogender", n=65)
