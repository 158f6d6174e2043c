"""Recorded attacks on dialogue models: the published red-team attempts (2209.07858), those of related sets, or somebody's own.

A file of attacks is JSON lines or one JSON array (the published file is said to be either), gzipped or not. An entry says what
the attacker said in one of these ways; every other field may be missing:

    {"transcript": "\\n\\nHuman: ...\\n\\nAssistant: ...", "rating": 3.0, "tags": [...], "red_team_member_id": 7, ...}
    {"turns": ["...", "..."], "tags": ["theft"], "red_team_member_id": "anna"}
"""

import json
import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gnomon.datasets import store
from gnomon.datasets.dialogues import read_dialogue
from gnomon.datasets.files import read_text
from gnomon.datasets.items import derive_seed
from gnomon.datasets.jsonl import read_lines
from gnomon.datasets.messages import Conversation, Message
from gnomon.errors import DatasetError, TooFewItems

PUBLISHED = ("constitutional-harmlessness", "hh-rlhf")
"""Datasets in which people attack a model."""

_CLASSIFIED = "evals/HarmfulnessClassification.jsonl"
_OPTION = re.compile(r"^ \(([A-Z])\) (.*)$", re.MULTILINE)
_TASK = ("task_description_harmlessness_score", "task_descripton_harmlessness_score")


@dataclass(frozen=True, slots=True)
class RecordedAttack:
    """One attack as it was recorded.

    Attributes:
        number: Its place in the file, from 1.
        dialogue: What was said (of an entry with `turns`: the attacker's turns alone).
        tags: Kinds of harm; one may stand there several times, once per reviewer.
        member: Who attacked (None: not said).
        rating: The attacker's own rating of success, 0 to 4.
        harmlessness: Least score of a preference model over the assistant's turns.
        intent: Its score of the description of the plan.
        model_type: `plain lm`, `context distillation`, `rejection sampling` or `rlhf`, in lower case.
        size: Parameters of the attacked model, as upstream writes them (`52B`).
    """

    number: int
    dialogue: Conversation
    tags: tuple[str, ...] = ()
    member: str | None = None
    rating: float | None = None
    harmlessness: float | None = None
    intent: float | None = None
    model_type: str | None = None
    size: str | None = None

    @property
    def turns(self) -> tuple[str, ...]:
        """What the attacker said."""
        return tuple(message.content for message in self.dialogue if message.role == "user")


def read_attacks(path: Path, *, wordless: bool = False) -> list[RecordedAttack]:
    """The attacks of a file.

    Args:
        path: The file.
        wordless: Whether an attack in which the attacker says nothing is one; it cannot be replayed.

    Raises:
        DatasetError: It cannot be read, is empty, or an entry is no attack; names file and entry.
    """
    return [_attack(entry, number, str(path), wordless) for number, entry in _entries(path)]


def published_attacks(name: str, n: int | None, seed: int) -> list[RecordedAttack]:
    """Attacks of a published dataset, `n` of them drawn by the seed (None: all); no two begin alike.

    Raises:
        DatasetError: The dataset has no attacks, is missing, or has fewer.
    """
    if name not in PUBLISHED:
        raise DatasetError(f"{name!r} has no attacks: choose world or one of {', '.join(PUBLISHED)}, or give a file of attacks")
    found = _classified() if name == "constitutional-harmlessness" else _preferences("harmless-base")
    return drawn(_distinct(found), n, seed, name)


def benign_requests(n: int, seed: int) -> list[str]:
    """First turns of people who wanted help, from the helpful half of hh-rlhf.

    Raises:
        DatasetError: It is missing, or has fewer.
    """
    found = _distinct(_preferences("helpful-base"))
    return [attack.turns[0] for attack in drawn(found, n, seed, "hh-rlhf")]


def drawn(attacks: list[RecordedAttack], n: int | None, seed: int, name: str) -> list[RecordedAttack]:
    """`n` attacks by the seed, in the order of the file.

    Raises:
        DatasetError: There are fewer.
    """
    if n is None or n == len(attacks):
        return attacks
    if n > len(attacks):
        raise TooFewItems(f"{name} has", len(attacks), "attacks", n)
    places = random.Random(derive_seed("attacks", seed)).sample(range(len(attacks)), n)
    return [attacks[place] for place in sorted(places)]


def _classified() -> list[RecordedAttack]:
    """Dialogues of the paper's reviewers, with the kind of harm as the right option."""
    found: list[RecordedAttack] = []
    for number, line in enumerate(store.read("constitutional-harmlessness", _CLASSIFIED).decode().splitlines(), 1):
        entry = json.loads(line)
        text, _, question = entry["prompt"].partition("\n\nThis conversation was harmful.")
        options = dict(_OPTION.findall(question))
        tags = tuple(options[right.strip(" ()")].lower() for right in entry["corrects"])
        found.append(RecordedAttack(number, read_dialogue(text), tags))
    return found


def _preferences(part: str) -> list[RecordedAttack]:
    lines = store.read("hh-rlhf", f"{part}/test.jsonl").decode().splitlines()
    return [RecordedAttack(number, read_dialogue(json.loads(line)["chosen"])) for number, line in enumerate(lines, 1)]


def _distinct(attacks: list[RecordedAttack]) -> list[RecordedAttack]:
    """The first of those that begin with the same words."""
    first: dict[str, RecordedAttack] = {}
    for attack in attacks:
        if attack.turns:
            first.setdefault(" ".join(attack.turns[0].lower().split()), attack)
    return list(first.values())


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an array or of lines, numbered from 1."""
    if not read_text(path).lstrip().startswith("["):
        yield from read_lines(path)
        return
    try:
        entries = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not JSON ({error}): give lines of JSON or one array") from None
    if not entries:
        raise DatasetError(f"{path} is empty: give one attack at least")
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise DatasetError(f"entry {number} of {path} is not a JSON object: each attack must be one, {{...}}")
        yield number, cast("dict[str, Any]", entry)


def _attack(entry: dict[str, Any], number: int, path: str, wordless: bool) -> RecordedAttack:
    try:
        dialogue = _dialogue(entry)
        if not wordless and not any(message.role == "user" for message in dialogue):
            raise ValueError("the attacker says nothing in it")
        member = entry.get("red_team_member_id")
        kind, size = entry.get("model_type"), entry.get("num_params")
        return RecordedAttack(
            number=number,
            dialogue=dialogue,
            tags=_tags(entry.get("tags")),
            member=None if member is None else str(member),
            rating=_number(entry, "rating"),
            harmlessness=_number(entry, "min_harmlessness_score_transcript"),
            intent=next((_number(entry, name) for name in _TASK if name in entry), None),
            model_type=None if kind is None else str(kind).strip().lower(),
            size=None if size is None else str(size).strip(),
        )
    except (ValueError, OverflowError) as error:
        raise DatasetError(f"entry {number} of {path} is no attack ({error}); mend it or leave it out") from None


def _dialogue(entry: dict[str, Any]) -> Conversation:
    if isinstance(entry.get("transcript"), str):
        return read_dialogue(entry["transcript"])
    if isinstance(entry.get("turns"), list) and all(isinstance(turn, str) for turn in entry["turns"]):
        return tuple(Message("user", turn.strip()) for turn in cast("list[str]", entry["turns"]) if turn.strip())
    raise ValueError("it has neither a `transcript` nor a list of `turns`")


def _tags(given: Any) -> tuple[str, ...]:
    """Tags in one list, or in one per reviewer."""
    if given is None:
        return ()
    if not isinstance(given, list):
        raise ValueError("its tags are no list of texts")
    found: list[Any] = []
    for tag in cast("list[Any]", given):
        found += cast("list[Any]", tag) if isinstance(tag, list) else [tag]
    if not all(isinstance(tag, str) for tag in found):
        raise ValueError("its tags are no list of texts, nor of lists of texts")
    return tuple(tag.strip().lower() for tag in found if tag.strip())


def _number(entry: dict[str, Any], name: str) -> float | None:
    value = entry.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"its {name} is {value!r:.40}, not a number")
    return float(value)
