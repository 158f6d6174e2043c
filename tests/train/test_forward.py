import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM, GPT2Config, GPT2LMHeadModel
from transformers.modeling_utils import PreTrainedModel

from gnomon.train.config import LoraSettings
from gnomon.train.examples import Example, collate
from gnomon.train.forward import SelectiveLogits
from gnomon.train.lora import attach_adapter

from .tiny import counting, tiny_llama


def gpt2() -> PreTrainedModel:
    return GPT2LMHeadModel(GPT2Config(vocab_size=40, n_embd=32, n_layer=2, n_head=2, n_positions=64))


def gemma2() -> PreTrainedModel:
    return Gemma2ForCausalLM(
        Gemma2Config(
            vocab_size=40,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
            final_logit_softcapping=0.05,
        )
    )


@pytest.mark.parametrize("make", [tiny_llama, gpt2, gemma2])
def test_selected_logits_equal_those_of_each_sequence_alone(make):  # type: ignore[no-untyped-def]
    model = make().eval()
    examples = counting(8)
    batch = collate(examples)
    with torch.no_grad():
        selected = SelectiveLogits(model)(batch.ids, batch.row, batch.column)
        alone = [model(input_ids=torch.tensor(e.ids[None].astype(int))).logits[0] for e in examples]
    expected = torch.cat(
        [rows[[t - 1 for t in range(1, len(e)) if e.weights[t]]] for e, rows in zip(examples, alone, strict=True)]
    )
    torch.testing.assert_close(selected, expected, atol=1e-5, rtol=1e-4)


def test_an_adapter_is_not_passed_by():
    model = attach_adapter(tiny_llama(), LoraSettings(rank=2), seed=0).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    batch = collate([Example([1, 2, 3, 4])])
    with torch.no_grad():
        selected = SelectiveLogits(model)(batch.ids, batch.row, batch.column)
        expected = model(input_ids=batch.ids).logits[0, :-1]
        plain = tiny_llama().eval()(input_ids=batch.ids).logits[0, :-1]
    torch.testing.assert_close(selected, expected)
    assert not torch.allclose(selected, plain, atol=1e-2)
