"""From the records of the Winogender evaluation to estimates; the definitions are in `measure.winogender`."""

import altair as alt
import polars as pl

from gnomon.measure.evaluation import Series
from gnomon.measure.parts import Part, Values, part
from gnomon.measure.self_correction import estimate_mass, of_condition, present
from gnomon.report import numbers
from gnomon.report.figure import Chart, Figure, Row, diagonal, make_figure, series_colour
from gnomon.stats.correlation import estimate_correlation, estimate_slope
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_mean

NAME = "winogender"
HEADLINE = "question/slope"
CONDITIONS = ("question", "instruction", "reasoning", "statistics")


def analyse(table: pl.DataFrame) -> list[Estimate]:
    """All estimates, the headline first."""
    conditions = present(table, CONDITIONS)
    found = [one for condition in conditions for one in _estimates(condition, sentences(table, condition))]
    if "question" in conditions:
        plainly = sentences(table, "question")
        for condition in conditions[1:]:
            found += _changes(condition, *plainly.beside(sentences(table, condition)))
    mass = estimate_mass(table, evaluation=NAME, name="pronoun_mass")
    return [*found, mass]


def sentences(table: pl.DataFrame, condition: str) -> Part:
    """The records of a condition."""
    return part(of_condition(table, condition), "sentence")


def _estimates(condition: str, one: Part) -> list[Estimate]:
    share, female, clusters = one["share"], one["female"], one.clusters
    return [
        estimate_slope(share, female, clusters, evaluation=NAME, name=f"{condition}/slope"),
        estimate_correlation(share, female, clusters, evaluation=NAME, name=f"{condition}/correlation"),
        *(
            estimate_mean(
                one[gender], clusters, evaluation=NAME, name=f"{condition}/{gender}", within=(0.0, 1.0), unit="probability"
            )
            for gender in ("female", "neutral")
        ),
    ]


def _changes(condition: str, before: Part, after: Part) -> list[Estimate]:
    return [
        _change(before["neutral"], after["neutral"], before.clusters, f"{condition}/neutral_change"),
        _change(stereotyped(before), stereotyped(after), before.clusters, f"{condition}/stereotyping_change"),
    ]


def _change(first: Values, second: Values, clusters: list[str], name: str) -> Estimate:
    changes = [None if None in pair else pair[1] - pair[0] for pair in zip(first, second, strict=True)]
    return estimate_mean(changes, clusters, evaluation=NAME, name=name, within=(-1.0, 1.0), unit="difference")


def stereotyped(one: Part) -> Values:
    """Probability of the pronoun that most people of the occupation would want; a half where they are as many."""
    return [
        None
        if share is None or female is None
        else female / (female + male)
        if share > 0.5
        else male / (female + male)
        if share < 0.5
        else 0.5
        for share, female, male in zip(one["share"], one["female"], one["male"], strict=True)
    ]


def series(table: pl.DataFrame) -> dict[str, Series]:
    """What two runs are compared by: of each sentence, what it adds to the slope, whose mean is the slope."""
    found: dict[str, Series] = {}
    for condition in present(table, CONDITIONS):
        one = sentences(table, condition)
        if added := _added_to_slope(one["share"], one["female"]):
            most = max(abs(weight) for weight, _ in added if weight is not None)
            values = [None if weight is None or female is None else weight * female for weight, female in added]
            found[f"{condition}/slope"] = Series(values, one.clusters, within=(-most, most), harm=1)
    return found


def _added_to_slope(shares: Values, females: Values) -> list[tuple[float | None, float | None]]:
    """The weight with which each scored sentence's p(female) enters the slope, and p(female); empty where the shares are one."""
    scored = [share for share, female in zip(shares, females, strict=True) if share is not None and female is not None]
    middle = sum(scored) / len(scored) if scored else 0.0
    variance = sum((share - middle) ** 2 for share in scored) / len(scored) if scored else 0.0
    if variance <= 0.0:
        return []
    return [
        (None, None) if share is None or female is None else ((share - middle) / variance, female)
        for share, female in zip(shares, females, strict=True)
    ]


def figures(table: pl.DataFrame) -> list[Figure]:
    """p(female) against the share of women, a mark per sentence and condition."""
    drawn = scatter({name: sentences(table, name) for name in present(table, CONDITIONS)}, "winogender_pronouns")
    return [drawn] if drawn else []


def scatter(parts: dict[str, Part], name: str, title: str = "Pronouns and occupations") -> Figure | None:
    """p(female) against the share of women.

    Args:
        parts: The records by series.
        name: File name.
        title: Heading.

    Returns:
        The figure; None where nothing was measured.
    """
    rows: list[Row] = [
        {"series": label, "occupation": row["cluster"], "share": row["share"], "female": row["female"]}
        for label, one in parts.items()
        for row in one.rows
        if row["status"] == "value" and row.get("female") is not None
    ]
    if not rows:
        return None
    labels = [label for label in parts if any(row["series"] == label for row in rows)]

    def draw(width: int, narrow: bool) -> Chart:
        side = min(width, 360)
        unit = alt.Scale(domain=[0, 1])
        dots = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=30, opacity=0.7)
        return alt.layer(
            diagonal(),
            dots.encode(
                x=alt.X("share:Q", title="share of women in the occupation", scale=unit, axis=alt.Axis(tickCount=5)),
                y=alt.Y("female:Q", title="p(female pronoun)", scale=unit, axis=alt.Axis(tickCount=5)),
                color=series_colour("series:N", labels),
            ),
        ).properties(width=side, height=side)

    means = "; ".join(
        f"{label}: {numbers.number(sum(row['female'] for row in rows if row['series'] == label) / count)}"
        for label in labels
        if (count := sum(row["series"] == label for row in rows))
    )
    return make_figure(
        name,
        title,
        "Each mark is a sentence. On the dashed line the pronouns mirror the statistic; on a level line they ignore it.",
        f"{title}. Mean probability of a female pronoun: {means}.",
        draw,
        rows,
    )
