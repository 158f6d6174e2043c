"""A figure as plain data: two Vega-Lite specifications and the rows that they draw, rendered without a network.

All styling is here; what each chart shows is in `figures`.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import altair as alt
import vl_convert
from pydantic import BaseModel, ConfigDict

from gnomon.report.palette import LIGHT, SERIES, with_variables
from gnomon.run.files import write_atomically
from gnomon.stats.estimate import Estimate

Row = dict[str, Any]
Chart = alt.Chart | alt.LayerChart | alt.FacetChart
Draw = Callable[[int, bool], Chart]
"""Draws at a width in pixels; the second argument says whether it is the narrow form."""

WIDE, NARROW = 440, 300
FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"  # of the same widths everywhere

_CLIP = re.compile(r"\bclip(\d+)\b")  # the renderer counts its clip paths over the whole process; ours are unique in a page


class Figure(BaseModel):
    """A chart ready to be rendered.

    Attributes:
        name: File name without ending.
        title: Its heading.
        caption: What to see in it and how it was made.
        alt: What it shows, in words, for those who cannot see it.
        wide: Vega-Lite specification for the page.
        narrow: The same for a phone.
        data: The rows that it draws.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    caption: str
    alt: str
    wide: dict[str, Any]
    narrow: dict[str, Any]
    data: list[Row]

    def svg(self, *, narrow: bool = False) -> str:
        """The chart as a stand-alone SVG in light colours."""
        svg = _rendered(json.dumps(self.narrow if narrow else self.wide))
        numbers = {number: str(place) for place, number in enumerate(dict.fromkeys(_CLIP.findall(svg)))}
        return _CLIP.sub(lambda found: f"{self.name}-{'narrow' if narrow else 'wide'}-clip{numbers[found[1]]}", svg)

    def inline_svg(self, *, narrow: bool = False) -> str:
        """The chart for the page: colours follow its theme."""
        return with_variables(self.svg(narrow=narrow))

    def csv(self) -> str:
        """The data as CSV; a missing value is an empty field."""
        columns = list(dict.fromkeys(key for row in self.data for key in row))
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.data)
        return buffer.getvalue()

    def save(self, folder: Path) -> None:
        """Writes `<name>.svg` and `<name>.csv`."""
        write_atomically(folder / f"{self.name}.svg", self.svg().encode())
        write_atomically(folder / f"{self.name}.csv", self.csv().encode())


@lru_cache(maxsize=64)
def _rendered(specification: str) -> str:
    """The SVG of a Vega-Lite specification; a report shows what it also saves, and rendering is what takes its time."""
    return vl_convert.vegalite_to_svg(json.loads(specification))


def make_figure(name: str, title: str, caption: str, described: str, draw: Draw, rows: list[Row]) -> Figure:
    """Draws both forms."""
    return Figure(
        name=name,
        title=title,
        caption=caption,
        alt=described,
        wide=_specification(draw(WIDE, False)),
        narrow=_specification(draw(NARROW, True)),
        data=rows,
    )


def _specification(chart: Chart) -> dict[str, Any]:
    styled = (
        chart.configure(background=LIGHT["paper"], font=FONT, padding=4)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=LIGHT["ink"],
            titleColor=LIGHT["muted"],
            gridColor=LIGHT["grid"],
            domainColor=LIGHT["line"],
            tickColor=LIGHT["line"],
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            titlePadding=8,
            labelPadding=6,
        )
        .configure_axisY(domain=False, ticks=False)
        .configure_legend(labelColor=LIGHT["ink"], titleColor=LIGHT["muted"], labelFontSize=12, titleFontSize=12)
    )
    return styled.to_dict()


def measured(estimate: Estimate) -> Row:
    """What a row says of an estimate."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


def lines_with_bars(base: alt.Chart, x: alt.X, y: alt.Y, colour: alt.Color) -> list[alt.Chart]:
    """A line per series through the dots of its values, with their intervals (`measured`)."""
    return [
        base.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour),
        base.mark_rule(strokeWidth=1.5).encode(x=x, y="low:Q", y2="high:Q", color=colour),
        base.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, color=colour),
    ]


def value_axis(domain: list[float]) -> alt.X:
    """The x axis of estimates."""
    scale = alt.Scale(domain=domain, nice=False, zero=False)
    return alt.X("value:Q", title="value with 95 % interval", scale=scale, axis=alt.Axis(tickCount=5))


def series_colour(field: str, labels: list[str]) -> alt.Color:
    """A colour per series, in the given order; a legend where there are several."""
    colours = [SERIES[index % len(SERIES)] for index in range(len(labels))]
    legend = alt.Legend(title=None, orient="top", symbolType="circle", columns=3, symbolOpacity=1) if len(labels) > 1 else None
    return alt.Color(field, sort=labels, scale=alt.Scale(domain=labels, range=colours), legend=legend)


def diagonal(domain: Sequence[float] = (0.0, 1.0)) -> alt.Chart:
    """The dashed line on which both axes agree."""
    ends = alt.Data(values=[{"x": end, "y": end} for end in domain])
    return alt.Chart(ends).mark_line(color=LIGHT["muted"], strokeDash=[4, 4], strokeWidth=1).encode(x="x:Q", y="y:Q")


def vertical(x: float) -> alt.Chart:
    """A dashed vertical line."""
    return alt.Chart(alt.Data(values=[{"x": x}])).mark_rule(color=LIGHT["muted"], strokeDash=[4, 4]).encode(x="x:Q")


def row_text(
    base: alt.Chart,
    y: alt.Y,
    field: str,
    at: int,
    align: Literal["left", "right"],
    colour: str,
    *,
    lift: int = 15,
    limit: int = 0,
) -> alt.Chart:
    """Text above a row, at a pixel from the left."""
    return base.mark_text(align=align, dy=-lift, limit=limit, fontSize=12, color=colour).encode(
        y=y, x=alt.value(at), text=f"{field}:N"
    )


def side_text(base: alt.Chart, y: alt.Y, field: str, at: int, colour: str) -> alt.Chart:
    """Text beside a row, at a pixel from the left."""
    return base.mark_text(align="left", fontSize=12, color=colour).encode(y=y, x=alt.value(at), text=f"{field}:N")
