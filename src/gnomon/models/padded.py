"""Scoring and sampling of models whose attention cannot be told what to see: closed batches of padded sequences.

No prefix is shared. Prompts are padded on the left, and the cache of transformers copies all keys and values at every step.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gnomon.models.engine import padded_length
from gnomon.models.forward import as_list, at_positions, padded_count, row_independent_attention, whole
from gnomon.models.model import Generation, Score
from gnomon.models.predictions import Predicted, from_logits
from gnomon.models.replies import GenerationRow, Reply, Words, extend
from gnomon.models.scoring import ScoreRow, score_of
from gnomon.models.tokenisation import Continuation


def score_padded(module: nn.Module, rows: Sequence[ScoreRow], most_tokens: int) -> Iterator[list[tuple[int, list[Any]]]]:
    """As `scoring.TreeScorer.score`, by a padded sequence per continuation, equally long ones together."""
    scored = [(index, row) for index, row in enumerate(rows) if row.top is None]
    found: dict[int, list[Score | None]] = {index: [None] * len(row.continuations) for index, row in scored}
    alone = [(index, place, each) for index, row in scored for place, each in enumerate(row.continuations)]
    by_length: dict[int, list[tuple[int, int, Continuation]]] = {}
    for one in alone:
        by_length.setdefault(padded_length(len(one[2].ids) - 1), []).append(one)
    for length, members in by_length.items():
        step = max(1, most_tokens // length)
        for begin in range(0, len(members), step):
            some = members[begin : begin + step]
            scores = _score_sequences(module, [each for _, _, each in some], length)
            for (index, place, _), score in zip(some, scores, strict=True):
                found[index][place] = score
            yield []
    yield [(index, [score for score in scores if score is not None]) for index, scores in found.items()]
    for index, row in enumerate(rows):
        if row.top is not None:
            yield [(index, _predict(module, row))]


def _predict(module: nn.Module, row: ScoreRow) -> list[Predicted]:
    """A row's predictions by a forward pass of its own."""
    ids = torch.from_numpy(row.row.trunk)[None].to(next(module.parameters()).device)
    causal: Any = module
    return from_logits(causal(input_ids=ids, use_cache=False).logits[0, row.row.wanted], row.targets, row.top or 0)


def _score_sequences(module: nn.Module, sequences: Sequence[Continuation], length: int) -> list[Score]:
    device = next(module.parameters()).device
    ids = torch.zeros(len(sequences), length, dtype=torch.long)
    for line, each in zip(ids, sequences, strict=True):
        line[: len(each.ids) - 1] = torch.tensor(each.ids[:-1])
    counts = [len(each.ids) - each.start for each in sequences]
    owners = torch.repeat_interleave(torch.arange(len(sequences)), torch.tensor(counts))
    positions = torch.cat([torch.arange(each.start - 1, len(each.ids) - 1) for each in sequences])
    targets = torch.tensor([token for each in sequences for token in each.ids[each.start :]], device=device)
    logits = at_positions(module, owners, positions, input_ids=ids.to(device), use_cache=False)
    logprobs, greedy = _read(logits, targets)
    ends = np.cumsum(counts)
    return [score_of(tuple(logprobs[end - n : end]), all(greedy[end - n : end])) for end, n in zip(ends, counts, strict=True)]


def _read(logits: Tensor, targets: Tensor) -> tuple[list[float], list[bool]]:
    """Log-probability of each target and whether no other token is likelier; logits may have padding rows at the end."""
    logits, wanted = logits.float(), whole(targets)[:, None]
    chosen = logits.gather(-1, wanted)[:, 0]
    logprobs = logits.log_softmax(-1).gather(-1, wanted)[:, 0]
    return as_list(logprobs[: len(targets)]), as_list((chosen >= logits.amax(-1))[: len(targets)])


def sample_padded(
    module: nn.Module, rows: Sequence[GenerationRow], words: Words
) -> Iterator[list[tuple[int, Generation | Exception]]]:
    """Samples a reply for each row, prompts of about one length together.

    Args:
        module: A causal language model with a key-value cache.
        rows: What is asked.
        words: What the model's tokens mean.

    Yields:
        Batch by batch, numbers and generations; an exception where the model gave numbers that are not finite.
    """
    by_length: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        by_length.setdefault(padded_length(len(row.prompt)), []).append(number)
    for length, numbers in by_length.items():
        replies = [Reply.to(rows[number]) for number in numbers]
        if live := [reply for reply in replies if not reply.done]:
            _decode(live, module, words, length)
        yield [(number, reply.result(words)) for number, reply in zip(numbers, replies, strict=True)]


def _decode(replies: list[Reply], module: nn.Module, words: Words, length: int) -> None:
    """The token loop. Row i of the batch belongs to `slots[i]`; rows beyond are padding that repeats the first."""
    device = next(module.parameters()).device
    slots = list(replies)
    ids, mask = _left_padded([reply.row.prompt for reply in slots], length)
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
            chosen = extend(slots, logits.float(), words)
            tokens = whole(torch.tensor(chosen, device=device))
            kept = [index for index, reply in enumerate(slots) if not reply.done]
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
    ids = torch.zeros(len(prompts), length, dtype=torch.long)
    mask = torch.zeros(len(prompts), length, dtype=torch.long)
    for index, prompt in enumerate(prompts):
        ids[index, length - len(prompt) :] = torch.tensor(prompt)
        mask[index, length - len(prompt) :] = 1
    return whole(ids), whole(mask)
