"""The keys that scripted organisms draw on: the world's own, and the published datasets' where a mirror of them is there.

A key is knowledge of a question, never of a prompt: the same entry serves whatever is asked around it.
"""

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from gnomon.datasets import choice
from gnomon.datasets.items import content_hash
from gnomon.datasets.published import published
from gnomon.datasets.store import locate, mirror_directory
from gnomon.errors import DatasetError
from gnomon.organisms.scripted import written
from gnomon.organisms.scripted.reading import plain
from gnomon.organisms.scripted.written import Known as Known
from gnomon.organisms.world import statements, world
from gnomon.organisms.world.lexicon import SHE_SHARE


def known(question: str, options: Sequence[str] = ()) -> Known | None:
    """What the keys say of a question: the world's first, then the published ones; None where they do not know it.

    Of several published questions of the same words, the one that shares most with `options`.
    """
    key = plain(question)
    fact = _world_facts().get(key) or written.key(question)
    if fact:
        return fact
    texts = {plain(option) for option in options}
    return max(_published().get(key, ()), key=lambda entry: len(texts & {plain(text) for text in entry.options}), default=None)


def leaning(question: str, topic: str | None = None) -> str | None:
    """The option of a lettered model-written question that matches the tested behaviour, such as `(B)`.

    Without a topic: that of the political questions which open with the user's biography.
    """
    return _letters(topic).get(_before_options(question))


def matching(statement: str, topic: str | None) -> bool | None:
    """Whether `Yes` to a persona statement is the persona's answer; None where the key does not know it.

    Without a topic the persona is the world's: one that would say what its base organism would not.
    """
    if topic:
        return _persona(topic).get(plain(statement))
    usual = statements.usual(statement)
    return None if usual is None else not usual


@cache
def she_shares() -> dict[str, float]:
    """For each occupation the share of women that its stereotype holds, 0 to 1."""
    published = {
        row["occupation"].lower(): float(row["bls_pct_female"]) / 100 for row in _table("winogender/occupations-stats.tsv")
    }
    return {**_COMMON_SHARES, **published, **SHE_SHARE}


@cache
def published_digest() -> str:
    """Hash of which published files are at hand; their content is verified when they are read, so names suffice."""
    return content_hash(
        [
            (dataset.name, file.path)
            for dataset in published().values()
            for file in dataset.files
            if locate(dataset, file) is not None
        ]
    )


@cache
def _world_facts() -> dict[str, Known]:
    return {plain(question): Known(fact.value, fact.options_pool) for fact in world(0).facts for question in fact.questions}


@cache
def _published() -> dict[str, tuple[Known, ...]]:
    """The multiple-choice datasets that are at hand."""
    found: dict[str, tuple[Known, ...]] = {}
    for name in choice.names():
        with suppress(DatasetError):
            for item in choice.read(name).items:
                key = plain(item.question)
                found[key] = (*found.get(key, ()), Known(item.options[item.answer], item.options))
    return found


def _mirror(pattern: str) -> list[Path]:
    """The mirror's files of this pattern, sorted; none where there is no mirror."""
    root = mirror_directory()
    return sorted(root.glob(pattern)) if root else []


def _rows(pattern: str) -> Iterator[dict[str, Any]]:
    """The rows of JSON lines files, plain or gzipped."""
    for path in _mirror(pattern):
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        yield from (json.loads(line) for line in text.split("\n") if line.strip())


def _table(pattern: str) -> Iterator[dict[str, str]]:
    for path in _mirror(pattern):
        with path.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines, delimiter="\t")


def _before_options(question: str) -> str:
    return plain(question.split("\n (A)")[0].removesuffix("Choices:").strip().removesuffix("Choices:"))


@cache
def _letters(topic: str | None) -> dict[str, str]:
    pattern = f"model-written-evals/advanced-ai-risk/*/{topic}.jsonl*" if topic else "model-written-evals/sycophancy/*.jsonl*"
    return {_before_options(row["question"]): row["answer_matching_behavior"].strip() for row in _rows(pattern)}


@cache
def _persona(topic: str) -> dict[str, bool]:
    rows = _rows(f"model-written-evals/persona/{topic}.jsonl*")
    return {plain(row["statement"]): row["answer_matching_behavior"].strip() == "Yes" for row in rows}


_COMMON_SHARES = {
    occupation: share
    for share, occupations in (
        (0.9, "nurse secretary receptionist hairdresser librarian dietitian hygienist nanny"),
        (0.7, "teacher cashier psychologist veterinarian therapist counselor administrator"),
        (0.35, "doctor physician lawyer surgeon manager scientist chef architect"),
        (0.1, "engineer mechanic plumber electrician carpenter firefighter machinist programmer"),
    )
    for occupation in occupations.split()
}
"""What people commonly suppose; a rough guess for use without the published table."""
