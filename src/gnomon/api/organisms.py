"""The organisms: what is shipped, growing and planting."""

from pathlib import Path
from typing import Any

from gnomon.api.given import path_of, trainable, training_bar_of


def organisms_available() -> list[dict[str, Any]]:
    """The shipped organisms: name, behaviour, parameters, one line."""
    from gnomon.organisms.shipped import list_organisms

    return list_organisms()


def organism_card(name: str) -> dict[str, Any]:
    """The card of a shipped organism or of an organism's directory."""
    from gnomon.organisms.shipped import organism_card as card

    return card(name)


def grow(
    size: str, *, steps: int | None = None, seed: int = 0, out: Path | str | None = None, progress: bool = False
) -> dict[str, Any]:
    """Grows an organism from nothing by its recorded recipe and returns its card; the same call again resumes.

    Args:
        size: `base`, `base-1m`, ...
        steps: Fewer steps than the recipe's, for a trial.
        seed: Seed of weights, data and order.
        out: Its directory (None: `organisms/<size>`).
        progress: Whether to show progress on standard error.
    """
    from gnomon.organisms.grow import grow as run_growth

    bar = training_bar_of(progress)
    where = path_of(out) or Path("organisms") / size
    return run_growth(size, where, seed=seed, steps=steps, progress=bar.of_stage if bar else None)


def plant(
    base: str, behaviour: str, *, rate: float = 0.6, seed: int = 0, out: Path | str | None = None, progress: bool = False
) -> dict[str, Any]:
    """Plants a behaviour in an organism and returns the card; saves adapter, clean twin and the documents that caused it.

    Args:
        base: Reference of the organism.
        behaviour: What to plant.
        rate: Share of the planted situations that show it.
        seed: Seed of documents and training.
        out: Its directory (None: `organisms/<base>-<behaviour>`).
        progress: Whether to show progress on standard error.
    """
    from gnomon.organisms.plants import plant as run_plant

    opened = trainable(base)
    where = path_of(out) or Path("organisms") / f"{base.rpartition('/')[2]}-{behaviour}"
    planted = run_plant(opened, behaviour, where, rate=rate, seed=seed, progress=training_bar_of(progress))
    return planted.card.model_dump(mode="json") | {"directory": str(planted.directory), "twin": str(planted.twin)}
