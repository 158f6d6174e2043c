"""A map of examples: every text a point, near what says the like; one HTML file that needs no network, and a figure.

As in the report, every text goes through the template's escaping (`report.templating`). Without the script the page still shows
the map, with each text as its point's title, and all texts in lists.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import altair as alt

from gnomon.report.figure import Chart, Figure, Row, make_figure, series_colour
from gnomon.report.palette import LIGHT, SERIES
from gnomon.report.projection import Floats, Placed, Projection, place
from gnomon.report.templating import environment, own_code
from gnomon.report.transcripts import visible
from gnomon.run.files import write_atomically

SIDE, EDGE = 1000, 40
"""Units of the map's square, and its margin."""
LONGEST = 600
"""Characters of a text that are shown."""
SHAPES = ("circle", "square", "triangle", "diamond", "cross", "star")
SHOWN_FACTS = 8


@dataclass(frozen=True, slots=True)
class Example:
    """One text of a map.

    Attributes:
        text: The text.
        label: What it is coloured by first, such as `matching`.
        facts: What is shown beside it, such as its score.
    """

    text: str
    label: str = ""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class _Point:
    number: int
    x: float
    y: float
    text: str
    label: str
    colour: int
    shape: str
    cluster: int
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """A label, or a cluster of the map."""

    number: int
    name: str
    count: int
    shape: str
    x: float = 0.0
    y: float = 0.0
    shares: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class ExampleMap:
    """Examples and their places.

    Attributes:
        title: The page's heading.
        examples: The examples.
        placed: Where they are.
        notes: Paragraphs under the heading.
        labelled: What the labels are called (`label`).
    """

    title: str
    examples: Sequence[Example]
    placed: Placed
    notes: Sequence[str] = ()
    labelled: str = "label"

    @property
    def labels(self) -> list[str]:
        """The labels, the most frequent first."""
        return [label for label, _ in Counter(one.label for one in self.examples).most_common()]

    def html(self) -> str:
        """The page."""
        pages = environment()
        return pages.get_template("map.html.j2").render(
            map=self,
            side=SIDE,
            **own_code(pages, ["style.css", "map.css"], ["theme.js", "map.js"]),
            points=self._points(),
            labels=self._labels(),
            clusters=self._clusters(),
            method=self.placed.method,
        )

    def write(self, path: Path) -> Path:
        """Writes the page, and the figure beside it as SVG and CSV; a reader never sees half a file.

        Raises:
            RunDirectoryError: It cannot be written.
        """
        write_atomically(path, self.html().encode("utf-8", errors="replace"))
        self.figure(path.stem).save(path.parent)
        return path

    def figure(self, name: str = "map") -> Figure:
        """The map as a figure without interaction, for reports and studies."""
        rows: list[Row] = [
            {
                "x": point.x,
                "y": SIDE - point.y,
                "label": point.label or "all",
                "cluster": self.placed.named[point.cluster],
                "text": point.text,
            }
            for point in self._points()
        ]
        labels = [label or "all" for label in self.labels]
        shown = [{key: row[key] for key in ("x", "y", "label")} for row in rows]

        def draw(width: int, narrow: bool) -> Chart:
            scale = alt.Scale(domain=[0, SIDE], nice=False)
            side = min(width, 400)
            return (
                alt.Chart(alt.Data(values=shown))
                .mark_point(filled=True, size=26, opacity=0.8)
                .encode(
                    x=alt.X("x:Q", axis=None, scale=scale),
                    y=alt.Y("y:Q", axis=None, scale=scale),
                    color=series_colour("label:N", labels[: len(SERIES)]) if len(labels) > 1 else alt.value(LIGHT["accent"]),
                )
                .properties(width=side, height=side)
            )

        counts = ", ".join(f"{group.name}: {group.count}" for group in self._labels())
        groups = "; ".join(f"{group.name} ({group.count})" for group in self._clusters())
        described = f"{self.title}. {len(rows)} examples ({counts}). Clusters, by their words: {groups}."
        return make_figure(
            name, self.title, f"Each point is an example; near points share words. {self.placed.method}.", described, draw, rows
        )

    def _points(self) -> list[_Point]:
        labels = {label: number for number, label in enumerate(self.labels)}
        span = SIDE - 2 * EDGE
        return [
            _Point(
                number,
                round(EDGE + span * float(x), 1),
                round(SIDE - EDGE - span * float(y), 1),
                _shortened(example.text),
                visible(example.label),
                labels[example.label] % len(SERIES),
                SHAPES[labels[example.label] % len(SHAPES)],
                cluster,
                tuple((visible(name), _shortened(str(value))) for name, value in list(example.facts.items())[:SHOWN_FACTS]),
            )
            for number, (example, (x, y), cluster) in enumerate(
                zip(self.examples, self.placed.places, self.placed.clusters, strict=True)
            )
        ]

    def _labels(self) -> list[_Group]:
        counts = Counter(one.label for one in self.examples)
        return [
            _Group(number, visible(label) or "all", counts[label], SHAPES[number % len(SHAPES)])
            for number, label in enumerate(self.labels)
        ]

    def _clusters(self) -> list[_Group]:
        points = self._points()
        found: list[_Group] = []
        for number, name in enumerate(self.placed.named):
            members = [point for point in points if point.cluster == number]
            if members:
                shares = Counter(point.label or "all" for point in members).most_common()
                middle = _middle(members)
                found.append(_Group(number, visible(name), len(members), "", middle.x, middle.y, tuple(shares)))
        return found


def example_map(
    title: str,
    examples: Sequence[Example],
    *,
    vectors: Floats | None = None,
    projection: Projection = "tsne",
    clusters: int | None = None,
    notes: Sequence[str] = (),
    labelled: str = "label",
    seed: int = 0,
) -> ExampleMap:
    """Places examples on a map.

    Args:
        title: The page's heading.
        examples: What to show.
        vectors: One row per example, such as a model's hidden states (None: from their words).
        projection: `tsne` or `pca`.
        clusters: How many (None: chosen by the number of examples).
        notes: Paragraphs under the heading.
        labelled: What the labels are called.
        seed: Of projection and clusters.

    Raises:
        ValueError: No examples, or vectors of another number.
    """
    texts = [example.text for example in examples]
    return ExampleMap(
        title, examples, place(texts, vectors=vectors, projection=projection, clusters=clusters, seed=seed), notes, labelled
    )


def _middle(members: Sequence[_Point]) -> _Point:
    """The member nearest the others' median place: a cluster's number stands where the cluster is."""
    x, y = (sorted(getattr(point, axis) for point in members)[len(members) // 2] for axis in ("x", "y"))
    return min(members, key=lambda point: (point.x - x) ** 2 + (point.y - y) ** 2)


def _shortened(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} [... {len(shown) - LONGEST:,} more characters]"
