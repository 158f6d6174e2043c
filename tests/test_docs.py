"""Every command printed in the documentation runs.

A fenced block marked `console` holds commands, each on a line that starts with `$ `; they run in order, one fresh directory per
page. A page-level comment `<!-- slow -->` directly above a block moves it to the slow tests. `python` blocks run too.

The README's blocks run as a reader runs them, in a shell and an interpreter of their own. Elsewhere plain `gnomon` commands and
Python blocks run in this process, so that the libraries are loaded once; what needs a shell gets one.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gnomon.cli import run

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"(?P<slow><!-- slow -->\s*\n)?^```(?P<kind>console|python)\n(?P<body>.*?)^```", re.M | re.S)

# Executed by .ci/run itself, or about another machine; each with its reason.
ELSEWHERE = {
    "make": "`.ci/run` runs the make targets",
    "git": "a clone needs the repository's address",
    "pip": "installs into the user's environment",
    "open": "opens a browser",
    "gnomon --install-completion": "changes the user's shell configuration",
    "gnomon data fetch": "downloads from the network",
}


def blocks(page: Path, *, slow: bool) -> list[tuple[str, str]]:
    found = BLOCK.finditer(page.read_text())
    return [(match["kind"], match["body"]) for match in found if bool(match["slow"]) == slow]


def commands(body: str) -> list[str]:
    joined = body.replace("\\\n", " ")
    return [line[2:].strip() for line in joined.splitlines() if line.startswith("$ ")]


def in_process(command: str) -> list[str] | None:
    """The arguments of a `gnomon` command that needs no shell."""
    words = list(shlex.shlex(command, posix=True, punctuation_chars=True))
    plain = words[0] == "gnomon" and not any(set(word) <= set("();<>|&") for word in words)
    plain = plain and not set("$*~`").intersection(command)
    return shlex.split(command)[1:] if plain else None


def run_page(page: Path, directory: Path, monkeypatch: pytest.MonkeyPatch, *, slow: bool) -> None:
    monkeypatch.chdir(directory)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("NO_COLOR", "1")
    apart = page.name == "README.md"
    for kind, body in blocks(page, slow=slow):
        if kind == "python" and apart:
            run_apart(page, [sys.executable, "-c", body])
        elif kind == "python":
            exec(compile(body, page.name, "exec"), {"__name__": "__main__"})
        for command in commands(body) if kind == "console" else []:
            if any(command == start or command.startswith(start + " ") for start in ELSEWHERE):
                continue
            arguments = None if apart else in_process(command)
            if arguments is None:
                run_apart(page, ["bash", "-c", command])
            else:
                assert run(arguments) == 0, f"{page.name}: {command}"


def run_apart(page: Path, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{page.name}:\n{command[-1]}\n{done.stdout}\n{done.stderr}"


def with_blocks(*, slow: bool) -> list[Path]:
    return [page for page in PAGES if blocks(page, slow=slow)]


@pytest.mark.parametrize("page", with_blocks(slow=False), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page(page, tmp_path, monkeypatch, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", with_blocks(slow=True), ids=lambda page: str(page.relative_to(ROOT)))
def test_slow_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page(page, tmp_path, monkeypatch, slow=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_command_hides_in_an_unmarked_block(page: Path) -> None:
    for block in re.findall(r"^```(?:sh|bash|shell|text)?\n(.*?)^```", page.read_text(), re.M | re.S):
        for line in block.splitlines():
            stripped = line.removeprefix("$ ")
            assert not stripped.startswith("gnomon "), f"{page.name}: mark as console: {line}"
