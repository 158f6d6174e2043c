"""The report: one HTML file that needs no network and runs nothing but its own few lines of script.

Every text goes through the template's escaping, whatever it contains (`report.templating`).
"""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from gnomon.report import numbers
from gnomon.report.content import GENERAL_MEANING, UNSCORED_MEANINGS, Change, ReportContent
from gnomon.report.figure import Figure
from gnomon.report.figures import before_after, forest, labels_of
from gnomon.report.templating import environment, own_code
from gnomon.run.files import write_atomically
from gnomon.stats.estimate import Estimate


def render(content: ReportContent) -> str:
    """The page as HTML text."""
    return _page(content, figures_of(content))


def _page(content: ReportContent, figures: Mapping[str, Sequence[Figure]]) -> str:
    templates = environment()
    return templates.get_template("report.html.j2").render(
        content=content,
        **own_code(templates, ["style.css"], ["theme.js", "page.js"]),
        figures=figures,
        meanings=[(reason, count, _meaning(reason)) for reason, count in _by_count(content.unscored)],
        configuration=json.dumps(content.configuration, indent=2, ensure_ascii=False),
        evaluations=list(dict.fromkeys(transcript.evaluation for transcript in content.transcripts)),
        phases=list(dict.fromkeys(transcript.phase for transcript in content.transcripts if transcript.phase)),
    )


def write_report(run_dir: Path, content: ReportContent, *, out: Path | None = None) -> Path:
    """Writes `report.html` and, under `figures/`, each chart as SVG and CSV; a reader never sees half a file.

    Args:
        run_dir: The run directory.
        content: What to say.
        out: Where to write the page instead.

    Raises:
        RunDirectoryError: It cannot be written.
    """
    figures = figures_of(content)
    for figure in chain.from_iterable(figures.values()):
        figure.save(run_dir / "figures")
    path = out or run_dir / "report.html"
    write_atomically(path, _page(content, figures).encode("utf-8", errors="replace"))
    return path


def figures_of(content: ReportContent) -> dict[str, list[Figure]]:
    """All charts of the page by section: `estimates`, `changes`, `side_effects`, and `instruments` for those given."""
    return {
        "estimates": [] if content.kind == "study" else _forests(content.estimates),
        "changes": _dumbbells(content.changes, "before_after", "Before and after"),
        "side_effects": _dumbbells(content.side_effects, "side_effects", "Side effects"),
        "instruments": list(content.figures),
    }


def _forests(estimates: Sequence[Estimate]) -> list[Figure]:
    """One forest plot per evaluation and scale (numbers of different scales never share an axis); the first has the caption."""
    groups: dict[tuple[str, str], list[Estimate]] = {}
    for estimate in estimates:
        groups.setdefault((estimate.evaluation, _scale(estimate)), []).append(estimate)
    found: list[Figure] = []
    for (evaluation, scale), members in groups.items():
        suffix, heading = ("", "") if scale == "share" else (f"_{scale}", f", {scale}")
        title = f"{numbers.spoken(evaluation).capitalize()}{heading}"
        figure = forest(members, name=f"estimates_{evaluation}{suffix}", title=title)
        if figure is not None:
            found.append(figure.model_copy(update={"caption": ""}) if found else figure)
    return found


def _dumbbells(changes: Sequence[Change], name: str, title: str) -> list[Figure]:
    labels = labels_of([change.before for change in changes])
    groups: dict[str, list[tuple[str, Estimate, Estimate]]] = {}
    for label, change in zip(labels, changes, strict=True):
        groups.setdefault(_scale(change.before), []).append((label, change.before, change.after))
    drawn = [
        before_after(lines, name=name, title=title)
        if scale == "share"
        else before_after(lines, name=f"{name}_{scale}", title=f"{title}, {scale}")
        for scale, lines in groups.items()
    ]
    return [figure for figure in drawn if figure is not None]


def _scale(estimate: Estimate) -> str:
    ends = (estimate.value, estimate.low, estimate.high)
    within = all(end is None or 0 <= end <= 1 for end in ends)
    return "share" if estimate.unit in ("rate", "probability", "score") and within else estimate.unit


def _meaning(reason: str) -> str:
    known = next((meaning for name, meaning in UNSCORED_MEANINGS.items() if reason.lower().startswith(name)), None)
    return known or GENERAL_MEANING


def _by_count(counts: dict[str, Any]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
