"""The figures of a report: Altair charts, each in a wide form for the page and a narrow one for the phone.

Each function gives a `Figure` made of plain data, or None where there is nothing measured to draw.
"""

import math
from collections.abc import Mapping, Sequence

import altair as alt

from gnomon.report import numbers
from gnomon.report.figure import (
    Chart,
    Figure,
    Row,
    diagonal,
    make_figure,
    row_text,
    series_colour,
    side_text,
    value_axis,
    vertical,
)
from gnomon.report.palette import LIGHT
from gnomon.stats.calibration import ReliabilityBin
from gnomon.stats.dose import DoseFit
from gnomon.stats.estimate import Estimate


def forest(estimates: Sequence[Estimate], *, name: str = "estimates", title: str = "What was measured") -> Figure | None:
    """Forest plot of measured estimates of one scale: point, 95 % interval, and worst-case bounds where records were unscored.

    Returns:
        The figure; None where nothing was measured.
    """
    measured = [estimate for estimate in estimates if estimate.value is not None]
    rows = [_forest_row(label, estimate) for label, estimate in zip(labels_of(measured), measured, strict=True)]
    if not rows:
        return None
    signed = all(estimate.unit == "difference" for estimate in estimates if estimate.value is not None)
    domain = _domain(rows, signed=signed)
    labels = list(dict.fromkeys(row["label"] for row in rows))

    def draw(width: int, narrow: bool) -> Chart:
        step = 46 if narrow else 30
        base = alt.Chart(alt.Data(values=rows))
        y = alt.Y("label:N", sort=labels, title=None, axis=None if narrow else alt.Axis(labelLimit=320))
        x = value_axis(domain)
        worst = base.mark_bar(height=9, color=LIGHT["before"], opacity=0.3, cornerRadius=2).encode(
            y=y, x=alt.X("worst_low:Q"), x2="worst_high:Q"
        )
        line = base.mark_rule(strokeWidth=2, color=LIGHT["accent"], strokeCap="round").encode(y=y, x="low:Q", x2="high:Q")
        point = base.mark_point(filled=True, size=64, color=LIGHT["accent"], opacity=1).encode(y=y, x=x)
        layers = [worst, line, point]
        if signed:
            layers.insert(0, vertical(0.0))
        if narrow:
            layers += [
                row_text(base, y, "label", 0, "left", LIGHT["ink"], limit=width - 115),
                row_text(base, y, "text", width, "right", LIGHT["muted"]),
            ]
        else:
            layers += [
                side_text(base, y, "text", width + 12, LIGHT["ink"]),
                side_text(base, y, "rests_on", width + 152, LIGHT["muted"]),
            ]
        return alt.layer(*layers).properties(width=width, height=alt.Step(step))

    described = "; ".join(f"{row['label']} {row['text']}" for row in rows)
    caption = (
        "Dot: the estimate. Line: its 95 % interval. Grey bar: what the unscored records could make of it, from all of them "
        "against to all of them for it; no bar where every record was scored."
    )
    return make_figure(name, title, caption, f"Forest plot. {described}.", draw, rows)


def labels_of(estimates: Sequence[Estimate]) -> list[str]:
    """The estimates' names as words, with their evaluation's before it where there are several evaluations."""
    several = len({estimate.evaluation for estimate in estimates}) > 1
    names = [numbers.spoken(estimate.name) for estimate in estimates]
    return [f"{numbers.spoken(e.evaluation)}: {name}" if several else name for e, name in zip(estimates, names, strict=True)]


def before_after(
    changes: Sequence[tuple[str, Estimate, Estimate]], *, name: str = "before_after", title: str = "Before and after"
) -> Figure | None:
    """Two intervals per line: before and after the correction.

    Args:
        changes: Label, before, after; those that lack a measured side are left out.
        name: File name.
        title: Heading.

    Returns:
        The figure; None where no line has both sides.
    """
    rows: list[Row] = []
    for label, before, after in changes:
        if before.value is None or after.value is None:
            continue
        for when, estimate in (("before", before), ("after", after)):
            both = f"{numbers.value(before)} to {numbers.value(after)}"
            rows.append({**_forest_row(label, estimate), "when": when, "both": both})
    if not rows:
        return None
    domain = _domain(rows, signed=False)
    labels = list(dict.fromkeys(row["label"] for row in rows))
    colours = alt.Scale(domain=["before", "after"], range=[LIGHT["before"], LIGHT["accent"]])

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=rows))
        y = alt.Y(
            "label:N", sort=labels, title=None, axis=None if narrow else alt.Axis(labelLimit=320), scale=alt.Scale(padding=0.35)
        )
        offset = alt.YOffset("when:N", sort=["before", "after"], scale=alt.Scale(paddingOuter=0.9 if narrow else 0.3))
        colour = alt.Color("when:N", scale=colours, legend=alt.Legend(title=None, orient="top", symbolType="circle"))
        x = value_axis(domain)
        line = base.mark_rule(strokeWidth=2.5, strokeCap="round").encode(
            y=y, yOffset=offset, x="low:Q", x2="high:Q", color=colour
        )
        point = base.mark_point(filled=True, size=70, opacity=1).encode(
            y=y, yOffset=offset, x=x, color=colour, shape=alt.Shape("when:N", sort=["before", "after"], legend=None)
        )
        layers = [line, point]
        first = base.transform_filter("datum.when == 'before'")
        if narrow:
            layers.append(row_text(first, y, "label", 0, "left", LIGHT["ink"], lift=26, limit=width - 90))
            layers.append(row_text(first, y, "both", width, "right", LIGHT["muted"], lift=26))
        else:
            layers.append(
                base.mark_text(align="left", fontSize=12).encode(
                    y=y, yOffset=offset, x=alt.value(width + 12), text="text:N", color=colour
                )
            )
        return alt.layer(*layers).properties(width=width, height=alt.Step(72 if narrow else 52, **{"for": "position"}))

    described = "; ".join(f"{row['label']} {row['when']} {row['text']}" for row in rows)
    caption = "The same instrument on the same items with the same seeds, before and after. Lines: 95 % intervals."
    return make_figure(name, title, caption, f"Before and after. {described}.", draw, rows)


def reliability(
    series: Mapping[str, Sequence[ReliabilityBin]], *, name: str = "reliability", title: str = "Reliability", caption: str = ""
) -> Figure | None:
    """Reliability diagram: share that came true against stated probability, with intervals, one colour per series.

    Args:
        series: Bins by label, such as `top predictions`. Bins of top predictions and of all options belong in different figures.
        name: File name.
        title: Heading.
        caption: What to see in it.
    """
    rows: list[Row] = [
        {"series": label, "predicted": b.predicted, "observed": b.observed, "low": b.low, "high": b.high, "records": b.mass}
        for label, bins in series.items()
        for b in bins
    ]
    if not rows:
        return None

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=rows))
        x = alt.X("predicted:Q", title="stated probability", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
        y = alt.Y("observed:Q", title="share that came true", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
        colour = series_colour("series:N", list(series))
        lines = base.mark_line(strokeWidth=1.5, opacity=0.75).encode(x=x, y=y, color=colour)
        bars = base.mark_rule(strokeWidth=1.5).encode(x=x, y="low:Q", y2="high:Q", color=colour)
        points = base.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, color=colour)
        return alt.layer(diagonal(), lines, bars, points).properties(width=min(width, 340), height=min(width, 340))

    described = "; ".join(f"{row['series']}: stated {row['predicted']:.2f}, true {row['observed']:.2f}" for row in rows)
    text = (
        caption or "On the dashed line probabilities come true exactly as often as stated; below it the model is over-confident."
    )
    return make_figure(
        name, title, f"{text} Bins of equal numbers of records; bars: 95 % intervals.", f"Reliability. {described}.", draw, rows
    )


def dose_response(
    readings: Sequence[tuple[float, Estimate]],
    fit: DoseFit | None = None,
    *,
    name: str = "dose_response",
    title: str = "Dose response",
) -> Figure | None:
    """Measured against true value with intervals, the identity and the fitted line.

    Args:
        readings: True value and the instrument's reading.
        fit: The line through them.
        name: File name.
        title: Heading.
    """
    rows: list[Row] = [
        {"true": truth, "measured": r.value, "low": r.low, "high": r.high} for truth, r in readings if r.value is not None
    ]
    if not rows:
        return None
    domain = _dose_domain(rows)
    line = fit and [{"x": x, "y": fit.intercept.value + fit.slope.value * x} for x in domain]

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=rows))
        x = alt.X("true:Q", title="true value", scale=alt.Scale(domain=domain), axis=alt.Axis(tickCount=5))
        y = alt.Y("measured:Q", title="measured", scale=alt.Scale(domain=domain), axis=alt.Axis(tickCount=5))
        bars = base.mark_rule(strokeWidth=1.5, color=LIGHT["accent"]).encode(x=x, y="low:Q", y2="high:Q")
        dots = base.mark_point(filled=True, size=50, color=LIGHT["accent"], opacity=1).encode(x=x, y=y)
        layers: list[alt.Chart] = [diagonal(domain), bars, dots]
        if line:
            fitted = alt.Chart(alt.Data(values=line)).mark_line(color=LIGHT["accent"], strokeWidth=1.5, clip=True)
            layers.insert(1, fitted.encode(x="x:Q", y="y:Q"))
        return alt.layer(*layers).properties(width=min(width, 300), height=min(width, 300))

    said = (
        ""
        if fit is None
        else (
            f" Slope {fit.slope.value:.3f} [{fit.slope.low:.3f}, {fit.slope.high:.3f}], bias {fit.bias.value:+.3f} "
            f"[{fit.bias.low:+.3f}, {fit.bias.high:+.3f}]."
        )
    )
    described = "; ".join(f"true {row['true']:.2f}, measured {row['measured']:.2f}" for row in rows)
    caption = f"On the dashed line the instrument reads what is true.{said}"
    return make_figure(name, title, caption, f"{title}. {described}.", draw, rows)


def cross_talk(
    cells: Sequence[tuple[str, str, float | None]], *, name: str = "cross_talk", title: str = "Cross-talk"
) -> Figure | None:
    """Heat map: how far each instrument's headline moves on each organism, from its reading on the clean twin.

    Args:
        cells: Instrument, organism, change of the headline (None: not measured).
        name: File name.
        title: Heading.
    """
    rows: list[Row] = [
        {
            "instrument": numbers.spoken(instrument),
            "organism": numbers.spoken(organism),
            "change": change,
            "size": 0.0 if change is None else min(1.0, abs(change)),
            "text": "n/a" if change is None else numbers.number(change, signed=True),
        }
        for instrument, organism, change in cells
    ]
    if not rows:
        return None
    columns = len({row["organism"] for row in rows})

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=rows))
        angle = -50 if narrow or columns > 4 else 0
        x = alt.X(
            "organism:N",
            sort=None,
            title="organism",
            axis=alt.Axis(orient="top", labelAngle=angle, domain=False, ticks=False, grid=False),
        )
        y = alt.Y(
            "instrument:N", sort=None, title="instrument", axis=alt.Axis(domain=False, ticks=False, grid=False, labelLimit=190)
        )
        opacity = alt.FillOpacity("size:Q", scale=alt.Scale(domain=[0, 1], range=[0.03, 0.75]), legend=None)
        fill = alt.condition("datum.change < 0", alt.value(LIGHT["series2"]), alt.value(LIGHT["series1"]))
        cell = base.mark_rect(stroke=LIGHT["line"], cornerRadius=3).encode(x=x, y=y, fillOpacity=opacity, fill=fill)
        text = base.mark_text(fontSize=12, color=LIGHT["ink"]).encode(x=x, y=y, text="text:N")
        wide = min(86, (width + 60) // columns)
        return alt.layer(cell, text).properties(width=alt.Step(min(wide, 54) if narrow else wide), height=alt.Step(38))

    described = "; ".join(f"{row['instrument']} on {row['organism']}: {row['text']}" for row in rows)
    caption = "Change of each instrument's headline from the clean twin. Only the diagonal should be coloured."
    return make_figure(name, title, caption, f"{title}. {described}.", draw, rows)


def _forest_row(label: str, estimate: Estimate) -> Row:
    complete = estimate.worst_low is None or estimate.worst_high is None or estimate.worst_high - estimate.worst_low < 1e-9
    return {
        "label": label,
        "evaluation": estimate.evaluation,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "worst_low": None if complete else estimate.worst_low,
        "worst_high": None if complete else estimate.worst_high,
        "n": estimate.n,
        "coverage": estimate.coverage,
        "text": numbers.value_with_interval(estimate),
        "rests_on": f"n {estimate.n:,}, {numbers.coverage(estimate)} scored",
    }


def _domain(rows: Sequence[Row], *, signed: bool) -> list[float]:
    """0 to 1 for rates and the like, -1 to 1 for differences where needed, otherwise what the intervals need."""
    keys = ("low", "high", "worst_low", "worst_high", "value")
    ends = [float(row[key]) for row in rows for key in keys if row[key] is not None]
    least, most = min(ends), max(ends)
    if signed:
        reach = max(0.1, abs(least), abs(most)) * 1.05
        return [-reach, reach]
    if least >= 0 and most <= 1:
        return [0.0, 1.0]
    margin = 0.05 * max(most - least, 1e-6)
    return [least - margin, most + margin]


def _dose_domain(rows: Sequence[Row]) -> list[float]:
    """0 to 1, or as far as values below 0 reach."""
    least = min(min(row["true"], row["low"]) for row in rows)
    return [0.0, 1.0] if least >= -0.05 else [-math.ceil(-least * 5) / 5, 1.0]
