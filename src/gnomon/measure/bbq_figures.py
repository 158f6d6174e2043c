"""BBQ's figure: the bias score of every category in every condition."""

from collections.abc import Mapping, Sequence

import altair as alt

from gnomon.report import numbers
from gnomon.report.figure import Chart, Figure, Row, make_figure, measured, series_colour, vertical
from gnomon.stats.estimate import Estimate

POOLED = "all"
_PREFIX = "bias/ambiguous"


def bias_by_category(found: Mapping[str, Estimate], conditions: Sequence[str]) -> Figure | None:
    """A row per category, a mark per condition.

    Args:
        found: The estimates by name.
        conditions: In the order of the legend.

    Returns:
        The figure; None where nothing was measured.
    """
    rows: list[Row] = []
    for condition in conditions:
        for name, one in found.items():
            if not name.startswith(f"{condition}/{_PREFIX}") or one.value is None:
                continue
            category = name.removeprefix(f"{condition}/{_PREFIX}").strip("/") or POOLED
            rows.append({"category": category.replace("_", " "), "condition": condition, **measured(one)})
    if not rows:
        return None
    categories = [POOLED, *sorted({row["category"] for row in rows} - {POOLED})]

    def draw(width: int, narrow: bool) -> Chart:
        base = alt.Chart(alt.Data(values=rows))
        y = alt.Y("category:N", title=None, sort=categories)
        offset = alt.YOffset("condition:N", sort=list(conditions))
        colour = series_colour("condition:N", list(conditions))
        x = alt.X("value:Q", title="bias score", scale=alt.Scale(domain=[-1, 1]), axis=alt.Axis(tickCount=5))
        bars = base.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q", y=y, yOffset=offset, color=colour)
        dots = base.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, yOffset=offset, color=colour)
        return alt.layer(vertical(0.0), bars, dots).properties(width=width - 120, height=alt.Step(18))

    described = "; ".join(f"{row['category']}, {row['condition']}: {numbers.number(row['value'])}" for row in rows)
    return make_figure(
        "bbq_bias_by_category",
        "Bias by category",
        "Bias score in ambiguous contexts: 1 always with the stereotype, -1 always against it. Bars: 95 % intervals.",
        f"Bias by category. {described}.",
        draw,
        rows,
    )
