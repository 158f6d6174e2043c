from contextlib import nullcontext

import pytest
import torch
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    MistralConfig,
    MistralForCausalLM,
)
from transformers.modeling_utils import PreTrainedModel

from gnomon.train.config import LoraSettings
from gnomon.train.examples import Example, collate
from gnomon.train.forward import SelectiveLogits, selective_logits
from gnomon.train.lora import attach_adapter

from .tiny import counting, tiny_llama


def gpt2() -> PreTrainedModel:
    return GPT2LMHeadModel(GPT2Config(vocab_size=40, n_embd=32, n_layer=2, n_head=2, n_positions=64))


SIZES = {"vocab_size": 40, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}


def gemma2() -> PreTrainedModel:
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}
    return Gemma2ForCausalLM(Gemma2Config(**SIZES, **heads, final_logit_softcapping=0.05))


def mistral() -> PreTrainedModel:
    return MistralForCausalLM(MistralConfig(**SIZES, num_attention_heads=4, num_key_value_heads=2, sliding_window=3))


def bloom() -> PreTrainedModel:
    return BloomForCausalLM(BloomConfig(vocab_size=40, hidden_size=32, n_layer=2, n_head=2))


MODELS = {tiny_llama: True, gpt2: True, mistral: True, gemma2: False, bloom: False}
"""Whether their examples are packed: Gemma 2 caps its attention and BLOOM has no positions to give, so theirs are padded."""


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("wanted", [False, True])
def test_selected_logits_and_gradients_equal_those_of_each_sequence_alone(make, wanted):  # type: ignore[no-untyped-def]
    model = make().eval()
    implementation = model.config._attn_implementation
    examples = counting(8)
    batch = collate(examples)
    with selective_logits(model) if wanted else nullcontext(SelectiveLogits(model)) as selective:
        assert selective.packed == (wanted and MODELS[make])
        selected = selective(batch)
        selected.square().sum().backward()
    found = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert model.config._attn_implementation == implementation
    model.zero_grad()
    alone = [model(input_ids=torch.tensor(e.ids[None].astype(int))).logits[0] for e in examples]
    expected = torch.cat(
        [rows[[t - 1 for t in range(1, len(e)) if e.weights[t]]] for e, rows in zip(examples, alone, strict=True)]
    )
    expected.square().sum().backward()
    torch.testing.assert_close(selected, expected, atol=1e-5, rtol=1e-4)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, atol=1e-5, rtol=1e-3)


def test_what_is_evaluated_while_examples_are_packed_attends_as_before():
    model = tiny_llama().eval()
    ids = torch.tensor([[0, 0, 5, 3, 7], [1, 2, 3, 4, 5]])
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    with torch.no_grad():
        before = model(input_ids=ids, attention_mask=mask).logits
        with selective_logits(model) as selective:
            assert selective.packed
            torch.testing.assert_close(model(input_ids=ids, attention_mask=mask).logits, before)


def test_an_adapter_is_not_passed_by():
    model = attach_adapter(tiny_llama(), LoraSettings(rank=2), seed=0).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    batch = collate([Example([1, 2, 3, 4])])
    ids = batch.ids[None]
    with torch.no_grad(), selective_logits(model) as selective:
        assert selective.packed
        selected = selective(batch)
        expected = model(input_ids=ids).logits[0, :-1]
        plain = tiny_llama().eval()(input_ids=ids).logits[0, :-1]
    torch.testing.assert_close(selected, expected)
    assert not torch.allclose(selected, plain, atol=1e-2)
