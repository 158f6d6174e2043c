"""A real `gnomon serve` process: its address, its end, its exit code."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from .test_stream import eventually

CODE = "import sys; from gnomon.cli import main; sys.argv[0] = 'gnomon'; main()"
LONG = {"max_tokens": 250, "n": 16, "seed": 0}
"""Takes about a second for one prompt, and far more for a hundred."""


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server on a free port, and its address; killed if the test leaves it running."""
    command = [sys.executable, "-c", CODE, "serve", *arguments, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            told = "".join(iter(server.stdout.readline, "}\n")) + "}"
            yield server, json.loads(told)["url"]
        finally:
            server.kill()


@contextmanager
def long_request(url: str, prompts: int) -> Iterator[list[Any]]:
    """A request that is at work while the block runs; what came of it is there behind the block."""
    came: list[Any] = []

    def ask() -> None:
        try:
            came.append(httpx.post(f"{url}/completions", json={**LONG, "prompt": ["one"] * prompts}, timeout=300))
        except httpx.HTTPError as error:
            came.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    metrics = f"{url.removesuffix('/v1')}/metrics"
    eventually(lambda: "gnomon_requests_in_flight 2.0" in httpx.get(metrics).text)
    yield came
    asking.join()


def test_sigterm_lets_a_running_request_finish() -> None:
    with process("organism/base-30k") as (server, url), long_request(url, 1) as came:
        server.send_signal(signal.SIGTERM)
        assert not came
        out, said = server.communicate(timeout=300)
    assert server.returncode == 0
    assert out == ""
    assert said.splitlines()[-1].startswith("Stopped after ")
    assert "Traceback" not in said
    assert came[0].status_code == 200
    assert len(came[0].json()["choices"]) == 16
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/models")


@pytest.mark.slow
def test_what_takes_longer_than_the_grace_is_cut_off() -> None:
    with process("organism/base-30k", "--grace", "1") as (server, url), long_request(url, 128) as came:
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=300)
    assert server.returncode == 0
    assert isinstance(came[0], httpx.HTTPError) or came[0].status_code >= 500
    assert "1 had not ended" in said


def test_ctrl_c_is_a_proper_end() -> None:
    with process("scripted/honest") as (server, url):
        assert httpx.post(f"{url}/chat/completions", json={"messages": [{"role": "user", "content": "Hi"}]}).status_code == 200
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=60)
    assert server.returncode == 0
    assert said.strip() == "Stopped after 1 requests."
