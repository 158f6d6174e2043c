"""A trained model as a plain directory that anything can load: safetensors, tokenizer, card.

The card is written last: a directory with a card is complete, one without is overwritten.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import nn

from gnomon.errors import RunDirectoryError
from gnomon.models.quiet import without_progress_bars
from gnomon.run.files import write_atomically, writing

CARD = "card.json"


def save_model(module: nn.Module, tokenizer: Any, card: Mapping[str, Any], out: Path) -> None:
    """Saves a model of transformers with its tokenizer and what is known of it.

    Raises:
        RunDirectoryError: The place cannot be written, or is full.
    """
    with writing(out), without_progress_bars():
        out.mkdir(parents=True, exist_ok=True)
        try:
            module.save_pretrained(out)  # type: ignore[operator]
            tokenizer.save_pretrained(out)
        except SafetensorError as error:
            raise RunDirectoryError(f"cannot write {out} ({error}); make room or choose another directory") from error
    write_card(card, out)


def write_card(card: Mapping[str, Any], out: Path) -> None:
    """Writes `card.json`.

    Raises:
        RunDirectoryError: The place cannot be written, or is full.
    """
    text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(out / CARD, text.encode())


def read_card(directory: Path) -> dict[str, Any] | None:
    """The content of `card.json`; None where there is no readable one."""
    try:
        return json.loads((directory / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
