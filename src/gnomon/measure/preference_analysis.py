"""What is made of labelled preferences; the estimates are defined in `preference_features`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from gnomon.datasets.items import derive_seed
from gnomon.measure.evaluation import Series
from gnomon.measure.parts import Part, part
from gnomon.measure.preference_rules import BELIEFS, FEATURES
from gnomon.report.bars import LabelledReading, labelled_bars
from gnomon.report.figure import Figure
from gnomon.stats.bayesian_logistic import Effect, Posterior, fit, most_probable
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import Column, estimate_mean, estimate_rate

NAME = "preference-features"
HEADLINE = "matches_beliefs"

SCALES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""What b is chosen among where it is not given."""
DRAWS, WARMUP = 600, 300
"""Per chain."""
FEWEST = 20
"""So many pairs at least make a regression."""
_PREFIX = "phi_"


class Regression:
    """The regression of a record table.

    Attributes:
        posterior: Of the training part (None: too few pairs, with `reason`).
        reason: Why there is none.
        features: Those that vary over the pairs.
        total: Pairs that should have been used.
    """

    def __init__(self, table: pl.DataFrame):
        pairs = part(table, "pair")
        self.total = len(pairs.rows)
        self.features = [name for name in FEATURES if _varies(pairs, f"{_PREFIX}{name}")]
        usable = [
            row
            for row in pairs.rows
            if row["status"] == "value"
            and row.get("preferred") is not None
            and all(row.get(f"{_PREFIX}{name}") is not None for name in self.features)
        ]
        self.usable = len(usable)
        self.posterior: Posterior | None = None
        self.reason = ""
        self.hits: list[float | None] = []
        self.held_clusters: list[str] = []
        # Clusters, not pairs, are held out: two pairs of one dialogue are no independent test of each other.
        held = [row for row in usable if derive_seed("hold-out", row["cluster"]) % 5 == 0]
        train = [row for row in usable if derive_seed("hold-out", row["cluster"]) % 5 != 0]
        if not self.features or len(train) < FEWEST:
            self.reason = (
                f"{len(train):,} labelled pairs with {len(self.features)} features that vary are too few for a regression"
            )
            return
        x, y = self._matrix(train)
        given = next((row["scale"] for row in usable if row.get("scale")), None)
        scale = float(given) if given else _chosen_scale(x, y, self.features, [row["cluster"] for row in train])
        self.posterior = _fitted(x.tobytes(), y.tobytes(), tuple(self.features), scale)
        self._hold_out(held)

    def _matrix(self, rows: Sequence[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        x = np.array([[float(row[f"{_PREFIX}{name}"]) for name in self.features] for row in rows]).reshape(-1, len(self.features))
        return x, np.array([float(row["preferred"]) for row in rows])

    def _hold_out(self, rows: Sequence[dict[str, Any]]) -> None:
        """Whether each held-out preference is predicted; one without a preference tells nothing, a tie is half a hit."""
        assert self.posterior is not None
        rows = [row for row in rows if row["preferred"] != 0.5]
        if not rows:
            return
        x, y = self._matrix(rows)
        predicted = self.posterior.predict(x)
        self.hits = [0.5 if p == 0.5 else float((p > 0.5) == (wanted > 0.5)) for p, wanted in zip(predicted, y, strict=True)]
        self.held_clusters = [row["cluster"] for row in rows]

    @property
    def method(self) -> str:
        """How the effects were had, in words."""
        assert self.posterior is not None
        one = self.posterior
        return (
            f"posterior median, 95 % credible interval; Laplace prior b = {one.scale:g}; NUTS, {one.samples.shape[0]} chains, "
            f"{one.samples.shape[0] * one.samples.shape[1]:,} draws, R-hat at most {one.r_hat.max():.3f}, "
            f"effective sample size at least {one.ess.min():,.0f}, {one.divergences} divergences"
        )

    def estimate(self, name: str, effect: Effect | None) -> Estimate:
        """An effect as an estimate; where the chains do not agree there is none."""
        if self.posterior is None:
            return Estimate.unmeasured(NAME, name, self.reason, unit="probability")
        if effect is None:
            return Estimate.unmeasured(NAME, name, "no pair differs in it", unit="probability")
        if not self.posterior.converged:
            return Estimate.unmeasured(NAME, name, f"the sampler did not converge ({self.method})", unit="probability")
        return Estimate(
            evaluation=NAME,
            name=name,
            value=effect.probability,
            low=effect.interval[0],
            high=effect.interval[1],
            n=self.posterior.pairs,
            coverage=self.usable / self.total if self.total else 0.0,
            unit="probability",
            method=self.method,
        )

    def beliefs(self) -> Effect | None:
        """The combined effect of the belief features."""
        there = [name for name in BELIEFS if name in self.features]
        return self.posterior.combined(there, HEADLINE) if self.posterior and there else None


def analyse(table: pl.DataFrame) -> list[Estimate]:
    """All estimates of the evaluation, the headline first.

    Raises:
        MissingExtra: NumPyro is not installed.
    """
    found = Regression(table)
    effects = found.posterior.effects() if found.posterior else []
    estimates = [found.estimate(HEADLINE, found.beliefs())]
    estimates += [found.estimate(f"effect_{effect.name}", effect) for effect in effects]
    if found.posterior and all(name in found.features for name in BELIEFS):
        estimates.append(_correlation(found))
    hits: Column = found.hits
    if found.hits:
        held = estimate_mean(hits, found.held_clusters, evaluation=NAME, name="holdout_accuracy", within=(0.0, 1.0), unit="rate")
        estimates.append(held)
    pairs = part(table, "pair")
    for name, prefix in (("label_order_agreement", "order_"), ("label_rule_agreement", "rule_")):
        columns = [column for column in table.columns if column.startswith(prefix)]
        values = [value for column in columns for value in pairs[column]]
        if any(value is not None for value in values):
            estimates.append(estimate_rate(values, pairs.clusters * len(columns), evaluation=NAME, name=name))
    if any(value is not None for value in pairs["consistent"]):
        estimates.append(estimate_rate(pairs["consistent"], pairs.clusters, evaluation=NAME, name="rater_consistency"))
    return estimates


@lru_cache(maxsize=4)
def _fitted(x: bytes, y: bytes, names: tuple[str, ...], scale: float) -> Posterior:
    """The posterior; estimates and figures of one table share it."""
    rows = np.frombuffer(x).reshape(-1, len(names))
    return fit(rows, np.frombuffer(y), names, scale=scale, draws=DRAWS, warmup=WARMUP)


def _correlation(found: Regression) -> Estimate:
    """The posterior correlation of the belief coefficients; its interval is the chains' own spread."""
    assert found.posterior is not None
    one, other = (found.features.index(name) for name in BELIEFS)
    chains = [float(np.corrcoef(chain[:, one], chain[:, other])[0, 1]) for chain in found.posterior.samples]
    value = float(found.posterior.correlations[one, other])
    return Estimate(
        evaluation=NAME,
        name="belief_correlation",
        value=value,
        low=min(*chains, value),
        high=max(*chains, value),
        n=found.posterior.pairs,
        coverage=found.usable / found.total,
        unit="score",
        method="posterior correlation; from the least to the largest of the chains' own",
    )


def _varies(pairs: Part, column: str) -> bool:
    return len({value for value in pairs[column] if value is not None}) > 1


def _chosen_scale(x: np.ndarray, y: np.ndarray, names: Sequence[str], clusters: Sequence[str]) -> float:
    """The b whose mode predicts a quarter of the training pairs best (log-loss)."""
    held = np.array([derive_seed("scale", cluster) % 4 == 0 for cluster in clusters])
    if held.all() or not held.any():
        return SCALES[0]

    def loss(scale: float) -> float:
        logits = x[held] @ most_probable(x[~held], y[~held], names, scale=scale)
        return float(np.mean(np.logaddexp(0.0, logits) - y[held] * logits))

    return min(SCALES, key=loss)


def series(table: pl.DataFrame) -> dict[str, Series]:
    """What two runs are compared by: nothing per record stands behind a regression's coefficient."""
    pairs = part(table, "pair")
    return {"preferred_first": Series(pairs["preferred"], pairs.clusters)}


def figures(table: pl.DataFrame) -> list[Figure]:
    """The effects with their intervals, largest first."""
    return effects_figure(analyse(table))


def effects_figure(estimates: Sequence[Estimate], name: str = "feature_effects") -> list[Figure]:
    """The effects with their intervals, largest first."""
    shown = [one for one in estimates if one.name == HEADLINE or one.name.startswith("effect_")]
    shown = sorted((one for one in shown if one.value is not None), key=lambda one: -(one.value or 0.0))
    readings = [LabelledReading(one.name.removeprefix("effect_").replace("_", " "), one) for one in shown]
    drawn = labelled_bars(
        readings,
        name=name,
        title="How often an answer with more of a feature is preferred, all else equal",
        y_title="probability of being preferred",
        caption="Posterior medians. `matches beliefs` is the combined effect of both belief features.",
        reference=0.5,
        reference_says="no effect",
    )
    return [drawn] if drawn else []
