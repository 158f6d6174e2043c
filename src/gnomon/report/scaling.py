"""The scaling curve: a measurement with its interval against the size of the model."""

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from gnomon.report import numbers
from gnomon.report.figure import Chart, Figure, Row, lines_with_bars, make_figure, measured, series_colour
from gnomon.stats.estimate import Estimate


class SizedReading(NamedTuple):
    """One point of a scaling curve.

    Attributes:
        series: Which line it belongs to.
        model: The model's name.
        size: Its parameters, or another positive measure of scale.
        estimate: What was measured.
    """

    series: str
    model: str
    size: float
    estimate: Estimate


def scaling_curves(
    readings: Sequence[SizedReading],
    *,
    name: str,
    title: str,
    y_title: str,
    x_title: str = "parameters",
    caption: str = "",
    chance: float | None = None,
) -> Figure | None:
    """Lines over a logarithmic axis of sizes, one per series, with 95 % intervals.

    Args:
        readings: The points; those without a value are left out.
        name: File name.
        title: Heading.
        y_title: What is measured.
        x_title: What the sizes are.
        caption: What to see in it.
        chance: Where a dashed line marks guessing.

    Returns:
        The figure; None where nothing was measured.
    """
    rows: list[Row] = [
        {"series": one.series, "model": one.model, "size": one.size, **measured(one.estimate)}
        for one in readings
        if one.estimate.value is not None
    ]
    if not rows:
        return None
    labels = list(dict.fromkeys(row["series"] for row in rows))
    rates = all(row["low"] >= 0 and row["high"] <= 1 for row in rows)

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=rows))
        x = alt.X(
            "size:Q",
            title=x_title,
            scale=alt.Scale(type="log", nice=False, padding=12),
            axis=alt.Axis(format="~s", tickCount=4 if narrow else 6),
        )
        scale = alt.Scale(domain=[0, 1]) if rates else alt.Scale(zero=False, padding=8)
        y = alt.Y("value:Q", title=y_title, scale=scale, axis=alt.Axis(tickCount=5))
        layers = lines_with_bars(base, x, y, series_colour("series:N", labels))
        if chance is not None:
            guess = alt.Chart(alt.Data(values=[{"y": chance}]))
            layers.insert(0, guess.mark_rule(strokeDash=[4, 4], opacity=0.6).encode(y="y:Q"))
        return alt.layer(*layers).properties(width=min(width, 400), height=min(width, 400) * 0.7)

    described = "; ".join(f"{row['series']}, {row['model']}: {numbers.number(row['value'])}" for row in rows)
    dashed = " Dashed: guessing." if chance is not None else ""
    text = f"{caption} Bars: 95 % intervals.{dashed}".strip()
    return make_figure(name, title, text, f"{title}. {described}.", draw, rows)
