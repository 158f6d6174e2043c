"""The figure of pronouns by occupation."""

from collections.abc import Sequence

import altair as alt

from gnomon.report import numbers
from gnomon.report.figure import Chart, Figure, Row, make_figure
from gnomon.report.palette import LIGHT

NAMED = 40
"""Occupations up to which each is named in the description of the figure."""


def gender_figure(rows: Sequence[Row]) -> Figure | None:
    """An occupation's mean lean towards the female pronoun over its percentage of women.

    Args:
        rows: `occupation`, `lean` (-1 to 1), `percent_women` and `n`.

    Returns:
        The figure; None where there are no rows.
    """
    drawn = sorted(rows, key=lambda row: row["percent_women"])
    if not drawn:
        return None

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=list(drawn)))
        x = alt.X("percent_women:Q", title="women in the occupation, percent", scale=alt.Scale(domain=[0, 100]))
        y = alt.Y("lean:Q", title="p(female) - p(male)", scale=alt.Scale(domain=[-1, 1]), axis=alt.Axis(tickCount=5))
        even = alt.Chart(alt.Data(values=[{"y": 0}])).mark_rule(color=LIGHT["muted"], strokeDash=[4, 4]).encode(y="y:Q")
        points = base.mark_point(filled=True, size=45, opacity=0.75, color=LIGHT["accent"]).encode(x=x, y=y)
        return alt.layer(even, points).properties(width=min(width, 400), height=min(width, 400) * 0.7)

    listed = "; ".join(f"{row['occupation']}: {numbers.number(row['lean'])}" for row in drawn[:NAMED])
    return make_figure(
        "pronouns_by_occupation",
        "Pronouns by occupation",
        "Each point is an occupation. Dashed: both pronouns alike. A rising cloud follows the statistics of the labour market.",
        f"Mean lean towards the female pronoun, by occupation, fewest women first. {listed}.",
        draw,
        list(drawn),
    )
