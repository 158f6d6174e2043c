"""Each certificate can fail: instruments that are broken in the ways in which such code breaks are refused."""

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from gnomon.measure import calibration_analysis, catalogue, faithfulness_analysis
from gnomon.measure.audit import record
from gnomon.organisms.scripted import ScriptedModel
from gnomon.organisms.scripted.ledger import truth
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.scripted.population import Calibrated, Population
from gnomon.run.tables import record_table
from gnomon.stats import aoc
from gnomon.stats.calibration import estimate_ece
from gnomon.stats.discrimination import estimate_auroc
from gnomon.stats.estimate import Estimate
from gnomon.stats.temperature import estimate_temperature
from gnomon.validate.certificates import Certificate, certify
from gnomon.validate.instruments import SWEEPS, Sweep, names
from gnomon.validate.readings import Reading, built

Change = Callable[[float], float]
Estimates = dict[str, Estimate]


def sweep_of(instrument: str) -> Sweep:
    return next(sweep for sweep in SWEEPS if instrument in sweep.instruments)


@cache
def tables(name: str) -> list[tuple[Parameters, pl.DataFrame]]:
    """The record tables of one seed of a sweep, the clean twin's last."""
    sweep = next(sweep for sweep in SWEEPS if sweep.name == name)
    evaluation = built(sweep, 0)
    organisms = [*(sweep.dosed(place, place) for place in range(len(sweep.doses))), sweep.twin(0)]
    return [(one, record_table(asyncio.run(record(ScriptedModel(one), evaluation)))) for one in organisms]


def analysed(name: str) -> list[tuple[Parameters, Estimates]]:
    """What the analysis, as it is just now, makes of these tables."""
    analyse = catalogue.analysis(next(sweep for sweep in SWEEPS if sweep.name == name).evaluation)
    return [(parameters, {f"{one.evaluation}.{one.name}": one for one in analyse(table)}) for parameters, table in tables(name)]


sound_readings = cache(analysed)


def certificate(
    instrument: str,
    changed: Change = lambda value: value,
    read: Callable[[str], list[tuple[Parameters, Estimates]]] = sound_readings,
) -> Certificate:
    """The certificate of an instrument whose readings are changed, on a short sweep."""
    sweep = sweep_of(instrument)
    readings: list[Reading] = []
    for parameters, estimates in read(sweep.name):
        dose = None if parameters.policy == "honest" else parameters.rate
        readings.append(Reading(dose, {instrument: moved(estimates[instrument], changed)}, truth(parameters)))
    doses, twins = ([one for one in readings if (one.dose is None) is clean] for clean in (False, True))
    return certify(instrument, sweep.organism, doses, twins, {})


def moved(estimate: Estimate, change: Change) -> Estimate:
    """The estimate with its value and its interval's ends changed."""
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    ends = sorted([change(estimate.low), change(estimate.value), change(estimate.high)])
    bounds = {"worst_low": None, "worst_high": None}
    return estimate.model_copy(update={"value": change(estimate.value), "low": ends[0], "high": ends[2], **bounds})


@pytest.mark.parametrize("instrument", names())
def test_an_instrument_that_reads_backwards_is_refused_and_the_sound_one_is_not(instrument: str) -> None:
    sound = certificate(instrument)
    assert sound.slope_interval is not None
    assert sound.slope_interval[0] <= 1.0 <= sound.slope_interval[1] or sound.slope == pytest.approx(1.0, abs=0.15)
    assert certificate(instrument, lambda value: -value).verdict == "failed"
    assert certificate(instrument, lambda value: 0.5).verdict == "failed"


def broken(part: str) -> Any:
    """A reversed AUROC, a temperature the wrong way up, an area that is not divided by the range of x, ..."""

    def reversed_auroc(*given: Any, **named: Any) -> Estimate:
        return moved(estimate_auroc(*given, **named), lambda value: 1 - value)

    def upside_down(*given: Any, **named: Any) -> Estimate:
        return moved(estimate_temperature(*given, **named), lambda value: 1 / value)

    def undivided(same: aoc.Same, intervention: aoc.Intervention) -> float | None:
        area = aoc_area(same, intervention)
        return None if area is None or same is None else area * (len(same) - 1) / len(same)

    def every_mistake(row: Any, stated: str | None) -> bool:
        return stated is not None

    aoc_area = aoc.area_over_curve
    return {
        "auroc": (calibration_analysis, "estimate_auroc", reversed_auroc),
        "temperature": (calibration_analysis, "estimate_temperature", upside_down),
        "aoc": (aoc, "area_over_curve", undivided),
        "mistakes": (faithfulness_analysis, "_took", every_mistake),
    }[part]


@pytest.mark.parametrize(
    ("part", "instrument"),
    [
        ("auroc", "calibration.auroc"),
        ("auroc", "calibration.true_false_auroc"),
        ("auroc", "calibration.p_true_auroc"),
        ("temperature", "calibration.temperature"),
        ("aoc", "faithfulness.aoc_adding_mistakes"),
        ("mistakes", "faithfulness.mistakes_taken"),
    ],
)
def test_a_broken_part_costs_the_certificate(part: str, instrument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*broken(part))
    assert certificate(instrument, read=analysed).verdict == "failed"


@pytest.mark.slow
def test_calibration_error_in_the_wrong_bins_is_refused() -> None:
    sweep, rng = sweep_of("calibration.ece_debiased"), np.random.default_rng(3)
    populations = [(sweep.dosed(place, 0), Calibrated(sweep.dosed(place, 0)).choice()) for place in range(len(sweep.doses))]
    twins = [(sweep.twin(0), Calibrated(sweep.twin(0)).choice())]

    def readings(of: Sequence[tuple[Parameters, Population]], times: int, bins: int) -> list[Reading]:
        return [reading(parameters, population, bins) for parameters, population in of for _ in range(times)]

    def reading(parameters: Parameters, population: Population, bins: int) -> Reading:
        atoms = rng.choice(population.weight.size, size=400, p=population.weight)
        right = (rng.random(400) < population.true[atoms]).astype(float)
        found = estimate_ece(
            population.stated[atoms].tolist(),
            right.tolist(),
            evaluation="calibration",
            name="ece_debiased",
            bins=bins,
            debiased=True,
        )
        return Reading(parameters.rate, {"calibration.ece_debiased": found}, truth(parameters))

    def drawn_up(bins: int) -> Certificate:
        return certify(
            "calibration.ece_debiased", "miscalibrated", readings(populations, 25, bins), readings(twins, 30, bins), {}
        )

    one_bin = drawn_up(1)  # errors of both signs cancel
    assert one_bin.verdict == "failed"
    assert any("intervals hold" in reason for reason in one_bin.reasons)
    assert drawn_up(10).interval_coverage > one_bin.interval_coverage + 0.05
