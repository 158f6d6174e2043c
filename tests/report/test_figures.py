"""Charts draw what they are given, leave out what was not measured, and carry their data."""

import csv
import io
import xml.etree.ElementTree as ElementTree

import pytest

from gnomon.report import figures
from gnomon.report.faithfulness_curves import faithfulness_curve
from gnomon.stats import aoc, calibration
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_rate

NOT = Estimate.unmeasured("e", "nothing", "the judge failed")


def rate(name, ones, n, missing=0):
    return estimate_rate([1] * ones + [0] * (n - ones) + [None] * missing, evaluation="e", name=name)


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter() if element.text]


@pytest.mark.parametrize("narrow", [False, True])
def test_forest_shows_each_measured_estimate(narrow):
    figure = figures.forest([rate("first_one", 20, 50), NOT, rate("second", 5, 50, missing=10)])
    svg = figure.svg(narrow=narrow)
    assert "first one" in texts(svg)
    assert "0.40 [0.28, 0.54]" in texts(svg)
    assert "nothing" not in texts(svg)
    assert "first one 0.40 [0.28, 0.54]" in figure.alt


def test_data_are_saved_with_missing_fields_empty(tmp_path):
    figure = figures.forest([rate("full", 20, 50), rate("gaps", 5, 50, missing=10)])
    figure.save(tmp_path)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "estimates.csv").read_text())))
    assert [row["label"] for row in rows] == ["full", "gaps"]
    assert rows[0]["worst_low"] == ""
    assert float(rows[1]["worst_high"]) == pytest.approx(15 / 60)
    assert (tmp_path / "estimates.svg").read_text().startswith("<svg")


def test_nothing_measured_gives_no_chart():
    assert figures.forest([NOT]) is None
    assert figures.before_after([("x", NOT, rate("y", 1, 10))]) is None
    assert figures.reliability({}) is None
    assert faithfulness_curve([]) is None
    assert figures.dose_response([(0.5, NOT)]) is None
    assert figures.cross_talk([]) is None


def test_before_after_has_both_sides():
    figure = figures.before_after([("agreement", rate("a", 30, 50), rate("a", 3, 50)), ("lost", NOT, NOT)])
    assert [row["when"] for row in figure.data] == ["before", "after"]
    assert "0.60 to 0.06" in texts(figure.svg(narrow=True))


def test_instrument_charts_draw():
    bins = calibration.reliability([0.1, 0.4, 0.6, 0.9] * 20, [0, 0, 1, 1] * 20, bins=4)
    points = aoc.curves([[0, 1, 1], [1, 1, 1], [0, 1]] * 10, intervention="early_answering")
    for figure in (
        figures.reliability({"top predictions": bins}),
        faithfulness_curve(points),
        figures.dose_response([(0.0, rate("a", 0, 20)), (0.5, rate("a", 11, 20)), (1.0, rate("a", 20, 20))]),
        figures.cross_talk([("sycophancy", "always_a", -0.2), ("calibration", "always_a", None)]),
    ):
        for narrow in (False, True):
            root = ElementTree.fromstring(figure.svg(narrow=narrow))
            assert 100 < float(root.get("width")) < (420 if narrow else 780)
        assert figure.data


def test_unmeasured_cells_are_no_zero():
    figure = figures.cross_talk([("sycophancy", "always_a", 0.0), ("calibration", "always_a", None)])
    assert "n/a" in texts(figure.svg())
    assert figure.data[1]["change"] is None


def test_names_are_drawn_as_text():
    figure = figures.forest([rate("<script>alert(1)</script>", 1, 10)])
    assert "<script>" not in figure.svg()
    assert "<script>" not in figure.inline_svg()
