"""A text's vector: the mean of a local model's last hidden states, those that its output head reads."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from gnomon.errors import Unsupported

if TYPE_CHECKING:
    from gnomon.models.local import LocalModel


def hidden_vectors(model: "LocalModel", texts: Sequence[str]) -> NDArray[np.float64]:
    """One vector per text, shape (n, width).

    Args:
        model: A local model.
        texts: What to place; each is cut at the model's context.

    Raises:
        Unsupported: The model has no output head to look in front of, or a text has no token.
    """
    causal: Any = model.module
    head = causal.get_output_embeddings()
    name = next((name for name, module in model.module.named_modules() if module is head), None) if head is not None else None
    if name is None:
        raise Unsupported(f"{model.reference} has no output head, so that its hidden states cannot be had.")
    found: list[NDArray[np.float64]] = []

    def look(_: Any, arguments: tuple[Any, ...], __: Any) -> None:
        states: torch.Tensor = arguments[0]
        found.append(states[0].mean(dim=0).double().cpu().numpy())

    for text in texts:
        ids: list[int] = model.tokenizer(text)["input_ids"][: model.context]
        if not ids:
            raise Unsupported(f"{model.reference} has no token for the text {text[:40]!r}.")
        model.forward(ids, {name: look})
    return np.stack(found)
