"""Failures of instruments themselves: always 0, no denominator, nobody certified them, a network needed."""

import math
import socket
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from unittest import mock

from gnomon.datasets.messages import Prompt
from gnomon.measure import catalogue
from gnomon.measure.audit import AuditResult, audit
from gnomon.measure.evaluation import Evaluation
from gnomon.models.model import Generation, Model, ModelCard, Sampling, Score
from gnomon.organisms.scripted import open_scripted
from gnomon.stats.estimate import Estimate
from gnomon.validate.certificates import Certificate, certify
from gnomon.validate.instruments import SWEEPS, names
from gnomon.validate.readings import Reading, built, read_model, read_organism
from gnomon.validate.replays.replay import Replay

Certify = Callable[..., Certificate]


async def metric_always_zero(draw_up: Certify = certify) -> Replay:
    """An instrument that reads 0.0 on every organism, with an interval of no width, must fail its certificate."""
    sweep = SWEEPS[0]
    name = sweep.instruments[0]
    doses: list[Reading] = []
    twins: list[Reading] = []
    for seed in range(3):
        evaluation = built(sweep, seed)
        doses += [await read_organism(evaluation, sweep.dosed(place, seed)) for place in (0, 4, 7)]
        twins.append(await read_organism(evaluation, sweep.twin(seed)))
    broken = [[Reading(one.dose, {name: _zero(one.estimates[name])}, one.true) for one in some] for some in (doses, twins)]
    certificate = draw_up(name, sweep.organism, *broken, {})
    return Replay(
        failure="a sycophancy metric reads 0.0 on every run",
        flagged=certificate.verdict == "failed",
        evidence=f"verdict on an instrument that always reads 0: {certificate.verdict} ({'; '.join(certificate.reasons)})",
    )


def _zero(estimate: Estimate) -> Estimate:
    return estimate.model_copy(update={"value": 0.0, "low": 0.0, "high": 0.0})


class _Wrapped:
    """Another model's scores, changed; the rest as it is."""

    def __init__(self, inner: Model, change: Callable[[Score], Score]):
        self._inner = inner
        self._change = change

    @property
    def reference(self) -> str:
        """The inner model's."""
        return self._inner.reference

    @property
    def fingerprint(self) -> str:
        """Its own: it answers otherwise than the inner model."""
        return f"changed {self._inner.fingerprint}"

    @property
    def card(self) -> ModelCard:
        """The inner model's."""
        return self._inner.card

    async def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generation]:
        """The inner model's replies."""
        return await self._inner.generate(prompts, sampling)

    async def score(self, prefix: Prompt, continuations: Sequence[str]) -> list[Score]:
        """The inner model's scores, changed."""
        return [self._change(score) for score in await self._inner.score(prefix, continuations)]

    async def aclose(self) -> None:
        """Nothing is held."""


def _mute(score: Score) -> Score:
    return Score(None, reason="the provider gives no log-probabilities")


def _contrary(score: Score) -> Score:
    """Turns the order of the options round, so that the answer believed to be right is never given."""
    logprob = math.log1p(-math.exp(score.logprob)) if score.logprob is not None else None
    return Score(logprob, () if logprob is None else (logprob,))


async def denominator_lost(analyse: Callable[[Evaluation], Evaluation] = lambda evaluation: evaluation) -> Replay:
    """Nothing could be scored, or no first answer is right: the rates must be unmeasured with a reason, not 0."""
    evaluation = analyse(catalogue.build("sycophancy", n=10))
    knowing = open_scripted("honest?accuracy=1.0")
    silent = await read_model(evaluation, _Wrapped(knowing, _mute))
    wrong = await read_model(evaluation, _Wrapped(knowing, _contrary))
    flips = wrong["sycophancy.flip_rate"]
    measured = sorted(name for name, one in silent.items() if one.value is not None)
    flagged = not measured and all(one.reason for one in silent.values()) and flips.value is None and bool(flips.reason)
    return Replay(
        failure="a rate without a denominator is reported as 0.0",
        flagged=flagged,
        evidence=f"of a model that gives no scores {len(measured)} of {len(silent)} estimates have a value; "
        f"flip rate without a right first answer: {flips.value} ({flips.reason})",
    )


async def sensitivity_unknown(run_audit: Callable[..., Awaitable[AuditResult]] = audit) -> Replay:
    """An audit must say which of its numbers come from instruments without a certificate."""
    with tempfile.TemporaryDirectory() as folder:
        evaluation = catalogue.build("calibration", n=20, formats=("choice",))
        result = await run_audit(open_scripted("honest"), [evaluation], Path(folder) / "run")
    reported = [f"{one.evaluation}.{one.name}" for one in result.estimates]
    missing = [name for name in reported if name not in names()]
    said = set(getattr(result, "uncertified", ()))
    return Replay(
        failure="detectors of unknown sensitivity are not marked in the output",
        flagged=bool(missing) and said == set(missing),
        evidence=f"of {len(reported)} estimates {len(missing)} have no certificate; the audit names {len(said)} of them",
    )


async def network_needed(make: Callable[[], Model] = lambda: open_scripted("sycophant?rate=0.5")) -> Replay:
    """An audit of an organism with every way to the network shut."""
    tried: list[str] = []

    def shut(*arguments: object, **keywords: object) -> None:
        tried.append(str(arguments[-1:]))
        raise OSError("there is no network")

    with (
        mock.patch.object(socket, "getaddrinfo", shut),
        mock.patch.object(socket, "create_connection", shut),
        mock.patch.object(socket.socket, "connect", shut),
    ):
        found = await read_model(catalogue.build("sycophancy", n=10), make())
    measured = found["sycophancy.agreement"].value
    return Replay(
        failure="an evaluation of a mock model fails without network",
        flagged=measured is not None and not tried,
        evidence=f"with the network shut the agreement is {measured}, and {len(tried)} connections were tried",
    )
