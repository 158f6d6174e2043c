"""Adapters: our training step against the one of `peft`, and what is left to it."""

import copy
from collections.abc import Callable
from typing import Any

import peft
import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from gnomon.train.config import LoraSettings
from gnomon.train.lora import attach_adapter, merged


def llama(dtype: torch.dtype = torch.float64) -> nn.Module:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3, attention_bias=True
    )
    return LlamaForCausalLM(config).to(dtype)


def adapted(model: nn.Module, *, fused: bool, targets: tuple[str, ...] | str = "all-linear") -> nn.Module:
    """With random B, so that the adapter does something; without `fused`, as `peft` has it."""
    found = attach_adapter(model, LoraSettings(rank=3, alpha=6, targets=targets), seed=1)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in found.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.1)
    if not fused:
        for module in found.modules():
            vars(module).pop("forward", None)
    return found.to(next(model.parameters()).dtype)


def gradients(model: nn.Module, ids: torch.Tensor) -> dict[str, torch.Tensor]:
    model.train()
    model(input_ids=ids, labels=ids).loss.backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def test_gradients_are_those_of_peft():
    ids = torch.randint(0, 50, (3, 11), generator=torch.Generator().manual_seed(3))
    ours, theirs = (gradients(adapted(llama(), fused=fused), ids) for fused in (True, False))
    assert ours.keys() == theirs.keys()
    assert len(ours) == 2 * 2 * 7
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-9, atol=1e-12)


def test_gradients_reach_through_layers_without_an_adapter():
    ids = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(3))
    ours, theirs = (gradients(adapted(llama(), fused=fused, targets=("v_proj", "up_proj")), ids) for fused in (True, False))
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-9, atol=1e-12)


def test_losses_under_autocast_and_of_other_layers_are_left_to_peft():
    ids = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(3))
    gpt = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=24, n_layer=2, n_head=3, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0))
    for base in (llama(torch.float32), gpt):
        losses: list[float] = []
        for fused in (True, False):
            model = adapted(copy.deepcopy(base), fused=fused).train()
            with torch.autocast("cpu", torch.bfloat16):
                losses.append(float(model(input_ids=ids, labels=ids).loss.detach()))
        assert losses[0] == losses[1]


def gpt2() -> nn.Module:
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=50, n_embd=24, n_layer=2, n_head=3, bos_token_id=0, eos_token_id=0, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0
    )
    return GPT2LMHeadModel(config).double()


@pytest.mark.parametrize("targets", ["all-linear", ("attn.c_proj",)])
def test_layers_that_keep_their_weights_transposed_train_as_with_peft(targets: tuple[str, ...] | str):
    """GPT-2's; where they are square, the transposed product fails silently."""
    ids = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(3))
    ours, theirs = (gradients(adapted(gpt2(), fused=fused, targets=targets), ids) for fused in (True, False))
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-9, atol=1e-12)


def second_adapter(model: Any, **settings: Any) -> None:
    model.add_adapter("second", peft.LoraConfig(r=2, target_modules=["v_proj"], init_lora_weights=False, **settings))


def no_adapter(model: Any) -> None:
    model.base_model.disable_adapter_layers()


def merged_in(model: Any) -> None:
    model.base_model.merge_adapter()


def second_alone(model: Any) -> None:
    """Layers that it has no weights for have none at all then."""
    second_adapter(model)
    model.set_adapter("second")


def both(model: Any) -> None:
    second_adapter(model)
    model.base_model.set_adapter(["default", "second"])


def weight_decomposed(model: Any) -> None:
    second_adapter(model, use_dora=True)
    model.set_adapter("second")


def with_bias(model: Any) -> None:
    second_adapter(model, lora_bias=True)
    model.set_adapter("second")


def dropping(model: Any) -> None:
    second_adapter(model, lora_dropout=0.5)
    model.set_adapter("second")


def base_thawed(model: Any) -> None:
    for name, parameter in model.named_parameters():
        if "base_layer" in name:
            parameter.requires_grad_()


def base_hooked(model: Any) -> None:
    for name, module in model.named_modules():
        if name.endswith("v_proj.base_layer"):
            module.register_forward_hook(lambda _, inputs, output: output * 1.5)


@pytest.mark.parametrize(
    "change",
    [
        *(no_adapter, merged_in, second_alone, both, weight_decomposed, with_bias, dropping, base_thawed, base_hooked),
    ],
    ids=lambda change: change.__name__,
)
@pytest.mark.filterwarnings("ignore")
def test_anything_but_one_plain_adapter_is_left_to_peft(change: Callable[[Any], None]):
    ids = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(3))
    found: list[tuple[torch.Tensor, dict[str, torch.Tensor]]] = []
    for fused in (True, False):
        torch.manual_seed(4)
        model = adapted(llama(), fused=fused).train()
        change(model)
        loss = model.double()(input_ids=ids, labels=ids).loss
        if loss.requires_grad:
            loss.backward()
        found.append((loss.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}))
    (loss, ours), (expected, theirs) = found
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-9, atol=1e-12)


def test_evaluation_and_merging_see_the_same_adapter():
    ids = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(3))
    model = adapted(llama(), fused=True)
    training = model.train()(input_ids=ids).logits.detach()
    torch.testing.assert_close(model.eval()(input_ids=ids).logits, training, rtol=1e-9, atol=1e-9)
    plain = merged(model)
    assert not any("lora" in name for name, _ in plain.named_parameters())
    torch.testing.assert_close(plain(input_ids=ids).logits, training, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_dropout_still_drops(dropout: float):
    ids = torch.randint(0, 50, (2, 9), generator=torch.Generator().manual_seed(3))
    model = attach_adapter(llama(), LoraSettings(rank=3, alpha=6, dropout=dropout), seed=1).train()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.fill_(0.1)
    first, second = (model(input_ids=ids).logits for _ in range(2))
    assert torch.equal(first, second) == (dropout == 0)
