"""The page as text: self-contained, everything escaped, everything said."""

import base64
import hashlib
import html as entities
import json
import re
from html.parser import HTMLParser

import pytest

from gnomon.report.content import ReportContent, Verdict
from gnomon.report.page import figures_of, render, write_report
from gnomon.report.palette import DARK, LIGHT
from tests.report.conftest import HOSTILE


class Outline(HTMLParser):
    """Tags, attributes and ids of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.ids, self.headings = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))


@pytest.fixture(scope="module")
def outline(html):
    return Outline(html)


def test_nothing_is_loaded_from_anywhere(outline):
    loading = {"src", "href", "srcset", "action", "data", "poster", "xlink:href", "background"}
    targets = [value for _, name, value in outline.attributes if name in loading]
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert not {"link", "iframe", "object", "embed", "img", "base"} & set(outline.tags)


def test_policy_admits_exactly_our_style_and_script(html, outline):
    policy = next(
        value for tag, name, value in outline.attributes if tag == "meta" and name == "content" and "default-src" in value
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        assert len(bodies) == 1
        digest = base64.b64encode(hashlib.sha256(bodies[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_no_inline_handlers_or_styles(outline):
    assert not [name for _, name, _ in outline.attributes if name.startswith("on") or name == "style"]


def test_hostile_text_stays_text(html, outline):
    assert outline.tags.count("script") == 1
    assert "<img" not in html
    shown = entities.unescape(html)
    assert "<script>document.title = 'owned'</script>" in shown
    assert "{{ 7 * 7 }}" in shown
    assert "something <b>else</b>" in shown
    assert "\x1b" not in html
    assert "\x00" not in html
    assert "\u202e" not in html
    assert "[U+202E]evil" in html
    assert HOSTILE not in html


def test_the_verdict_comes_first(html):
    assert html.index('id="verdict"') < html.index("<table") < html.index('id="transcripts"') < html.index('id="reproduce"')
    assert re.search(r"<h2[^>]*>.*fixed</h2>", html)


def test_headings_are_in_order_and_ids_unique(outline):
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(outline.ids) == len(set(outline.ids))
    links = [value[1:] for tag, name, value in outline.attributes if tag == "a" and name == "href"]
    assert set(links) <= set(outline.ids)


def test_every_chart_has_words(outline):
    described = [value for _, name, value in outline.attributes if name == "aria-label"]
    assert sum(value.startswith("Forest plot.") for value in described) >= 2
    roles = [value for tag, name, value in outline.attributes if tag == "div" and name == "role" and value == "img"]
    assert len(roles) <= len(described)


def test_charts_follow_the_theme(html):
    body = html[html.index("</style>") :]
    assert not [colour for colour in LIGHT.values() if f'"{colour}"' in body]
    assert set(re.findall(r"var\(--(\w+)\)", html)) <= {*LIGHT, "tone"}


def test_palettes_have_contrast_and_the_same_names():
    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(first, second):
        high, low = sorted((luminance(first), luminance(second)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT)
    for palette in (LIGHT, DARK):
        for ground in ("paper", "panel"):
            for text in ("ink", "muted", "accent", "good", "bad", "unknown"):
                assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
            for mark in ("before", *(f"series{number}" for number in range(1, 7))):
                assert contrast(palette[mark], palette[ground]) >= 3, (mark, ground)


def test_numbers_reasons_and_provenance_are_there(html, content):
    text = entities.unescape(html)
    for expected in (
        "none of the 160 records could be scored",
        content.command,
        "2.13.0",
        "The model declined to answer",
        "These records are in no estimate",
        '"note": "</script>"',
        "95 % interval",
    ):
        assert expected in text
    assert re.search(r"14\s+were not scored", text)


def test_estimates_without_value_show_no_number(html):
    row = next(part for part in html.split("<tr>") if "aoc adding mistakes" in part).partition("</tr>")[0]
    assert "not measured" in row
    assert "0.00" not in row


def test_scales_never_share_an_axis(content):
    found = figures_of(content)
    names = [figure.name for figure in found["estimates"]]
    assert {"estimates_sycophancy", "estimates_sycophancy_difference", "estimates_calibration"} <= set(names)
    assert [bool(figure.caption) for figure in found["estimates"]] == [True] + [False] * (len(names) - 1)
    assert [figure.name for figure in found["side_effects"]] == ["side_effects", "side_effects_nats"]


def test_written_with_its_figures_and_their_data(tmp_path, content):
    path = write_report(tmp_path, content)
    assert path == tmp_path / "report.html"
    assert {file.name for file in tmp_path.iterdir()} == {"report.html", "figures"}
    names = {file.stem for file in (tmp_path / "figures").iterdir()}
    assert {"before_after", "estimates_sycophancy", "reliability", "early_answering", "dose_response", "cross_talk"} <= names
    assert all((tmp_path / "figures" / f"{name}{ending}").stat().st_size for name in names for ending in (".svg", ".csv"))
    elsewhere = write_report(tmp_path, content, out=tmp_path / "other.html")
    assert elsewhere.read_text() == path.read_text()


def test_the_smallest_report(html):
    text = render(ReportContent(title="Audit of x", kind="audit", model="x", verdict=Verdict(word="measured", sentence="Done.")))
    assert "Audit of x" in text
    assert 'id="transcripts"' not in text
    assert len(text) < len(html) / 5


def test_content_is_plain_data(content):
    again = ReportContent.model_validate(json.loads(content.model_dump_json()))
    assert again == content
