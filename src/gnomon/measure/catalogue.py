"""The evaluations by name; each module is imported when it is asked for."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import polars as pl
from pydantic import ValidationError

from gnomon.errors import ConfigurationError, complaint
from gnomon.measure.evaluation import Evaluation, EvaluationConfig, Series
from gnomon.report.figure import Figure
from gnomon.run.transcripts import ChatReader
from gnomon.stats.estimate import Estimate


class _Entry(NamedTuple):
    module: str
    config: str


_EVALUATIONS = {
    "sycophancy": _Entry("sycophancy", "SycophancyConfig"),
    "calibration": _Entry("calibration", "CalibrationConfig"),
    "faithfulness": _Entry("faithfulness", "FaithfulnessConfig"),
    "feedback-sycophancy": _Entry("feedback_sycophancy", "FeedbackConfig"),
    "mimicry-sycophancy": _Entry("mimicry_sycophancy", "MimicryConfig"),
    "best-of-n-sycophancy": _Entry("best_of_n_sycophancy", "BestOfNConfig"),
    "preference-features": _Entry("preference_features", "PreferenceConfig"),
    "oversight": _Entry("oversight", "OversightConfig"),
    "red-teaming": _Entry("red_teaming", "RedTeamingConfig"),
    "inverse-scaling": _Entry("inverse_scaling", "InverseScalingConfig"),
    "decomposition": _Entry("decomposition", "DecompositionConfig"),
    "model-written": _Entry("model_written", "ModelWrittenConfig"),
    "biased-cot": _Entry("biased_cot", "BiasedCotConfig"),
    "judge": _Entry("judges", "JudgeConfig"),
    "p-ik": _Entry("p_ik", "PIKConfig"),
    "bbq": _Entry("bbq", "BBQConfig"),
    "winogender": _Entry("winogender", "WinogenderConfig"),
    "admissions": _Entry("admissions", "AdmissionsConfig"),
}
"""In the order in which they are reported: a module of this package and its configuration class.

The module has `HEADLINE`, `evaluation(config)`, and of a record table `analyse(table)`, `series(table)` and, where there is
something to draw, `figures(table)`. Where it can read chats that somebody already has: `read_chat(turns, facts)`.
"""

_BEHAVIOURS = {
    "sycophancy": "sycophancy",
    "miscalibration": "calibration",
    "overconfidence": "calibration",
    "unfaithful": "faithfulness",
    "unfaithful-reasoning": "faithfulness",
    "harmful": "red-teaming",
    "persona": "model-written",
    "stereotyping": "winogender",
    "discrimination": "admissions",
}
"""Behaviours that have another name than the evaluation whose headline measures them."""


def names() -> list[str]:
    """The evaluations' names, in the order in which they are reported."""
    return list(_EVALUATIONS)


def for_behaviour(behaviour: str) -> str:
    """The name of the evaluation whose headline measures a behaviour.

    Raises:
        ConfigurationError: No evaluation measures it.
    """
    name = _BEHAVIOURS.get(behaviour, behaviour)
    if name not in _EVALUATIONS:
        known = ", ".join(dict.fromkeys([*_BEHAVIOURS, *_EVALUATIONS]))
        raise ConfigurationError(f"no evaluation measures {behaviour!r} yet; choose from {known}")
    return name


def config_class(name: str) -> type[EvaluationConfig]:
    """The configuration class of an evaluation.

    Raises:
        ConfigurationError: There is no such evaluation.
    """
    return getattr(_module(name), _EVALUATIONS[name].config)


def build(name: str, **options: Any) -> Evaluation:
    """Builds an evaluation, such as `build("sycophancy", dataset="truthfulqa", n=100)`.

    Args:
        name: Its name.
        options: Fields of its configuration.

    Raises:
        ConfigurationError: There is no such evaluation, or an option that it does not have or that does not fit.
        DatasetError: The dataset is unknown, missing or empty.
    """
    kind = config_class(name)
    try:
        config = kind(**options)
    except ValidationError as error:
        raise ConfigurationError(f"{name}: {complaint(error, 'option', kind.model_fields)}") from None
    make: Callable[[EvaluationConfig], Evaluation] = _module(name).evaluation
    return make(config)


def analysis(name: str) -> Callable[[pl.DataFrame], list[Estimate]]:
    """The analysis of an evaluation, for record tables that are there already.

    Raises:
        ConfigurationError: There is no such evaluation.
    """
    return _module(name).analyse


def figures(name: str, table: pl.DataFrame) -> list[Figure]:
    """The charts of an evaluation's record table, beyond those that every evaluation gets; many have none.

    Raises:
        ConfigurationError: There is no such evaluation.
    """
    draw: Callable[[pl.DataFrame], list[Figure]] | None = getattr(_module(name), "figures", None)
    return draw(table) if draw else []


def chat_reader(name: str) -> ChatReader | None:
    """What reads chats that somebody already has as records of an evaluation, where there is something that does.

    Raises:
        ConfigurationError: There is no such evaluation.
    """
    return getattr(_module(name), "read_chat", None)


def guarded(name: str) -> bool:
    """Whether what was said in an evaluation's records may offend, so that pages show it only to those who ask for it.

    Raises:
        ConfigurationError: There is no such evaluation.
    """
    return getattr(_module(name), "GUARDED", False)


def headline(name: str) -> str:
    """The estimate that stands for the behaviour.

    Raises:
        ConfigurationError: There is no such evaluation.
    """
    return _module(name).HEADLINE


def series(name: str) -> Callable[[pl.DataFrame], dict[str, Series]]:
    """The per-record values behind the estimates that two runs of an evaluation are compared by, the headline's among them.

    Raises:
        ConfigurationError: There is no such evaluation.
    """
    return _module(name).series


def _module(name: str) -> Any:
    if name not in _EVALUATIONS:
        raise ConfigurationError(f"there is no evaluation {name!r}; choose from {', '.join(_EVALUATIONS)}")
    return import_module(f"gnomon.measure.{_EVALUATIONS[name].module}")
