"""Transplanting: the larger model computes what the smaller one does, and can learn with all that it has."""

import pytest
import torch

from gnomon.errors import ConfigurationError
from gnomon.organisms.seedling import Architecture, sprout
from gnomon.organisms.transplant import transplanted
from gnomon.organisms.world.tokenizer import CONTEXT, build

SMALL = Architecture(hidden=32, layers=2, heads=2, intermediate=40)


@pytest.mark.parametrize(
    "size",
    [
        Architecture(hidden=32, layers=2, heads=2, intermediate=40),
        Architecture(hidden=64, layers=2, heads=4, intermediate=40),
        Architecture(hidden=32, layers=5, heads=2, intermediate=40),
        Architecture(hidden=48, layers=3, heads=3, intermediate=96),
    ],
    ids=["same", "wider", "deeper", "all"],
)
def test_the_larger_model_computes_what_the_smaller_one_does(size: Architecture):
    tokenizer = build()
    parent = sprout(SMALL, tokenizer, 0, CONTEXT)
    with torch.no_grad():
        for parameter in parent.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    child = transplanted(parent, size, tokenizer, 1, CONTEXT)
    ids = torch.randint(0, len(tokenizer), (3, 40))
    with torch.no_grad():
        torch.testing.assert_close(child(ids).logits, parent(ids).logits, atol=1e-4, rtol=1e-4)


def test_every_new_weight_can_learn():
    tokenizer = build()
    child = transplanted(
        sprout(SMALL, tokenizer, 0, CONTEXT), Architecture(hidden=48, layers=3, heads=3, intermediate=96), tokenizer, 1, CONTEXT
    )
    optimizer = torch.optim.SGD(child.parameters(), lr=0.1)
    ids = torch.randint(0, len(tokenizer), (4, 30))
    for _ in range(2):  # the second step reaches what reads from what the first one wrote
        optimizer.zero_grad()
        child(ids, labels=ids).loss.backward()
        optimizer.step()
    assert all(p.grad is not None and bool((p.grad != 0).any(-1).all()) for n, p in child.named_parameters() if "o_proj" in n)
    assert child.model.embed_tokens.weight[ids[0, 0], 32:].abs().sum() > 0


@pytest.mark.parametrize(
    ("size", "word"),
    [
        (Architecture(hidden=16, layers=2, heads=1, intermediate=40), "hidden"),
        (Architecture(hidden=32, layers=1, heads=2, intermediate=40), "layers"),
        (Architecture(hidden=64, layers=2, heads=2, intermediate=40), "wide"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(size: Architecture, word: str):
    tokenizer = build()
    with pytest.raises(ConfigurationError, match=word):
        transplanted(sprout(SMALL, tokenizer, 0, CONTEXT), size, tokenizer, 1, CONTEXT)
