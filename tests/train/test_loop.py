import json
import os
import signal
from pathlib import Path

import pytest
import torch
from torch import nn

from gnomon.errors import ConfigurationError, DatasetError, RunDirectoryError, TrainingDiverged
from gnomon.train.config import LoraSettings, TrainConfig
from gnomon.train.examples import Example, plan
from gnomon.train.loop import StepReport, TrainResult, train
from gnomon.train.objectives import Loss, Predictions

from .tiny import counting, tiny_llama

FULL = TrainConfig(steps=8, batch_tokens=60, accumulation=2, lr=3e-3, weight_decay=0.1)
VARIANTS = {
    "full": FULL,
    "muon": FULL.model_copy(update={"optimizer": "muon"}),
    "lora": FULL.model_copy(update={"lora": LoraSettings(rank=2, dropout=0.1)}),
    "bf16": FULL.model_copy(update={"precision": "bf16"}),
}


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def assert_bitwise_equal(left: nn.Module, right: nn.Module) -> None:
    ours, theirs = weights(left), weights(right)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


class Killed(Exception):
    pass


def killed_after(step: int):  # type: ignore[no-untyped-def]
    def progress(report: StepReport) -> None:
        if report.step == step:
            raise Killed

    return progress


def test_learns():
    result = train(tiny_llama(), counting(), TrainConfig(steps=60, batch_tokens=200, lr=1e-2))
    assert result.losses[-1] < 0.3 * result.losses[0]
    assert len(result.losses) == result.steps == 60


def test_equals_a_plain_torch_loop():
    """The independent reference: transformers' own loss, torch's AdamW, clipping and cosine, one example at a time."""
    examples, config = counting(), TrainConfig(steps=6, batch_tokens=60, lr=3e-3, warmup=0.0, weight_decay=0.1, clip=0.5)
    ours, theirs = tiny_llama(), tiny_llama()
    for model in (ours, theirs):
        model.config.attention_dropout = 0.0
        for layer in model.model.layers:
            layer.self_attn.attention_dropout = 0.0
    result = train(ours, examples, config)
    matrices = [p for p in theirs.parameters() if p.ndim >= 2]
    vectors = [p for p in theirs.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}], 3e-3, (0.9, 0.95)
    )
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
    for step, indices in enumerate(plan([len(e) for e in examples], config)):
        total = torch.zeros(())
        count = 0
        for index in indices:
            ids = torch.tensor(examples[index].ids.astype(int))[None]
            labels = ids.masked_fill(torch.tensor(examples[index].weights)[None] == 0, -100)
            scored = int((labels != -100).sum())
            total = total + theirs(input_ids=ids, labels=labels).loss * scored
            count += scored
        assert result.losses[step] == pytest.approx(float((total / count).detach()), abs=1e-4)
        (total / count).backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
    for name, tensor in weights(ours).items():
        torch.testing.assert_close(tensor, weights(theirs)[name], atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("parts", [2, 8])
def test_accumulation_does_not_change_the_step(parts: int):
    examples = [Example(e.ids, e.weights) for e in counting()]
    config = TrainConfig(steps=5, batch_tokens=80, lr=1e-2)
    models = [tiny_llama(), tiny_llama()]
    for model in models:
        for layer in model.model.layers:
            layer.self_attn.attention_dropout = 0.0
    one = train(models[0], examples, config)
    many = train(models[1], examples, config.model_copy(update={"accumulation": parts}))
    assert one.losses == pytest.approx(many.losses, abs=1e-5)
    for name, tensor in weights(models[0]).items():
        torch.testing.assert_close(tensor, weights(models[1])[name], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_gives_bitwise_the_same_weights(variant: str):
    first, second = (train(tiny_llama(), counting(), VARIANTS[variant]) for _ in range(2))
    assert first.losses == second.losses
    assert_bitwise_equal(first.model, second.model)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kill", [2, 3, 7])
def test_a_killed_and_resumed_run_gives_bitwise_the_same_weights(variant: str, kill: int, tmp_path: Path):
    config = VARIANTS[variant].model_copy(update={"checkpoint_every": 2, "evaluate_every": 3})

    def norm(model: nn.Module, step: int) -> dict[str, float]:
        torch.rand(5)  # a hook that draws random numbers must not change the training
        return {"norm": float(sum(p.norm() for p in model.parameters()))}

    whole = train(tiny_llama(), counting(), config, out=tmp_path / "whole", evaluate=norm)
    with pytest.raises(Killed):
        train(tiny_llama(), counting(), config, out=tmp_path / "cut", evaluate=norm, progress=killed_after(kill))
    resumed = train(tiny_llama(), counting(), config, out=tmp_path / "cut", evaluate=norm)
    assert resumed.resumed_from == kill - 1 - (kill - 1) % 2
    assert (resumed.losses, resumed.evaluations, resumed.tokens) == (whole.losses, whole.evaluations, whole.tokens)
    assert sorted(resumed.evaluations) == [3, 6, 8]
    assert_bitwise_equal(whole.model, resumed.model)
    assert (tmp_path / "cut/metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()


def test_a_finished_run_is_not_trained_again(tmp_path: Path):
    first = train(tiny_llama(), counting(), FULL, out=tmp_path)
    again = train(tiny_llama(), counting(), FULL, out=tmp_path, progress=killed_after(1))
    assert again.resumed_from == 8
    assert again.losses == first.losses
    assert_bitwise_equal(first.model, again.model)


def test_only_the_latest_checkpoints_stay_and_nothing_is_pickled(tmp_path: Path):
    train(tiny_llama(), counting(), FULL.model_copy(update={"checkpoint_every": 2, "keep_checkpoints": 2}), out=tmp_path)
    assert [p.name for p in sorted((tmp_path / "checkpoints").iterdir())] == ["step-00000006", "step-00000008"]
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} == {".safetensors", ".json", ".jsonl"}


@pytest.mark.parametrize("change", ["config", "data", "identity"])
def test_a_directory_of_another_run_is_refused(change: str, tmp_path: Path):
    train(tiny_llama(), counting(), FULL, out=tmp_path)
    config = FULL.model_copy(update={"lr": 1e-4}) if change == "config" else FULL
    examples = counting(seed=1) if change == "data" else counting()
    with pytest.raises(RunDirectoryError, match="other data or settings"):
        train(tiny_llama(), examples, config, out=tmp_path, identity="b" if change == "identity" else "")


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path):
    train(tiny_llama(), counting(), FULL, out=tmp_path)
    with pytest.raises(RunDirectoryError, match="another model"):
        train(tiny_llama(vocabulary=50), counting(), FULL, out=tmp_path)


def nan_on_call(number: int):  # type: ignore[no-untyped-def]
    calls = 0

    def objective(p: Predictions) -> Loss:
        nonlocal calls
        calls += 1
        total = (torch.log_softmax(p.logits, -1)[torch.arange(len(p.labels)), p.labels]).sum().neg()
        return Loss(total * (float("nan") if calls == number else 1.0), torch.tensor(float(len(p.labels))))

    return objective


def test_a_loss_that_is_not_a_number_stops_before_it_reaches_the_weights(tmp_path: Path):
    config = FULL.model_copy(update={"accumulation": 1})
    model = tiny_llama()
    with pytest.raises(TrainingDiverged, match="step 4 is nan"):
        train(model, counting(), config, out=tmp_path, objective=nan_on_call(4))
    assert all(torch.isfinite(p).all() for p in model.parameters())
    resumed = train(tiny_llama(), counting(), config, out=tmp_path, objective=nan_on_call(0))
    assert resumed.resumed_from == 3
    undisturbed = train(tiny_llama(), counting(), config, objective=nan_on_call(0))
    assert_bitwise_equal(resumed.model, undisturbed.model)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 9))


def test_ctrl_c_finishes_the_step_and_leaves_a_resumable_checkpoint(tmp_path: Path):
    def press(report: StepReport) -> None:
        if report.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_llama(), counting(), FULL, out=tmp_path, progress=press)
    assert signal.getsignal(signal.SIGINT) is before
    resumed = train(tiny_llama(), counting(), FULL, out=tmp_path)
    assert resumed.resumed_from == 3
    assert_bitwise_equal(resumed.model, train(tiny_llama(), counting(), FULL).model)


def test_a_disk_that_is_full_at_a_checkpoint_is_a_sentence_and_the_checkpoint_before_stays(tmp_path: Path):
    """A file-size limit stands in for the full disk: the system refuses the bytes in the same place."""
    resource = pytest.importorskip("resource")
    config = FULL.model_copy(update={"checkpoint_every": 2})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(RunDirectoryError, match="free some space"):
            train(
                tiny_llama(),
                counting(),
                config,
                out=tmp_path,
                progress=lambda r: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard)) if r.step == 3 else None,
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-00000002"]
    resumed = train(tiny_llama(), counting(), config, out=tmp_path)
    assert resumed.resumed_from == 2
    assert_bitwise_equal(resumed.model, train(tiny_llama(), counting(), config).model)


def test_an_output_that_cannot_be_written_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match=r"cannot write .*: a file stands where a directory is needed"):
        train(tiny_llama(), counting(), FULL, out=tmp_path / "file")


def test_a_frozen_model_is_refused():
    with pytest.raises(ConfigurationError, match="trainable"):
        train(tiny_llama().requires_grad_(False), counting(), FULL)


def test_examples_that_teach_nothing_are_refused():
    with pytest.raises(DatasetError, match="weight"):
        train(tiny_llama(), [Example([1, 2, 3], [1, 0, 0])], FULL)


def test_lora_leaves_the_base_weights_alone():
    base = weights(tiny_llama())
    result = train(tiny_llama(), counting(), VARIANTS["lora"])
    trained = weights(result.model)
    assert all(torch.equal(base[n], trained[f"base_model.model.{n}"]) for n in base if f"base_model.model.{n}" in trained)
    assert any("lora_B" in n and t.abs().sum() > 0 for n, t in trained.items())


def test_muon_orthogonalises_the_updates_of_hidden_matrices_only():
    before = weights(tiny_llama())
    config = TrainConfig(steps=1, batch_tokens=600, lr=1e-2, warmup=0.0, optimizer="muon", schedule="constant")
    muon = weights(train(tiny_llama(), counting(), config).model)
    adamw = weights(train(tiny_llama(), counting(), config.model_copy(update={"optimizer": "adamw"})).model)

    def flatness(name: str, after: dict[str, torch.Tensor]) -> float:
        """1 where all singular values of the update are equal."""
        spectrum = torch.linalg.svdvals(after[name] - before[name])
        return float(spectrum.mean() / spectrum.square().mean().sqrt())

    hidden = [name for name, tensor in before.items() if tensor.ndim == 2 and "embed" not in name]
    assert all(flatness(name, muon) > max(0.7, flatness(name, adamw) + 0.05) for name in hidden)
    for name in before.keys() - set(hidden):
        torch.testing.assert_close(muon[name], adamw[name])


def test_the_callers_random_numbers_are_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    model, examples = tiny_llama(), counting()
    torch.manual_seed(5)
    train(model, examples, FULL)
    assert torch.equal(torch.rand(3), expected)


def test_precision_can_change_within_one_process():
    losses: list[TrainResult] = [train(tiny_llama(), counting(), VARIANTS[v]) for v in ("full", "bf16", "full")]
    assert losses[0].losses == losses[2].losses
    assert losses[0].losses != losses[1].losses
