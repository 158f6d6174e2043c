"""A real `gnomon serve` process: its address, its end, its exit code."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from .test_stream import eventually

CODE = """
import atexit, runpy, sys
atexit.register(print, "Bye.", file=sys.stderr)  # os._exit and an abort skip it
runpy.run_module("gnomon", run_name="__main__", alter_sys=True)
"""
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
    assert said.splitlines()[-2].startswith("Stopped after ")
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
    assert came[0].status_code == 503
    assert "is stopping" in came[0].json()["error"]["message"]
    assert said.splitlines()[-2:] == ["Stopped after 2 requests; 1 had not ended when the time of grace was over.", "Bye."]


@pytest.mark.parametrize("presses", [1, 2], ids=["once", "twice"])
def test_ctrl_c_ends_streams_that_clients_still_read(presses: int) -> None:
    """Within the time of grace, or at once when it is pressed again, by an ordinary exit."""
    asked = {**LONG, "prompt": ["one"] * 8, "stream": True}
    with process("organism/base-30k", "--grace", "1" if presses == 1 else "600") as (server, url), ExitStack() as clients:
        streams = [clients.enter_context(httpx.stream("POST", f"{url}/completions", json=asked, timeout=300)) for _ in range(4)]
        reading = [stream.iter_lines() for stream in streams]  # an iterator that goes would close its connection
        assert all(next(lines).startswith("data: ") for lines in reading)
        for _ in range(presses):
            server.send_signal(signal.SIGINT)
            time.sleep(0.5)
        told = [list(lines)[-2] for lines in reading]
        _, said = server.communicate(timeout=300)
    assert server.returncode == 0
    assert all("is stopping" in json.loads(line.removeprefix("data: "))["error"]["message"] for line in told)
    assert "4 had not ended" in said.splitlines()[-2]
    assert said.splitlines()[-1] == "Bye."
    assert "Traceback" not in said


def test_ctrl_c_is_a_proper_end() -> None:
    with process("scripted/honest") as (server, url):
        assert httpx.post(f"{url}/chat/completions", json={"messages": [{"role": "user", "content": "Hi"}]}).status_code == 200
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=60)
    assert server.returncode == 0
    assert said.splitlines() == ["Stopped after 1 requests.", "Bye."]


@pytest.mark.slow
def test_a_connection_that_rests_is_still_there() -> None:
    """Replays a client that was busy for some seconds, and whose next request on its connection was lost."""
    with process("scripted/honest") as (_, url), closing(HTTPConnection("127.0.0.1", httpx.URL(url).port)) as connection:
        connection.connect()
        opened = connection.sock
        for rest in (7, 0):  # http.client would open another connection in place of one that was closed
            connection.request("GET", "/health")
            assert connection.getresponse().read()
            assert connection.sock is opened
            time.sleep(rest)
