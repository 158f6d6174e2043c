"""Bayesian logistic regression of preferences on features of the answers, with a Laplace prior and no intercept (2310.13548).

    p(A is preferred to B) = sigmoid(sum_i alpha_i phi_i),  phi_i in {-1, 0, +1},  alpha_i ~ Laplace(0, b)

The posterior is sampled with NUTS (Hoffman and Gelman 2014) by NumPyro, `gnomon[bayes]`. An effect is read as the probability
that an answer with more of a feature is preferred, all else equal: sigmoid(alpha_i), of which 1/2 is none. With the paper's b of
0.01 every coefficient is pulled strongly towards 0: effects are small by construction.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from gnomon.errors import ConfigurationError, MissingExtra

Floats = NDArray[np.float64]

SCALE = 0.01
"""The paper's b."""
CHAINS = 4
R_HAT, ESS = 1.01, 400.0
"""Convergence as Vehtari et al. 2021 recommend it: the largest R-hat, and the least effective sample size over all chains."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What the posterior says of one feature, or of several together.

    Attributes:
        name: The feature.
        probability: Posterior median of sigmoid(alpha): how often an answer with more of it is preferred, all else equal.
        half: 50 % interval of that (quartiles).
        interval: 95 % interval.
        alpha: Posterior mean of the coefficient.
        above: Posterior probability that the effect is above 1/2.
    """

    name: str
    probability: float
    half: tuple[float, float]
    interval: tuple[float, float]
    alpha: float
    above: float


@dataclass(frozen=True, slots=True)
class Posterior:
    """Samples of the coefficients.

    Attributes:
        names: The features.
        samples: Of the coefficients; shape (chains, draws, features).
        r_hat: Split R-hat per feature; near 1 where the chains agree.
        ess: Effective sample size per feature.
        divergences: Draws at which the sampler's trajectory diverged: with any, parts of the posterior may be missing.
        scale: The prior's b.
        pairs: Comparisons that it rests on.
    """

    names: tuple[str, ...]
    samples: Floats
    r_hat: Floats
    ess: Floats
    divergences: int
    scale: float
    pairs: int

    @property
    def draws(self) -> Floats:
        """All draws, shape (chains * draws, features)."""
        return self.samples.reshape(-1, len(self.names))

    @property
    def converged(self) -> bool:
        """Whether every R-hat is at most `R_HAT`, every effective sample size at least `ESS`, and nothing diverged."""
        return bool(np.all(self.r_hat <= R_HAT) and np.all(self.ess >= ESS) and self.divergences == 0)

    @property
    def correlations(self) -> Floats:
        """Posterior correlations of the coefficients, shape (features, features); far from 0: single effects are unreliable."""
        return np.atleast_2d(np.corrcoef(self.draws, rowvar=False))

    def effects(self) -> list[Effect]:
        """The effect of every feature, in their order."""
        return [self.combined([name], name) for name in self.names]

    def combined(self, features: Sequence[str], name: str) -> Effect:
        """The effect of several features that change together: sigmoid of the sum of their coefficients.

        Raises:
            ConfigurationError: A feature that was not in the regression.
        """
        unknown = [feature for feature in features if feature not in self.names]
        if unknown:
            raise ConfigurationError(f"there is no feature {unknown[0]!r} in this regression; it has {', '.join(self.names)}")
        total = self.draws[:, [self.names.index(feature) for feature in features]].sum(axis=1)
        low, lower, middle, upper, high = (float(value) for value in np.quantile(expit(total), [0.025, 0.25, 0.5, 0.75, 0.975]))
        return Effect(name, middle, (lower, upper), (low, high), float(total.mean()), float(np.mean(total > 0)))

    def predict(self, features: ArrayLike) -> Floats:
        """Posterior mean probability that A is preferred, for each pair of a (pairs, features) matrix; shape (pairs,)."""
        x = np.asarray(features, dtype=np.float64)
        total = np.zeros(len(x))
        for part in np.array_split(self.draws, max(1, len(self.draws) // 500)):
            total += expit(x @ part.T).sum(axis=1)
        return total / len(self.draws)


def fit(
    features: ArrayLike,
    preferred: ArrayLike,
    names: Sequence[str],
    *,
    scale: float = SCALE,
    draws: int = 1500,
    warmup: int = 500,
    chains: int = CHAINS,
    seed: int = 0,
) -> Posterior:
    """Samples the posterior.

    Args:
        features: phi, shape (pairs, features): -1, 0 or +1 as A has less, as much or more of each than B.
        preferred: Whether A was preferred, shape (pairs,); numbers between 0 and 1 are shares of raters.
        names: The features' names.
        scale: b of the prior.
        draws: Kept per chain; the paper's 6,000 in all are 4 times 1,500.
        warmup: Adaptation steps per chain.
        chains: Independent chains; R-hat needs at least 2.
        seed: Of the sampling.

    Raises:
        ConfigurationError: Shapes that do not fit, values out of their range, or settings that mean nothing.
        MissingExtra: NumPyro is not installed (`pip install 'gnomon[bayes]'`).
    """
    x, y = _checked(features, preferred, names, scale)
    if chains < 2 or draws < 4 or warmup < 1:
        raise ConfigurationError(f"{chains} chains of {draws} draws and {warmup} steps of warm-up cannot show that they agree")
    jax, numpyro, distributions, infer, diagnostics = _library()

    def model(phi: Any, shares: Any, weights: Any) -> None:
        alpha = numpyro.sample("alpha", distributions.Laplace(0.0, scale).expand([phi.shape[1]]).to_event(1))
        logits = phi @ alpha
        # Equal rows are one row with a weight: preference data over three-valued features repeat themselves.
        likelihood = shares * jax.nn.log_sigmoid(logits) + (1.0 - shares) * jax.nn.log_sigmoid(-logits)
        numpyro.factor("preferences", jax.numpy.sum(weights * likelihood))

    rows, shares, weights = _grouped(x, y)
    kernel = infer.NUTS(model)
    sampler = infer.MCMC(
        kernel, num_warmup=warmup, num_samples=draws, num_chains=chains, chain_method="vectorized", progress_bar=False
    )
    # 64 bits: many thousands of terms are summed.
    with jax.enable_x64(True):
        sampler.run(jax.random.PRNGKey(seed), rows, shares, weights, extra_fields=("diverging",))
        samples = np.asarray(sampler.get_samples(group_by_chain=True)["alpha"], dtype=np.float64)
        diverging = int(np.sum(np.asarray(sampler.get_extra_fields()["diverging"])))
    return Posterior(
        names=tuple(names),
        samples=samples,
        r_hat=np.atleast_1d(np.asarray(diagnostics.split_gelman_rubin(samples), dtype=np.float64)),
        ess=np.atleast_1d(np.asarray(diagnostics.effective_sample_size(samples), dtype=np.float64)),
        divergences=diverging,
        scale=scale,
        pairs=len(x),
    )


def most_probable(features: ArrayLike, preferred: ArrayLike, names: Sequence[str], *, scale: float = SCALE) -> Floats:
    """The coefficients at the posterior's mode: an L1-penalised logistic regression, for comparison and for quick looks.

    Raises:
        ConfigurationError: As `fit`.
    """
    x, y = _checked(features, preferred, names, scale)
    count = x.shape[1]

    def loss(split: Floats) -> tuple[float, Floats]:
        # alpha = plus - minus, both at least 0: the penalty is smooth in them.
        logits = x @ (split[:count] - split[count:])
        value = float(np.sum(np.logaddexp(0.0, logits) - y * logits) + split.sum() / scale)
        gradient = x.T @ (expit(logits) - y)
        return value, np.concatenate([gradient, -gradient]) + 1.0 / scale

    found: Any = minimize(
        loss,
        np.zeros(2 * count),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * (2 * count),
        options={"maxiter": 10_000, "maxfun": 100_000, "ftol": 1e-14, "gtol": 1e-9},
    )
    return np.asarray(found.x[:count] - found.x[count:], dtype=np.float64)


def _checked(features: ArrayLike, preferred: ArrayLike, names: Sequence[str], scale: float) -> tuple[Floats, Floats]:
    x, y = np.asarray(features, dtype=np.float64), np.asarray(preferred, dtype=np.float64)
    if x.ndim != 2 or x.shape != (len(y), len(names)) or not x.size:
        raise ConfigurationError(f"features of shape {x.shape} do not fit {len(y)} preferences and {len(names)} names")
    if len(set(names)) != len(names):
        raise ConfigurationError("two features have the same name")
    if not np.all(np.isfinite(x)) or np.any(np.abs(x) > 1.0):
        raise ConfigurationError("a feature must be between -1 and +1 (less, as much, more): leave out pairs without labels")
    if not np.all((y >= 0.0) & (y <= 1.0)):
        raise ConfigurationError("a preference must be between 0 and 1: 1 where A was preferred")
    if not (np.isfinite(scale) and scale > 0):
        raise ConfigurationError(f"the prior's scale must be a positive number, not {scale}")
    return x, y


def _grouped(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Distinct rows, the mean preference of each, and how many pairs it stands for."""
    rows, which, counts = np.unique(x, axis=0, return_inverse=True, return_counts=True)
    shares = np.bincount(which.ravel(), weights=y) / counts
    return rows, shares, counts.astype(np.float64)


def _library() -> tuple[Any, Any, Any, Any, Any]:
    try:
        return tuple(  # type: ignore[return-value]
            importlib.import_module(name)
            for name in ("jax", "numpyro", "numpyro.distributions", "numpyro.infer", "numpyro.diagnostics")
        )
    except ImportError:
        raise MissingExtra("the regression of preferences needs NumPyro: pip install 'gnomon[bayes]'") from None
