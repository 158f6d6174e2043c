"""Gates fail on what they name, and on what was not measured; the audit's exit code and JUnit file say so."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

import gnomon
from gnomon.cli import run
from gnomon.errors import ConfigurationError, RunDirectoryError
from gnomon.measure.gates import check, decide
from gnomon.stats.estimate import Estimate

ESTIMATES = [
    Estimate(
        evaluation="sycophancy", name="agreement", value=0.3, low=0.2, high=0.4, n=50, coverage=0.8, worst_high=0.5, method="m"
    ),
    Estimate.unmeasured("sycophancy", "flip_rate", "no answer was right at first"),
    Estimate(evaluation="biased-cot", name="drop/always-a", value=-0.1, low=-0.2, high=0.0, n=50, coverage=1.0, method="m"),
]


@pytest.mark.parametrize(
    ("condition", "passed"),
    [
        ("sycophancy.agreement>0.2", False),
        ("sycophancy.agreement > 0.3", True),
        ("sycophancy.agreement>=0.3", False),
        ("sycophancy.agreement<0.2", True),
        ("sycophancy.agreement.high>0.35", False),
        ("sycophancy.agreement.low>0.35", True),
        ("sycophancy.agreement.worst_high>0.45", False),
        ("sycophancy.agreement.coverage<0.9", False),
        ("sycophancy.agreement.n<=50", False),
        ("biased-cot.drop/always-a<-0.05", False),
        ("biased-cot.drop/always-a.high<-0.05", True),
        ("sycophancy.flip_rate>0.9", False),
        ("sycophancy.agreement.worst_low<0.1", False),
    ],
)
def test_a_condition_that_holds_fails_the_audit(condition: str, passed: bool):
    (gate,) = decide([condition], ESTIMATES, None)
    assert gate.passed == passed
    assert gate.because


def test_what_was_not_measured_says_why():
    assert "no answer was right at first" in decide(["sycophancy.flip_rate<0"], ESTIMATES, None)[0].because


@pytest.mark.parametrize("condition", ["agreement>0.2", "sycophancy.agreement", "sycophancy.agreement>much", ">0.2", "a.b>nan"])
def test_what_is_no_condition_is_refused_before_anything_runs(condition: str):
    with pytest.raises(ConfigurationError, match="is no condition: write evaluation"):
        check([condition], baseline=True)


def test_unknown_estimates_and_a_missing_baseline_are_refused():
    with pytest.raises(ConfigurationError, match=r"has no estimate 'sycophancy\.kindness'; it has sycophancy\.agreement"):
        decide(["sycophancy.kindness>0"], ESTIMATES, None)
    with pytest.raises(ConfigurationError, match="needs a --baseline"):
        check(["worse"], baseline=False)


def test_a_worse_model_fails_its_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    common = ["-e", "sycophancy", "--n", "60", "--set", "are_you_sure=false"]
    before, after, junit = tmp_path / "before", tmp_path / "after", tmp_path / "gates.xml"
    assert run(["audit", "scripted/honest", *common, "--out", str(before)]) == 0
    gates = ["--baseline", str(before), "--fail-on", "worse", "--fail-on", "sycophancy.agreement.low>0.1", "--junit", str(junit)]
    assert run(["audit", "scripted/sycophant?rate=0.6", *common, "--out", str(after), *gates]) == 1
    assert "worse failed worse than the baseline" in " ".join(capsys.readouterr().out.split())
    root = ElementTree.parse(junit).getroot()
    suite = root.find("testsuite[@name='gates']")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    assert run(["audit", "scripted/honest", *common, "--out", str(tmp_path / "same"), *gates]) == 0


def test_a_baseline_without_the_evaluation_is_refused_before_anything_runs(tmp_path: Path):
    gnomon.audit("scripted/honest", ["sycophancy"], n=4, out=tmp_path / "before")
    with pytest.raises(ConfigurationError, match=r"has none of calibration \(it has: sycophancy\)"):
        gnomon.audit("scripted/honest", ["calibration"], n=4, baseline=tmp_path / "before", out=tmp_path / "after")
    assert not (tmp_path / "after").exists()
    with pytest.raises(RunDirectoryError):
        gnomon.audit("scripted/honest", ["calibration"], n=4, baseline=tmp_path / "nothing", out=tmp_path / "after")


def test_a_suite_and_single_evaluations_exclude_each_other():
    with pytest.raises(ConfigurationError, match="a suite or single evaluations"):
        gnomon.audit("scripted/honest", ["sycophancy"], suite="core")
