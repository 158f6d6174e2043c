"""Batched sampling with a key-value cache: every row has settings, a random generator and stopping rules of its own.

Rows come and go: a finished one is answered at once and its slot goes to the next that waits (`models/decoding.py`). Equal
beginnings of prompts are computed once (`models/prefixes.py`), so samples of one prompt share its keys and values. Each row draws
from its own generator: the text of a request depends on nothing but the model, the prompt and the settings.

Models whose attention cannot be told what to see are sampled in closed batches, prompts padded on the left, with the cache of
transformers, which copies all keys and values at every step.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gnomon.errors import DeterministicFailure
from gnomon.models.decoding import Slots
from gnomon.models.engine import More
from gnomon.models.forward import as_list, at_positions, padded_count, row_independent_attention
from gnomon.models.head import Head, whole
from gnomon.models.model import Finish, Generation, Piece, Sampling
from gnomon.models.prefixes import Row, chunks
from gnomon.models.products import PackedWeights
from gnomon.models.tokenisation import Tokeniser
from gnomon.models.tree import hidden_states

SPARSE = 0.75
"""Slots are moved together when fewer than this share of them are in use."""
LETTER_TOKENS = 4
"""Most tokens that one letter of a stop text can take: the bytes of a character."""

Top = tuple[tuple[str, float], ...]


@dataclass(eq=False)
class Caller:
    """Who asked for a row.

    Attributes:
        tell: Gets the reply piece by piece (None: nobody wants it so).
        gone: Set when nobody waits any more; the row then ends.
        told: Letters told so far: a row that has to be sampled again is not told again.
        told_tokens: Tokens told so far.
    """

    tell: Callable[[Piece], None] | None = None
    gone: bool = False
    told: int = 0
    told_tokens: int = 0


@dataclass(frozen=True)
class GenerationRow:
    """One request.

    Attributes:
        prompt: Token ids, at least one.
        sampling: Its settings.
        seed: Of its generator.
        stop: All texts that end the reply.
        limit: Most new tokens: the settings' limit and the room left in the model's context.
        caller: Who asked for it.
    """

    prompt: tuple[int, ...]
    sampling: Sampling
    seed: int
    stop: tuple[str, ...]
    limit: int
    caller: Caller = field(default_factory=Caller)


@dataclass
class _Progress:
    """What a row has so far."""

    row: GenerationRow
    random: random.Random
    ids: list[int] = field(default_factory=list[int])
    logprobs: list[float] = field(default_factory=list[float])
    top: list[Top] = field(default_factory=list[Top])
    text: str | None = None
    finish: Finish | None = None
    failure: DeterministicFailure | None = None

    @property
    def done(self) -> bool:
        return self.finish is not None or self.failure is not None or self.row.caller.gone


@dataclass(frozen=True)
class Sampler:
    """Samples rows of a model whose attention can be told what to see.

    Attributes:
        module: A causal language model for which `scoring.honours_trees`.
        head: Its output head.
        tokeniser: Of the model.
        ends: Tokens that end a reply.
        most_tokens: New prompt tokens of one forward pass.
        weights: The model's weights, packed.
    """

    module: nn.Module
    head: Head
    tokeniser: Tokeniser
    ends: frozenset[int]
    most_tokens: int
    weights: PackedWeights

    def sample(
        self, rows: Sequence[GenerationRow], more: More[GenerationRow], budget: int
    ) -> Iterator[tuple[int, Generation | Exception] | None]:
        """Samples a reply for each row and for those that join.

        Args:
            rows: The first rows.
            more: Takes waiting rows of at most so many tokens in all.
            budget: Most tokens of all rows together, as `size` counts them.

        Yields:
            Number and generation of each row that is done (an exception where the model's numbers are not finite); None after
            each step.
        """
        slots = Slots.none(self.module)
        live: dict[int, tuple[int, _Progress]] = {}  # by slot
        hidden: dict[int, Tensor] = {}
        coming = list(enumerate(_Progress(row, random.Random(row.seed)) for row in rows))
        count = len(coming)
        while live or coming:
            for number, state in (each for each in coming if each[1].row.limit <= 0):
                state.finish = "length"
                yield number, _result(state, self.tokeniser, self.ends)
            coming = [each for each in coming if not each[1].done]
            if coming:
                places = slots.free([slot for slot in range(len(slots)) if slot not in live], len(coming))
                hidden |= self._enter(slots, places, [state for _, state in coming])
                live |= dict(zip(places, coming, strict=True))
            if not live:
                return
            order = sorted(live)
            states = [live[slot][1] for slot in order]
            logits = self.head.logits(whole(torch.stack([hidden[slot] for slot in order])))
            tokens = as_list(_choose(logits, states, self.tokeniser))
            for slot, state in zip(order, states, strict=True):
                _advance(state, self.tokeniser, self.ends)
                _tell(state, self.tokeniser, self.ends)
                if state.done:
                    number, _ = live.pop(slot)
                    yield number, _result(state, self.tokeniser, self.ends)
            used = sum(size(state.row) for _, state in live.values())
            joined = [_Progress(row, random.Random(row.seed)) for row in more(max(0, budget - used))]
            coming = list(enumerate(joined, count))
            count += len(joined)
            if live:
                fed = {slot: token for slot, token in zip(order, tokens, strict=False) if slot in live}
                if len(live) + len(coming) < SPARSE * len(slots):
                    kept = sorted(live)
                    slots.keep(kept)
                    live = {place: live[slot] for place, slot in enumerate(kept)}
                    fed = {place: fed[slot] for place, slot in enumerate(kept)}
                with self.weights.used():
                    hidden = slots.step(self.module, fed)
            yield None

    def _enter(self, slots: Slots, places: Sequence[int], states: Sequence[_Progress]) -> dict[int, Tensor]:
        """Computes the prompts into the slots; gives the last hidden state of each."""
        rows = [Row(np.array(s.row.prompt, np.int64), (), np.array([len(s.row.prompt) - 1])) for s in states]
        hidden: dict[int, Tensor] = {}
        pool = None
        for chunk in chunks(rows, self.most_tokens, np.empty(0, np.int64)):
            with self.weights.used():
                last, pool = hidden_states(self.module, chunk, pool.kept(chunk.carried) if pool else [])
            into = [places[row] for row in chunk.rows]
            slots.put(into, pool.pools, chunk.paths)
            hidden |= dict(zip(into, last[torch.from_numpy(chunk.wanted).to(last.device)], strict=True))
        return hidden


def size(row: GenerationRow) -> int:
    """Tokens that a row is expected to take: its prompt, and its reply up to a length that few reach."""
    return len(row.prompt) + min(row.limit, 256)


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
            tokens = _choose(logits, slots, tokeniser)
            for state in slots:
                _advance(state, tokeniser, ends)
                _tell(state, tokeniser, ends)
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


def _choose(logits: Tensor, slots: Sequence[_Progress], tokeniser: Tokeniser) -> Tensor:
    """Samples a token for every slot and notes it in the rows that are not done; gives `[slots]` tokens, padding included."""
    logits = logits.float()
    finite = as_list(logits.sum(-1).isfinite())  # one pass: what is not a number spoils the sum
    draws = [state.random.random() for state in slots]
    padding = len(logits) - len(slots)
    settings = [state.row.sampling for state in slots] + [slots[0].row.sampling] * padding
    tokens = pick(
        logits,
        temperature=torch.tensor([each.temperature for each in settings]),
        top_p=torch.tensor([each.top_p for each in settings], dtype=torch.float64),
        draws=torch.tensor(draws + draws[:1] * padding, dtype=torch.float64),
    )
    most = max(state.row.sampling.top_logprobs for state in slots)
    wants = most > 0 or any(state.row.sampling.logprobs for state in slots)
    table = logits.log_softmax(-1) if wants else logits
    logprobs = as_list(table.gather(-1, tokens[:, None])[:, 0]) if wants else []
    top = table.topk(min(most, table.shape[-1])) if most else None
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
        if top is not None and (few := state.row.sampling.top_logprobs):
            texts = tokeniser.tokens(as_list(top.indices[index, :few]))
            state.top.append(tuple(zip(texts, as_list(top.values[index, :few]), strict=True)))
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
    if row.stop and _may_stop(state, tokeniser):
        text = tokeniser.decode_after(row.prompt, state.ids)
        found = [position for stop in row.stop if (position := text.find(stop)) >= 0]
        if found:
            state.text, state.finish = text[: min(found)], "stop"
            return
    if len(state.ids) >= row.limit:
        state.finish = "length"


def _may_stop(state: _Progress, tokeniser: Tokeniser) -> bool:
    """Whether a stop text stands among the last tokens; the whole text is read only then."""
    last = LETTER_TOKENS * (max(map(len, state.row.stop)) + 1)
    before = (*state.row.prompt[-LETTER_TOKENS:], *state.ids[:-last])
    text = tokeniser.decode_after(before, state.ids[-last:])
    return any(stop in text for stop in state.row.stop)


def _tell(state: _Progress, tokeniser: Tokeniser, ends: frozenset[int]) -> None:
    """Tells the caller what is new, but not letters that may yet become a stop text or are half a character."""
    caller, sampling = state.row.caller, state.row.sampling
    if caller.tell is None or state.failure is not None or caller.gone:
        return
    text = _text(state, tokeniser, ends)
    if state.finish is None:
        held = max((n for stop in state.row.stop for n in range(1, len(stop)) if text.endswith(stop[:n])), default=0)
        text = text[: len(text) - held].rstrip("\ufffd")
        if len(text) <= caller.told:
            return
    fresh = slice(caller.told_tokens, None)
    piece = Piece(
        text=text[caller.told :],
        token_ids=tuple(state.ids[fresh]),
        tokens=tokeniser.tokens(state.ids[fresh]),
        logprobs=tuple(state.logprobs[fresh]) if sampling.logprobs else None,
        top_logprobs=tuple(state.top[fresh]) if sampling.top_logprobs else None,
        finish=state.finish,
    )
    caller.told, caller.told_tokens = max(caller.told, len(text)), len(state.ids)
    caller.tell(piece)


def _text(state: _Progress, tokeniser: Tokeniser, ends: frozenset[int]) -> str:
    """The reply so far, without end token and stop text."""
    if state.text is not None:
        return state.text
    said = state.ids[:-1] if state.ids and state.ids[-1] in ends else state.ids
    return tokeniser.decode_after(state.row.prompt, said)


def _result(state: _Progress, tokeniser: Tokeniser, ends: frozenset[int]) -> Generation | Exception:
    if state.failure is not None:
        return state.failure
    return Generation(
        text=_text(state, tokeniser, ends),
        finish=state.finish or "length",
        token_ids=tuple(state.ids),
        tokens=tokeniser.tokens(state.ids),
        logprobs=tuple(state.logprobs) if state.row.sampling.logprobs else None,
        top_logprobs=tuple(state.top) if state.row.sampling.top_logprobs else None,
    )
