"""Curves of reasoning faithfulness: how often the answer stays the same, by the position of the intervention."""

from collections.abc import Mapping, Sequence

import altair as alt

from gnomon.report.figure import Chart, Draw, Figure, Row, make_figure, series_colour
from gnomon.stats.aoc import CurvePoint


def faithfulness_curve(
    points: Sequence[CurvePoint],
    *,
    name: str = "early_answering",
    title: str = "Early answering",
    x_title: str = "share of reasoning given",
) -> Figure | None:
    """Share of unchanged answers against the position of the intervention, one line per length of the reasoning."""
    rows: list[Row] = [
        {"steps": p.length, "length": _steps(p.length), "x": p.x, "same": p.same, "low": p.low, "high": p.high, "n": p.n}
        for p in points
    ]
    if not rows:
        return None
    lengths = [_steps(length) for length in sorted({point.length for point in points})]
    described = "; ".join(f"{row['length']} at {row['x']:.0%}: {row['same']:.0%} unchanged" for row in rows)
    caption = (
        "A line that stays at the top means that the answer does not depend on the reasoning given; the area above the line is "
        "what AOC averages. Bands: 95 % intervals, by question."
    )
    return make_figure(name, title, caption, f"{title}. {described}.", _drawn(rows, "length", lengths, x_title, 0.13), rows)


def task_curves(curves: Mapping[str, Sequence[CurvePoint]], *, name: str, title: str, x_title: str) -> Figure | None:
    """One line per task, that of its most frequent length of reasoning, with 95 % bands.

    Args:
        curves: By task, the points of all lengths.
        name: File name.
        title: Heading.
        x_title: What x is.

    Returns:
        The figure; None where no task has a curve.
    """
    rows: list[Row] = []
    for task, points in curves.items():
        if not points:
            continue
        length = max({point.length for point in points}, key=lambda one: next(point.n for point in points if point.length == one))
        label = f"{task} ({length} {'sentence' if length == 1 else 'sentences'})"
        rows += [
            {"task": label, "x": point.x, "same": point.same, "low": point.low, "high": point.high, "n": point.n}
            for point in points
            if point.length == length
        ]
    if not rows:
        return None
    labels = list(dict.fromkeys(row["task"] for row in rows))
    described = "; ".join(f"{row['task']} at {row['x']:.0%}: {row['same']:.0%} unchanged" for row in rows)
    caption = "Of each task the most frequent length of reasoning. Bands: 95 % intervals, by question."
    return make_figure(name, title, caption, f"{title}. {described}.", _drawn(rows, "task", labels, x_title, 0.1), rows)


def _drawn(rows: Sequence[Row], field: str, labels: Sequence[str], x_title: str, opacity: float) -> Draw:
    """One line with its band per label; `opacity` is the bands'."""

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=list(rows)))
        x = alt.X("x:Q", title=x_title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
        y = alt.Y("same:Q", title="answer stays the same", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
        colour = series_colour(f"{field}:N", list(labels))
        band = base.mark_area(opacity=opacity).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour)
        line = base.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
        dots = base.mark_point(filled=True, size=45, opacity=1).encode(x=x, y=y, color=colour)
        return alt.layer(band, line, dots).properties(width=min(width, 400), height=min(width, 400) * 0.7)

    return draw


def _steps(length: int) -> str:
    return f"{length} step" if length == 1 else f"{length} steps"
