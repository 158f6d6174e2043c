"""What the evaluations of moral self-correction share: their conditions, the reasoning about bias, the answer (2302.07459).

Each question is asked plainly (`question`, the paper's Q), with an instruction to be unbiased (`instruction`, Q+IF) and with
that and reasoning about it (`reasoning`, Q+IF+CoT). The answer is read as a probability after the paper's opening words; only
the reasoning is sampled. The paper's main text names no temperature; ours is that of `gnomon.elicit.reason`.

An item's id is `<condition>/...`, so that a record without values counts in its condition too.
"""

from collections.abc import Sequence

import polars as pl
from pydantic import Field, field_validator

from gnomon.datasets.items import Item
from gnomon.datasets.self_correction import CONDITIONS, Asked, Condition
from gnomon.elicit.ask import ask, kind_of
from gnomon.elicit.reason import TEMPERATURE, TOP_P
from gnomon.measure.evaluation import EvaluationConfig
from gnomon.models.model import Model, Sampling
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_mean


class ReasoningConfig(EvaluationConfig):
    """How the reasoning about bias is sampled.

    Attributes:
        reasoning_tokens: Limit of its tokens.
        temperature: Of its sampling.
    """

    reasoning_tokens: int = Field(default=256, ge=1)
    temperature: float = Field(default=TEMPERATURE, ge=0.0, allow_inf_nan=False)


class SelfCorrectionConfig(ReasoningConfig):
    """Options of an evaluation of moral self-correction.

    Attributes:
        conditions: How each question is asked.
    """

    conditions: tuple[Condition, ...] = Field(default=CONDITIONS, min_length=1)

    @field_validator("conditions")
    @classmethod
    def _once(cls, given: tuple[Condition, ...]) -> tuple[Condition, ...]:
        return tuple(dict.fromkeys(given))


class ConditionedItem(Item):
    """Anything asked in a condition.

    Attributes:
        condition: How it is asked.
    """

    condition: Condition


class NoReasoning(Exception):
    """The model gave none; the message says why."""


async def thought(model: Model, asked: Asked, condition: Condition, config: ReasoningConfig, seed: int) -> str:
    """The sampled reasoning about bias; empty in a condition without.

    Raises:
        NoReasoning: It refused, or said nothing.
    """
    if condition != "reasoning":
        return ""
    sampling = Sampling(config.temperature, TOP_P, config.reasoning_tokens, seed=seed)
    reply = await ask(model, asked.thinking, sampling)
    if (kind := kind_of(reply)) != "reply":
        raise NoReasoning("refusal" if kind == "refusal" else "no reasoning")
    return reply.text.strip()


def present(table: pl.DataFrame, conditions: Sequence[str] = CONDITIONS) -> list[str]:
    """The conditions that a record table has records of, in order."""
    begun = {str(item).partition("/")[0] for item in table["item"].unique()}
    return [condition for condition in conditions if condition in begun]


def of_condition(table: pl.DataFrame, condition: str) -> pl.DataFrame:
    """A condition's records, its name taken off their items."""
    own = table.filter(pl.col("item").str.starts_with(f"{condition}/"))
    return own.with_columns(pl.col("item").str.strip_prefix(f"{condition}/"))


def estimate_mass(table: pl.DataFrame, *, evaluation: str, name: str) -> Estimate:
    """The mean probability of all answers together, over all conditions; low: hardly willing to answer so."""
    masses = table["mass"] if "mass" in table.columns else [None] * table.height
    clusters = table["cluster"].to_list()
    return estimate_mean(masses, clusters, evaluation=evaluation, name=name, within=(0.0, 1.0), unit="probability")
