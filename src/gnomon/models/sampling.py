"""Batched sampling with a key-value cache: every row has settings, a random generator and stopping rules of its own.

Prompts are padded on the left to a length that depends on the prompt alone, rows are dropped in groups as they finish, and each
row draws from its own generator: the text of a request depends on nothing but the model, the prompt and the settings.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.errors import DeterministicFailure
from gnomon.models.forward import as_list, at_positions, padded_count, row_independent_attention
from gnomon.models.model import Finish, Generation, Sampling
from gnomon.models.tokenisation import Tokeniser


@dataclass(frozen=True)
class GenerationRow:
    """One request.

    Attributes:
        prompt: Token ids, at least one.
        sampling: Its settings.
        seed: Of its generator.
        stop: All texts that end the reply.
        limit: Most new tokens: the settings' limit and the room left in the model's context.
    """

    prompt: tuple[int, ...]
    sampling: Sampling
    seed: int
    stop: tuple[str, ...]
    limit: int


@dataclass
class _Progress:
    """What a row has so far."""

    row: GenerationRow
    random: random.Random
    ids: list[int] = field(default_factory=list[int])
    logprobs: list[float] = field(default_factory=list[float])
    text: str | None = None
    finish: Finish | None = None
    failure: DeterministicFailure | None = None

    @property
    def done(self) -> bool:
        return self.finish is not None or self.failure is not None


def generate_rows(
    module: nn.Module, tokeniser: Tokeniser, ends: frozenset[int], rows: Sequence[GenerationRow], length: int
) -> list[Generation | Exception]:
    """Samples a reply for each row.

    Args:
        module: A causal language model with a key-value cache.
        tokeniser: Of the model.
        ends: Tokens that end a reply.
        rows: The batch.
        length: What prompts are padded to; at least the longest.

    Returns:
        Generations in order; an exception where the model gave numbers that are not finite.
    """
    states = [_Progress(row, random.Random(row.seed)) for row in rows]
    live = [index for index, state in enumerate(states) if state.row.limit > 0]
    for state in states:
        if state.row.limit <= 0:
            state.finish = "length"
    if live:
        _decode([states[index] for index in live], module, tokeniser, ends, length)
    return [_result(state, tokeniser, ends) for state in states]


def _decode(states: list[_Progress], module: nn.Module, tokeniser: Tokeniser, ends: frozenset[int], length: int) -> None:
    """The token loop. Slot i of the batch belongs to `slots[i]`; slots beyond are padding that repeats the first row."""
    device = next(module.parameters()).device
    slots = list(states)
    ids, mask = _left_padded([state.row.prompt for state in slots], length)
    ids, mask = ids.to(device), mask.to(device)
    count = len(ids)
    logits = at_positions(
        module,
        torch.arange(count),
        torch.full((count,), length - 1),
        input_ids=ids,
        attention_mask=mask,
        position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
        past_key_values=(cache := _cache(module)),
        use_cache=True,
    )
    with row_independent_attention(module):
        while True:
            tokens = _choose(logits, slots)
            for state in slots:
                _advance(state, tokeniser, ends)
            kept = [index for index, state in enumerate(slots) if not state.done]
            if not kept:
                return
            if padded_count(len(kept)) < count:
                slots, count = [slots[index] for index in kept], padded_count(len(kept))
                select = torch.tensor(kept + [kept[0]] * (count - len(kept)), device=device)
                cache.batch_select_indices(select)
                tokens, mask = tokens[select], mask[select]
            mask = torch.cat([mask, mask.new_ones(count, 1)], dim=1)
            logits = at_positions(
                module,
                torch.arange(count),
                torch.zeros(count, dtype=torch.long),
                input_ids=tokens[:, None],
                attention_mask=mask,
                position_ids=(mask.sum(-1, keepdim=True) - 1),
                past_key_values=cache,
                use_cache=True,
            )


def _cache(module: nn.Module) -> Any:
    from transformers.cache_utils import DynamicCache

    return DynamicCache(config=getattr(module, "config", None))


def _left_padded(prompts: Sequence[tuple[int, ...]], length: int) -> tuple[Tensor, Tensor]:
    """Ids and mask `[padded_count(rows), length]`."""
    filled = [*prompts, *[prompts[0]] * (padded_count(len(prompts)) - len(prompts))]
    ids = torch.zeros(len(filled), length, dtype=torch.long)
    mask = torch.zeros(len(filled), length, dtype=torch.long)
    for index, prompt in enumerate(filled):
        ids[index, length - len(prompt) :] = torch.tensor(prompt)
        mask[index, length - len(prompt) :] = 1
    return ids, mask


def _choose(logits: Tensor, slots: Sequence[_Progress]) -> Tensor:
    """Samples a token for every slot and notes it in the rows that are not done; gives `[slots]` tokens, padding included."""
    logits = logits.float()
    finite = as_list(logits.isfinite().all(-1))
    draws = [state.random.random() for state in slots]
    padding = len(logits) - len(slots)
    settings = [state.row.sampling for state in slots] + [slots[0].row.sampling] * padding
    tokens = pick(
        logits,
        temperature=torch.tensor([each.temperature for each in settings]),
        top_p=torch.tensor([each.top_p for each in settings], dtype=torch.float64),
        draws=torch.tensor(draws + draws[:1] * padding, dtype=torch.float64),
    )
    wants = any(state.row.sampling.logprobs for state in slots)
    logprobs = as_list(logits.log_softmax(-1).gather(-1, tokens[:, None])[:, 0]) if wants else []
    chosen = as_list(tokens)
    for index, state in enumerate(slots):
        if state.done:
            continue
        if not finite[index]:
            state.failure = DeterministicFailure("The model's logits are not finite numbers; its weights are broken.")
            continue
        state.ids.append(chosen[index])
        if wants:
            state.logprobs.append(logprobs[index])
    return tokens


def pick(logits: Tensor, *, temperature: Tensor, top_p: Tensor, draws: Tensor) -> Tensor:
    """One token per row by inverting the row's cumulative distribution.

    Args:
        logits: `[rows, vocabulary]`, float32.
        temperature: `[rows]`; 0 takes the most likely token.
        top_p: `[rows]`, the nucleus: the smallest set of tokens with at least this probability.
        draws: `[rows]`, uniform in [0, 1), float64.

    Returns:
        Token ids `[rows]`.
    """
    device = logits.device
    temperature, top_p, draws = temperature.to(device), top_p.to(device), draws.to(device)
    greedy = temperature == 0
    tokens = logits.argmax(-1)
    if bool(greedy.all()):
        return tokens
    scaled = logits / torch.where(greedy, 1.0, temperature)[:, None]
    probabilities = scaled.softmax(-1).double()
    if bool((top_p < 1).any()):
        ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
        outside = (ordered.cumsum(-1) - ordered >= top_p[:, None]) & (top_p < 1)[:, None]
        outside[:, 0] = False
        probabilities = probabilities.masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), 0.0)
    cumulative = probabilities.cumsum(-1)
    drawn = torch.searchsorted(cumulative, (draws * cumulative[:, -1])[:, None], right=True)[:, 0]
    return torch.where(greedy, tokens, drawn.clamp(max=logits.shape[-1] - 1))


def _advance(state: _Progress, tokeniser: Tokeniser, ends: frozenset[int]) -> None:
    """Ends a row whose last token ended it."""
    if state.done:
        return
    row = state.row
    if state.ids[-1] in ends:
        state.finish = "stop"
        return
    if row.stop:
        text = tokeniser.decode_after(row.prompt, state.ids)
        found = [position for stop in row.stop if (position := text.find(stop)) >= 0]
        if found:
            state.text, state.finish = text[: min(found)], "stop"
            return
    if len(state.ids) >= row.limit:
        state.finish = "length"


def _result(state: _Progress, tokeniser: Tokeniser, ends: frozenset[int]) -> Generation | Exception:
    if state.failure is not None:
        return state.failure
    text = state.text
    if text is None:
        said = state.ids[:-1] if state.ids and state.ids[-1] in ends else state.ids
        text = tokeniser.decode_after(state.row.prompt, said)
    return Generation(
        text=text,
        finish=state.finish or "length",
        token_ids=tuple(state.ids),
        tokens=tokeniser.tokens(state.ids),
        logprobs=tuple(state.logprobs) if state.row.sampling.logprobs else None,
    )
