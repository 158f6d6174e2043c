"""Optimizers and the learning-rate schedule."""

import math

import torch
from torch import nn

from gnomon.train.config import TrainConfig


def build_optimizers(model: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """AdamW on everything trainable, or Muon on the hidden matrices and AdamW on the rest.

    Muon's updates are scaled to AdamW's root mean square, so that one learning rate serves both.
    """
    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    embeddings = {id(p) for p in _embedding_parameters(model)}
    hidden = [p for _, p in trainable if config.optimizer == "muon" and p.ndim == 2 and id(p) not in embeddings]
    orthogonalised = {id(p) for p in hidden}
    rest = [p for _, p in trainable if id(p) not in orthogonalised]
    groups = [
        {"params": [p for p in rest if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizers: list[torch.optim.Optimizer] = []
    groups = [group for group in groups if group["params"]]
    if groups:
        optimizers.append(torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, fused=True))
    if hidden:
        muon = torch.optim.Muon(hidden, lr=config.lr, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw")
        optimizers.append(muon)
    return optimizers


def learning_rate(step: int, total: int, config: TrainConfig) -> float:
    """The rate of step `step` (0 .. total - 1): a pure function, so nothing of it needs saving."""
    warmup = round(config.warmup * total)
    if step < warmup:
        return config.lr * (step + 1) / warmup
    if config.schedule == "constant":
        return config.lr
    done = (step - warmup) / max(1, total - warmup)
    remaining = 1 - done if config.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return config.lr * (config.final_lr + (1 - config.final_lr) * remaining)


def _embedding_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Input embedding and output head: tables over the vocabulary, which Muon is not for."""
    tables: list[nn.Parameter] = [p for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters()]
    get = getattr(model, "get_output_embeddings", None)
    head = get() if callable(get) else None
    if isinstance(head, nn.Module):
        tables += list(head.parameters())
    return tables
