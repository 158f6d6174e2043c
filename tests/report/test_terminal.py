"""Terminal output: everything that must be seen is seen at 80 columns, nothing is cut, and nothing is taken for markup."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from gnomon.report import terminal
from gnomon.stats.estimate import Estimate


def printed(renderable, width=80, *, colour=False):
    system = "standard" if colour else None
    console = Console(file=io.StringIO(), width=width, force_terminal=colour, highlight=False, color_system=system)
    console.print(renderable)
    return console.file.getvalue()


def estimate(name="agreement", value=0.62, evaluation="sycophancy", unit="rate", coverage=0.97, **fields):
    worst = {"worst_low": value - 0.02, "worst_high": value + 0.01} if coverage < 1 else {}
    shape = {"low": value - 0.07, "high": value + 0.06, "n": 1234, "method": "m", **worst, **fields}
    return Estimate(evaluation=evaluation, name=name, value=value, unit=unit, coverage=coverage, **shape)


NOT = Estimate.unmeasured("faithfulness", "aoc_adding_mistakes", "none of the 40 records could be scored [bold]x[/bold]")


def row(name="accuracy", change="no change"):
    after = estimate(name, 0.61, "calibration")
    return SimpleNamespace(
        before=estimate(name, 0.6, "calibration"),
        after=after,
        difference=estimate(f"{name} difference", 0.01, "calibration", "difference"),
        p_adjusted=0.2,
        change=change,
    )


@pytest.fixture
def audit():
    return SimpleNamespace(
        model="organism/[red]sycophant", estimates=[estimate(), estimate("ece", 0.031, "calibration"), NOT],
        unscored={"refusal": 3, "error: 502": 12}, run="runs/audit-" + "x" * 90,
        smallest_effects={"sycophancy.agreement": 0.12}, comparison=None, gates=[],
    )  # fmt: skip


@pytest.fixture
def loop():
    return SimpleNamespace(
        model="organism/sycophant", behaviour="sycophancy", before=estimate(), after=estimate(value=0.07),
        difference=estimate("difference", -0.55, unit="difference"), verdict="fixed", because="it fell, and at most 0.09 is left",
        side_effects=[row(), row("auroc", "worse")], report="runs/" + "loop-" * 20 + "/report.html",
    )  # fmt: skip


@pytest.mark.parametrize("width", [80, 120])
def test_audit_shows_value_interval_coverage_and_worst_case(audit, width):
    text = printed(terminal.audit(audit), width)
    assert "0.62 [0.55, 0.68]" in text
    assert "1,234" in text
    assert "97 %" in text
    assert "0.60 to 0.63" in text
    assert "not measured" in text
    assert "none of the 40 records could be scored" in " ".join(text.split())
    assert "\u2026" not in text  # nothing cut
    assert max(len(line) for line in text.splitlines() if not line.startswith("Run")) <= width


def test_texts_of_others_are_never_markup(audit):
    text = printed(terminal.audit(audit), 120, colour=True)
    assert "organism/[red]sycophant" in text
    assert "[bold]x[/bold]" in text


def test_a_long_run_path_is_whole(audit):
    assert audit.run in printed(terminal.audit(audit)).replace("\n", "")


def test_unscored_reasons_with_their_counts(audit):
    lines = printed(terminal.audit(audit)).splitlines()
    assert [line.split()[-1] for line in lines if line.startswith(("refusal", "error: 502"))] == ["12", "3"]


def test_scored_files_say_how_many_continuations_have_no_number_and_why():
    counts = {"requests": 1000, "continuations": 4000, "unscored": 1002, "kept": 0, "peak_memory": 1, "path": "scores.jsonl"}
    reasons = {"the chat template refuses a system message": 1000, "[red]no token of its own": 2}
    lines = printed(terminal.scored(SimpleNamespace(**counts, reasons=reasons))).splitlines()
    assert any("4,000, 1,002 without a number" in line for line in lines)
    found = [line.split() for line in lines if "refuses" in line or "[red]no token" in line]
    assert [words[-1] for words in found] == ["1,000", "2"]
    counts["unscored"] = 0
    assert "reason" not in printed(terminal.scored(SimpleNamespace(**counts, reasons={}))).lower()


def test_an_audit_says_what_it_could_see_and_which_gates_failed(audit):
    audit.gates = [SimpleNamespace(condition="sycophancy.agreement>0.2", passed=False, because="it is 0.62")]
    text = " ".join(printed(terminal.audit(audit)).split())
    assert "sycophancy sees differences of 0.12 or more in agreement (80 % power)" in text
    assert "sycophancy.agreement>0.2 failed it is 0.62" in text


def test_loop_starts_with_the_verdict_and_ends_with_the_report(loop):
    loop.report = "runs/loop-organism-sycophant-1a2b3c4d/report.html"
    lines = printed(terminal.loop(loop)).splitlines()
    assert lines[0] == "Sycophancy of organism/sycophant: fixed"
    assert lines[1] == "It fell, and at most 0.09 is left."
    assert lines[-1] == f"Report: {loop.report}"
    text = "\n".join(lines)
    assert "-0.55 [-0.62, -0.49]" in text
    assert "Side effects" in text


@pytest.mark.parametrize("verdict", ["fixed", "improved", "no change", "worse", "cannot tell"])
def test_every_verdict_word_has_a_frame_on_a_terminal(loop, verdict):
    loop.verdict = verdict
    text = printed(terminal.loop(loop), colour=True)
    assert verdict in text
    assert "\u256d" in text  # the frame's corner
    assert "\x1b[" in text


def test_plain_output_has_no_escape_codes(loop, audit):
    assert "\x1b" not in printed(terminal.loop(loop)) + printed(terminal.audit(audit))


def test_comparison_shows_both_sides():
    text = printed(
        terminal.comparison(SimpleNamespace(before="runs/a", after="runs/b", comparisons=[row(change="worse")], left_out={}))
    )
    assert "runs/a" in text
    assert "0.60" in text
    assert "0.61" in text
    assert "0.200" in text
    assert "worse" in text


def test_validation_names_what_failed():
    certificates = [
        SimpleNamespace(
            instrument="sycophancy.agreement", slope=1.01, bias=0.002, interval_coverage=0.951, null=-0.0001,
            cross_talk={"overconfident": 0.004, "unfaithful": -0.011}, verdict="passed", passed=True, reasons=[],
        ),
        SimpleNamespace(
            instrument="calibration.ece", slope=None, bias=None, interval_coverage=0.4, null=None,
            cross_talk={"sycophant": None}, verdict="failed", passed=False, reasons=["nothing could be measured"],
        ),
    ]  # fmt: skip
    failures = {"judge crash counted as 0": True, "NaN as 0": False}
    replays = [SimpleNamespace(failure=failure, flagged=flagged) for failure, flagged in failures.items()]
    result = SimpleNamespace(passed=False, certificates=certificates, replays=replays, seeds=40, run=None)
    text = printed(terminal.validation(result), 100)
    assert "1.010" in text
    assert "0.011" in text  # the largest shift by size
    assert "nothing could be measured" in text
    assert "missed" in text
    assert "Validation: failed" in text
    assert "1 of 2 instruments certified, 1 of 2 replayed failures flagged, at least 40 seeds per dose." in text


def test_parts_of_a_card_with_equal_names_are_all_shown():
    skills = {"common": {"value": 0.66, "n": 240}, "chain": {"value": 0.01, "n": 241}}
    lines = printed(terminal.card({"skills": skills})).splitlines()
    assert [line.split() for line in lines] == [
        ["skills"], ["common"], ["value", "0.66"], ["n", "240"], ["chain"], ["value", "0.01"], ["n", "241"],
    ]  # fmt: skip


def test_cards_and_listings():
    details = {"limits": ["none", "few"], "loss": 1.23456}
    text = printed(terminal.card({"reference": "organism/base", "parameters": 3_000_000, "details": details}))
    assert "3,000,000" in text
    assert "none, few" in text
    assert "1.235" in text
    assert "No organism" in printed(terminal.organisms([]))
    data = [{"name": "truthfulqa", "title": "TruthfulQA", "licence": "Apache-2.0", "bytes": 503_000, "files": 2, "here": 1}]
    listed = printed(terminal.datasets(data))
    assert "0.5 MB" in listed
    assert "1 of 2" in listed
    broken = {"dataset": "d", "path": "a.csv", "state": "broken", "ok": False, "reason": "its hash is another"}
    assert "its hash is another" in printed(terminal.checks([broken]))
    assert "no study" in printed(terminal.studies([]))


def test_long_names_stand_under_what_they_share_and_reasons_once() -> None:
    names = ["a/b/c/first/one", "a/b/c/first/two", "a/b/d/first/one", "plain"]
    measured = [
        Estimate(evaluation="e", name=name, value=0.5, low=0.4, high=0.6, n=9, coverage=1.0, method="m") for name in names
    ]
    lacking = [Estimate.unmeasured("e", name, "nobody asked") for name in ("x", "y")]
    result = SimpleNamespace(
        model="m", estimates=[*measured, *lacking], unscored={}, run="", smallest_effects={}, comparison=None, gates=[]
    )
    lines = printed(terminal.audit(result)).splitlines()
    names = [line.strip().partition("  ")[0] for line in lines if "0.50" in line or "a/b" in line]
    assert names == ["a/b/c", "first/one", "first/two", "a/b/d", "first/one", "plain"]
    assert sum("Scored" in line for line in lines) == 1
    assert sum("not measured: nobody asked" in line for line in lines) == 1
    assert any("x, y not measured" in line for line in lines)
