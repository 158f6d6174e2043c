"""The prompts that the authors of 2307.11768 released: instructions and 14 worked examples for each kind of prompt."""

import json
import re
from functools import cache
from typing import Any

from gnomon.datasets import store
from gnomon.datasets.messages import Conversation, Message
from gnomon.elicit.wordings import Kind
from gnomon.errors import DatasetError

DATASET, FILE = "decomposition-faithfulness", "prompts.json"

_NAMES: dict[Kind, str] = {
    "ask": "few_shot_prompt",
    "chain": "chain_of_thought_few_shot_prompt",
    "together": "chain_of_thought_decomposition_few_shot_prompt",
    "decompose": "factored_decomposition_decomposition_few_shot_prompt",
    "recompose": "factored_decomposition_recomposition_few_shot_prompt",
}
_TURN = re.compile(r"\n\n(Human|Assistant):")


@cache
def published_examples() -> dict[Kind, Conversation]:
    """The released conversations by kind of prompt, slips included.

    Raises:
        DatasetError: The file is missing, not the recorded one, or lacks a prompt.
    """
    released = json.loads(store.read(DATASET, FILE))
    return {kind: turns(_text(released, name)) for kind, name in _NAMES.items()}


def turns(text: str) -> Conversation:
    """The turns of one released prompt.

    Raises:
        DatasetError: It has no turns.
    """
    _, *parts = _TURN.split(text)
    if not parts:
        raise DatasetError(f"a prompt of {DATASET} has no turns: get the recorded version again")
    roles, said = parts[::2], parts[1::2]
    return tuple(
        Message("user" if role == "Human" else "assistant", words.strip()) for role, words in zip(roles, said, strict=True)
    )


def _text(released: Any, name: str) -> str:
    found = released.get(name) if isinstance(released, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    if isinstance(found, list):
        found = found[0] if found else None  # pyright: ignore[reportUnknownVariableType]
    if isinstance(found, dict):
        found = next(iter(found.values()), None)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not isinstance(found, str):
        raise DatasetError(f"{FILE} of {DATASET} has no {name}: get the recorded version again")
    return found
