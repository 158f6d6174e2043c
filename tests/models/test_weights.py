"""Opening directories: what is loaded, and one sentence for everything that is unfit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gnomon.errors import ConfigurationError, GnomonError, UnknownModel, UnsafeWeights, UserError
from gnomon.models.local import open_local
from gnomon.models.references import open_model

from .tiny import byte_tokenizer, gpt2, llama, save, word_tokenizer


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = word_tokenizer()
    return save(tmp_path_factory.mktemp("saved"), llama(tokenizer), tokenizer)


@pytest.fixture
def copied(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


def test_a_directory_opens_by_reference_with_the_saved_weights(saved: Path) -> None:
    model = open_model(f"local/{saved}")
    weights = load_file(saved / "model.safetensors")
    loaded = model.module.state_dict()
    assert weights
    assert all(torch.equal(loaded[name], tensor) for name, tensor in weights.items())
    assert model.reference == f"local/{saved}"
    assert model.module.dtype == torch.float32 or model.device.type == "cuda"


def test_gpt2_with_tied_embeddings_opens(tmp_path: Path) -> None:
    tokenizer = byte_tokenizer()
    module = gpt2(tokenizer)
    model = open_local(str(save(tmp_path, module, tokenizer)) + "?device=cpu")
    ids = model.tokeniser.encode("hello there")
    with torch.no_grad():
        torch.testing.assert_close(model.forward(ids), module(torch.tensor([ids])).logits)


def test_sharded_weights_open(saved: Path, tmp_path: Path) -> None:
    module = open_local(str(saved)).module
    module.save_pretrained(tmp_path, max_shard_size="20KB")
    word_tokenizer().save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors.index.json").is_file()
    assert open_local(str(tmp_path)).fingerprint == open_local(str(saved)).fingerprint


def test_options_choose_type_device_and_batch(saved: Path) -> None:
    model = open_local(f"{saved}?dtype=bfloat16&device=cpu&batch_tokens=64")
    assert model.module.dtype == torch.bfloat16
    assert model.device.type == "cpu"
    assert model.fingerprint != open_local(str(saved)).fingerprint


def test_the_fingerprint_is_of_the_content(saved: Path, copied: Path) -> None:
    before = open_local(str(saved)).fingerprint
    assert open_local(str(copied)).fingerprint == before
    weights = load_file(copied / "model.safetensors")
    weights["lm_head.weight"][0, 0] += 1e-3
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    changed = open_local(str(copied)).fingerprint
    assert changed != before
    template = (copied / "chat_template.jinja").read_text()
    (copied / "chat_template.jinja").write_text(template + "{# #} ")
    assert open_local(str(copied)).fingerprint not in (before, changed)


def _edit(name: str, **entries: object) -> Callable[[Path], None]:
    def edit(directory: Path) -> None:
        file = directory / name
        file.write_text(json.dumps(json.loads(file.read_text()) | entries))

    return edit


def _pickle_only(directory: Path) -> None:
    (directory / "model.safetensors").unlink()
    (directory / "pytorch_model.bin").write_bytes(b"\x80\x04.")


def _truncate(directory: Path) -> None:
    file = directory / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def _lose_a_tensor(directory: Path) -> None:
    weights = load_file(directory / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})


def _lose_the_tokenizer(directory: Path) -> None:
    for file in directory.glob("token*"):
        file.unlink()


def _other_tokenizer(directory: Path) -> None:
    byte_tokenizer().save_pretrained(directory)


def _adapter_only(directory: Path) -> None:
    (directory / "config.json").rename(directory / "adapter_config.json")


def _index_without_files(directory: Path) -> None:
    (directory / "model.safetensors").unlink()
    (directory / "model.safetensors.index.json").write_text('{"weight_map": {"a": "gone.safetensors"}}')


@pytest.mark.parametrize(
    ("spoil", "kind", "says"),
    [
        (_pickle_only, UnsafeWeights, "pickle"),
        (_edit("config.json", auto_map={"AutoModelForCausalLM": "evil.Evil"}), UnsafeWeights, "remote code"),
        (_edit("tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Evil", None]}), UnsafeWeights, "remote code"),
        (lambda d: (d / "model.safetensors").unlink(), UnknownModel, "no model.safetensors"),
        (lambda d: (d / "config.json").unlink(), UnknownModel, "no config.json"),
        (_adapter_only, UnknownModel, "adapter"),
        (_index_without_files, UnknownModel, "gone.safetensors"),
        (lambda d: (d / "config.json").write_text("{broken"), UserError, "not valid JSON"),
        (lambda d: (d / "config.json").write_text("[1]"), UserError, "JSON object"),
        (_edit("config.json", model_type="never-heard-of"), UserError, "cannot be loaded"),
        (_truncate, UserError, "truncated"),
        (_lose_a_tensor, UserError, "up_proj"),
        (_edit("config.json", hidden_size=64), UserError, "cannot be loaded|misfit"),
        (_lose_the_tokenizer, UserError, "no tokenizer"),
        (lambda d: (d / "tokenizer.json").write_text("{"), UserError, "tokenizer"),
        (_other_tokenizer, UserError, "do not fit"),
    ],
)
def test_unfit_directories_end_in_one_sentence(
    copied: Path, spoil: Callable[[Path], None], kind: type[GnomonError], says: str
) -> None:
    spoil(copied)
    with pytest.raises(kind, match=says) as caught:
        open_local(f"{copied}?device=cpu")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["no/such/directory/here", "no-such-model", "/no/such", "..", "a b"])
def test_names_of_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GNOMON_DOWNLOAD", raising=False)
    with pytest.raises(UnknownModel):
        open_local(name)


def test_a_file_is_no_directory(saved: Path) -> None:
    with pytest.raises(UnknownModel, match="is a file"):
        open_local(str(saved / "config.json"))


@pytest.mark.parametrize("options", ["dtype=int8", "colour=red", "batch_tokens=many", "device=abacus", "dtype"])
def test_options_that_do_not_fit(saved: Path, options: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_local(f"{saved}?{options}")
    assert "\n" not in str(caught.value)


def test_an_unreadable_directory(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions do not bind the superuser, so the refusal is the file system's only in the message."""

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied", str(copied))

    monkeypatch.setattr("gnomon.models.weights.Path.iterdir", refuse)
    with pytest.raises(UserError, match="cannot be read"):
        open_local(str(copied))
