"""What the arithmetic must cost: every distinct prefix token once through the blocks, the output head where logits are wanted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[Sequence[int], Sequence[int]]
"""Tokens that are fed, and the indices among them whose logits are wanted."""


@dataclass
class PrefixTree:
    """The distinct prefixes of many token sequences.

    Attributes:
        children: (node, token) to node.
        depths: Tokens up to and including each node.
        wanted: Nodes whose logits are wanted.
    """

    children: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    depths: list[int] = field(default_factory=lambda: [0])
    wanted: set[int] = field(default_factory=set[int])

    def add(self, tokens: Sequence[int], wanted: Sequence[int]) -> None:
        nodes, node = list[int](), 0
        for token in tokens:
            known = self.children.setdefault((node, token), len(self.depths))
            if known == len(self.depths):
                self.depths.append(self.depths[node] + 1)
            node = known
            nodes.append(node)
        self.wanted.update(nodes[index] for index in wanted)


def flops(module: Any, paths: Iterable[Path]) -> float:
    """Multiplications and additions of a GPT-2-style model over the distinct tokens of all paths."""
    tree = PrefixTree()
    for tokens, wanted in paths:
        tree.add(tokens, wanted)
    config = module.config
    blocks = sum(weight.numel() for name, weight in module.named_parameters() if weight.dim() == 2 and ".h." in name)
    attention = 4 * config.n_layer * config.n_embd * sum(tree.depths)
    return 2.0 * blocks * (len(tree.depths) - 1) + attention + 2.0 * config.n_embd * config.vocab_size * len(tree.wanted)


def scoring_flops(model: Any, requests: Sequence[tuple[str, Sequence[str]]]) -> float:
    """Of scoring continuations."""
    laid_out = (model.tokeniser.continuation(prefix, text) for prefix, texts in requests for text in texts)
    return flops(model.module, ((each.ids[:-1], range(each.start - 1, len(each.ids) - 1)) for each in laid_out))


def generation_flops(model: Any, prompts: Sequence[str], new_tokens: int, samples: int = 1) -> float:
    """Of replies of `new_tokens` each; the last token is never fed. Replies share no more than their prompt."""
    encoded = [model.tokeniser.encode(prompt) for prompt in prompts]
    replies = [
        (
            [*ids, *(-1 - reply * new_tokens - place for place in range(new_tokens - 1))],
            range(len(ids) - 1, len(ids) + new_tokens - 1),
        )
        for reply, ids in enumerate(ids for ids in encoded for _ in range(samples))
    ]
    return flops(model.module, replies)
