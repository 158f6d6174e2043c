"""The shapes of the verbs' results, by which the terminal's tables know them without knowing the verbs."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gnomon.stats.estimate import Estimate


class Decided(Protocol):
    """A gate."""

    @property
    def condition(self) -> str: ...  # noqa: D102
    @property
    def passed(self) -> bool: ...  # noqa: D102
    @property
    def because(self) -> str: ...  # noqa: D102


class Audited(Protocol):
    """What an audit or an analysis gives."""

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def estimates(self) -> Sequence[Estimate]: ...  # noqa: D102
    @property
    def unscored(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def run(self) -> str: ...  # noqa: D102
    @property
    def smallest_effects(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def comparison(self) -> "Comparisons | None": ...  # noqa: D102
    @property
    def gates(self) -> Sequence[Decided]: ...  # noqa: D102


class Compared(Protocol):
    """One estimate in two runs."""

    @property
    def before(self) -> Estimate: ...  # noqa: D102
    @property
    def after(self) -> Estimate: ...  # noqa: D102
    @property
    def difference(self) -> Estimate: ...  # noqa: D102
    @property
    def p_adjusted(self) -> float | None: ...  # noqa: D102
    @property
    def change(self) -> str: ...  # noqa: D102


class Comparisons(Protocol):
    """What a comparison of two runs gives."""

    @property
    def before(self) -> str: ...  # noqa: D102
    @property
    def after(self) -> str: ...  # noqa: D102
    @property
    def comparisons(self) -> Sequence[Compared]: ...  # noqa: D102
    @property
    def left_out(self) -> Mapping[str, str]: ...  # noqa: D102


class Looped(Protocol):
    """What a loop gives."""

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def behaviour(self) -> str: ...  # noqa: D102
    @property
    def before(self) -> Estimate: ...  # noqa: D102
    @property
    def after(self) -> Estimate: ...  # noqa: D102
    @property
    def difference(self) -> Estimate: ...  # noqa: D102
    @property
    def verdict(self) -> str: ...  # noqa: D102
    @property
    def because(self) -> str: ...  # noqa: D102
    @property
    def side_effects(self) -> Sequence[Compared]: ...  # noqa: D102
    @property
    def report(self) -> str: ...  # noqa: D102
