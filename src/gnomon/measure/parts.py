"""The parts of a record table: each condition's records, in one order, and those of two conditions side by side.

An item's id is `<part>:<question>`, so that even the record of a failed item, which has no values, belongs to its condition
and counts in its coverage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from gnomon.errors import DatasetError

Values = list[Any]
"""One value per record; None where it was not measured."""


def part_id(part: str, question: str) -> str:
    """The id of the item that asks a question in a condition."""
    return f"{part}:{question}"


@dataclass(frozen=True)
class Part:
    """The records of one condition, sorted by question and repeat.

    Attributes:
        rows: What each record holds, `question` and `repeat` included.
    """

    rows: Sequence[dict[str, Any]]

    @property
    def clusters(self) -> list[str]:
        """The cluster of each record."""
        return [row["cluster"] for row in self.rows]

    @property
    def keys(self) -> list[tuple[str, int]]:
        """Question and repeat of each record."""
        return [(row["question"], row["repeat"]) for row in self.rows]

    def __getitem__(self, column: str) -> Values:
        """A column's values; None where the record is not scored."""
        return [row.get(column) if row["status"] == "value" else None for row in self.rows]

    def even_unscored(self, column: str) -> Values:
        """A column's values, those of unscored records included where the protocol got that far."""
        return [row.get(column) for row in self.rows]

    def beside(self, other: "Part") -> tuple["Part", "Part"]:
        """Both conditions over the questions and repeats that either has; what one lacks is there as unscored."""
        mine, theirs = dict(zip(self.keys, self.rows, strict=True)), dict(zip(other.keys, other.rows, strict=True))
        keys = sorted(mine.keys() | theirs.keys())

        def row(of: dict[tuple[str, int], dict[str, Any]], key: tuple[str, int]) -> dict[str, Any]:
            given = mine.get(key) or theirs[key]
            lacking = {"question": key[0], "repeat": key[1], "cluster": given["cluster"], "status": "unscored"}
            return of.get(key, lacking)

        return Part([row(mine, key) for key in keys]), Part([row(theirs, key) for key in keys])


def part(table: pl.DataFrame, name: str) -> Part:
    """The records of one part.

    Raises:
        DatasetError: Two records of one item and repeat, which would count twice.
    """
    rows = [
        {**row, "question": row["item"].partition(":")[2]}
        for row in table.filter(pl.col("item").str.starts_with(f"{name}:")).sort("item", "repeat").iter_rows(named=True)
    ]
    for row, following in pairwise(rows):
        if (row["item"], row["repeat"]) == (following["item"], following["repeat"]):
            raise DatasetError(
                f"the table has two records of the item {row['item']!r}, repeat {row['repeat']}; leave each in once"
            )
    return Part(rows)


def where(values: Values, eligible: Values, clusters: list[str]) -> tuple[Values, list[str]]:
    """The values of the eligible records, with their clusters.

    A record of which it is not known whether it is eligible stays in, without a value: it lowers coverage and widens the
    worst-case bounds, and never leaves the denominator silently.
    """
    kept = [place for place, fits in enumerate(eligible) if fits is not False]
    return [values[place] if eligible[place] else None for place in kept], [clusters[place] for place in kept]
