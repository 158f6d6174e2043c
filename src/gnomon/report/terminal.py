"""What the commands print: the same numbers as the page, for a terminal of 80 columns or more, and plain where there is none.

Each function takes a verb's result, known here only by its shape, and gives something that rich can print. Every text is a
`Text`, never markup, because names and reasons may come from models and files.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gnomon.report import numbers
from gnomon.report.results import Audited, Compared, Comparisons, Decided, Looped
from gnomon.report.tones import TONES
from gnomon.stats.estimate import Estimate

PARTS, LAST = 3, 2
"""Parts of an estimate's name, between strokes, that may stand beside its numbers, and of a longer one those that do."""

STYLES = {"good": "bold green", "better": "bold green", "same": "bold", "bad": "bold red", "unknown": "bold yellow"}


@dataclass(frozen=True)
class Verdict:
    """A verdict in a frame; without the frame where the output is no terminal."""

    word: str
    sentence: str
    title: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        style = STYLES[TONES.get(self.word, "unknown")]
        body = Text.assemble((self.word, style), "\n", self.sentence)
        if console.is_terminal:
            yield Panel(
                body, title=Text(self.title), title_align="left", border_style=style.removeprefix("bold "), padding=(0, 1)
            )
        else:
            yield Text(f"{self.title}: {self.word}" if self.title else self.word)
            yield Text(self.sentence)


def audit(result: Audited, what: str = "Audit") -> RenderableType:
    """An audit, or an analysis: its estimates, what was not scored and why, and where the records are."""
    parts: list[RenderableType] = [Text.assemble((f"{what} of ", "dim"), (result.model, "bold"))]
    parts.append(estimates(result.estimates))
    parts += reasons(result.estimates)
    parts += _power(result)
    if result.unscored:
        parts.append(unscored(result.unscored))
    if result.comparison:
        parts += [Text("\nAgainst the baseline", style="bold"), comparison(result.comparison)]
    if result.gates:
        parts += [Text(), gates(result.gates)]
    if result.run:
        parts.append(_path("Run", result.run))
    return Group(*parts)


def gates(rows: Sequence[Decided]) -> Table:
    """The conditions of a release pipeline, decided."""
    table = _table("Gate", "", "", left=3)
    for row in rows:
        word, style = ("passed", "green") if row.passed else ("failed", "bold red")
        table.add_row(Text(row.condition), Text(word, style=style), Text(row.because))
    return table


def _power(result: Audited) -> list[Text]:
    """Of each evaluation, the smallest difference that its headline could have shown."""
    said: list[Text] = []
    for evaluation, rows in groupby(result.estimates, key=lambda estimate: estimate.evaluation):
        headline = next(rows)
        effect = result.smallest_effects.get(f"{evaluation}.{headline.name}")
        if effect is not None:
            sentence = f"sees differences of {effect:.2g} or more in {numbers.spoken(headline.name)} (80 % power)"
            said.append(Text(f"{numbers.spoken(evaluation)} {sentence}", style="dim"))
    return said


def estimates(rows: Sequence[Estimate]) -> RenderableType:
    """Estimates by evaluation: value and 95 % interval, n, coverage and worst case; long names below what they share."""
    told = [_told(row) for row in rows]
    widths = [max(len(text) for text in column) for column in zip(_COLUMNS, *told, strict=True)]
    parts: list[RenderableType] = [_aligned(widths, header=True)]
    for evaluation, group in groupby(rows, key=lambda estimate: estimate.evaluation):
        parts.append(Text(numbers.spoken(evaluation), style="bold"))
        for section, members in _sections(list(group)).items():
            parts += [Text(f"  {numbers.spoken(section)}", style="italic")] if section else []
            indent = 4 if section else 2
            table = _aligned(widths, header=False)
            for estimate in members:
                name = Text(numbers.spoken(estimate.name.removeprefix(f"{section}/")))
                _, n, coverage, worst = _told(estimate)
                table.add_row(Padding(name, (0, 0, 0, indent)), _reading(estimate), n, coverage, Text(worst, style="dim"))
                if estimate.verdict:
                    verdict = Padding(Text("verdict", style="dim"), (0, 0, 0, indent + 2))
                    table.add_row(verdict, Text(numbers.verdict(estimate), style="bold"))
            parts.append(table)
    return Group(*parts)


_COLUMNS = ("Value [95 %]", "n", "Scored", "Worst case")


def _told(estimate: Estimate) -> tuple[str, str, str, str]:
    """What the columns beside the name say."""
    return _reading(estimate).plain, f"{estimate.n:,}", numbers.coverage(estimate), numbers.worst_case(estimate)


def _aligned(widths: Sequence[int], *, header: bool) -> Table:
    """A table as wide as the terminal whose numbers stand where those of every other one do; names take what is left."""
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_edge=False, show_header=header, expand=True)
    table.add_column("Estimate", ratio=1, overflow="fold")
    for column, width in zip(_COLUMNS, widths, strict=True):
        table.add_column(column, justify="right", no_wrap=True, min_width=width)
    return table


def _sections(rows: Sequence[Estimate]) -> dict[str, list[Estimate]]:
    """The estimates by what stands above them: of a long name all but its last parts. `` for those that stand whole."""
    split = {row.name: row.name.split("/") for row in rows}
    shared = {"/".join(parts[:-LAST]) for parts in split.values() if len(parts) > PARTS}
    found: dict[str, list[Estimate]] = {}
    for row in rows:
        parts = split[row.name]
        beginnings = ["/".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]
        found.setdefault(next((one for one in beginnings if one in shared), ""), []).append(row)
    return found


def reasons(rows: Sequence[Estimate]) -> list[Text]:
    """One line for each reason why estimates have no value, with their names."""
    lacking: dict[tuple[str, str | None], list[str]] = {}
    for estimate in rows:
        if estimate.value is None:
            lacking.setdefault((estimate.evaluation, estimate.reason), []).append(numbers.spoken(estimate.name))
    return [
        Text.assemble((f"{numbers.spoken(evaluation)}: {', '.join(names)} ", "yellow"), f"not measured: {reason}")
        for (evaluation, reason), names in lacking.items()
    ]


def unscored(counts: Mapping[str, int], what: str = "Records") -> RenderableType:
    """How many records were not scored, by reason; none of them is a number anywhere."""
    table = _table("Unscored", what, left=1)
    for reason, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])):
        table.add_row(Text(reason), Text(f"{count:,}"))
    return table


def loop(result: Looped) -> RenderableType:
    """A loop: the verdict, the behaviour before and after, the side effects, and last the path of the report."""
    headline = _table("", "Value [95 %]", "n", "Scored", "Worst case", left=1)
    for label, estimate in (("before", result.before), ("after", result.after), ("difference, paired", result.difference)):
        headline.add_row(
            Text(label),
            _reading(estimate),
            Text(f"{estimate.n:,}"),
            Text(numbers.coverage(estimate)),
            Text(numbers.worst_case(estimate), style="dim"),
        )
    parts: list[RenderableType] = [
        Verdict(result.verdict, _sentence(result.because), f"{numbers.spoken(result.behaviour).capitalize()} of {result.model}"),
        headline,
    ]
    if result.side_effects:
        parts += [Text("Side effects", style="bold"), changes(result.side_effects)]
    measured = [result.before, result.after, *(row.after for row in result.side_effects)]
    parts += reasons(measured)
    return Group(*parts, _path("Report", result.report))


def comparison(result: Comparisons) -> RenderableType:
    """Two audits side by side, and what could not be compared."""
    groups: dict[str, list[str]] = {}
    for name, reason in result.left_out.items():
        groups.setdefault(reason, []).append(numbers.spoken(name))
    left_out = [
        Text.assemble((f"Not compared ({reason}): ", "yellow"), ", ".join(names), ".") for reason, names in groups.items()
    ]
    return Group(_path("Before", result.before), _path("After", result.after), changes(result.comparisons), *left_out)


def changes(rows: Iterable[Compared]) -> Table:
    """Estimates before and after, their paired difference, its adjusted p-value, and what that means."""
    table = _table("Estimate", "Before", "After", "Difference [95 %]", "p adj.", "", left=1)
    for evaluation, group in groupby(rows, key=lambda row: row.before.evaluation):
        table.add_row(Text(numbers.spoken(evaluation), style="bold"))
        for row in group:
            style = {"worse": "bold red", "better": "green", "cannot tell": "yellow"}.get(row.change, "")
            table.add_row(
                Text(f"  {numbers.spoken(row.before.name)}"),
                _short(row.before),
                _short(row.after),
                _reading(row.difference),
                Text(numbers.p_value(row.p_adjusted)),
                Text(row.change, style=style),
            )
    return table


def validation(result: Any) -> RenderableType:
    """Certificates, the replayed failures, and whether all passed."""
    certificates = _table("Instrument", "Slope", "Bias", "Interval coverage", "Clean twin", "Cross-talk", "", left=1)
    for one in result.certificates:
        certificates.add_row(
            Text(numbers.spoken(one.instrument)),
            Text(_number(one.slope, digits=3)),
            Text(_number(one.bias, digits=3, signed=True)),
            Text(numbers.share(one.interval_coverage)),
            Text(_number(one.null, digits=3, signed=True)),
            Text(_largest(one.cross_talk)),
            Text(str(one.verdict), style=_style_of(str(one.verdict))),
        )
    failures = _table("Replayed failure of a real tool", "", left=2)
    for one in result.replays:
        word, style = ("flagged", "green") if one.flagged else ("missed", "bold red")
        failures.add_row(Text(one.failure), Text(word, style=style))
    passed = sum(one.passed for one in result.certificates)
    flagged = sum(one.flagged for one in result.replays)
    sentence = (
        f"{passed} of {len(result.certificates)} instruments certified, "
        f"{flagged} of {len(result.replays)} replayed failures flagged, at least {result.seeds} seeds per dose."
    )
    parts: list[RenderableType] = [certificates]
    for one in result.certificates:
        if not one.passed:
            parts += [Text.assemble((f"{numbers.spoken(one.instrument)}: ", "yellow"), reason) for reason in one.reasons]
    if result.replays:
        parts.append(failures)
    if result.run:
        parts.append(_path("Run", result.run))
    return Group(*parts, Verdict("passed" if result.passed else "failed", sentence, "Validation"))


def correction(result: Any) -> RenderableType:
    """What a correction sampled, kept and trained, and the reference of the model that it saved."""
    losses = f", loss {result.losses[0]:.3f} to {result.losses[-1]:.3f}" if result.losses else ""
    rows = {
        "behaviour": result.behaviour,
        "accepted": result.accepts,
        "replies": f"{result.sampled:,} to {result.prompts:,} prompts",
        "of these": f"{result.accepted:,} accepted, {result.failed:,} not judged",
        "learned from": f"{result.kept:,} accepted replies and {result.neutral:,} replies to unrelated prompts",
        "training": f"{result.steps:,} steps{losses}",
    }
    return Group(_pairs(rows.items()), _path("Corrected model", result.reference))


def written(result: Any) -> RenderableType:
    """A written evaluation: what each step left, how good its labels are, and where it is."""
    steps = _table("Step", "Matching", "Other", left=1)
    for step in result.steps:
        steps.add_row(Text(step.name), Text(f"{step.matching:,}"), Text(f"{step.other:,}"))
    told = [Text(f"Mind: {warning}", style="yellow") for warning in result.warnings]
    parts = [
        Text(f"Written evaluation: {result.behaviour}", style="bold"),
        steps,
        estimates(result.estimates),
        *reasons(result.estimates),
    ]
    spread = f"{result.items:,} items, {result.ideas:,} distinct ideas"
    return Group(*parts, *told, Text(spread), _path("Dataset", result.directory))


def scored(result: Any) -> RenderableType:
    """What became of a file of requests."""
    kept = f", {result.kept:,} of them before" if result.kept else ""
    rows = {
        "requests": f"{result.requests:,} read{kept}",
        "continuations": f"{result.continuations:,}, {result.unscored:,} without a number",
        "memory": f"{_size(result.peak_memory)} at most",
    }
    why = [unscored(result.reasons, "Continuations")] if result.reasons else []
    return Group(_pairs(rows.items()), *why, _path("Scores", result.path))


def logs(paths: Sequence[str], unfinished: Sequence[str]) -> RenderableType:
    """Exported logs, and which of them are of evaluations that were stopped before their end."""
    parts = [_path("Log", path) for path in paths]
    if unfinished:
        names = ", ".join(unfinished)
        parts.append(Text(f"Not finished, so not a success in the log either: {names}. Run the same audit again to finish it."))
    return Group(*parts)


def address(where: Any) -> RenderableType:
    """Where a server answers."""
    return Text(f"Serving {where.model} at {where.url} (Ctrl-C stops)", no_wrap=True, overflow="ignore")


def stopped(result: Any) -> RenderableType:
    """How a server ended."""
    unfinished = f"; {result.cut_off} had not ended when the time of grace was over" if result.cut_off else ""
    return Text(f"Stopped after {result.requests} requests{unfinished}.")


def card(content: Mapping[str, Any]) -> RenderableType:
    """A model's or an organism's card, nested parts indented."""
    return _pairs(_flat(content))


def organisms(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The shipped organisms."""
    return _listing(rows, ("name", "behaviour", "rate", "parameters", "description"), empty="No organism is shipped.")


def datasets(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The published datasets, how much of each is here, and where."""
    shown = [{**row, "here": f"{row['here']} of {row['files']}", "size": _size(int(row["bytes"]))} for row in rows]
    return _listing(shown, ("name", "title", "licence", "size", "here"), empty="No published dataset is known.")


def checks(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Verified files; the reason of each that is broken."""
    table = _table("Dataset", "File", "", left=3)
    for row in rows:
        style = "green" if row["ok"] else "bold red"
        table.add_row(Text(str(row["dataset"])), Text(str(row["path"])), Text(str(row["state"]), style=style))
        if row.get("reason"):
            table.add_row(Text(""), Text(str(row["reason"]), style="yellow"))
    return table


def studies(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The papers whose experiments can be run."""
    return _listing(rows, ("id", "title"), empty="There is no study.")


def study(result: Any) -> RenderableType:
    """A study: its claims with verdicts and reasons, and where the report is."""
    parts: list[RenderableType] = [
        Text.assemble((f"{result.paper}  ", "dim"), (result.title, "bold")),
        Text.assemble(("On ", "dim"), ", ".join(result.models)),
    ]
    for claim in result.claims:
        parts += [
            Text.assemble("\n", (f"{claim.number}. ", "dim"), claim.statement),
            Text.assemble("   ", (str(claim.verdict), _style_of(str(claim.verdict))), f": {claim.because}"),
        ]
    parts += [Text.assemble("\n", (note, "yellow")) for note in result.notes]
    return Group(*parts, _path("\nReport", f"{result.run}/report.html"))


def _table(*columns: str, left: int) -> Table:
    """A table with a rule under its head; the first `left` columns are aligned left and may wrap, the others right."""
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_edge=False)
    for position, column in enumerate(columns):
        wraps = position < left or not column
        table.add_column(column, justify="left" if wraps else "right", no_wrap=not wraps, overflow="fold")
    return table


def _listing(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str) -> RenderableType:
    if not rows:
        return Text(empty)
    present = [column for column in columns if any(row.get(column) not in (None, "") for row in rows)]
    table = _table(*(column.capitalize() for column in present), left=len(present))
    for row in rows:
        table.add_row(*(Text(_plain(row.get(column))) for column in present))
    return table


def _pairs(rows: Iterable[tuple[str, Any]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(numbers.spoken(name)), Text(_plain(value)))
    return table


def _flat(content: Mapping[str, Any], indent: int = 0) -> Iterable[tuple[str, Any]]:
    for name, value in content.items():
        label = "  " * indent + name
        if isinstance(value, dict) and value:
            yield label, ""
            yield from _flat(cast("dict[str, Any]", value), indent + 1)
        else:
            yield label, value


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry) for entry in cast("Sequence[Any]", value)) or "-"
    return str(value)


def _reading(estimate: Estimate) -> Text:
    if estimate.value is None:
        return Text(numbers.NOT_MEASURED, style="yellow")
    return Text.assemble((numbers.value(estimate), "bold"), " ", (numbers.interval(estimate), ""))


def _short(estimate: Estimate) -> Text:
    return Text("n/m", style="yellow") if estimate.value is None else Text(numbers.value(estimate))


def _number(value: float | None, *, digits: int, signed: bool = False) -> str:
    if value is None:
        return numbers.NOT_MEASURED
    rounded = round(value, digits) + 0.0
    return f"{rounded:+.{digits}f}" if signed and rounded else f"{rounded:.{digits}f}"


def _largest(cross_talk: Mapping[str, float | None]) -> str:
    if any(shift is None for shift in cross_talk.values()):
        return numbers.NOT_MEASURED
    return _number(max((abs(shift) for shift in cross_talk.values() if shift is not None), default=0.0), digits=3)


def _style_of(verdict: str) -> str:
    return STYLES[TONES.get(verdict, "unknown")]


def _path(label: str, path: str) -> Text:
    """A path on a line of its own; one longer than the terminal goes on in the next line, whole."""
    return Text.assemble((f"{label}: ", "dim"), path, overflow="fold")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
