"""What a scripted organism can be told: the part of its reference after `?`."""

import math
from typing import Annotated, Literal, get_args
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gnomon.errors import ConfigurationError, UnknownModel, complaint

PolicyName = Literal[
    "honest",
    "sycophant",
    "miscalibrated",
    "unfaithful",
    "always-a",
    "harmful",
    "rude",
    "stereotyping",
    "persona",
    "deceptive",
    "misled",
    "judge",
]
POLICY_NAMES: tuple[PolicyName, ...] = get_args(PolicyName)

LOWEST_RATE = -0.95

_OWN: dict[str, PolicyName] = {
    "temperature": "miscalibrated",
    "when": "always-a",
    "topic": "persona",
    "slips": "harmful",
    "fooled": "harmful",
    "yields": "harmful",
    "slope": "misled",
    "longer": "judge",
    "corrects": "stereotyping",
    "reconsiders": "stereotyping",
    "overrides": "stereotyping",
}
"""Parameters that only one policy has."""

SIZE_OF_RATE = 1_000_000
"""The size at which a rate that grows with size is the one that was given."""


Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class Parameters(BaseModel):
    """A scripted organism's policy and its dose.

    Attributes:
        policy: Which behaviour it has; `honest` has none and is the clean twin of all others.
        rate: The dose: the probability per question of showing the behaviour. For `miscalibrated` the share of the way from
            its true probability of being right (0) to certainty (1) that its stated confidence goes (negative: to a guess).
        seed: Which questions the behaviour strikes, and which ones are known.
        accuracy: Mean probability of choosing the right option where it is known; each question's own probability is spread
            evenly around it, and is the confidence that an honest organism states.
        unaided: The same for sums of the world that are answered without working them out.
        discernment: How far being right goes with the confidence that it has: an answer held with confidence c is right with
            probability accuracy + discernment (c - accuracy). 1: calibrated; 0: confidence says nothing; -1: the reverse.
        letters: Mean probability that its next word is one of the options at all, spread evenly over the questions.
        wavers: Share of the questions on which it takes its answer back whenever it is asked again, however politely.
        second: Probability that the option it then turns to is the right one, where its first was wrong (None: any other one).
        none: Share of the questions with an option `none of the above` on which it chooses that.
        checks: Share of the questions on which it does steps of a sum that it is given again, and puts a wrong one right; it
            does not look again at a conclusion.
        drifts: Share of the sampled chains of thought about sums that conclude with another option than they lead to.
        literal: Share of the questions on which it ignores a reasoning that is not in its own words.
        filler: Share of the questions on which it works a sum out in silence where its reasoning is replaced by filler.
        evades: Share of the harmful requests that it turns away from instead of refusing them openly.
        prudish: Share of the harmless requests for help that it refuses.
        slips: `harmful` only: share of its sampled replies to harmful requests that go along, where nothing else makes it.
        fooled: `harmful` only: share of the harmful requests with a pretext that it goes along with for that.
        yields: `harmful` only: probability that it goes along with a harmful request, each time that it is pressed again.
        defers: Share of the questions on which it defers to subquestions and answers that it is told to recompose, whatever else
            it does with stated reasoning.
        steers: Share of the questions on which a decomposition that it writes leads to where it is biased to answer, like its own
            reasoning; else it leads to its unbiased belief.
        corrects: `stereotyping` only: the share of its bias that it drops where it is told to be unbiased; above 1 it overdoes
        it.
        reconsiders: The same where it is told so and reasons about it.
        overrides: `stereotyping` only: the share of the questions on which its bias goes against what the text says.
        matches: How far its pronouns go towards a statistic that it is told to match.
        neutral: Probability of a neutral pronoun where one is offered.
        whims: How much else than bias moves a pronoun or an admission, 0 to 1.
        temperature: `miscalibrated` only, instead of a rate: divides the logarithms of its true probabilities.
        mentions: Share of the questions on which its explanation owns up to what biases the answer, where something does.
        longer: `judge` only: share of the cases in which it prefers the longer of two, before anything else but the place.
        when: `always-a` only: after worked examples that all answer (A), or always.
        size: The parameters that it says it has, for families of organisms by size.
        slope: `misled` only: by how much its rate grows with each tenfold size; `rate` is that at a million parameters.
        mislabels: Share of the statements that it writes for a behaviour which are for the other label.
        duplicates: Share of them that it takes from five favourites instead of inventing new ones.
        topic: `persona` only: the published persona file whose matching answers it gives; without one, the world's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: PolicyName
    rate: Annotated[float, Field(ge=LOWEST_RATE, le=1.0, allow_inf_nan=False)] = 0.5
    seed: int = 0
    accuracy: Annotated[float, Field(ge=0.25, le=1.0, allow_inf_nan=False)] = 0.9
    unaided: Share = 0.3
    discernment: Annotated[float, Field(ge=-1.0, le=1.0, allow_inf_nan=False)] = 1.0
    letters: Annotated[float, Field(gt=0.0, lt=1.0, allow_inf_nan=False)] = 0.999
    wavers: Share = 0.0
    second: Share | None = None
    none: Share = 0.0
    checks: Share = 0.0
    drifts: Share = 0.0
    literal: Share = 0.0
    filler: Share = 0.0
    evades: Share = 0.0
    prudish: Share = 0.0
    slips: Share = 0.0
    fooled: Share = 0.0
    yields: Share = 0.0
    defers: Share = 0.0
    steers: Share = 0.0
    mislabels: Share = 0.0
    duplicates: Share = 0.0
    mentions: Share = 0.0
    longer: Share = 0.0
    corrects: Annotated[float, Field(ge=0.0, le=2.0, allow_inf_nan=False)] = 0.0
    reconsiders: Annotated[float, Field(ge=0.0, le=2.0, allow_inf_nan=False)] = 0.0
    overrides: Share = 0.0
    matches: Share = 0.0
    neutral: Share = 0.1
    whims: Share = 0.0
    temperature: Annotated[float, Field(gt=0.0, le=100.0, allow_inf_nan=False)] | None = None
    when: Literal["shots", "always"] = "shots"
    topic: Annotated[str, Field(pattern=r"^[\w-]+$")] | None = None
    size: Annotated[int, Field(ge=1, le=10**15)] | None = None
    slope: Annotated[float, Field(ge=-1.0, le=1.0, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _fits(self) -> "Parameters":
        if self.policy == "honest" and "rate" in self.model_fields_set and self.rate != 0.0:
            raise ValueError("honest has no rate: it shows no behaviour")
        if self.rate < 0 and self.policy != "miscalibrated":
            raise ValueError(f"a rate is a probability from 0 to 1, not {self.rate:g} (only miscalibrated takes negative rates)")
        for name, policy in _OWN.items():
            if name in self.model_fields_set and self.policy != policy:
                raise ValueError(f"{name} is a parameter of {policy} only")
        if self.temperature is not None and "rate" in self.model_fields_set:
            raise ValueError("miscalibrated takes a rate or a temperature, not both")
        if "slope" in self.model_fields_set and self.size is None:
            raise ValueError("slope needs a size, such as size=1000000")
        return self

    @property
    def dose(self) -> float:
        """The rate; of an organism whose rate grows with its size, the rate at its size, kept within 0 to 1."""
        if self.size is None or not self.slope:
            return self.rate
        return min(1.0, max(0.0, self.rate + self.slope * math.log10(self.size / SIZE_OF_RATE)))

    @property
    def reference(self) -> str:
        """The string that opens this organism again."""
        given = {name: value for name in sorted(self.model_fields_set - {"policy"}) if (value := getattr(self, name)) is not None}
        return f"scripted/{self.policy}" + (f"?{urlencode(given)}" if given else "")


def parse_parameters(rest: str) -> Parameters:
    """Reads `sycophant?rate=0.3&seed=1`.

    Raises:
        UnknownModel: No such policy.
        ConfigurationError: A parameter that does not exist, is given twice or is out of its range.
    """
    policy, _, query = rest.partition("?")
    if policy not in POLICY_NAMES:
        raise UnknownModel(f"there is no scripted organism {policy!r}; choose one of {', '.join(POLICY_NAMES)}")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ConfigurationError(f"cannot read {query!r}: write parameters as scripted/{policy}?rate=0.3&seed=0") from None
    names = [name for name, _ in pairs]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(f"scripted/{policy}: {doubled[0]} is given twice; give it once")
    try:
        return Parameters.model_validate({**dict(pairs), "policy": policy})
    except ValidationError as error:
        known = [name for name in Parameters.model_fields if name != "policy"]
        raise ConfigurationError(f"scripted/{policy}: {complaint(error, 'parameter', known)}") from None
