"""Scoring a file of requests that need not fit into memory: line by line, in order, resumable.

A line of the file is a request, a line of the result its scores:

    {"prefix": "The capital of Bo is", "continuations": [" Ril", " Tam"], ...}       prefix: a text, or [{"role", "content"}, ...]
    {"line": 1, "key": "...", "scores": [{"logprob": -1.2, "token_logprobs": [...], "is_greedy": true, "reason": null}, ...]}

`key` hashes the model's content and the request, so that a result is continued only by the model and the file that began it.
"""

import asyncio
import json
import os
import resource
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from gnomon.datasets.items import content_hash
from gnomon.datasets.jsonl import read_lines
from gnomon.datasets.messages import Message, Prompt
from gnomon.errors import DatasetError, RunDirectoryError
from gnomon.models.model import Model, Score
from gnomon.run.files import writing

LOOK_AHEAD = 2048
"""Requests in flight: among so many prefixes are shared, and no more are in memory."""

Progress = Callable[[int], None]
"""Told how many requests are done, those of an earlier call among them."""


class ScoredFile(BaseModel):
    """What became of a file.

    Attributes:
        requests: How many there are.
        continuations: How many they have in all.
        unscored: Continuations without a number.
        kept: Requests that were scored by an earlier call.
        peak_memory: Most bytes that the process held.
        path: Where the scores are.
    """

    model_config = ConfigDict(frozen=True)

    requests: int
    continuations: int
    unscored: int
    kept: int
    peak_memory: int
    path: str


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True)

    prefix: str | list[Message]
    continuations: list[str]

    @property
    def prompt(self) -> Prompt:
        return self.prefix if isinstance(self.prefix, str) else tuple(self.prefix)


async def score_file(model: Model, path: Path, out: Path, progress: Progress | None = None) -> ScoredFile:
    """Scores a JSONL file of requests; a call that was stopped is continued where it was.

    Args:
        model: Any model that scores.
        path: The requests.
        out: Where the scores go.
        progress: Told of the requests that are done.

    Raises:
        DatasetError: A line is broken or no request (names file and line).
        RunDirectoryError: `out` cannot be written, or holds scores of another model or another file.
    """
    requests, kept, continuations, unscored = _read(path), 0, 0, 0
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        _drop_torn_line(out)
    for done in _done(out):
        number, request = next(requests, (0, None))
        if request is None or done.get("line") != number or done.get("key") != _key(model, request):
            raise RunDirectoryError(f"{out} holds scores of another model or file (line {kept + 1}): choose another --out")
        kept, continuations = kept + 1, continuations + len(done["scores"])
        unscored += sum(score["logprob"] is None for score in done["scores"])
    total = kept
    while window := list(islice(requests, LOOK_AHEAD)):
        scored = await asyncio.gather(*(model.score(request.prompt, request.continuations) for _, request in window))
        lines = [_line(model, *numbered, scores) for numbered, scores in zip(window, scored, strict=True)]
        with writing(out), out.open("a", encoding="utf-8") as file:
            file.write("".join(lines))
            file.flush()
            os.fsync(file.fileno())
        total += len(window)
        continuations += sum(map(len, scored))
        unscored += sum(score.logprob is None for scores in scored for score in scores)
        if progress:
            progress(total)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return ScoredFile(requests=total, continuations=continuations, unscored=unscored, kept=kept, peak_memory=peak, path=str(out))


def _read(path: Path) -> Iterator[tuple[int, _Request]]:
    for number, line in read_lines(path):
        try:
            yield number, _Request.model_validate(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise DatasetError(
                f"line {number} of {path} is no request ({field}: {first['msg']}); mend it or leave it out"
            ) from None


def _done(out: Path) -> Iterator[dict[str, Any]]:
    if out.is_file() and out.stat().st_size:
        yield from (line for _, line in read_lines(out))


def _drop_torn_line(out: Path) -> None:
    """A killed process may have left half a line at the end."""
    if not out.is_file():
        return
    with out.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - (1 << 16))
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            end = start
        file.truncate(0)


def _line(model: Model, number: int, request: _Request, scores: Sequence[Score]) -> str:
    line = {"line": number, "key": _key(model, request), "scores": [asdict(score) for score in scores]}
    return json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"


def _key(model: Model, request: _Request) -> str:
    return content_hash([model.fingerprint, request.model_dump(mode="json")])
