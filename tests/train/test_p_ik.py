"""Heads that tell from a question whether its answer will be right: fitted exactly, kept by content, read at the prompt's end."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression

from gnomon.errors import DatasetError, UserError
from gnomon.models.references import open_model
from gnomon.train.objectives import Predictions
from gnomon.train.p_ik import (
    LIKELIEST,
    HeadConfig,
    Lesson,
    features,
    knowing,
    load_head,
    logistic_fit,
    save_head,
    train_head,
)


@pytest.fixture(scope="module")
def module() -> torch.nn.Module:
    return open_model("organism/base-30k").module


def lessons(n: int = 40) -> list[Lesson]:
    """Prompts that begin with a low token are always answered right, the others never."""
    rng = np.random.default_rng(0)
    found: list[Lesson] = []
    for number in range(n):
        low = number % 2 == 0
        ids = (int(rng.integers(20, 60) if low else rng.integers(200, 240)), 7, int(rng.integers(20, 60) if low else 220))
        found.append(Lesson(ids, 10 if low else 0, 10, f"q{number}"))
    return found


def test_the_fit_is_that_of_a_reference() -> None:
    rng = np.random.default_rng(1)
    x, counts = rng.normal(size=(60, 3)), rng.integers(1, 9, size=60).astype(float)
    share = rng.integers(0, counts.astype(int) + 1) / counts
    weight, bias = logistic_fit(x, share, counts, np.full(3, 0.1))
    # The reference takes single outcomes: each share as a right and a wrong one with their counts as weights.
    doubled, outcomes = np.concatenate([x, x]), np.repeat([1, 0], 60)
    mass = np.concatenate([share * counts, (1 - share) * counts])
    reference = LogisticRegression(C=1 / (0.1 * counts.sum()), tol=1e-10, max_iter=10_000).fit(
        doubled, outcomes, sample_weight=mass
    )
    assert weight == pytest.approx(reference.coef_[0], abs=1e-4)
    assert bias == pytest.approx(reference.intercept_[0], abs=1e-4)


def test_features_are_the_last_hidden_state_and_the_likeliest_tokens(module: torch.nn.Module) -> None:
    prompts = [(5, 9, 30), (4,), (8, 8, 2, 77, 31)]
    seen = features(module, prompts, spectrum=True)
    for row, ids in zip(seen, prompts, strict=True):
        with torch.no_grad():
            out = module(input_ids=torch.tensor([ids]), output_hidden_states=True)
        assert row[:-LIKELIEST] == pytest.approx(out.hidden_states[-1][0, -1].numpy(), abs=1e-4)
        expected = out.logits[0, -1].log_softmax(-1).sort(descending=True).values[:LIKELIEST]
        assert row[-LIKELIEST:] == pytest.approx(expected.numpy(), abs=1e-4)


def test_the_objective_is_cross_entropy_against_shares() -> None:
    logits, share = torch.tensor([[0.3], [-1.2]]), torch.tensor([[0.75], [0.0]])
    loss = knowing(Predictions(logits, torch.tensor([0, 0]), torch.tensor([4.0, 2.0]), torch.tensor([0, 1]), share))
    p = 1 / (1 + np.exp([-0.3, 1.2]))
    by_hand = -4 * (0.75 * np.log(p[0]) + 0.25 * np.log(1 - p[0])) - 2 * np.log(1 - p[1])
    assert float(loss.total) == pytest.approx(by_hand, rel=1e-5)
    assert float(loss.count) == 6.0


@pytest.mark.parametrize("config", [HeadConfig(), HeadConfig(spectrum=False), HeadConfig(weights="all", epochs=400, lr=3e-3)])
def test_a_head_learns_what_can_be_learnt_and_is_the_same_after_saving(
    module: torch.nn.Module, config: HeadConfig, tmp_path: Path
) -> None:
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    head = train_head(module, lessons(), config, fingerprint="f", identity="i")
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    right, wrong = head.read(module, [(33, 7, 41)])[0], head.read(module, [(222, 7, 220)])[0]
    assert right > 0.7
    assert wrong < 0.3
    save_head(head, tmp_path / "deep" / "head.safetensors")
    kept = load_head(tmp_path / "deep" / "head.safetensors")
    assert (kept.digest, kept.fingerprint, kept.config) == (head.digest, "f", config)
    assert kept.read(module, [(33, 7, 41)])[0] == right


def test_what_cannot_be_learnt_from_is_refused(module: torch.nn.Module) -> None:
    with pytest.raises(DatasetError, match="at least 5 training questions"):
        train_head(module, lessons(4), HeadConfig(), fingerprint="f", identity="i")
    all_right = [Lesson(one.ids, 10, 10, one.cluster) for one in lessons()]
    with pytest.raises(DatasetError, match="all 400 answers to the training questions are right"):
        train_head(module, all_right, HeadConfig(), fingerprint="f", identity="i")


def test_what_is_no_head_is_refused(module: torch.nn.Module, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no head"):
        load_head(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(UserError, match="is no safetensors file or is damaged"):
        load_head(tmp_path / "text.safetensors")
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match=r"but no P\(IK\) head"):
        load_head(tmp_path / "other.safetensors")
    path = tmp_path / "head.safetensors"
    save_head(train_head(module, lessons(), HeadConfig(), fingerprint="f", identity="i"), path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="its content hash differs"):
        load_head(path)
