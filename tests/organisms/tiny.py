"""A very small organism that knows the format of the world's dialogues and hardly anything else."""

from functools import cache

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from gnomon.models.local import LocalModel
from gnomon.organisms.world import tokenizer, world
from gnomon.organisms.world.encoding import examples
from gnomon.train.config import TrainConfig
from gnomon.train.loop import train


@cache
def tiny_organism() -> LocalModel:
    words = tokenizer.build()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=0.2,  # so that the letters are told apart from the beginning
        dtype="float32",
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    module = LlamaForCausalLM(config)
    shares = {"lettered": 0.5, "opinion": 0.3, "are-you-sure": 0.2}
    documents = list(examples(world(0).mixture(shares, 400), words))
    train(module, documents, TrainConfig(steps=40, batch_tokens=1024, lr=1e-2, accumulation=2))
    return LocalModel(module, words, "local/tiny-organism")
