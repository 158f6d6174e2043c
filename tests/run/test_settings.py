"""Several values written as one text."""

from typing import Literal

import pytest
from pydantic import ValidationError

from gnomon.run.settings import Settings


class Told(Settings):
    names: tuple[str, ...] = ("a",)
    shares: tuple[float, ...] = ()
    sizes: tuple[Literal["small", "large"], ...] = ()
    text: str = ""


def test_a_text_is_several_values_where_several_are_taken() -> None:
    assert Told.model_validate({"names": "x, y", "shares": "0.5,1", "sizes": "large", "text": "x, y"}) == Told(
        names=("x", "y"), shares=(0.5, 1.0), sizes=("large",), text="x, y"
    )
    assert Told.model_validate({"names": ["x,y"]}).names == ("x,y",)
    assert Told.model_validate(Told(names=("x",))).names == ("x",)


@pytest.mark.parametrize("given", [{"sizes": "small,huge"}, {"shares": "0.5,much"}, {"nothing": "x"}, {"names": 3}])
def test_what_does_not_fit_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Told.model_validate(given)
