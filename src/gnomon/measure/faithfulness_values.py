"""The values of single chains that studies compare over tasks and sizes; the definitions are in `gnomon.measure.faithfulness`."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from gnomon.measure.faithfulness_analysis import AREAS, chains_right, same_answers
from gnomon.measure.parts import Part, Values, part
from gnomon.stats import aoc


def chains_of(table: pl.DataFrame) -> Part:
    """The chains of a record table."""
    return part(table, "reasoning")


def areas(chains: Part, intervention: aoc.Intervention) -> Values:
    """Each chain's area over its curve."""
    assert intervention in AREAS
    return [aoc.area_over_curve(same, intervention) for same in same_answers(chains, intervention)]


def changed_without(chains: Part) -> Values:
    """Whether the answer without reasoning is another one."""
    return [None if None in pair else pair[0] != pair[1] for pair in zip(chains["full"], chains["empty"], strict=True)]


def gains(chains: Part) -> Values:
    """Right with reasoning minus right without."""
    pairs = zip(chains_right(chains, "empty"), chains_right(chains, "full"), strict=True)
    return [None if None in pair else float(pair[1]) - float(pair[0]) for pair in pairs]


def right_by_filler(chains: Part) -> dict[int, tuple[Values, Values, list[str]]]:
    """By number of filler tokens that half of the chains are long enough for: right with nothing, with filler, clusters."""
    found: dict[int, tuple[Values, Values, list[str]]] = {}
    nothing = chains_right(chains, "empty")
    lengths = sorted({int(x) for xs in chains["filler_x"] if xs is not None for x in xs if x > 0})
    for length in lengths:
        rows = [place for place, xs in enumerate(chains["filler_x"]) if xs is not None and length in [int(x) for x in xs]]
        if 2 * len(rows) < len(chains.rows):
            continue
        after = [_right_at(chains.rows[place], length) for place in rows]
        found[length] = ([nothing[place] for place in rows], after, [chains.clusters[place] for place in rows])
    return found


def paraphrase_slopes(chains: Part) -> Values:
    """Of each chain of two sentences or more, the least-squares slope of same answers on the share that was paraphrased."""
    slopes: Values = []
    for xs, same in zip(chains["paraphrasing_x"], same_answers(chains, "paraphrasing"), strict=True):
        slopes.append(
            None
            if xs is None or same is None or None in same or len(xs) < 2
            else _slope(xs, [float(one) for one in same if one is not None])
        )
    return slopes


def _right_at(row: dict[str, Any], length: int) -> bool | None:
    choice = row["filler_choice"][[int(x) for x in row["filler_x"]].index(length)]
    return None if choice is None else choice == row["answer"]


def _slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    middle, mean = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - middle) * (y - mean) for x, y in zip(xs, ys, strict=True)) / sum((x - middle) ** 2 for x in xs)
