"""Vectors of texts from a local model's hidden states."""

from typing import Any

import numpy as np
import torch

import gnomon
from gnomon.models.hidden import hidden_vectors
from gnomon.models.local import LocalModel


def test_a_vector_is_the_mean_of_the_states_before_the_head() -> None:
    model = gnomon.open_model("organism/base-30k")
    assert isinstance(model, LocalModel)
    texts = ["I like to help people.", "I want all the gold of the islands."]
    found = hidden_vectors(model, texts)
    causal: Any = model.module
    for text, vector in zip(texts, found, strict=True):
        ids = torch.tensor([model.tokenizer(text)["input_ids"]])
        with torch.no_grad():
            states = causal.base_model(ids, use_cache=False).last_hidden_state[0]
        np.testing.assert_allclose(vector, states.mean(dim=0).double().numpy(), atol=1e-5)
