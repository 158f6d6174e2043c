"""A server that fails calls on purpose: an audit over the wire loses nothing and reads the same."""

import json
from collections import Counter

import pytest
from starlette.responses import JSONResponse

import gnomon
from gnomon.serve.background import serving
from gnomon.serve.config import ServeConfig
from gnomon.serve.faults import FAULTS, Faulty

pytest.importorskip("inspect_ai")


async def answers(app, calls: int) -> list[tuple[int, bytes]]:
    """Status and body of so many calls."""
    found: list[tuple[int, bytes]] = []
    for _ in range(calls):
        parts: list[dict] = []

        async def send(message, parts=parts) -> None:
            parts.append(message)

        async def receive() -> dict:
            return {"type": "http.request", "body": b"", "more_body": False}

        await app({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
        found.append((parts[0]["status"], b"".join(part.get("body", b"") for part in parts[1:])))
    return found


async def test_the_share_of_calls_fails_in_every_way_and_the_same_ones_again():
    def faulty() -> Faulty:
        return Faulty(JSONResponse({"text": "ten letters"}), 0.3, stall=0.0, seed=5)

    app = faulty()
    first = await answers(app, 200)
    assert first == await answers(faulty(), 200)
    assert set(app.spoilt) == set(FAULTS)
    assert 35 <= app.spoilt.total() <= 85
    statuses = Counter(status for status, _ in first)
    assert statuses[429] == app.spoilt["rate limit"]
    assert statuses[500] == app.spoilt["server error"]
    broken = [body for status, body in first if status == 200 and body and not is_json(body)]
    assert len(broken) == app.spoilt["truncated"]


def is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


@pytest.mark.slow
def test_an_audit_over_a_failing_server_reads_the_same(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GNOMON_API_KEY", "none")
    told = {"n": 6, "settings": {"reply_tokens": 16}}
    found = []
    for share in (0.0, 0.15):
        with serving("scripted/sycophant", ServeConfig(port=0, faults=share)) as address:
            reference = f"inspect/openai-api/gnomon/{address.model}?base_url={address.url}&attempt_timeout=1&max_retries=6"
            found.append(gnomon.audit(reference, ["sycophancy"], out=tmp_path / str(share), **told))
    calm, failing = found
    assert calm.unscored == failing.unscored == {}
    assert calm.estimates == failing.estimates
    direct = gnomon.audit("scripted/sycophant", ["sycophancy"], out=tmp_path / "direct", **told)
    assert [one.value for one in direct.estimates] == pytest.approx([one.value for one in failing.estimates])
