"""Adapters through `peft`."""

import warnings
from typing import cast

import torch
from torch import nn

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
        torch.manual_seed(derive_seed(seed, "adapter"))
        return cast(nn.Module, peft.get_peft_model(model, config))  # type: ignore[arg-type]


def merged(model: nn.Module) -> nn.Module:
    """The plain model with its adapter added to the weights (a model without one as it is)."""
    return cast(nn.Module, model.merge_and_unload()) if hasattr(model, "merge_and_unload") else model  # type: ignore[operator]
