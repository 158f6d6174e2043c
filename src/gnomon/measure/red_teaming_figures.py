"""The figures of red teaming. None of them shows what was said."""

from collections.abc import Sequence

import altair as alt
import numpy as np

from gnomon.report import numbers
from gnomon.report.figure import Chart, Figure, Row, make_figure, series_colour
from gnomon.report.palette import LIGHT
from gnomon.stats.clusters import clustered

BANDS = ("0 to 0.2", "0.2 to 0.4", "0.4 to 0.6", "0.6 to 0.8", "0.8 to 1", "not scored")
_COLOURS = (LIGHT["bad"], "#e0976b", "#d9c27a", "#9fc0a5", LIGHT["good"], LIGHT["line"])
MOST_POINTS = 1_000


def band(score: float | None) -> str:
    """The band of a score from 0 to 1; its upper end belongs to the next one."""
    return BANDS[-1] if score is None else BANDS[min(4, int(score * 5 + 1e-9))]


def score_distribution(groups: Sequence[tuple[str, Sequence[float | None]]], *, name: str) -> Figure | None:
    """How attacks' least scores are spread: one bar per group, in bands from harmful to harmless.

    Args:
        groups: Label and scores; None: not scored.
        name: File name.

    Returns:
        The figure; None where there are no attacks.
    """
    rows: list[Row] = []
    for label, scores in groups:
        for place, one in enumerate(BANDS):
            share = sum(band(score) == one for score in scores) / len(scores) if scores else 0.0
            rows.append({"group": label, "band": one, "place": place, "share": share, "attacks": len(scores)})
    if not any(row["attacks"] for row in rows):
        return None
    labels = list(dict.fromkeys(row["group"] for row in rows))

    def draw(width: int, narrow: bool) -> Chart:
        axis = alt.Axis(labelLimit=110 if narrow else 260)
        colour = alt.Color(
            "band:N",
            sort=list(BANDS),
            scale=alt.Scale(domain=list(BANDS), range=list(_COLOURS)),
            legend=alt.Legend(title=None, orient="top", symbolType="square", columns=3),
        )
        return (
            alt.Chart(alt.Data(values=rows))
            .mark_bar()
            .encode(
                y=alt.Y("group:N", sort=labels, title=None, axis=axis),
                x=alt.X("share:Q", title="share of attacks", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5)),
                color=colour,
                order=alt.Order("place:Q"),
            )
            .properties(width=width - (120 if narrow else 0), height=alt.Step(30))
        )

    shares = "; ".join(f"{row['group']}, {row['band']}: {numbers.share(row['share'])}" for row in rows if row["share"])
    caption = (
        "Each attack counts once, with the least score of its replies: 0 is harmful, 1 harmless. The lowest band shows what a "
        "mean hides. Attacks of which a reply could not be scored have a band of their own."
    )
    return make_figure(name, "Least harmlessness of an attack", caption, f"Stacked bars. {shares}.", draw, rows)


def attack_map(requests: Sequence[str | None], scores: Sequence[float | None], *, name: str) -> Figure | None:
    """The attacks' first turns on a plane, grouped by their words; each group's number stands at its middle.

    Args:
        requests: First turns; None: nothing was said.
        scores: Least score of each attack.
        name: File name.

    Returns:
        The figure; None where there are fewer than ten attacks.
    """
    said = [(text, score) for text, score in zip(requests, scores, strict=True) if text][:MOST_POINTS]
    if len(said) < 10:
        return None
    found = clustered([text for text, _ in said])
    words = ("harmful", "not harmful", "not scored")
    rows: list[Row] = [
        {"x": float(x), "y": float(y), "group": group + 1, "outcome": words[2 if score is None else int(score >= 0.5)]}
        for (x, y), group, (_, score) in zip(found.points, found.groups, said, strict=True)
    ]
    middles = _middles(rows)

    def draw(width: int, narrow: bool) -> Chart:
        blank = alt.Axis(labels=False, ticks=False, grid=False, title=None)
        x, y = alt.X("x:Q", axis=blank), alt.Y("y:Q", axis=blank)
        shape = alt.Shape(
            "outcome:N", sort=list(words), scale=alt.Scale(domain=list(words), range=["diamond", "circle", "cross"])
        )
        points = (
            alt.Chart(alt.Data(values=rows))
            .mark_point(size=46, opacity=0.75)
            .encode(x=x, y=y, color=series_colour("outcome:N", list(words)), shape=shape)
        )
        labels = alt.Chart(alt.Data(values=middles)).mark_text(fontSize=15, fontWeight="bold", color=LIGHT["ink"])
        return alt.layer(points, labels.encode(x=x, y=y, text="group:N")).properties(
            width=min(width, 400), height=min(width, 400) * 0.8
        )

    told = "; ".join(
        f"group {row['group']}: {row['attacks']} attacks, {numbers.share(row['success'])} harmful" for row in middles
    )
    caption = (
        f"Attacks whose words are alike lie together (latent semantic analysis of the first turns; groups by k-means). {told}. "
        "Shares are of the scored attacks."
    )
    return make_figure(name, "Map of the attacks", caption, f"Scatter plot. {told}.", draw, rows)


def _middles(rows: Sequence[Row]) -> list[Row]:
    found: list[Row] = []
    for group in sorted({row["group"] for row in rows}):
        members = [row for row in rows if row["group"] == group]
        scored = [row for row in members if row["outcome"] != "not scored"]
        harmful = sum(row["outcome"] == "harmful" for row in scored)
        found.append(
            {
                "group": group,
                "x": float(np.mean([row["x"] for row in members])),
                "y": float(np.mean([row["y"] for row in members])),
                "attacks": len(members),
                "success": harmful / len(scored) if scored else 0.0,
            }
        )
    return found
