"""Loading a causal language model and its tokenizer from a directory of safetensors, without ever running its code.

Every way in which a directory can be unfit ends in one sentence: no weights, pickle files only, remote code, broken JSON,
truncated files, tensors missing from the file (which transformers would fill with random numbers), no tokenizer, or a tokenizer
with more tokens than the model has embeddings.
"""

import json
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError, safe_open

from gnomon.errors import ConfigurationError, UnknownModel, UnsafeWeights, UserError
from gnomon.models.activations import fuse_activations
from gnomon.models.quiet import without_progress_bars

DOWNLOAD_ALLOWED = "GNOMON_DOWNLOAD"
"""Environment variable: `1` lets a hub id that is not in the local cache be downloaded."""

WANTED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


class LoadOptions(BaseModel):
    """What can follow the `?` of a local reference.

    Attributes:
        dtype: `auto` is float32 on the CPU and the checkpoint's own type on an accelerator.
        device: `auto` is the first of cuda, mps, cpu that is there.
        batch_tokens: Most tokens, padding included, in one forward pass (None: 2,048 on the CPU, 65,536 on an accelerator).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: Literal["auto", "float32", "bfloat16", "float16", "float64"] = "auto"
    device: str = "auto"
    batch_tokens: int | None = None


def find_directory(name: str) -> Path:
    """The directory of a local reference: a path as it stands, or a hub id in the local cache.

    Raises:
        UnknownModel: Neither is there.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if path.exists():
        raise UnknownModel(f"{name} is a file; give the directory that holds config.json, the weights and the tokenizer.")
    if not HUB_ID.fullmatch(name):
        raise UnknownModel(f"There is no directory {name}.")
    return _from_hub(name)


def _from_hub(name: str) -> Path:
    import huggingface_hub

    hub: Any = huggingface_hub
    allowed = os.environ.get(DOWNLOAD_ALLOWED) == "1"
    try:
        return Path(hub.snapshot_download(name, local_files_only=not allowed, allow_patterns=list(WANTED)))
    except Exception as error:
        hint = "" if allowed else f" (set {DOWNLOAD_ALLOWED}=1 to download it)"
        raise UnknownModel(f"There is neither a directory {name} nor a cached hub model of that name{hint}.") from error


def load(directory: Path, options: LoadOptions) -> tuple[Any, Any]:
    """Loads module and tokenizer.

    Returns:
        The module in evaluation mode on its device, and the tokenizer.

    Raises:
        UnsafeWeights: Only pickle files, or the model wants remote code.
        UnknownModel: No model in the directory.
        UserError: The files are broken or do not fit each other.
    """
    with _reading(directory):
        check(directory)
        device = choose_device(options.device)
        tokenizer = _load_tokenizer(directory)
        module = _load_module(directory, choose_dtype(options.dtype, device))
    rows = int(module.get_input_embeddings().weight.shape[0])
    last = max(tokenizer.get_vocab().values(), default=0)
    if last >= rows:
        raise UserError(f"The tokenizer in {directory} has a token {last}, its model only {rows} embeddings: they do not fit.")
    fuse_activations(module)
    return module.to(device), tokenizer


@contextmanager
def _reading(directory: Path) -> Generator[None]:
    try:
        yield
    except PermissionError as error:
        raise UserError(f"{error.filename or directory} cannot be read; change its permissions.") from error


def check(directory: Path) -> None:
    """Looks at a model directory without loading it; raises what `load` would."""
    names = {entry.name for entry in directory.iterdir()}
    if "adapter_config.json" in names and "config.json" not in names:
        raise UnknownModel(f"{directory} holds an adapter only; merge it into its base model or open it as organism/{directory}.")
    if "config.json" not in names:
        raise UnknownModel(f"{directory} has no config.json; give the directory of a transformers model.")
    for name in ("config.json", "tokenizer_config.json"):
        if name in names and "auto_map" in read_json(directory / name):
            sentence = f"{directory / name} asks for remote code (auto_map), which is never run: use a known architecture."
            raise UnsafeWeights(sentence)
    for file in weight_files(directory):
        check_safetensors(file)
    if not names.intersection(TOKENIZER_FILES):
        raise UserError(f"{directory} has no tokenizer (tokenizer.json); save the model's tokenizer there.")


def weight_files(directory: Path) -> list[Path]:
    """The safetensors files of a model, in order.

    Raises:
        UnsafeWeights: There are only pickle files.
        UnknownModel: There are none, or the index names one that is not there.
    """
    index = directory / "model.safetensors.index.json"
    if index.is_file():
        entries = read_json(index).get("weight_map")
        files = sorted({str(name) for name in cast(dict[str, Any], entries).values()}) if isinstance(entries, dict) else []
        missing = [name for name in files if not (directory / name).is_file()]
        if missing or not files:
            raise UnknownModel(f"{index} names {', '.join(missing) or 'no file'}, which is not there; copy all files.")
        return [directory / name for name in files]
    if (directory / "model.safetensors").is_file():
        return [directory / "model.safetensors"]
    if any(path for pattern in PICKLED for path in directory.glob(pattern)):
        raise UnsafeWeights(f"{directory} has only pickle files, which can run code; convert them to model.safetensors.")
    raise UnknownModel(f"{directory} has no model.safetensors.")


def check_safetensors(file: Path) -> None:
    """Reads a file's header and compares it with the file's length."""
    try:
        with safe_open(str(file), framework="pt"):
            pass
    except SafetensorError as error:
        raise UserError(f"{file} is truncated or damaged ({error}); copy it again.") from error


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        UserError: It is not one.
    """
    try:
        value: Any = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is not valid JSON ({error}).") from error
    if not isinstance(value, dict):
        raise UserError(f"{file} does not hold a JSON object.")
    return cast(dict[str, Any], value)


def choose_device(wanted: str) -> torch.device:
    """The first accelerator that is there, or the one asked for.

    Raises:
        ConfigurationError: It is not there.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, there in available.items() if there))
    if not available.get(wanted.partition(":")[0]):
        there = ", ".join(name for name, here in available.items() if here)
        raise ConfigurationError(f"There is no device {wanted!r} on this machine; it has {there}.")
    return torch.device(wanted)


def choose_dtype(wanted: str, device: torch.device) -> torch.dtype | Literal["auto"]:
    """The type to load weights in; `auto` is the checkpoint's own."""
    if wanted != "auto":
        return getattr(torch, wanted)
    return "auto" if device.type == "cuda" else torch.float32


def _load_tokenizer(directory: Path) -> Any:
    from transformers import AutoTokenizer

    loader: Any = AutoTokenizer
    try:
        return loader.from_pretrained(str(directory), local_files_only=True, trust_remote_code=False)
    except PermissionError:
        raise
    except Exception as error:
        raise UserError(f"The tokenizer in {directory} cannot be loaded: {_first_line(error)}.") from error


def _load_module(directory: Path, dtype: torch.dtype | Literal["auto"]) -> Any:
    from transformers import AutoModelForCausalLM

    loader: Any = AutoModelForCausalLM
    try:
        with without_progress_bars():
            module, report = loader.from_pretrained(
                str(directory),
                dtype=dtype,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
            )
    except PermissionError:
        raise
    except Exception as error:
        raise UserError(f"The model in {directory} cannot be loaded: {_first_line(error)}.") from error
    lacking = sorted(str(key) for key in [*report["missing_keys"], *report["mismatched_keys"]])
    if lacking:
        raise UserError(
            f"The weights in {directory} lack or misfit {len(lacking)} tensors of the model ({lacking[0]} first); "
            "they would be random, so the model is not opened."
        )
    return module.eval()


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
