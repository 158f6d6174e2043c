"""The trade-off plot: two measurements of several methods against each other, each with its interval."""

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from gnomon.report import numbers
from gnomon.report.figure import Chart, Figure, Row, make_figure, series_colour
from gnomon.report.palette import LIGHT
from gnomon.stats.estimate import Estimate


class Traded(NamedTuple):
    """A method's two measurements.

    Attributes:
        method: Its name.
        x: The one (None: the method has none, it is drawn as a line at its y).
        y: The other.
    """

    method: str
    x: Estimate | None
    y: Estimate


def tradeoff(points: Sequence[Traded], *, name: str, title: str, x_title: str, y_title: str, caption: str = "") -> Figure | None:
    """One cross of intervals per method; methods with one measurement only are dashed lines.

    Args:
        points: The methods; those of which a measurement has no value are left out.
        name: File name.
        title: Heading.
        x_title: What x is.
        y_title: What y is.
        caption: What to see in it.

    Returns:
        The figure; None where no method has both.
    """
    rows: list[Row] = [_row(one.method, one.x, one.y) for one in points if one.x and _known(one.x) and _known(one.y)]
    lines: list[Row] = [{"method": one.method, "y": one.y.value} for one in points if one.x is None and _known(one.y)]
    if not rows:
        return None
    labels = [row["method"] for row in rows]
    ends = [float(end) for row in rows for end in (row["y_low"], row["y_high"])] + [float(line["y"]) for line in lines]
    domain = [min(0.0, *ends), max(1.0, *ends)]

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=rows))
        x = alt.X("x:Q", title=x_title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
        y = alt.Y("y:Q", title=y_title, scale=alt.Scale(domain=domain), axis=alt.Axis(tickCount=5))
        colour = series_colour("method:N", labels)
        layers: list[alt.Chart] = [
            base.mark_rule(strokeWidth=1.5).encode(x="x_low:Q", x2="x_high:Q", y=y, color=colour),
            base.mark_rule(strokeWidth=1.5).encode(x=x, y="y_low:Q", y2="y_high:Q", color=colour),
            base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=colour),
        ]
        if lines:
            anchors = alt.Chart(alt.Data(values=lines))
            layers.append(anchors.mark_rule(strokeDash=[4, 4], color=LIGHT["muted"]).encode(y="y:Q"))
            layers.append(
                anchors.mark_text(align="right", dy=-6, fontSize=12, color=LIGHT["muted"]).encode(
                    y="y:Q", x=alt.value(min(width, 400)), text="method:N"
                )
            )
        return alt.layer(*layers).properties(width=min(width, 400), height=min(width, 400) * 0.7)

    described = "; ".join(
        f"{row['method']}: {x_title} {numbers.number(row['x'])}, {y_title} {numbers.number(row['y'])}" for row in rows
    )
    text = f"{caption} Bars: 95 % intervals.".strip()
    return make_figure(name, title, text, f"{title}. {described}.", draw, [*rows, *lines])


def _known(estimate: Estimate) -> bool:
    return estimate.value is not None


def _row(method: str, x: Estimate, y: Estimate) -> Row:
    ends = {"x": x.value, "x_low": x.low, "x_high": x.high, "y": y.value, "y_low": y.low, "y_high": y.high}
    return {"method": method, **ends}
