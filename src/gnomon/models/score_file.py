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
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gnomon.datasets.items import content_hash
from gnomon.datasets.jsonl import read_lines
from gnomon.datasets.messages import Message, Prompt
from gnomon.errors import DatasetError, DeterministicFailure, RunDirectoryError, Unsupported, complaint
from gnomon.models.model import Model, Score
from gnomon.run.files import writing

LOOK_AHEAD = 2048
"""Requests in flight: among so many prefixes are shared, and no more are in memory."""

REASONS = 10
"""As many reasons are named; the others are counted together."""

Progress = Callable[[int], None]
"""Told how many requests are done, those of an earlier call among them."""


class ScoredFile(BaseModel):
    """What became of a file.

    Attributes:
        requests: How many there are.
        continuations: How many they have in all.
        unscored: Continuations without a number.
        reasons: Why, the most frequent reasons first, with the number of continuations.
        kept: Requests that were scored by an earlier call.
        peak_memory: Most bytes that the process held.
        path: Where the scores are.
    """

    model_config = ConfigDict(frozen=True)

    requests: int
    continuations: int
    unscored: int
    reasons: dict[str, int]
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


@dataclass
class _Tally:
    """What the lines of a result add up to."""

    requests: int = 0
    continuations: int = 0
    unscored: Counter[str] = field(default_factory=Counter[str])

    def add(self, reasons: Iterable[str | None]) -> None:
        """One more request; a reason per continuation that has no number, None for the others."""
        self.requests += 1
        for reason in reasons:
            self.continuations += 1
            if reason is not None:
                self.unscored[reason if reason in self.unscored or len(self.unscored) < REASONS else "other reasons"] += 1


async def score_file(model: Model, path: Path, out: Path, progress: Progress | None = None) -> ScoredFile:
    """Scores a JSONL file of requests; a call that was stopped is continued where it was.

    Continuations of a request that the model refuses have no number but the reason.

    Args:
        model: Any model that scores.
        path: The requests.
        out: Where the scores go.
        progress: Told of the requests that are done.

    Raises:
        DatasetError: A line is broken or no request (names file and line).
        RunDirectoryError: `out` cannot be written, or holds anything but scores of this model and file; it is left as it is.
    """
    tally = _Tally()
    with writing(out):
        end = _verified(model, path, out, tally)
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("ab") as file:
            file.truncate(end)
    requests, kept = islice(_read(path), tally.requests, None), tally.requests
    while window := list(islice(requests, LOOK_AHEAD)):
        scored = await asyncio.gather(*(_scored(model, request) for _, request in window))
        lines = [_line(model, *numbered, scores) for numbered, scores in zip(window, scored, strict=True)]
        with writing(out), out.open("a", encoding="utf-8") as file:
            file.write("".join(lines))
            file.flush()
            os.fsync(file.fileno())
        for scores in scored:
            tally.add(_reason(score.logprob, score.reason) for score in scores)
        if progress:
            progress(tally.requests)
    return ScoredFile(
        requests=tally.requests,
        continuations=tally.continuations,
        unscored=tally.unscored.total(),
        reasons=dict(tally.unscored.most_common()),
        kept=kept,
        peak_memory=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        path=str(out),
    )


async def _scored(model: Model, request: _Request) -> list[Score]:
    try:
        return await model.score(request.prompt, request.continuations)
    except (Unsupported, DeterministicFailure) as error:
        return [Score(None, reason=str(error)) for _ in request.continuations]


def _read(path: Path) -> Iterator[tuple[int, _Request]]:
    for number, line in read_lines(path):
        try:
            yield number, _Request.model_validate(line)
        except ValidationError as error:
            raise DatasetError(f"line {number} of {path} is no request ({complaint(error)}); mend it or leave it out") from None


def _verified(model: Model, path: Path, out: Path, tally: _Tally) -> int:
    """Adds up the whole lines of `out` that answer the requests; returns where they end, and changes nothing.

    A killed process may have left half a line at the end. It is ours where whole lines of ours stand before it, or where it
    goes as far as the key.
    """
    if not out.is_file():
        return 0
    if path.is_file() and out.samefile(path):
        raise RunDirectoryError(f"{out} holds the requests themselves: choose another --out")
    end, size, requests = 0, out.stat().st_size, _read(path)
    with out.open("rb") as file:
        while end < size:
            number, request = next(requests, (0, None))
            ours = _beginning(model, number, request).encode() if request else b""
            begun = file.readline(len(ours))
            line = begun + file.readline() if begun == ours else begun
            if begun == ours and request and line.endswith(b"\n"):
                tally.add(_reasons(line, out, tally.requests + 1))
                end = file.tell()
            elif ours.startswith(begun) and begun and (end or begun == ours):
                break
            else:
                raise RunDirectoryError(
                    f"{out} holds scores of another model or file (line {tally.requests + 1}), or no scores: choose another --out"
                )
    return end


def _reasons(line: bytes, out: Path, number: int) -> list[str | None]:
    try:
        return [_reason(score["logprob"], score["reason"]) for score in json.loads(line)["scores"]]
    except (ValueError, KeyError, TypeError):
        raise RunDirectoryError(f"line {number} of {out} is broken: choose another --out") from None


def _reason(logprob: float | None, reason: str | None) -> str | None:
    """Why there is no number, where there is none."""
    return (reason or "no reason given") if logprob is None else None


def _beginning(model: Model, number: int, request: _Request) -> str:
    """How the line of a request begins, as far as it is known before its scores."""
    key = content_hash([model.fingerprint, request.model_dump(mode="json")])
    return json.dumps({"line": number, "key": key})[:-1]


def _line(model: Model, number: int, request: _Request, scores: Sequence[Score]) -> str:
    found = json.dumps([asdict(score) for score in scores], ensure_ascii=False, allow_nan=False)
    return f'{_beginning(model, number, request)}, "scores": {found}}}\n'
