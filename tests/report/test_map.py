"""Maps of examples: every text is there, hostile ones are only text, and equal input gives an equal page."""

import base64
import hashlib
import html
import re
from pathlib import Path

import numpy as np
import pytest

from gnomon.report.map import Example, example_map
from gnomon.report.projection import place

HOSTILE = "</li><script>alert(1)</script> \"quoted\" & 'q' \u202e{{ 7 * 7 }}"


def examples(count: int = 24) -> list[Example]:
    things = ("boats sail on water", "dogs eat meat at home", "numbers add up to sums")
    return [Example(f"{things[n % 3]} {n}", "ab"[n % 2], {"score": str(n)}) for n in range(count)]


def test_every_text_is_on_the_page_and_nothing_of_it_runs() -> None:
    page = example_map(HOSTILE, [*examples(), Example(HOSTILE, HOSTILE, {HOSTILE: HOSTILE})], notes=[HOSTILE]).html()
    for one in examples():
        assert one.text in page
    assert page.count("<script>") == 1
    assert "alert(1)</script>" not in page
    assert "{{ 7 * 7 }}" in page
    assert "\u202e" not in page
    assert "[U+202E]" in page
    facts = [html.unescape(found) for found in re.findall(r'data-facts="([^"]*)"', page)]
    assert len(facts) == 25


def test_the_policy_admits_its_own_style_and_script_only() -> None:
    page = example_map("Map", examples()).html()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        assert inside is not None
        digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in html.unescape(policy[1])
    assert "default-src 'none'" in html.unescape(policy[1])
    assert not re.search(r"https?://|style=|onclick=", page)


def test_equal_input_gives_an_equal_page_and_figure(tmp_path: Path) -> None:
    first, second = (example_map("Map", examples()) for _ in range(2))
    assert first.html() == second.html()
    first.write(tmp_path / "map.html")
    assert {path.name for path in tmp_path.iterdir()} == {"map.html", "map.svg", "map.csv"}
    assert "24 examples (a: 12, b: 12)" in first.figure().alt


def test_clusters_are_found_and_named_by_their_words() -> None:
    texts = [one.text for one in examples(60)]
    found = place(texts, clusters=3)
    groups = [{found.clusters[n] for n in range(60) if n % 3 == kind} for kind in range(3)]
    assert all(len(group) == 1 for group in groups)
    assert len(set.union(*groups)) == 3
    assert any("boats" in name for name in found.named)
    assert found.places.min() >= 0.0
    assert found.places.max() <= 1.0


@pytest.mark.parametrize("texts", [["one"], ["a", "b"], ["same"] * 20, ["..."] * 3, ["the of and"] * 9, ["", "x y z"]])
@pytest.mark.parametrize("projection", ["tsne", "pca"])
def test_few_equal_or_wordless_texts_still_have_a_map(texts: list[str], projection) -> None:
    page = example_map("Map", [Example(text) for text in texts], projection=projection).html()
    assert page.count("data-text=") == len(texts)


def test_given_vectors_place_the_texts() -> None:
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(0, 0.1, (15, 5)), rng.normal(5, 0.1, (15, 5))])
    found = place([f"text {n}" for n in range(30)], vectors=vectors, projection="pca", clusters=2)
    assert set(found.clusters[:15]) != set(found.clusters[15:])
    assert found.method.startswith("Given vectors")
    with pytest.raises(ValueError, match="2 vectors for 1 texts"):
        place(["a"], vectors=vectors[:2])
    with pytest.raises(ValueError, match="no texts"):
        place([])
