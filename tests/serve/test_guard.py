"""Who may ask, how often, how much and how large."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

import gnomon
from gnomon.errors import ConfigurationError
from gnomon.serve.background import serving
from gnomon.serve.config import ServeConfig
from gnomon.serve.guard import MOST_CLIENTS, Rates

from .fake import Echoing
from .test_stream import eventually, release

TOKEN = "a-token-of-the-tests"


def ask(url: str, prompt: str = "a b", **options: Any) -> httpx.Response:
    return httpx.post(f"{url}/completions", json={"prompt": prompt}, **options)


def test_without_the_token_only_health_is_open() -> None:
    with serving(Echoing(), ServeConfig(port=0, token=TOKEN)) as address:
        root = address.url.removesuffix("/v1")
        for wrong in ({}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer \u00fc"}):
            headers = {name: value.encode() for name, value in wrong.items()}
            for path in ("/v1/models", "/metrics", "/nothing", "/openapi.json"):
                assert httpx.get(f"{root}{path}", headers=headers).status_code == 401, path
            refused = ask(address.url, headers=headers)
            assert refused.status_code == 401
            assert refused.json()["error"]["code"] == "invalid_api_key"
            assert refused.headers["www-authenticate"] == "Bearer"
        assert httpx.get(f"{root}/health").json()["status"] == "ok"
        assert ask(address.url, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_an_address_that_others_reach_needs_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"^whoever reaches 0\.0\.0\.0 .* set GNOMON_SERVE_TOKEN"):
        gnomon.serve("scripted/honest", host="0.0.0.0")
    with pytest.raises(ValidationError):
        ServeConfig(host="192.0.2.1")
    for token in ("", "two words", "\u00fc", "line\n"):
        with pytest.raises(ConfigurationError, match="token"):
            gnomon.serve("scripted/honest", token=token)


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(ServeConfig(token=TOKEN))


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "", "localhost.", "[::1", "a b"])
def test_names_of_other_machines_are_refused(name: str) -> None:
    """DNS rebinding: a page's own name that resolves to 127.0.0.1."""
    with serving(Echoing()) as address:
        refused = ask(address.url, headers={"Host": name})
        assert refused.status_code in (400, 403)
        port = httpx.URL(address.url).port
        for own in (f"127.0.0.1:{port}", f"localhost:{port}", "LOCALHOST", f"[::1]:{port}"):
            assert ask(address.url, headers={"Host": own}).status_code == 200, own


def chunked(size: int) -> Iterator[bytes]:
    for _ in range(size // 1000):
        yield b" " * 1000


@pytest.mark.parametrize("kind", ["with its length", "in chunks"])
def test_large_bodies_are_refused(kind: str) -> None:
    model = Echoing()
    with serving(model, ServeConfig(port=0, max_body=10_000)) as address:
        headers = {"Content-Type": "application/json"}
        content = b" " * 11_000 if kind == "with its length" else chunked(11_000)
        refused = httpx.post(f"{address.url}/completions", content=content, headers=headers)
        assert refused.status_code == 413
        assert "10000 bytes" in refused.json()["error"]["message"]
        assert not model.asked
        fits = b'{"prompt": "a"}'.ljust(10_000)
        assert httpx.post(f"{address.url}/completions", content=fits, headers=headers).status_code == 200
        counted = httpx.get(f"{address.url.removesuffix('/v1')}/metrics").text
    assert 'gnomon_requests_total{route="/v1/completions",status="413"} 1.0' in counted


def test_a_body_without_end_is_cut_at_the_limit() -> None:
    """The length is a lie or not said; what is read is bounded all the same."""
    with serving(Echoing(), ServeConfig(port=0, max_body=10_000)) as address:
        port = httpx.URL(address.url).port
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = ["POST /v1/completions HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
            connection.sendall("\r\n".join([*head, "Transfer-Encoding: chunked", "", ""]).encode())
            for _ in range(11):
                connection.sendall(b"3e8\r\n" + b" " * 1000 + b"\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_clients_that_ask_too_often_wait() -> None:
    with serving(Echoing(), ServeConfig(port=0, rate=0.01)) as address:
        assert ask(address.url).status_code == 200
        refused = ask(address.url)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 100
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert httpx.get(f"{address.url.removesuffix('/v1')}/health").status_code == 200


def asked_by(client: str, path: str = "/v1/completions") -> dict[str, Any]:
    return {"type": "http", "path": path, "client": (client, 1), "headers": []}


@example(rate=1 / 3, waits=[0.0, 0.0, 1.916150808503259, 1.4469393215942623, 1 / 3, 0.0])  # the sum lacks one bit of 1
@given(rate=st.floats(0.1, 50), waits=st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_more_than_the_rate_and_one_seconds_worth_get_through(rate: float, waits: list[float]) -> None:
    now = 0.0
    rates = Rates(rate, clock=lambda: now)
    passed = 0
    for wait in waits:
        now += wait
        refusal = rates(asked_by("a"))
        passed += refusal is None
        assert passed <= max(1.0, rate) + rate * now + 1e-6
        if refusal is not None:
            now += int(refusal.headers["retry-after"])
            assert rates(asked_by("a")) is None
            passed += 1


def test_clients_have_rates_of_their_own_and_are_forgotten() -> None:
    now = 0.0
    rates = Rates(1.0, clock=lambda: now)
    assert rates(asked_by("a")) is None
    assert rates(asked_by("a")) is not None
    assert rates(asked_by("b")) is None
    assert rates(asked_by("a", "/health")) is None
    for index in range(3 * MOST_CLIENTS):
        now += 0.01
        rates(asked_by(str(index)))
    assert len(rates._left) <= MOST_CLIENTS


def test_a_full_server_says_so_and_goes_on() -> None:
    model = Echoing(waits=True)
    with serving(model, ServeConfig(port=0, in_flight=2)) as address:
        codes: list[int] = []
        waiting = [threading.Thread(target=lambda: codes.append(ask(address.url, timeout=30).status_code)) for _ in range(2)]
        for each in waiting:
            each.start()
        eventually(lambda: len(model.asked) == 2)
        refused = ask(address.url)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert httpx.get(f"{address.url}/models").status_code == 200
        release(model)
        for each in waiting:
            each.join()
        assert codes == [200, 200]
        assert ask(address.url).status_code == 200


def test_a_taken_port_is_said_in_a_sentence() -> None:
    with serving(Echoing()) as address, pytest.raises(ConfigurationError, match="--port"):
        gnomon.serve("scripted/honest", port=httpx.URL(address.url).port)


@pytest.mark.parametrize("options", [{"port": -1}, {"port": 70000}, {"rate": 0.0}, {"rate": float("nan")}, {"in_flight": 0}])
def test_absurd_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        gnomon.serve("scripted/honest", **options)


def test_metrics_count_routes_states_and_tokens() -> None:
    with serving(Echoing()) as address:
        root = address.url.removesuffix("/v1")
        ask(address.url, "a b c")
        httpx.post(f"{address.url}/completions", json={"prompt": []})
        for index in range(3):
            httpx.get(f"{root}/made-up-{index}")
        counted = httpx.get(f"{root}/metrics")
    lines = counted.text.splitlines()
    assert counted.headers["content-type"].startswith("text/plain")
    assert 'gnomon_requests_total{route="/v1/completions",status="200"} 1.0' in lines
    assert 'gnomon_requests_total{route="/v1/completions",status="400"} 1.0' in lines
    assert 'gnomon_requests_total{route="other",status="404"} 3.0' in lines
    assert 'gnomon_tokens_total{of="prompt"} 3.0' in lines
    assert 'gnomon_tokens_total{of="reply"} 3.0' in lines
    assert 'gnomon_request_seconds_count{route="/v1/completions"} 2.0' in lines
    assert "gnomon_requests_in_flight 1.0" in lines  # this one
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)
