"""Record tables: from records to one typed polars frame, the same whatever the order in which the records came about."""

import io
from collections.abc import Sequence
from itertools import chain
from typing import Any, cast

import polars as pl

from gnomon.errors import GnomonError
from gnomon.run.record import Record
from gnomon.run.values import BASE_COLUMNS

_BASE: dict[str, pl.DataType] = dict(
    zip(BASE_COLUMNS, (pl.String(), pl.String(), pl.Int64(), pl.String(), pl.String()), strict=True)
)
_KINDS: dict[frozenset[type], pl.DataType] = {
    frozenset[type](): pl.Null(),
    frozenset({bool}): pl.Boolean(),
    frozenset({int}): pl.Int64(),
    frozenset({float}): pl.Float64(),
    frozenset({int, float}): pl.Float64(),
    frozenset({str}): pl.String(),
}


def record_table(records: Sequence[Record]) -> pl.DataFrame:
    """The table of one evaluation's records, in their order.

    Returns:
        Columns `item, cluster, repeat, status, reason`, then one per value in the order of first appearance; null where a
        record has no such value. Lists become list columns.

    Raises:
        GnomonError: A value is a text in one record and a number in another.
    """
    columns: dict[str, list[Any]] = {name: [getattr(record, name) for record in records] for name in BASE_COLUMNS}
    named = dict.fromkeys(chain.from_iterable(record.values for record in records))
    columns |= {name: [record.values.get(name) for record in records] for name in named}
    types = _BASE | {name: _type_of(name, columns[name]) for name in named}
    return pl.DataFrame(columns, schema=types, strict=False)


def as_parquet(table: pl.DataFrame) -> bytes:
    """The table as a parquet file; equal tables give equal bytes."""
    buffer = io.BytesIO()
    table.rechunk().write_parquet(buffer, compression="zstd", compression_level=3)
    return buffer.getvalue()


def _type_of(name: str, values: Sequence[Any]) -> pl.DataType:
    lists = [cast("list[Any]", value) for value in values if isinstance(value, list)]
    if lists:
        inner = list(chain.from_iterable(lists))
        if any(value is not None and not isinstance(value, list) for value in values):
            raise GnomonError(f"the value {name!r} is a list in some records and none in others; it must be one or the other")
        return pl.List(_type_of(name, inner))
    kinds: frozenset[type] = frozenset(type(value) for value in cast("Sequence[object]", values) if value is not None)
    if kinds not in _KINDS:
        mixed = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise GnomonError(f"the value {name!r} is {mixed} in different records; it must have one type")
    return _KINDS[kinds]
