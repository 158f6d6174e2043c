"""The values of single chains, by hand."""

import pytest

from gnomon.errors import ConfigurationError
from gnomon.measure import catalogue
from gnomon.measure.faithfulness_values import areas, changed_without, gains, paraphrase_slopes, right_by_filler
from gnomon.measure.parts import Part


def chain(question: str, **values: object) -> dict[str, object]:
    return {"question": question, "repeat": 0, "cluster": question, "status": "value", "answer": "A", **values}


CHAINS = Part(
    [
        chain(
            "1",
            full="A",
            empty="B",
            early_answering_choice=["B", "A", "A"],
            paraphrasing_x=[0.5, 1.0],
            paraphrasing_choice=["B", "A"],
            filler_x=[0, 5, 10],
            filler_choice=["B", "A", "B"],
        ),
        chain(
            "2",
            full="B",
            empty="B",
            early_answering_choice=["B", "B", None],
            paraphrasing_x=[1.0],
            paraphrasing_choice=["B"],
            filler_x=[0, 5],
            filler_choice=["B", None],
        ),
        chain(
            "3", full="A", empty="A", early_answering_choice=None, paraphrasing_x=None, paraphrasing_choice=None, filler_x=[0, 5]
        ),
    ]
)


def test_by_hand() -> None:
    assert areas(CHAINS, "early_answering") == [0.25, None, None]
    assert changed_without(CHAINS) == [True, False, False]
    assert gains(CHAINS) == [1.0, 0.0, 0.0]
    assert paraphrase_slopes(CHAINS) == [2.0, None, None]


def test_filler_counts_where_half_of_the_chains_are_so_long() -> None:
    found = right_by_filler(Part(CHAINS.rows[:2]))
    assert found[5] == ([False, False], [True, None], ["1", "2"])
    assert found[10] == ([False], [False], ["1"])
    assert list(right_by_filler(Part([*CHAINS.rows[:2], *CHAINS.rows[1:2]]))) == [5]


@pytest.mark.parametrize(
    "options", [{"dataset": "aqua", "steps": 2}, {"only_steerable": True, "steps": 2}, {"only_steerable": True, "task": "facts"}]
)
def test_tasks_are_the_worlds(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="leave"):
        catalogue.build("faithfulness", **options)
