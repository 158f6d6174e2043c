"""The model's view of a request: its prompts as tokens, their count, and whether they fit."""

import asyncio
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from gnomon.datasets.messages import Prompt, as_text
from gnomon.models.model import Generation, Model, Piece
from gnomon.models.tokenisation import Tokeniser
from gnomon.serve.failures import Refused

LONG = 50_000
"""Characters from which a prompt is tokenised beside the event loop, so that other requests go on."""


@runtime_checkable
class HasTokens(Protocol):
    """A model whose tokenizer is here."""

    tokeniser: Tokeniser

    @property
    def context(self) -> int | None:
        """Most tokens of prompt and reply together."""
        ...


def with_ids(model: Model, prompt: str | list[int]) -> str:
    """A completion's prompt; token ids are taken as they are.

    Raises:
        Refused: The model has no tokenizer here, or not these tokens.
    """
    if isinstance(prompt, str):
        return prompt
    if not isinstance(model, HasTokens):
        raise Refused(f"{model.reference} has no tokenizer here, so send the prompt as text.", param="prompt")
    size = len(model.tokeniser.tokenizer)
    unknown = next((token for token in prompt if not 0 <= token < size), None)
    if unknown is not None:
        raise Refused(f"{unknown} is not a token of the model, whose tokens are 0 to {size - 1}.", param="prompt")
    return model.tokeniser.tokenised(prompt)


async def prompt_tokens(model: Model, prompts: Sequence[Prompt], *, reply: bool) -> int:
    """How many tokens the prompts have together; words where the tokenizer is not here.

    Args:
        model: The model.
        prompts: Texts and conversations.
        reply: Whether room for at least one more token is needed.

    Raises:
        Refused: A prompt does not fit into the model's context.
    """
    if not isinstance(model, HasTokens):
        return sum(len(as_text(prompt).split()) for prompt in prompts)
    long = sum(len(as_text(prompt)) for prompt in prompts) > LONG
    counts = await asyncio.to_thread(_counts, model, prompts) if long else _counts(model, prompts)
    longest = max(counts, default=0)
    if model.context is not None and longest + reply > model.context:
        room = " and leaves no room for a reply" if longest == model.context else ""
        message = f"The prompt has {longest} tokens, the model's context {model.context}{room}; shorten it."
        raise Refused(message, param="prompt", code="context_length_exceeded")
    return sum(counts)


def reply_tokens(reply: Generation | Piece) -> int:
    """How many tokens a reply has, its end token included; words where the model does not say."""
    return len(reply.token_ids) or len(reply.tokens) or len(reply.text.split())


def _counts(model: HasTokens, prompts: Sequence[Prompt]) -> list[int]:
    return [len(model.tokeniser.encode(prompt)) for prompt in prompts]
