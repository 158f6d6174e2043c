import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from gnomon.datasets import store
from gnomon.datasets.fetch import fetch
from gnomon.errors import DatasetError

CONTENT = bytes(range(256)) * 40
Handler = Callable[[httpx.Request], httpx.Response]


class Upstream:
    """Serves contents by address, with ranges; `cut` breaks the connection after so many bytes, once."""

    def __init__(self, contents: dict[str, bytes], *, cut: int | None = None, ranges: bool = True):
        self.contents = contents
        self.cut = cut
        self.ranges = ranges
        self.asked: list[tuple[str, str | None]] = []

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        url, wanted = str(request.url), request.headers.get("Range")
        self.asked.append((url, wanted))
        if url not in self.contents:
            return httpx.Response(404)
        content, status = self.contents[url], 200
        if wanted and self.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return httpx.Response(416)
            content, status = content[start:], 206
        return httpx.Response(status, content=self.stream(content), headers={"Content-Length": str(len(content))})

    def stream(self, content: bytes) -> Iterator[bytes]:
        if self.cut is not None:
            cut, self.cut = self.cut, None
            yield content[:cut]
            raise httpx.ReadError("connection lost")
        yield content


def test_what_is_fetched_is_verified_cached_and_not_fetched_again(publish, tmp_path: Path):
    publish("small", {"a/one.csv": CONTENT, "two.csv": b"2"})
    upstream = Upstream({"https://upstream.example/a/one.csv": CONTENT, "https://upstream.example/two.csv": b"2"})
    seen: list[tuple[str, int, int]] = []
    folder = fetch("small", client=upstream.client(), notice=lambda *event: seen.append(event))
    assert folder == tmp_path / "cache" / "datasets" / "small"
    assert store.read("small", "a/one.csv") == CONTENT
    assert seen[-2:] == [("a/one.csv", len(CONTENT), len(CONTENT)), ("two.csv", 1, 1)]
    fetch("small", client=upstream.client())
    assert len(upstream.asked) == 2
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["one.csv", "two.csv"]
    (folder / "two.csv").write_bytes(b"3")
    fetch("small", client=upstream.client())
    assert len(upstream.asked) == 3
    assert store.read("small", "two.csv") == b"2"


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_goes_on_where_it_stopped(publish, ranges: bool):
    publish("small", {"one.csv": CONTENT})
    upstream = Upstream({"https://upstream.example/one.csv": CONTENT}, cut=1000, ranges=ranges)
    with pytest.raises(DatasetError, match="connection lost"):
        fetch("small", client=upstream.client())
    fetch("small", client=upstream.client())
    assert [wanted for _, wanted in upstream.asked] == [None, "bytes=1000-"]
    assert store.read("small", "one.csv") == CONTENT


def test_a_download_that_was_complete_but_not_moved_is_used(publish):
    publish("small", {"one.csv": CONTENT})
    upstream = Upstream({"https://upstream.example/one.csv": CONTENT + b"x"}, cut=len(CONTENT))
    with pytest.raises(DatasetError, match="connection lost"):
        fetch("small", client=upstream.client())
    upstream.contents["https://upstream.example/one.csv"] = CONTENT
    fetch("small", client=upstream.client())
    assert store.read("small", "one.csv") == CONTENT


def test_another_address_is_tried_where_the_first_serves_something_else(publish):
    publish("small", {"one.csv": CONTENT}, urls=("https://new.example/{path}", "https://old.example/{path}.gz"))
    upstream = Upstream({"https://new.example/one.csv": b"changed", "https://old.example/one.csv.gz": gzip.compress(CONTENT)})
    fetch("small", client=upstream.client())
    assert store.read("small", "one.csv") == CONTENT


def test_when_no_address_has_it_all_refusals_are_said_in_one_sentence(publish, tmp_path: Path):
    urls = tuple(f"https://{host}.example/{{path}}" for host in ("gone", "changed", "broken"))
    publish("small", {"one.csv": CONTENT}, urls=(*urls[:2], urls[2] + ".gz"))
    upstream = Upstream(
        {"https://changed.example/one.csv": b"changed", "https://broken.example/one.csv.gz": gzip.compress(CONTENT)[:-4]}
    )
    with pytest.raises(DatasetError) as caught:
        fetch("small", client=upstream.client())
    message = str(caught.value)
    assert "404" in message
    assert "not the recorded file" in message
    assert "broken gzip" in message
    assert "GNOMON_DATA" in message
    assert "\n" not in message
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_without_a_network_it_is_one_sentence(publish):
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno -2] Name or service not known")

    publish("small", {"one.csv": CONTENT})
    with pytest.raises(DatasetError, match=r"cannot fetch one\.csv .*Name or service not known"):
        fetch("small", client=httpx.Client(transport=httpx.MockTransport(refuse)))


def test_elsewhere_than_the_cache(publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    publish("small", {"one.csv": CONTENT})
    upstream = Upstream({"https://upstream.example/one.csv": CONTENT})
    assert fetch("small", tmp_path / "mine", client=upstream.client()) == tmp_path / "mine" / "small"
    monkeypatch.setenv("GNOMON_DATA", str(tmp_path / "mine"))
    assert store.read("small", "one.csv") == CONTENT


def test_a_place_that_cannot_be_written_is_one_sentence(publish, tmp_path: Path):
    publish("small", {"one.csv": CONTENT})
    (tmp_path / "file").write_text("")
    upstream = Upstream({"https://upstream.example/one.csv": CONTENT})
    with pytest.raises(DatasetError, match="cannot write"):
        fetch("small", tmp_path / "file", client=upstream.client())
