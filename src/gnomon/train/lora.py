"""Adapters through `peft`."""

import warnings
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gnomon.datasets.items import derive_seed
from gnomon.train.config import LoraSettings


def attach_adapter(model: nn.Module, settings: LoraSettings, seed: int) -> nn.Module:
    """Freezes the model and gives its linear layers a fresh adapter (in place); returns the `peft` model around it."""
    import peft  # takes a second to import, and only adapters need it

    targets = settings.targets if isinstance(settings.targets, str) else list(settings.targets)
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=cast(int, settings.alpha),
        lora_dropout=settings.dropout,
        target_modules=targets,
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft still asks transformers by a name of yesterday
        warnings.filterwarnings("ignore", message="fan_in_fan_out")  # peft sets it right by itself
        torch.manual_seed(derive_seed(seed, "adapter"))
        adapted = cast(nn.Module, peft.get_peft_model(model, config))  # type: ignore[arg-type]
    for module in adapted.modules():
        if type(module) is peft.tuners.lora.Linear:
            module.forward = _LowRankForward(module)
    return adapted


HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
"""Where a module keeps what it calls besides its own computation."""


class _LowRankForward:
    """What an adapted layer computes while it trains, by one function with its own gradient.

    Two large products (the layer's own, forward and backward) and a few thin ones, where `peft` runs a dozen small operations
    each way. Anything but plain training is left to `peft`.
    """

    def __init__(self, layer: Any):
        self.layer = layer
        self.otherwise: Callable[..., Tensor] = layer.forward

    def __call__(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        layer = self.layer
        if args or kwargs or not _is_plain(layer, x):
            return self.otherwise(x, *args, **kwargs)
        (name,), base = layer.active_adapters, layer.base_layer
        a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
        return cast(Tensor, _LowRank.apply(x, base.weight, base.bias, a, b, layer.scaling[name]))


def _is_plain(layer: Any, x: Tensor) -> bool:
    """Whether `_LowRank` is what `peft` would compute: one adapter of the original kind, in training, on a frozen `nn.Linear`."""
    if layer.merged or layer.disable_adapters or not layer.training or torch.is_autocast_enabled(x.device.type):
        return False
    if len(layer.active_adapters) != 1 or type(layer.base_layer) is not nn.Linear:
        return False
    name, base = layer.active_adapters[0], layer.base_layer
    if name not in layer.lora_A or name in layer.lora_variant or not isinstance(layer.lora_dropout[name], nn.Identity):
        return False
    a, b = layer.lora_A[name], layer.lora_B[name]
    if b.bias is not None or any(parameter.requires_grad for parameter in base.parameters()):
        return False
    if any(getattr(part, hooks) for part in (base, a, b) for hooks in HOOKS):
        return False
    return x.dtype == a.weight.dtype == b.weight.dtype and all(x.dtype == parameter.dtype for parameter in base.parameters())


class _LowRank(torch.autograd.Function):
    """x W' + s x A' B' + bias, with gradients for x, A and B; W and the bias are frozen."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        x, weight, bias, a, b, scale = inputs
        rows = x.reshape(-1, x.shape[-1])
        reduced = rows @ a.T
        ctx.save_for_backward(rows, weight, a, b, reduced)
        ctx.scale, ctx.shape = scale, x.shape
        y = torch.addmm(bias, rows, weight.T) if bias is not None else rows @ weight.T
        return y.addmm_(reduced, b.T, alpha=scale).view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        rows, weight, a, b, reduced = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, weight.shape[0])
        thin = torch.nn.functional.linear(gradient, b.T.contiguous())  # several times faster than a product with tall operands
        for_x = None
        if ctx.needs_input_grad[0]:
            for_x = torch.addmm(gradient @ weight, thin, a, alpha=ctx.scale).view(ctx.shape)
        return for_x, None, None, (thin.T @ rows).mul_(ctx.scale), (reduced.T @ gradient).T.mul(ctx.scale), None


def merged(model: nn.Module) -> nn.Module:
    """The plain model with its adapter added to the weights (a model without one as it is)."""
    return cast(nn.Module, model.merge_and_unload()) if hasattr(model, "merge_and_unload") else model  # type: ignore[operator]
