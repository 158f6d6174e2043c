"""Readings side by side: one point with its interval per label, such as accuracy by condition."""

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from gnomon.report import numbers
from gnomon.report.figure import Chart, Figure, Row, make_figure, measured, series_colour
from gnomon.report.palette import LIGHT
from gnomon.stats.estimate import Estimate


class LabelledReading(NamedTuple):
    """One reading.

    Attributes:
        label: Where on the axis.
        estimate: What was measured.
        series: Which model or condition it belongs to, where there are several.
    """

    label: str
    estimate: Estimate
    series: str = ""


def labelled_bars(
    readings: Sequence[LabelledReading],
    *,
    name: str,
    title: str,
    y_title: str,
    caption: str = "",
    reference: float | None = None,
    reference_says: str = "",
) -> Figure | None:
    """Points with 95 % intervals over labels, one colour per series.

    Args:
        readings: The points, in the order of the axis; those without a value are left out.
        name: File name.
        title: Heading.
        y_title: What is measured.
        caption: What to see in it.
        reference: Where a dashed line goes.
        reference_says: What it marks.

    Returns:
        The figure; None where nothing was measured.
    """
    rows: list[Row] = [
        {"label": one.label, "series": one.series, **measured(one.estimate)} for one in readings if one.estimate.value is not None
    ]
    if not rows:
        return None
    labels = list(dict.fromkeys(row["label"] for row in rows))
    names = list(dict.fromkeys(row["series"] for row in rows))

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=rows))
        y = alt.Y("label:N", sort=labels, title=None, axis=alt.Axis(labelLimit=150 if narrow else 220))
        ends = [end for row in rows for end in (row["low"], row["high"])] + ([reference] if reference is not None else [])
        scale = alt.Scale(domain=[min(ends), max(ends)], nice=True, zero=False)
        x = alt.X("value:Q", title=y_title, scale=scale, axis=alt.Axis(tickCount=5))
        offset = alt.YOffset("series:N", sort=names)
        colour = series_colour("series:N", names)
        bars = base.mark_rule(strokeWidth=2).encode(y=y, x=alt.X("low:Q", title=y_title, scale=scale), x2="high:Q", color=colour)
        dots = base.mark_point(filled=True, size=60, opacity=1).encode(y=y, x=x, color=colour)
        if len(names) > 1:
            bars, dots = bars.encode(yOffset=offset), dots.encode(yOffset=offset)
        layers: list[alt.Chart] = [bars, dots]
        if reference is not None:
            line = alt.Chart(alt.Data(values=[{"x": reference}]))
            layers.insert(0, line.mark_rule(color=LIGHT["muted"], strokeDash=[4, 4]).encode(x="x:Q"))
        height = len(labels) * (22 + 10 * len(names))
        return alt.layer(*layers).properties(width=max(120, width - (120 if narrow else 160)), height=height)

    described = "; ".join(
        f"{' '.join(filter(None, (row['series'], row['label'])))}: {numbers.number(row['value'])}" for row in rows
    )
    dashed = f" Dashed: {reference_says}." if reference is not None and reference_says else ""
    text = f"{caption} Bars: 95 % intervals.{dashed}".strip()
    return make_figure(name, title, text, f"{title}. {described}.", draw, rows)
