"""Checkpoints: safetensors and JSON, written whole or not at all.

A checkpoint holds the trainable weights and persistent buffers, the optimizers' tensors and the step. Data order and random
numbers are functions of seed and step, so there is no generator state to lose.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gnomon.errors import RunDirectoryError

_PREFIX = "step-"


def trained_tensors(model: nn.Module) -> dict[str, Tensor]:
    """What training changes: trainable parameters (tied ones once) and persistent buffers."""
    parameters = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    persistent = set(model.state_dict().keys())
    buffers = {name: b for name, b in model.named_buffers() if name in persistent}
    return parameters | buffers


def save_checkpoint(
    directory: Path, step: int, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer], state: dict[str, Any], keep: int
) -> Path:
    """Writes `directory/step-<step>` and removes all but the latest `keep`.

    Raises:
        RunDirectoryError: The disk is full or the directory cannot be written; earlier checkpoints are untouched.
    """
    final = directory / f"{_PREFIX}{step:08d}"
    if final.exists():
        return final
    temporary = directory / f"tmp-{os.getpid()}"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        save_file(_contiguous(trained_tensors(model)), temporary / "model.safetensors")
        save_file(_optimizer_tensors(optimizers), temporary / "optimizer.safetensors")
        (temporary / "state.json").write_text(json.dumps({"step": step, **state}, indent=1), encoding="utf-8")
        for file in temporary.iterdir():
            _sync(file)
        temporary.rename(final)
        _sync(directory)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise RunDirectoryError(
            f"cannot write the checkpoint of step {step} to {directory} ({error}): free some space and run again, "
            "training continues from the checkpoint before"
        ) from error
    for old in checkpoints(directory)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def checkpoints(directory: Path) -> list[Path]:
    """The complete checkpoints, oldest first."""
    return sorted(directory.glob(f"{_PREFIX}*")) if directory.is_dir() else []


def read_state(checkpoint: Path) -> dict[str, Any]:
    """The JSON part of a checkpoint.

    Raises:
        RunDirectoryError: It cannot be read.
    """
    try:
        return json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"cannot read the checkpoint {checkpoint} ({error}): delete it to start anew") from error


def load_checkpoint(checkpoint: Path, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> None:
    """Puts a checkpoint's weights and optimizer tensors back, in place.

    Raises:
        RunDirectoryError: It cannot be read, or belongs to another model.
    """
    try:
        saved = load_file(checkpoint / "model.safetensors")
        moments = load_file(checkpoint / "optimizer.safetensors")
    except (OSError, SafetensorError) as error:
        raise RunDirectoryError(f"cannot read the checkpoint {checkpoint} ({error}): delete it to start anew") from error
    current = trained_tensors(model)
    if {n: t.shape for n, t in saved.items()} != {n: t.shape for n, t in current.items()}:
        raise RunDirectoryError(f"the checkpoint {checkpoint} belongs to another model: choose another output directory")
    with torch.no_grad():
        for name, tensor in current.items():
            tensor.copy_(saved[name])
    for number, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in moments.items():
            which, parameter, name = key.split(".", 2)
            if int(which) == number:
                state.setdefault(int(parameter), {})[name] = tensor
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _optimizer_tensors(optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for number, optimizer in enumerate(optimizers):
        for parameter, entries in optimizer.state_dict()["state"].items():
            for name, value in entries.items():
                tensors[f"{number}.{parameter}.{name}"] = torch.as_tensor(value)
    return _contiguous(tensors)


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _sync(path: Path) -> None:
    """Flushes a file or directory to the disk, so that the rename never shows something unfinished."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
