"""`validate` end to end, small; the full one is slow."""

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gnomon
from gnomon.errors import ConfigurationError, RunDirectoryError
from gnomon.measure import catalogue
from gnomon.measure.certified import CERTIFIED
from gnomon.models.references import open_model
from gnomon.organisms.scripted.ledger import truth
from gnomon.pages import write_page
from gnomon.run.directory import default_path
from gnomon.run.record import Record
from gnomon.stats.estimate import Estimate
from gnomon.validate import grown, instruments, validate, validation
from gnomon.validate.certificates import Certificate
from gnomon.validate.grown import compared
from gnomon.validate.instruments import SWEEPS, Sweep, chosen, names
from gnomon.validate.readings import Reading, SeedReadings
from gnomon.validate.validation import ValidationResult

SMALL: dict[str, Any] = {"replays": False, "grown": False, "workers": 1}


@pytest.fixture(scope="module", autouse=True)
def _few_questions() -> Iterator[None]:
    """What is asked here is how a validation proceeds, not what it finds; that is the slow test's and that of the instruments."""
    few = [replace(sweep, options={**sweep.options, "n": 16}) for sweep in SWEEPS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instruments, "SWEEPS", few)
        yield


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> tuple[ValidationResult, Path]:
    """A quick validation of one instrument, and its directory, only to be copied."""
    directory = tmp_path_factory.mktemp("validated") / "run"
    return asyncio.run(validate(["sycophancy.agreement"], seeds=2, out=directory, **SMALL)), directory


@pytest.fixture
def copied(validated: tuple[ValidationResult, Path], tmp_path: Path) -> tuple[ValidationResult, Path]:
    return validated[0], shutil.copytree(validated[1], tmp_path / "run")


def test_a_quick_validation_cannot_tell_and_does_not_pass(validated: tuple[ValidationResult, Path]) -> None:
    result, directory = validated
    (certificate,) = result.certificates
    assert (result.passed, certificate.passed, certificate.verdict) == (False, False, "cannot tell")
    assert certificate.slope == pytest.approx(1.0, abs=0.2)
    assert set(certificate.cross_talk.values()) == {0.0}
    written = json.loads((directory / "validation.json").read_text())
    assert written["certificates"][0]["instrument"] == "sycophancy.agreement"
    assert json.loads((directory / "run.json").read_text())["verb"] == "validate"


async def test_a_stopped_validation_goes_on_after_the_evaluations_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, out = ["calibration.overconfidence", "sycophancy.agreement"], tmp_path / "run"

    async def undisturbed(*_: object, **__: object) -> None:
        pytest.fail("an evaluation that was certified is read again")

    certify, asked = validation.certify_sweep, list[str]()

    async def stops_at_the_second(sweep: Sweep, *rest: Any, **options: Any) -> list[Certificate]:
        asked.append(sweep.name)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return await certify(sweep, *rest, **options)

    monkeypatch.setattr(validation, "certify_sweep", stops_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        await validate(wanted, seeds=1, out=out, **SMALL)
    resumed = await validate(wanted, seeds=1, out=out, **SMALL)
    assert asked == ["sycophancy", "lettered choice", "lettered choice"]
    monkeypatch.setattr(validation, "certify_sweep", undisturbed)
    assert (await validate(wanted, seeds=1, out=out, **SMALL)) == resumed
    monkeypatch.undo()
    fresh = await validate(wanted, seeds=1, **SMALL)
    assert fresh.certificates == resumed.certificates


def test_a_validation_has_a_page_with_doses_cross_talk_and_verdicts(copied: tuple[ValidationResult, Path]) -> None:
    directory = copied[1]
    page = write_page(directory).read_text()
    assert "cannot tell" in page
    assert "Cross-talk" in page
    assert (directory / "figures" / "dose_sycophancy.agreement.csv").is_file()
    (directory / "validation.json").unlink()
    with pytest.raises(RunDirectoryError, match="not finished"):
        write_page(directory)


async def test_the_page_of_many_instruments_draws_headlines_and_what_did_not_pass(tmp_path: Path) -> None:
    result = await validate(["sycophancy"], seeds=2, out=tmp_path, **SMALL)
    sound = {"verdict": "passed", "passed": True, "reasons": []}
    judged = [one.model_copy(update={} if one.instrument.endswith("flip_rate") else sound) for one in result.certificates]
    changed = result.model_copy(update={"certificates": judged})
    (tmp_path / "validation.json").write_text(changed.model_dump_json())
    page = write_page(tmp_path).read_text()
    drawn = {path.stem for path in (tmp_path / "figures").glob("dose_*.csv")}
    failed = {f"dose_{one.instrument}" for one in judged if not one.passed}
    assert drawn == {"dose_sycophancy.agreement"} | failed
    assert all(one.instrument.partition(".")[2].replace("_", " ") in page for one in judged)


def test_an_unread_dose_is_said_on_the_page(copied: tuple[ValidationResult, Path]) -> None:
    result, directory = copied
    (certificate,) = result.certificates
    unread = certificate.points[0].model_copy(update={"measured": None, "low": None, "high": None})
    broken = certificate.model_copy(update={"points": [unread, *certificate.points[1:]]})
    (directory / "validation.json").write_text(result.model_copy(update={"certificates": [broken]}).model_dump_json())
    assert f"not measured on every organism of the dose {unread.dose:g}" in write_page(directory).read_text()


async def test_certificates_are_not_kept_beyond_the_code_that_made_them(
    copied: tuple[ValidationResult, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ["sycophancy.agreement"]
    before = validation.configuration(wanted, 2, 0)
    assert await validate(wanted, seeds=2, out=copied[1], **SMALL) == copied[0].model_copy(update={"run": str(copied[1])})
    monkeypatch.setattr(validation, "code_hash", lambda: "another")
    assert validation.configuration(wanted, 2, 0) != before
    with pytest.raises(RunDirectoryError, match="code"):
        await validate(wanted, seeds=2, out=copied[1], **SMALL)


async def test_a_broken_file_of_certificates_is_made_anew(
    copied: tuple[ValidationResult, Path], caplog: pytest.LogCaptureFixture
) -> None:
    first, out = copied
    kept = out / "certificates" / "sycophancy.json"
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    again = await validate(["sycophancy.agreement"], seeds=2, out=out, **SMALL)
    assert again.certificates == first.certificates
    assert kept.read_bytes() == whole
    assert "is broken" in caplog.text


@pytest.mark.slow
def test_the_flat_call_and_the_run_agree_on_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = gnomon.validate(instruments=["calibration.overconfidence"], seeds=1)
    described = json.loads((Path(result.run or "") / "run.json").read_text())["configuration"]
    assert described == validation.configuration(["calibration.overconfidence"], 1, 0)
    assert Path(result.run or "") == default_path("validate", "instruments", described)


async def test_any_number_of_processes_reads_the_same() -> None:
    one, two = [await validate(["calibration.accuracy"], seeds=2, **(SMALL | {"workers": workers})) for workers in (1, 2)]
    assert one.certificates == two.certificates


@pytest.mark.parametrize(
    ("slope", "noise", "rounds", "verdict"),
    [(1.0, 0.06, 1, "passed"), (1.2, 0.06, 1, "failed"), (1.0, 0.08, 2, "passed"), (1.0, 0.15, 3, "cannot tell")],
)
async def test_more_is_read_where_the_readings_decide_nothing(
    monkeypatch: pytest.MonkeyPatch, slope: float, noise: float, rounds: int, verdict: str
) -> None:
    asked: list[int] = []

    def read(_: Sweep, seeds: Sequence[int], *, others: Sequence[int], workers: int) -> Iterator[SeedReadings]:
        asked.extend(seeds)
        for seed in seeds:
            rng = np.random.default_rng(seed)
            doses = [_shaken(true, slope, rng, noise) for true in (0.2, 0.35, 0.5, 0.65, 0.8)]
            beside = {name: _shaken(0.5, 1.0, rng, 0.001) for name in validation.neighbours(SWEEPS[0])}
            yield SeedReadings(_shaken(0.5, 1.0, rng, 0.001), tuple(doses), beside if seed in others else {}, ())

    monkeypatch.setattr(validation, "read_seeds", read)
    (certificate,) = await validation.certify_sweep(SWEEPS[0], ["sycophancy.agreement"], range(40))
    assert asked == list(range(40 * rounds))
    assert certificate.verdict == verdict, certificate.reasons


def _shaken(true: float, slope: float, rng: np.random.Generator, noise: float) -> Reading:
    """A reading off by normal noise of which its interval knows."""
    value = 0.5 + slope * (true - 0.5) + noise * rng.standard_normal()
    read = _estimate((value, value - 1.96 * noise, value + 1.96 * noise))
    return Reading(true, {"sycophancy.agreement": read}, {"sycophancy.agreement": true})


async def test_the_printed_object_has_the_promised_shape() -> None:
    result = await validate(["calibration.accuracy", "calibration.ece_debiased"], seeds=1, **SMALL)
    shown = result.model_dump(mode="json")
    assert {"passed", "certificates", "replays"} <= set(shown)
    promised = {"instrument", "slope", "bias", "interval_coverage", "null", "cross_talk", "passed"}
    assert all(promised <= set(certificate) for certificate in shown["certificates"])


@pytest.mark.parametrize(("wanted", "seeds"), [(["sycophancy.charm"], 2), (["astrology"], 2), (None, 0)])
async def test_what_cannot_be_validated_is_said_in_a_sentence(wanted: list[str] | None, seeds: int) -> None:
    with pytest.raises(ConfigurationError, match=r"charm|astrology|seeds"):
        await validate(wanted, seeds=seeds, **SMALL)


async def test_progress_is_told_of_every_record_that_was_announced() -> None:
    class Counter:
        announced = advanced = finished = 0

        def start(self, evaluation: str, total: int, kept: Sequence[Record]) -> None:
            self.announced += total

        def advance(self, records: Sequence[Record]) -> None:
            self.advanced += len(records)

        def finish(self) -> None:
            self.finished += 1

    counter = Counter()
    await validate(["calibration.brier", "sycophancy.agreement"], seeds=1, **SMALL, progress=counter)
    assert counter.finished == 2
    assert counter.announced == counter.advanced > 0


async def test_grown_plants_are_read_beside_their_twins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("plant", "plant/twin", "stray"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.json").write_text("{}")
    entries = [
        {"name": "plant", "behaviour": "sycophancy", "rate": 0.6},
        {"name": "stray", "behaviour": "sycophancy", "rate": 0.6},
        {"name": "base", "behaviour": None, "rate": None},
    ]
    stand_ins = {"organism/plant": "scripted/sycophant?rate=0.6", f"organism/{tmp_path / 'plant' / 'twin'}": "scripted/honest"}
    monkeypatch.setattr(grown, "list_organisms", lambda: entries)
    monkeypatch.setattr(grown, "find", lambda name: tmp_path / name)
    monkeypatch.setattr(grown, "open_model", lambda reference: open_model(stand_ins[reference]))
    (only,) = await grown.grown_agreement(["sycophancy"])
    assert (only.organism, only.planted, only.agrees) == ("organism/plant", 0.6, True)
    assert only.twin.value == 0.0
    assert await grown.grown_agreement(["calibration"]) == []


WITHOUT_A_DOSE = {"best-of-n-sycophancy", "preference-features", "p-ik"}
"""They read preference models, data and trained heads, of which no organism has a dose (`gnomon.measure.certified`)."""


def test_every_evaluation_has_its_headline_certified() -> None:
    for name in set(catalogue.names()) - WITHOUT_A_DOSE:
        assert catalogue.build(name, n=10).headline in CERTIFIED[name]


def test_instruments_are_chosen_by_name_or_by_evaluation() -> None:
    assert [name for _, some in chosen(None) for name in some] == names()
    (only,) = chosen(["faithfulness.ignores_reasoning"])
    assert only[1] == ["faithfulness.ignores_reasoning"]
    assert list(dict.fromkeys(sweep.evaluation for sweep, _ in chosen(["calibration", "sycophancy"]))) == [
        "sycophancy",
        "calibration",
    ]


def test_every_certified_estimate_has_one_sweep_over_which_its_true_value_is_known_and_varies() -> None:
    assert sorted(names()) == sorted(f"{name}.{estimate}" for name, estimates in CERTIFIED.items() for estimate in estimates)
    for sweep in SWEEPS:
        ledgers = [truth(sweep.dosed(place, 0)) for place in range(len(sweep.doses))]
        for name in sweep.instruments:
            values = [ledger[name] for ledger in ledgers]
            assert max(values) - min(values) > 0.09, name
            assert name in truth(sweep.twin(0))


@pytest.mark.parametrize(
    ("planted", "measured", "twin", "agrees"),
    [
        (0.6, (0.5, 0.4, 0.6), (0.05, 0.0, 0.1), True),
        (0.6, (0.05, 0.0, 0.12), (0.05, 0.0, 0.1), False),
        (0.9, (0.3, 0.2, 0.4), (0.05, 0.0, 0.1), False),
        (0.6, None, (0.05, 0.0, 0.1), False),
    ],
)
def test_grown_organisms_agree_in_order_and_roughly_in_size(
    planted: float, measured: tuple[float, float, float] | None, twin: tuple[float, float, float], agrees: bool
) -> None:
    found = compared("organism/x", "sycophancy.agreement", planted, _estimate(measured), _estimate(twin), is_rate=True)
    assert found.agrees is agrees


def _estimate(ends: tuple[float, float, float] | None) -> Estimate:
    if ends is None:
        return Estimate.unmeasured("sycophancy", "agreement", "nothing was scored")
    value, low, high = ends
    return Estimate(evaluation="sycophancy", name="agreement", value=value, low=low, high=high, n=60, coverage=1.0, method="test")


@pytest.mark.slow
async def test_all_certificates_pass_and_all_failures_are_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "SWEEPS", SWEEPS)
    result = await validate(seeds=40, grown=False)
    assert {one.instrument: one.reasons for one in result.certificates if not one.passed} == {}
    assert {one.failure: one.evidence for one in result.replays if not one.flagged} == {}
    assert result.passed
