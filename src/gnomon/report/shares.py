"""A measurement with its interval against a share from 0 to 1: how much of something was given."""

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from gnomon.report import numbers
from gnomon.report.figure import Chart, Figure, Row, lines_with_bars, make_figure, measured, series_colour
from gnomon.stats.estimate import Estimate


class ShareReading(NamedTuple):
    """One point.

    Attributes:
        series: Which line it belongs to.
        share: 0 to 1.
        estimate: What was measured.
    """

    series: str
    share: float
    estimate: Estimate


def share_curves(
    readings: Sequence[ShareReading], *, name: str, title: str, x_title: str, y_title: str, caption: str = ""
) -> Figure | None:
    """Lines over a linear axis of shares, one per series, with 95 % intervals.

    Args:
        readings: The points; those without a value are left out.
        name: File name.
        title: Heading.
        x_title: What the shares are of.
        y_title: What is measured, between 0 and 1.
        caption: What to see in it.

    Returns:
        The figure; None where nothing was measured.
    """
    rows: list[Row] = [
        {"series": one.series, "share": one.share, **measured(one.estimate)} for one in readings if one.estimate.value is not None
    ]
    if not rows:
        return None
    labels = list(dict.fromkeys(row["series"] for row in rows))

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=rows))
        x = alt.X("share:Q", title=x_title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
        y = alt.Y("value:Q", title=y_title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
        layers = lines_with_bars(base, x, y, series_colour("series:N", labels))
        return alt.layer(*layers).properties(width=min(width, 400), height=min(width, 400) * 0.7)

    described = "; ".join(f"{row['series']} at {row['share']:g}: {numbers.number(row['value'])}" for row in rows)
    return make_figure(name, title, f"{caption} Bars: 95 % intervals.".strip(), f"{title}. {described}.", draw, rows)
