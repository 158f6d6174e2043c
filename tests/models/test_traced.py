"""Traced passes: the bits that a model's modules give, without calling them; refused where they look into values."""

import logging
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gnomon.models import traced as module
from gnomon.models.body import Body, Rule
from gnomon.models.traced import MOST, PATIENCE, CannotTrace, Pass, traced
from tests.models.architectures import ARCHITECTURES, VOCABULARY, built

CPU = torch.device("cpu")


class Mean:
    """An attention that gathers something of queries, keys and values."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, rule: Rule) -> Tensor:
        shared = len(query) // len(key)
        weight = (query * key.repeat_interleave(shared, 0)).sum(-1, keepdim=True) * rule.scale
        return value.mean(1, keepdim=True).repeat_interleave(shared, 0) * weight.sigmoid()


def hidden(body: Body, rows: int, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    return body.hidden(torch.randint(VOCABULARY, (rows,)), torch.randint(30, (rows,)), Mean())


def used_often(body: Body) -> None:
    for _ in range(PATIENCE):
        hidden(body, 4)


def count_calls(model: Any, patched: pytest.MonkeyPatch) -> list[int]:
    """How often the model's modules are called from now on."""
    calls = [0]
    forward = model.base_model.forward

    def counting(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        return forward(*args, **kwargs)

    patched.setattr(model.base_model, "forward", counting)
    return calls


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.inference_mode()
def test_bits_of_modules_for_any_number_of_rows(name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch):
    with torch.inference_mode(False):
        model = built(ARCHITECTURES[name]).to(dtype)
    body = Body.of(model)
    rows = (4, 8, 20, 64)
    by_modules = [hidden(body, each, seed=each) for each in rows]
    used_often(body)
    calls = count_calls(model, monkeypatch)
    assert all(torch.equal(hidden(body, each, seed=each), before) for each, before in zip(rows, by_modules, strict=True))
    assert calls == [0]
    hidden(body, MOST + 4)
    assert calls == [1]


@torch.inference_mode()
def test_somebody_who_listens_to_a_module_is_called():
    with torch.inference_mode(False):
        model: Any = built(ARCHITECTURES["llama"])
    body = Body.of(model)
    used_often(body)
    heard: list[Tensor] = []
    handle = model.model.layers[0].mlp.register_forward_hook(lambda *given: heard.append(given[-1]))
    hidden(body, 4)
    handle.remove()
    hidden(body, 4)
    assert len(heard) == 1


@torch.inference_mode()
def test_heavy_bodies_go_through_their_modules(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "HEAVY", 100)
    with torch.inference_mode(False):
        model = built(ARCHITECTURES["gpt2"])
    body = Body.of(model)
    used_often(body)
    calls = count_calls(model, monkeypatch)
    hidden(body, 4)
    assert calls == [1]


def branches(tokens: Tensor, positions: Tensor, attend: Any) -> Tensor:
    return tokens * 2.0 if len(tokens) > 10 else tokens + tokens * 1.0


def looks(tokens: Tensor, positions: Tensor, attend: Any) -> Tensor:
    return tokens * 2.0 if int(tokens[0]) > 3 else tokens * 1.0


def takes_from_outside(tokens: Tensor, positions: Tensor, attend: Any) -> Tensor:
    return tokens * torch.from_numpy(np.arange(len(tokens)))


def squares(tokens: Tensor, positions: Tensor, attend: Any) -> Tensor:
    return tokens[:, None].expand(-1, len(tokens) ** 2).sum(-1) * 1.0


def draws(tokens: Tensor, positions: Tensor, attend: Any) -> Tensor:
    return tokens + torch.rand(len(tokens))


@pytest.mark.parametrize(
    ("unfit", "why"),
    [
        (branches, "depends on the number of rows"),
        (looks, "looks into values"),
        (takes_from_outside, "comes from nowhere"),
        (squares, "other numbers"),
        (draws, "other numbers"),
    ],
)
@torch.inference_mode()
def test_what_cannot_be_traced_says_why(unfit: Pass, why: str):
    with pytest.raises(CannotTrace, match=why):
        traced(unfit, 61, CPU)


@torch.inference_mode()
def test_what_changes_its_tensors_and_cuts_them_is_traced():
    kept = nn.Parameter(torch.arange(6.0), requires_grad=False)

    def fits(tokens: Tensor, positions: Tensor, attend: Any) -> Tensor:
        table = torch.zeros(len(tokens) + 2, 6)
        table[2:] = kept
        table[1:-1, ::2] += positions[:, None]
        left, right = table.split(3, dim=1)
        gathered = attend(left[None, :-2], left[None, 2:], right[None, 2:], Rule(1.0))
        return torch.cat([tokens[:, None].float(), gathered[0].clamp_(max=4.0)], dim=-1)

    found = traced(fits, 61, CPU)
    torch.manual_seed(0)
    for rows in (4, 12, 64):
        given = torch.randint(61, (rows,)), torch.randint(9, (rows,)), Mean().attend
        assert torch.equal(found(*given), fits(*given))


@torch.inference_mode()
def test_a_body_that_looks_into_values_goes_on_by_its_modules(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    with torch.inference_mode(False):
        model: Any = built(ARCHITECTURES["llama"])
    body = Body.of(model)
    plain = hidden(body, 4)
    normed = model.model.norm.forward
    monkeypatch.setattr(model.model.norm, "forward", lambda rows: normed(rows) if bool(rows.isfinite().all()) else rows)
    with caplog.at_level(logging.INFO, logger="gnomon"):
        used_often(body)
    assert "looks into values" in caplog.text
    assert torch.equal(hidden(body, 4), plain)
