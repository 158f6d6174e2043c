"""The page in a real browser: no request, no foreign script, no sideways scrolling, dark when wanted."""

import shutil
import socketserver
import subprocess
import threading
from http.server import BaseHTTPRequestHandler

import pytest

BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars"),
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium here: install chromium to run the browser tests"),
]

PROBE = """<!doctype html><title>probe</title><iframe id="page" src="report.html" width="{width}" height="800"></iframe><script>
addEventListener("load", () => {{
  const page = document.getElementById("page").contentDocument;
  const background = page.defaultView.getComputedStyle(page.body).backgroundColor;
  const rows = [...page.querySelectorAll("#records > details")];
  const form = page.getElementById("filter");
  const shown = () => rows.filter((row) => !row.hidden).length;
  const before = shown();
  form.elements.status.value = "error";
  form.dispatchEvent(new Event("input"));
  const filtered = shown();
  page.getElementById("theme").click(); page.getElementById("theme").click();
  const dark = page.defaultView.getComputedStyle(page.body).backgroundColor;
  const wide = [...page.querySelectorAll(".chart .wide")].every((one) => one.getBoundingClientRect().width > 0);
  document.title = JSON.stringify({{
    title: page.title, client: page.documentElement.clientWidth, scroll: page.documentElement.scrollWidth,
    background, dark, before, filtered, wide,
    axis: page.defaultView.getComputedStyle(page.querySelector(".chart svg text")).fill,
    resources: page.defaultView.performance.getEntriesByType("resource").length,
  }});
}});
</script>"""


def run_browser(tmp_path, *arguments):
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory, html):
    """The page and a probe around it on a local server, which counts what is asked of it."""
    asked = []

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            path, _, query = self.path.partition("?")
            body = {"/report.html": html, "/probe.html": PROBE.format(width=query or "390")}.get(path)
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, *arguments):
            pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Pages) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def probe(site, tmp_path, width, *flags):
    import html as entities
    import json
    import re

    dom = run_browser(tmp_path, *flags, "--virtual-time-budget=8000", "--dump-dom", f"{site[0]}/probe.html?{width}")
    found = re.search(r"<title>(.*?)</title>", dom, flags=re.DOTALL)
    assert found, dom[:500]
    return json.loads(entities.unescape(found.group(1)))


def test_phone(site, tmp_path):
    site[1].clear()
    seen = probe(site, tmp_path, 390)
    assert "gnomon" in seen["title"]  # no script of a transcript has changed it
    assert seen["scroll"] <= seen["client"]
    assert seen["resources"] == 0
    assert {path.partition("?")[0] for path in site[1]} <= {"/probe.html", "/report.html", "/favicon.ico"}
    assert not seen["wide"]


def test_desktop_filter_and_themes(site, tmp_path):
    seen = probe(site, tmp_path, 1100)
    assert seen["wide"]
    assert seen["before"] == 20
    assert seen["filtered"] == 2
    assert seen["background"] == "rgb(251, 250, 246)"
    assert seen["dark"] == "rgb(20, 22, 26)"


def test_dark_preference_changes_page_and_charts(site, tmp_path):
    seen = probe(site, tmp_path, 1100, "--blink-settings=preferredColorScheme=0")
    assert seen["background"] == "rgb(20, 22, 26)"
    assert seen["axis"] in ("rgb(235, 232, 225)", "rgb(168, 165, 157)")


def test_a_screenshot_can_be_taken(tmp_path, html):
    (tmp_path / "report.html").write_text(html)
    picture = tmp_path / "report.png"
    run_browser(tmp_path, "--window-size=1100,900", f"--screenshot={picture}", f"file://{tmp_path / 'report.html'}")
    assert picture.stat().st_size > 20_000
