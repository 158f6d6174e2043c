"""Every failure of a real tool is flagged, and each replay comes out unflagged when the part under test is faulty."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gnomon.errors import TransientFailure
from gnomon.measure.audit import AuditResult
from gnomon.measure.evaluation import Evaluation
from gnomon.models.model import Generation, Model
from gnomon.organisms.scripted import open_scripted
from gnomon.run import journal
from gnomon.run.record import Record
from gnomon.run.runner import execute
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_mean, estimate_rate
from gnomon.validate.certificates import Certificate, certify
from gnomon.validate.replays import Replay, instruments, models, records, replay_all

REPLAYS: list[Callable[[], Awaitable[Replay]]] = [
    records.judge_crash_counted_as_zero,
    records.worst_tenth_refused,
    records.nan_reloaded_as_zero,
    records.repeats_merged,
    records.deterministic_failure_retried,
    instruments.metric_always_zero,
    instruments.denominator_lost,
    instruments.sensitivity_unknown,
    instruments.network_needed,
    models.batch_size_changes_scores,
    models.first_settings_for_the_whole_batch,
    models.argmax_logprob_reported,
    models.cache_keyed_by_name,
    models.stale_weights,
    models.pickle_loaded,
]


@pytest.mark.parametrize("replay", REPLAYS, ids=lambda replay: replay.__name__)
async def test_gnomon_flags_it(replay: Callable[[], Awaitable[Replay]]) -> None:
    seen = await replay()
    assert seen.flagged, seen.evidence
    assert seen.evidence


async def test_a_crash_counted_as_zero_is_seen() -> None:
    def zeros(values: Sequence[bool | None]) -> Estimate:
        return estimate_rate([bool(value) for value in values], evaluation="replay", name="harmful")

    assert not (await records.judge_crash_counted_as_zero(zeros)).flagged


async def test_a_shrunken_denominator_is_seen() -> None:
    def scored_only(values: Sequence[float | None]) -> Estimate:
        kept = [value for value in values if value is not None]
        return estimate_mean(kept, evaluation="replay", name="concern", within=(0.0, 1.0))

    assert not (await records.worst_tenth_refused(scored_only)).flagged


async def test_nan_read_back_as_zero_is_seen() -> None:
    def as_zero(path: Path) -> list[Record]:
        return [
            record if record.status == "value" else record.model_copy(update={"status": "value", "values": {"score": 0.0}})
            for record in journal.read(path)
        ]

    assert not (await records.nan_reloaded_as_zero(as_zero)).flagged


async def test_merged_repeats_are_seen() -> None:
    async def merging(protocol: Any, items: Any, **options: Any) -> list[Record]:
        repeats = options.pop("repeats")
        return await execute(protocol, items, **options) * repeats

    assert not (await records.repeats_merged(merging)).flagged


async def test_stubborn_retries_are_seen() -> None:
    async def stubborn(protocol: Any, items: Any, **options: Any) -> list[Record]:
        async def as_transient(item: Any, seed: int) -> Any:
            try:
                return await protocol(item, seed)
            except Exception as error:
                raise TransientFailure(str(error)) from None

        return await execute(as_transient, items, **options)

    assert not (await records.deterministic_failure_retried(stubborn)).flagged


async def test_a_lenient_certificate_is_seen() -> None:
    def lenient(*arguments: Any) -> Certificate:
        return certify(*arguments).model_copy(update={"verdict": "passed", "passed": True})

    assert not (await instruments.metric_always_zero(lenient)).flagged


async def test_zero_for_want_of_a_denominator_is_seen() -> None:
    def zeros(evaluation: Evaluation) -> Evaluation:
        def analyse(table: Any) -> list[Estimate]:
            return [
                one if one.value is not None else one.model_copy(update={"value": 0.0, "low": 0.0, "high": 1.0, "reason": None})
                for one in evaluation.analyse(table)
            ]

        return replace(evaluation, analyse=analyse)

    assert not (await instruments.denominator_lost(zeros)).flagged


async def test_an_audit_that_keeps_quiet_is_seen() -> None:
    async def quiet(model: Model, evaluations: Any, out: Path) -> Any:
        return SimpleNamespace(estimates=[Estimate.unmeasured("calibration", "ece", "none")])

    assert not (await instruments.sensitivity_unknown(quiet)).flagged


async def test_a_model_that_calls_home_is_seen() -> None:
    class CallsHome:
        def __init__(self) -> None:
            self._inner = open_scripted("sycophant?rate=0.5")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        async def score(self, prefix: Any, continuations: Any) -> Any:
            import socket

            socket.create_connection(("tokens.example", 443))

    seen = await instruments.network_needed(lambda: CallsHome())  # type: ignore[arg-type, return-value]
    assert not seen.flagged


async def test_scores_that_depend_on_the_batch_are_seen() -> None:
    async def drifting(model: Any, prompts: Any) -> list[list[float]]:
        await model.aclose()
        scale = 1.0 if model._batch_tokens == 1 else 1.001
        return [[-scale, -2 * scale] for _ in prompts]

    assert not (await models.batch_size_changes_scores(drifting)).flagged


async def test_the_first_request_deciding_for_all_is_seen() -> None:
    async def first_decides(model: Any, prompt: Any, settings: Any) -> list[Generation]:
        return [(await model.generate([prompt], settings[0]))[0]] * len(settings)

    assert not (await models.first_settings_for_the_whole_batch(first_decides)).flagged


async def test_the_most_likely_tokens_logprob_is_seen() -> None:
    def argmax(reply: Generation) -> list[float]:
        return [value / 2 for value in reply.logprobs or ()]

    assert not (await models.argmax_logprob_reported(argmax)).flagged


@pytest.mark.parametrize("replay", [models.cache_keyed_by_name, models.stale_weights])
async def test_a_name_for_an_identity_is_seen(replay: Callable[[Callable[[Model], str]], Awaitable[Replay]]) -> None:
    assert not (await replay(lambda model: model.reference)).flagged


async def test_an_unpickling_loader_is_seen() -> None:
    assert not (await models.pickle_loaded(lambda reference: open_scripted("honest"))).flagged


def test_every_replay_of_the_list_is_tested_here() -> None:
    source = inspect.getsource(replay_all)
    assert all(replay.__name__ in source for replay in REPLAYS)
    assert source.count("records.") + source.count("instruments.") + source.count("models.") == len(REPLAYS)


def test_audit_results_name_what_is_not_certified() -> None:
    estimates = [Estimate.unmeasured("calibration", name, "none") for name in ("overconfidence", "ece")]
    result = AuditResult(model="m", estimates=estimates, unscored={}, run="")
    assert result.uncertified == ["calibration.ece"]
    assert result.model_dump(mode="json")["uncertified"] == ["calibration.ece"]
