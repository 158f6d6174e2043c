"""Transcripts that may offend are hidden until the reader asks for them."""

import re

import pytest

from gnomon.report import page
from gnomon.report.content import ReportContent, Verdict
from gnomon.report.transcripts import sample
from gnomon.run.record import Record
from tests.report.test_browser import BROWSER, run_browser

SAID = "the words that must not be seen"


@pytest.fixture(scope="module")
def guarded() -> str:
    records = [
        Record(
            key=name,
            evaluation=name,
            item=f"{name}:1",
            cluster="1",
            repeat=0,
            status="value",
            values={"request": f"{name} {SAID}"},
            transcript=[{"role": "user", "content": f"{name} {SAID}"}, {"role": "assistant", "content": f"{name} reply"}],
        )
        for name in ("red-teaming", "sycophancy")
    ]
    content = ReportContent(
        title="t",
        kind="audit",
        model="m",
        verdict=Verdict(word="measured", sentence="s."),
        transcripts=tuple(sample(records, guarded={"red-teaming"})),
    )
    return page.render(content)


def test_what_was_said_stands_only_in_a_template(guarded: str):
    shown = re.sub(r"<template>.*?</template>", "", guarded, flags=re.DOTALL)
    assert f"red-teaming {SAID}" in guarded
    assert f"red-teaming {SAID}" not in shown
    assert f"sycophancy {SAID}" in shown
    assert shown.count('<button type="button" class="reveal" hidden>Show this transcript</button>') == 1


PROBE = """<script>addEventListener("load", () => {
  const seen = () => document.body.innerText.includes("red-teaming SAID");
  for (const one of document.querySelectorAll("#records > details")) one.open = true;
  const before = seen();
  const button = document.querySelector(".reveal");
  const visible = !button.hidden && button.tabIndex === 0;
  button.focus(); const focused = document.activeElement === button;
  button.click();
  document.title = JSON.stringify([before, visible, focused, seen(), document.activeElement.className]);
});</script>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium here: install chromium to run the browser tests")
def test_a_click_or_a_key_reveals_it(guarded: str, tmp_path):
    free = re.sub(r"<meta[^>]*Content-Security-Policy[^>]*>", "", guarded, flags=re.IGNORECASE)
    path = tmp_path / "page.html"
    path.write_text(free.replace("</body>", PROBE.replace("SAID", SAID) + "</body>"))
    dumped = run_browser(tmp_path, "--virtual-time-budget=3000", "--dump-dom", path.as_uri())
    found = re.search(r"<title>(.*?)</title>", dumped)
    assert found is not None
    assert found[1].replace("&quot;", '"') == '[false,true,true,true,"turn user"]'
