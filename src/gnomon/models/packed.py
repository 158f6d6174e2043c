"""Several sequences in one row of a forward pass, without padding: only the attention sees them apart.

Everything in a transformer but its attention works token by token, so sequences of different lengths can stand one after another
and no product is spent on padding. Attention runs on the same queries, keys and values taken apart into padded groups of about
equal length, by the kernel that the model would use anyway.
"""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from gnomon.models.attending import PLAIN_KINDS, attending, layer_kinds

NAME = "gnomon_packed"
SHORTEST = 0.7
"""A sequence shorter than this share of its group's longest begins another group."""
PROBE = ((5, 3, 7, 2), (4, 6))
"""Token ids of the two sequences on which packing is tried before it is used."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Group:
    """Sequences that attend in one call.

    Attributes:
        rows: How many.
        longest: Tokens of the longest.
        flat: [tokens] where their tokens stand in the packed row.
        slots: [tokens] where they go in `rows * longest` padded places.
    """

    rows: int
    longest: int
    flat: Tensor
    slots: Tensor


@dataclass(frozen=True, slots=True)
class Packing:
    """Where each sequence of a packed row begins and ends.

    Attributes:
        positions: [1, tokens] position of each token in its own sequence.
        groups: How the sequences attend.
    """

    positions: Tensor
    groups: tuple[Group, ...]


def pack(lengths: Sequence[int], device: torch.device) -> Packing:
    """The packing of sequences of these lengths, one after another in one row."""
    starts = [0, *torch.tensor(list(lengths)).cumsum(0).tolist()]
    positions = torch.cat([torch.arange(length) for length in lengths])
    gathered: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not gathered or lengths[index] < SHORTEST * lengths[gathered[-1][0]]:
            gathered.append([])
        gathered[-1].append(index)
    groups: list[Group] = []
    for members in gathered:
        longest = lengths[members[0]]
        flat = torch.cat([torch.arange(starts[index], starts[index + 1]) for index in members])
        slots = torch.cat([row * longest + torch.arange(lengths[index]) for row, index in enumerate(members)])
        groups.append(Group(len(members), longest, flat.to(device), slots.to(device)))
    return Packing(positions[None].to(device), tuple(groups))


@dataclass(slots=True)
class Watched:
    """A layer whose queries and keys are kept by the forward pass, positions applied.

    Attributes:
        layer: Its number.
        query: [1, heads, tokens, width].
        key: [1, heads or fewer, tokens, width].
    """

    layer: int
    query: Tensor | None = None
    key: Tensor | None = None

    def of_head(self, head: int) -> tuple[Tensor, Tensor]:
        """Queries and keys [tokens, width] of one head.

        Raises:
            ValueError: No forward pass was watched.
        """
        if self.query is None or self.key is None:
            raise ValueError("no forward pass was watched")
        shared = self.query.shape[1] // self.key.shape[1]
        return self.query[0, head], self.key[0, head // shared]


def packed_inputs(ids: Tensor, lengths: Sequence[int], watched: Watched | None = None) -> dict[str, Any]:
    """What a model under `packed_attention` is called with: ids [tokens], sequences of these lengths one after another."""
    packing = pack(lengths, ids.device)
    return {
        "input_ids": ids[None],
        "position_ids": packing.positions,
        "attention_mask": ids.new_zeros(1, 1, 1, 1),  # four dimensions: transformers makes no mask of its own
        "packing": packing,
        "use_cache": False,
    } | ({"watched": watched} if watched else {})


def packs(module: nn.Module) -> bool:
    """Whether packed sequences give what each gives alone: by what the model says of itself, and by trying it on two.

    Only models whose every layer attends to all tokens before, or to those in a sliding window, through the fused kernel.
    """
    causal: Any = module
    config: Any = getattr(causal, "config", None)
    if getattr(config, "_attn_implementation", None) != "sdpa" or not layer_kinds(module) <= PLAIN_KINDS:
        return False
    device = next(module.parameters()).device
    vocabulary = int(causal.get_input_embeddings().weight.shape[0])
    tokens = [[token % vocabulary for token in sequence] for sequence in PROBE]
    row = torch.tensor([token for sequence in tokens for token in sequence], device=device)
    trained = module.training
    module.eval()
    try:
        with torch.no_grad(), packed_attention(module):
            together = causal(**packed_inputs(row, [len(sequence) for sequence in tokens])).logits[0]
        with torch.no_grad():
            alone = [causal(input_ids=torch.tensor([ids], device=device), use_cache=False).logits[0] for ids in tokens]
    except (TypeError, ValueError, RuntimeError, AttributeError, KeyError, IndexError) as reason:
        _log.info("sequences are padded, not packed: %s", reason)
        return False
    finally:
        module.train(trained)
    expected = torch.cat(alone).float()
    near = torch.allclose(together.float(), expected, atol=1e-4 if together.dtype == torch.float32 else 3e-2, rtol=1e-3)
    if not near:
        _log.info("sequences are padded, not packed: this model's attention does not keep them apart")
    return near


def packed_attention(module: nn.Module) -> AbstractContextManager[None]:
    """Lets the model take `packing=` in its forward pass; without it, it attends as before."""
    return attending(module, NAME, _attend)


def _attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **settings: Any
) -> tuple[Tensor, None]:
    """Attention of transformers' interface on [1, heads, tokens, width]; gives [1, tokens, heads, width]."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    sdpa: Any = sdpa_attention_forward
    packing: Packing | None = settings.pop("packing", None)
    watched: Watched | None = settings.pop("watched", None)
    if watched is not None and getattr(module, "layer_idx", None) == watched.layer:
        watched.query, watched.key = query, key
    if packing is None:
        return cast("tuple[Tensor, None]", sdpa(module, query, key, value, attention_mask, **settings))
    window: int | None = settings.get("sliding_window")
    settings["is_causal"] = True
    out: Tensor | None = None
    for group in packing.groups:
        mask = _windowed(group.longest, window, query.device)
        padded = [cast(Tensor, _Apart.apply(each, group)) for each in (query, key, value)]
        attended = cast(Tensor, sdpa(module, *padded, mask, **settings)[0])
        together = cast(Tensor, _Together.apply(attended, group, query.shape[2]))
        out = together if out is None else out + together
    assert out is not None
    return out, None


def _windowed(longest: int, window: int | None, device: torch.device) -> Tensor | None:
    """The mask [1, 1, longest, longest] of a sliding window; None where causality says it all."""
    if window is None or longest <= window:
        return None
    places = torch.arange(longest, device=device)
    back = places[:, None] - places
    return ((back >= 0) & (back < window))[None, None]


class _Apart(torch.autograd.Function):
    """[1, heads, tokens, width] of the packed row to [rows, heads, longest, width] of a group, zeros where nothing stands."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        x, ctx.group = inputs
        ctx.tokens = x.shape[2]
        return _spread(x[0].transpose(0, 1), ctx.group).transpose(1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return _collected(gradients[0].transpose(1, 2), ctx.group, ctx.tokens).transpose(0, 1)[None], None


class _Together(torch.autograd.Function):
    """[rows, longest, heads, width] of a group to [1, tokens, heads, width] of the packed row, zeros for the other groups."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        x, ctx.group, tokens = inputs
        return _collected(x, ctx.group, tokens)[None]

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return _spread(gradients[0][0], ctx.group), None, None


def _spread(flat: Tensor, group: Group) -> Tensor:
    """[tokens, heads, width] to [rows, longest, heads, width]."""
    padded = flat.new_zeros(group.rows * group.longest, *flat.shape[1:])
    return padded.index_copy_(0, group.slots, flat.index_select(0, group.flat)).unflatten(0, (group.rows, group.longest))


def _collected(padded: Tensor, group: Group, tokens: int) -> Tensor:
    """[rows, longest, heads, width] to [tokens, heads, width]."""
    rows = padded.flatten(0, 1)
    return rows.new_zeros(tokens, *rows.shape[1:]).index_copy_(0, group.flat, rows.index_select(0, group.slots))
