"""What callers give (a path, options, a model, whether to show progress), made into what the layers take."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gnomon.errors import ConfigurationError, Unsupported, complaint
from gnomon.models.references import open_model

if TYPE_CHECKING:
    from pydantic import BaseModel

    from gnomon.models.local import LocalModel
    from gnomon.models.model import Model
    from gnomon.run.progress import Progress
    from gnomon.train.bars import TrainingBar

Settings = Mapping[str, Any]

M = TypeVar("M", bound="BaseModel")


def path_of(out: Path | str | None) -> Path | None:
    """A path, where one is given."""
    return None if out is None else Path(out)


def configured(kind: "type[M]", options: Settings) -> "M":
    """A configuration model from options.

    Raises:
        ConfigurationError: The model's complaint in one sentence.
    """
    from pydantic import ValidationError

    try:
        return kind(**options)
    except ValidationError as error:
        raise ConfigurationError(complaint(error, "setting", kind.model_fields)) from None


def trainable(model: "str | Model") -> "LocalModel":
    """The model of a reference, where its weights are here.

    Raises:
        Unsupported: It has none.
    """
    from gnomon.models.local import LocalModel

    opened = open_model(model)
    if not isinstance(opened, LocalModel):
        raise Unsupported(f"{opened.reference} has no weights to train: give an organism/... or local/... model")
    return opened


def progress_of(wanted: bool) -> "Progress | None":
    """A bar on standard error, where wanted."""
    if not wanted:
        return None
    from gnomon.run.progress import RichProgress

    return RichProgress()


def training_bar_of(wanted: bool) -> "TrainingBar | None":
    """A bar of training steps on standard error, where wanted."""
    if not wanted:
        return None
    from gnomon.train.bars import TrainingBar

    return TrainingBar()
