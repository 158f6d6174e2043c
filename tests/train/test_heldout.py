import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gnomon.errors import DatasetError
from gnomon.train.examples import Example
from gnomon.train.heldout import heldout_loss

from .tiny import counting, tiny_llama


@pytest.mark.parametrize("batch_tokens", [1, 40, 10_000])
def test_equals_a_plain_forward_pass_per_example(batch_tokens: int):
    model, examples = tiny_llama().train(), counting(12)
    losses = heldout_loss(model, examples, batch_tokens=batch_tokens)
    assert model.training
    model.eval()
    for example, loss in zip(examples, losses, strict=True):
        ids = torch.tensor(example.ids.astype(int))[None]
        with torch.no_grad():
            nats = F.cross_entropy(model(input_ids=ids).logits[0, :-1], ids[0, 1:], reduction="none").numpy()
        assert loss == pytest.approx(np.average(nats, weights=example.weights[1:]), abs=1e-5)


def test_an_example_without_weight_is_refused_and_no_number():
    with pytest.raises(DatasetError, match="no token that counts"):
        heldout_loss(tiny_llama(), [Example([1, 2], [1, 0])])
