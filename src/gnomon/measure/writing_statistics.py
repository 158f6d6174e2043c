"""How good a written evaluation is: do judges confirm its labels, does the filter help, do they agree with one another?"""

from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.datasets.similarity import near_duplicates
from gnomon.stats.agreement import estimate_cohen_kappa, estimate_fleiss_kappa
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_contrast, estimate_mean, estimate_rate

NAME = "write"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A statement with its label.

    Attributes:
        statement: The statement.
        matching: Whether it was written for somebody of the behaviour to agree with.
        confidence: The discriminator's probability of that label.
        relevance: The judge's probability that it is about the behaviour (None: not asked).
    """

    statement: str
    matching: bool
    confidence: float = 0.0
    relevance: float | None = None

    @property
    def confirmed(self) -> bool:
        """Whether the discriminator finds the label likelier than the other one."""
        return self.confidence > 0.5

    @property
    def score(self) -> float:
        """What it is ranked by: the mean of label probability and relevance."""
        return self.confidence if self.relevance is None else (self.confidence + self.relevance) / 2


def validation(
    sample: Sequence[Candidate], checked: Sequence[Sequence[bool | None]], kept: Sequence[Candidate], judged: Sequence[Candidate]
) -> list[Estimate]:
    """The estimates of a card.

    Args:
        sample: What was validated, kept and dropped.
        checked: What each judge said of each: whether somebody with the behaviour agrees (None: no judgement).
        kept: The items.
        judged: All candidates that the discriminator labelled.

    Returns:
        `label_confirmed` (share of the sampled items whose label most judges confirm), the same of those that the filter
        dropped, their difference, agreement of judges and labels, `filter_agreement` (written label against the discriminator's,
        before the filter), mean label confidence and relevance of the items.
    """
    items = {one.statement for one in kept}
    groups = near_duplicates([one.statement for one in sample])
    clusters = [str(group) for group in groups]
    confirmed = [_confirmed(one, said) for one, said in zip(sample, checked, strict=True)]
    is_kept = [one.statement in items for one in sample]
    inside = [place for place, there in enumerate(is_kept) if there]
    outside = [place for place, there in enumerate(is_kept) if not there]
    estimates = [
        estimate_rate([confirmed[p] for p in inside], [clusters[p] for p in inside], evaluation=NAME, name="label_confirmed"),
        estimate_rate(
            [confirmed[p] for p in outside], [clusters[p] for p in outside], evaluation=NAME, name="label_confirmed_dropped"
        ),
        estimate_contrast(confirmed, is_kept, clusters, evaluation=NAME, name="filter_gain"),
        *_agreement([sample[p] for p in inside], [checked[p] for p in inside]),
        estimate_cohen_kappa(
            [one.matching for one in judged],
            [one.matching is one.confirmed for one in judged],
            evaluation=NAME,
            name="filter_agreement",
        ),
        estimate_mean(
            [one.confidence for one in kept], evaluation=NAME, name="label_confidence", within=(0.0, 1.0), unit="probability"
        ),
    ]
    if any(one.relevance is not None for one in kept):
        relevance = [one.relevance for one in kept]
        estimates.append(estimate_mean(relevance, evaluation=NAME, name="relevance", within=(0.0, 1.0), unit="probability"))
    return estimates


def _confirmed(candidate: Candidate, said: Sequence[bool | None]) -> bool | None:
    """Whether more judges are for the label than against it; None where none judged, or as many on either side."""
    for_it = sum(one is candidate.matching for one in said if one is not None)
    against = sum(one is not candidate.matching for one in said if one is not None)
    return None if for_it == against else for_it > against


def _agreement(items: Sequence[Candidate], checked: Sequence[Sequence[bool | None]]) -> list[Estimate]:
    labels = [one.matching for one in items]
    several = max((len(said) for said in checked), default=0) > 1
    found: list[Estimate] = []
    if several:
        found.append(estimate_fleiss_kappa(checked, evaluation=NAME, name="judges_kappa"))
    majority = [
        None if (yes := _confirmed(one, said)) is None else one.matching is yes for one, said in zip(items, checked, strict=True)
    ]
    found.append(estimate_cohen_kappa(labels, majority, evaluation=NAME, name="label_kappa"))
    return found
