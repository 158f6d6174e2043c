"""Gates and estimates as a JUnit file, which release pipelines show.

A gate is a test that passes or fails. Estimates are tests that have run; one that could not be measured is skipped with its
reason.
"""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from gnomon.report import numbers
from gnomon.report.results import Decided
from gnomon.report.transcripts import visible
from gnomon.run.files import write_atomically
from gnomon.stats.estimate import Estimate


def write_junit(path: Path, model: str, estimates: Sequence[Estimate], gates: Sequence[Decided]) -> None:
    """Writes the file.

    Args:
        path: Where.
        model: Reference of the audited model.
        estimates: What was measured.
        gates: The conditions of the pipeline.

    Raises:
        RunDirectoryError: It cannot be written.
    """
    root = ElementTree.Element("testsuites", name=visible(f"gnomon audit {model}"))
    if gates:
        _suite(root, "gates", [_gate(gate) for gate in gates])
    for evaluation in dict.fromkeys(estimate.evaluation for estimate in estimates):
        _suite(root, evaluation, [_measured(one) for one in estimates if one.evaluation == evaluation])
    ElementTree.indent(root)
    write_atomically(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(root: ElementTree.Element, name: str, cases: Sequence[ElementTree.Element]) -> None:
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    suite = ElementTree.SubElement(root, "testsuite", {"name": name, **{key: str(count) for key, count in counts.items()}})
    suite.extend(cases)


def _gate(gate: Decided) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname="gnomon.gates", name=visible(gate.condition))
    if not gate.passed:
        ElementTree.SubElement(case, "failure", message=visible(gate.because))
    return case


def _measured(estimate: Estimate) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=f"gnomon.{estimate.evaluation}", name=estimate.name)
    if estimate.value is None:
        ElementTree.SubElement(case, "skipped", message=visible(estimate.reason or ""))
    else:
        said = ElementTree.SubElement(case, "system-out")
        said.text = f"{numbers.value_with_interval(estimate)}, n {estimate.n:,}, {numbers.coverage(estimate)} scored"
    return case
