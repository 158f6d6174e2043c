"""Model references: `scheme/rest` strings, opened by whoever registered the scheme."""

from importlib.metadata import entry_points

from gnomon.errors import UnknownModel
from gnomon.models.extras import needing_extras
from gnomon.models.model import Model

GROUP = "gnomon.models"


def schemes() -> list[str]:
    """The registered schemes, sorted: `inspect`, `local`, `organism`, `scripted` and those of installed plug-ins."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def open_model(reference: str | Model) -> Model:
    """Opens a model.

    Args:
        reference: `local/<directory or hub id>`, `organism/<name or directory>`, `scripted/<policy>?<parameters>`,
            `inspect/<provider>/<model>`, or a model that is already open (given back as it is).

    Raises:
        UnknownModel: No such scheme, or nothing of that name in it.
        UnsafeWeights: The weights cannot be loaded without running code.
        MissingExtra: The scheme needs an optional dependency.
    """
    if not isinstance(reference, str):
        return reference
    scheme, slash, rest = reference.partition("/")
    points = {point.name: point for point in entry_points(group=GROUP)}
    if not slash or not rest or scheme not in points:
        raise UnknownModel(
            f"{reference!r} is not a model reference: write one of "
            + ", ".join(f"{name}/..." for name in sorted(points))
            + f" (for a directory: local/{reference})"
        )
    with needing_extras():
        opener = points[scheme].load()
    return opener(rest)
