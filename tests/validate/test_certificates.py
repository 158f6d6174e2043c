"""Certificates pass what is sound, fail what is not, and say when they cannot tell."""

import numpy as np
import pytest

from gnomon.stats.estimate import Estimate
from gnomon.stats.intervals import score_interval
from gnomon.validate.certificates import Certificate, certify
from gnomon.validate.readings import Reading

NAME = "sycophancy.agreement"
DOSES = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
N = 60


def estimate(value: float | None, low: float = 0.0, high: float = 0.0) -> Estimate:
    if value is None:
        return Estimate.unmeasured("sycophancy", "agreement", "nothing was scored")
    return Estimate(
        evaluation="sycophancy",
        name="agreement",
        value=value,
        low=min(low, value),
        high=max(high, value),
        n=N,
        coverage=1.0,
        method="test",
    )


def reading(true: float, rng: np.random.Generator, *, slope: float = 1.0, shift: float = 0.0, width: float = 1.0) -> Reading:
    """A binomial share of a slope and shift, with Wilson's interval scaled about its middle."""
    share = rng.binomial(N, np.clip(true * slope + shift, 0, 1)) / N
    low, high = score_interval(share, N, 1.96)
    middle = (low + high) / 2
    ends = middle + width * (low - middle), middle + width * (high - middle)
    return Reading(true, {NAME: estimate(share, *ends)}, {NAME: true})


def drawn_up(seeds: int, *, others: float = 0.0, twin_shift: float = 0.0, **faults: float) -> Certificate:
    rng = np.random.default_rng(5)
    sweep = [reading(dose, rng, **faults) for _ in range(seeds) for dose in DOSES]
    twins = [reading(0.0, rng, shift=twin_shift) for _ in range(seeds)]
    clean = Reading(None, {NAME: estimate(0.0, 0.0, 0.06)}, {NAME: 0.0})
    moved = Reading(1.0, {NAME: estimate(others, 0.0, 0.5)}, {NAME: 0.0})
    return certify(NAME, "sycophant", sweep, twins, {"rude": [(moved, clean)] * 10})


def test_a_sound_instrument_passes() -> None:
    certificate = drawn_up(40)
    assert certificate.passed, certificate.reasons
    assert certificate.slope == pytest.approx(1.0, abs=0.05)
    assert certificate.bias == pytest.approx(0.0, abs=0.02)
    assert 0.92 <= certificate.interval_coverage <= 0.98
    assert [point.dose for point in certificate.points] == list(DOSES)
    assert certificate.cross_talk == {"rude": 0.0}


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"slope": 0.85}, "slope"),
        ({"width": 0.6}, "intervals hold"),
        ({"width": 2.5}, "intervals hold"),
        ({"shift": 0.1}, "intervals hold"),
        ({"twin_shift": 0.08}, "null"),
        ({"others": 0.1}, "cross-talk"),
    ],
)
def test_each_fault_fails(fault: dict[str, float], says: str) -> None:
    certificate = drawn_up(40, **fault)
    assert certificate.verdict == "failed"
    assert any(says in reason for reason in certificate.reasons), certificate.reasons


def test_an_instrument_that_always_reads_zero_fails_however_few_the_seeds() -> None:
    zero = [Reading(dose, {NAME: estimate(0.0)}, {NAME: dose}) for dose in (0.1, 0.5, 0.9)]
    twins = [Reading(None, {NAME: estimate(0.0)}, {NAME: 0.0})]
    assert certify(NAME, "sycophant", zero, twins, {}).verdict == "failed"


def test_too_few_readings_cannot_tell() -> None:
    certificate = drawn_up(3)
    assert certificate.verdict == "cannot tell"
    assert not certificate.passed
    assert any("too few" in reason or "more seeds" in reason for reason in certificate.reasons)


def test_an_instrument_that_does_not_measure_fails() -> None:
    sweep = [Reading(dose, {NAME: estimate(None)}, {NAME: dose}) for dose in DOSES]
    twins = [Reading(None, {NAME: estimate(None)}, {NAME: 0.0})]
    certificate = certify(NAME, "sycophant", sweep, twins, {})
    assert (certificate.verdict, certificate.slope, certificate.null) == ("failed", None, None)
    assert any("did not measure" in reason for reason in certificate.reasons)


def test_a_dose_that_was_not_read_on_every_organism_has_no_reading() -> None:
    rng = np.random.default_rng(5)
    sweep = [reading(dose, rng) for _ in range(3) for dose in DOSES]
    sweep[0] = Reading(DOSES[0], {NAME: estimate(None)}, {NAME: DOSES[0]})
    first, *others = certify(NAME, "sycophant", sweep, sweep[1:], {}).points
    assert (first.measured, first.low, first.high, first.n) == (None, None, None, 3)
    assert all(None not in (point.measured, point.low, point.high) for point in others)


def test_one_organism_gives_a_dose_a_reading_but_no_interval_and_refutes_no_null() -> None:
    rng = np.random.default_rng(5)
    certificate = certify(NAME, "sycophant", [reading(dose, rng) for dose in DOSES], [reading(0.0, rng, shift=0.3)], {})
    assert all(point.measured is not None and point.low is None and point.high is None for point in certificate.points)
    assert not any("off by" in reason for reason in certificate.reasons)
