"""What pydantic has to say, as part of one sentence."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from gnomon.errors import complaint


class Point(BaseModel):
    x: int


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    points: list[Point] = []
    round: bool = False

    @model_validator(mode="after")
    def _check(self) -> "Shape":
        if self.round and self.points:
            raise ValueError("What is round has no points")
        return self


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"points": [{"x": 1}, {"x": "far"}]}, "points.1.x: input should be a valid integer, unable to parse"),
        ({"points": [{}]}, "points.0.x: field required"),
        ({"colour": "red"}, "there is no option 'colour'; choose from points, round"),
        ({"round": True, "points": [{"x": 1}]}, "what is round has no points"),
    ],
)
def test_the_first_complaint_names_its_field(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Shape(**given)
    assert complaint(caught.value, "option", Shape.model_fields).startswith(says)


def test_a_field_too_many_without_fields_to_choose_from() -> None:
    with pytest.raises(ValidationError) as caught:
        Shape(colour="red")  # type: ignore[call-arg]
    assert complaint(caught.value) == "there is no field 'colour'"
