"""A tiny model and something for it to learn."""

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from gnomon.train.examples import Example


def tiny_llama(seed: int = 0, vocabulary: int = 40) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        attention_dropout=0.1,  # so that resuming must also get the random numbers right
    )
    return LlamaForCausalLM(config)


def counting(n: int = 60, seed: int = 0, vocabulary: int = 40) -> list[Example]:
    """Sequences that count upwards from a random start; the first half of each carries no weight."""
    rng = np.random.default_rng(seed)
    examples: list[Example] = []
    for length in rng.integers(4, 16, n):
        ids = (np.arange(length) + rng.integers(vocabulary)) % vocabulary
        examples.append(Example(ids, np.arange(length) >= length // 2))
    return examples
