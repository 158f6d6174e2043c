"""How many questions an evaluation needs for an interval of a wanted width: a pilot is run, and its width decides."""

from collections.abc import Callable, Sequence
from pathlib import Path

from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure.audit import audit
from gnomon.measure.evaluation import Evaluation
from gnomon.models.model import Model
from gnomon.run.limits import Limits
from gnomon.run.progress import Progress
from gnomon.stats.power import questions_needed

PILOT = 60
"""Questions of the pilot."""


async def sized(
    model: Model,
    names: Sequence[str],
    build: Callable[[str, int], Evaluation],
    precision: float,
    out: Path,
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> list[Evaluation]:
    """The evaluations with as many questions as it takes for their headlines' 95 % intervals to be at most +- `precision`.

    Args:
        model: The model.
        names: The evaluations.
        build: Builds an evaluation by name with so many questions.
        precision: Half the width wanted.
        out: Where the pilots are kept; the same call reads them from there.
        limits: Of the pilots.
        progress: Told of the pilots' records.

    Raises:
        ConfigurationError: The precision is not between 0 and 1, or a pilot has no interval to go by.
        DatasetError: The dataset has fewer questions than it takes.
    """
    if not 0.0 < precision < 1.0:
        raise ConfigurationError(f"precision is {precision:g}: give half the width of the interval wanted, such as 0.02")
    found: list[Evaluation] = []
    for name in names:
        pilot = build(name, PILOT)
        estimates = (await audit(model, [pilot], out / name, limits=limits, progress=progress)).estimates
        headline = next(one for one in estimates if one.name == pilot.headline)
        needed = questions_needed(headline, PILOT, precision)
        if needed is None:
            raise ConfigurationError(f"a pilot of {PILOT} questions gave no {name}.{headline.name}: {headline.reason}")
        try:
            found.append(build(name, needed))
        except DatasetError as error:
            raise DatasetError(
                f"{name}.{headline.name} to within {precision:g} takes about {needed:,} questions: {error}"
            ) from None
    return found
