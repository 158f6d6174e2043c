"""Histograms of shares or probabilities, one colour per group."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np

from gnomon.report import numbers
from gnomon.report.figure import Chart, Figure, Row, make_figure, series_colour

BINS = 10


def histogram(
    values: Mapping[str, Sequence[float]], *, name: str, title: str, x_title: str, caption: str = "", bins: int = BINS
) -> Figure | None:
    """The distribution of numbers between 0 and 1 in each group, as shares of the group, side by side.

    Args:
        values: By group; empty groups are left out.
        name: File name.
        title: Heading.
        x_title: What the numbers are.
        caption: What to see in it.
        bins: Number of equally wide bins.

    Returns:
        The figure; None where there is nothing to draw.
    """
    groups = [group for group, found in values.items() if len(found)]
    rows: list[Row] = []
    for group in groups:
        counts, edges = np.histogram(np.asarray(values[group], dtype=np.float64), bins=bins, range=(0.0, 1.0))
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
            share = float(count / len(values[group]))
            rows.append({"group": group, "low": float(low), "high": float(high), "share": share, "count": int(count)})
    if not rows:
        return None

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=[row | {"bin": f"{row['low']:.1f}"} for row in rows]))
        return (
            base.mark_bar()
            .encode(
                x=alt.X("bin:O", title=f"{x_title}, from", axis=alt.Axis(labelAngle=0)),
                xOffset=alt.XOffset("group:N", sort=groups),
                y=alt.Y("share:Q", title="share of the group", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5)),
                color=series_colour("group:N", groups),
            )
            .properties(width=min(width, 400), height=min(width, 400) * 0.6)
        )

    means = "; ".join(f"{group}: mean {numbers.number(float(np.mean(np.asarray(values[group]))))}" for group in groups)
    return make_figure(
        name, title, caption or "Bars: the share of each group in bins of one tenth.", f"{title}. {means}.", draw, rows
    )
