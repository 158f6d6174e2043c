"""Opens organisms by name: those shipped with the package, and those in directories."""

from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.errors import UnknownModel
from gnomon.organisms.cards import card_of, summary

if TYPE_CHECKING:
    from gnomon.models.local import LocalModel

SCHEME = "organism/"


def weights_directory() -> Path:
    """Where the shipped organisms lie."""
    return Path(str(resources.files("gnomon.organisms").joinpath("shipped_weights")))


def names() -> list[str]:
    """The names of all shipped organisms, sorted."""
    root = weights_directory()
    return sorted(path.parent.name for path in root.glob("*/card.json")) if root.is_dir() else []


def list_organisms() -> list[dict[str, Any]]:
    """One entry per shipped organism: name, kind, behaviour, rate, parameters, description."""
    return [summary(name, card_of(weights_directory() / name)) for name in names()]


def organism_card(name: str) -> dict[str, Any]:
    """The card of a shipped organism or of an organism's directory; `organism/` before it is allowed.

    Raises:
        UnknownModel: No such organism.
    """
    return card_of(find(name.removeprefix(SCHEME)))


def find(name: str) -> Path:
    """The directory of an organism: a shipped name, else a path.

    Raises:
        UnknownModel: Neither.
    """
    if name in names() or name.removesuffix("/twin") in names():  # a plant keeps its clean twin under it
        return weights_directory() / name
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    known = ", ".join(names()) or "none"
    raise UnknownModel(f"there is no organism {name!r}: choose a shipped one ({known}) or give the directory of another")


def open_organism(rest: str) -> "LocalModel":
    """Opens `<name or directory>[?dtype=...&device=...&batch_tokens=...]`; a plant is its base with the adapter merged.

    Raises:
        UnknownModel: No such organism, or a plant whose base is not there.
        UnsafeWeights: The directory's weights cannot be loaded without running code.
    """
    from gnomon.models.local import LocalModel, open_local

    name, _, options = rest.partition("?")
    directory = find(name)
    if (directory / "adapter_config.json").is_file():
        from gnomon.organisms.plants import planted

        base = card_of(directory)["base"].removeprefix(SCHEME).partition("?")[0]
        opened = planted(directory, open_organism(f"{base}?{options}".rstrip("?")))
    else:
        opened = open_local(f"{directory}?{options}".rstrip("?"))
    details = {**opened.card.details, "organism": card_of(directory)}
    card = replace(opened.card, reference=f"{SCHEME}{rest}", kind="organism", details=details)
    return LocalModel(opened.module, opened.tokenizer, f"{SCHEME}{rest}", opened.fingerprint, card=card)
