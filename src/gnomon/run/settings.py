"""Configurations as a command line writes them."""

from typing import Any, cast, get_origin

from pydantic import BaseModel, ConfigDict, model_validator


class Settings(BaseModel):
    """What a run can be told. A field that takes several values may be given as one text: `a,b`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        several = {name for name, field in cls.model_fields.items() if get_origin(field.annotation) is tuple}
        return {
            name: tuple(part.strip() for part in value.split(",")) if name in several and isinstance(value, str) else value
            for name, value in cast("dict[str, Any]", given).items()
        }
