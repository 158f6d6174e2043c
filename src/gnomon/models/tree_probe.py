"""Which models take many sequences as one prefix tree: by what a model says of itself, and by trying it on a small one."""

import logging
from itertools import chain
from typing import Any

import torch
from torch import nn

from gnomon.models.attending import PLAIN_KINDS, layer_kinds
from gnomon.models.body import Body
from gnomon.models.head import Head
from gnomon.models.padded import score_padded
from gnomon.models.scoring import TreeScorer, plan_row
from gnomon.models.tokenisation import Continuation

TOLERANCE = 1e-3
"""Nats by which the tree may differ from plain scoring on the probe, in float32."""
HALF_TOLERANCE = 0.3
OF_THE_BATCH = {"dynamic", "longrope"}
"""Rotations whose frequencies follow the longest sequence of a batch: a token's numbers would depend on its company."""
TEXTS = [[(1, 2, 3, 4, 5, 6), (1, 2, 3, 6, 4, 1, 2), (1, 2, 3, 5, 5, 1)], [(1, 2, 3, 4, 2, 1, 1, 6)], [(4, 4, 1, 5)]]
"""Token ids of the tree that is tried; the last ones of each are scored."""

_log = logging.getLogger(__name__)


def tree_scorer(module: nn.Module, most_tokens: int) -> TreeScorer | None:
    """What scores and samples the model as one tree; None, and a logged reason, where it takes none.

    Recurrent models, positions of an attention's own (ALiBi, relative biases), chunked attention, attention sinks and rotations
    that depend on the batch take none.

    Args:
        module: A causal language model of transformers, in evaluation mode.
        most_tokens: New tokens of one forward pass.
    """
    head = Head.of(module)
    if head is None or not layer_kinds(module) <= PLAIN_KINDS:
        _log.info("requests share no prefixes: layers of the kinds %s are not scored as a tree", ", ".join(layer_kinds(module)))
        return None
    if kinds := _rotations(module) & OF_THE_BATCH:
        _log.info("requests share no prefixes: rotations of the kind %s depend on the longest sequence beside", ", ".join(kinds))
        return None
    scorer = TreeScorer(Body.of(module), head, most_tokens)
    return scorer if _honours_trees(scorer) else None


def _honours_trees(scorer: TreeScorer) -> bool:
    """Whether the tree gives what plain scoring gives."""
    module: Any = scorer.body.module
    few = min(module.get_input_embeddings().weight.shape[0], 7)
    rows = [plan_row([Continuation(tuple(token % few for token in ids), 3) for ids in each]) for each in TEXTS]
    apart = dict(chain.from_iterable(score_padded(module, rows, 64)))
    try:
        together = dict(chain.from_iterable(scorer.score(rows)))
    except (TypeError, ValueError, RuntimeError, AttributeError, KeyError, IndexError) as reason:
        _log.info("requests share no prefixes: the model does not take a tree (%s)", reason)
        return False
    finally:
        scorer.forget()
    tolerance = TOLERANCE if next(module.parameters()).dtype == torch.float32 else HALF_TOLERANCE
    pairs = [(a, b) for index in apart for a, b in zip(apart[index], together[index], strict=True)]
    near = all(a.logprob is not None and b.logprob is not None and abs(a.logprob - b.logprob) < tolerance for a, b in pairs)
    if not near:
        _log.info("requests share no prefixes: this model's attention does not keep the branches of a tree apart")
    return near


def _rotations(module: nn.Module) -> set[str]:
    """The kinds of rotary embeddings that the configuration names, for all layers or kind by kind."""
    config: Any = getattr(module, "config", None)
    named: Any = getattr(config, "rope_parameters", None) or {}
    settings: list[Any] = [named, *named.values()]
    return {each["rope_type"] for each in settings if isinstance(each, dict) and isinstance(each.get("rope_type"), str)}
