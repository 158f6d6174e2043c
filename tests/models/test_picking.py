"""Choosing tokens: against the whole cumulative distribution, written out."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gnomon.models.picking import likeliest, log_probabilities, pick


def picked(logits: Tensor, temperature: float, top_p: float, draws: Tensor) -> list[int]:
    rows = len(logits)
    found = pick(logits, temperature=torch.full((rows,), temperature), top_p=torch.full((rows,), top_p).double(), draws=draws)
    assert bool(found.finite.all())
    return found.tokens.tolist()


def written_out(logits: Tensor, temperature: float, top_p: float, draw: float) -> set[int]:
    """What one row may give: a draw that falls on a border, but for rounding, may go either way."""
    probabilities = (logits.double() / temperature).softmax(-1)
    ordered, order = probabilities.sort(descending=True, stable=True)
    before = ordered.cumsum(0) - ordered
    kept = {int(token) for token, others in zip(order, before, strict=True) if others < top_p or top_p == 1}
    weights = [float(probability) if token in kept else 0.0 for token, probability in enumerate(probabilities)]
    reached, total, found = 0.0, sum(weights), set[int]()
    for token, weight in enumerate(weights):
        if weight and reached - 1e-6 * total <= draw * total <= reached + weight + 1e-6 * total:
            found.add(token)
        reached += weight
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([1, 2, 127, 128, 129, 300, 1000]),
    st.sampled_from([0.3, 1.0, 2.5]),
    st.sampled_from([1.0, 0.9, 0.4, 1e-9]),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=5),
)
def test_draws_invert_the_cumulative_distribution(
    seed: int, vocabulary: int, temperature: float, top_p: float, draws: list[float]
) -> None:
    logits = 3 * torch.randn(len(draws), vocabulary, generator=torch.Generator().manual_seed(seed))
    logits[:, ::3] = -math.inf if vocabulary > 3 and seed % 2 else 0.0
    tokens = picked(logits, temperature, top_p, torch.tensor(draws).double())
    for row, token, draw in zip(logits, tokens, torch.tensor(draws).double().tolist(), strict=True):
        assert token in written_out(row, temperature, top_p, draw)


@given(st.integers(0, 10_000), st.sampled_from([1, 128, 500]), st.integers(1, 9))
def test_greedy_takes_the_first_of_the_likeliest(seed: int, vocabulary: int, rows: int) -> None:
    logits = torch.randint(0, 4, (rows, vocabulary), generator=torch.Generator().manual_seed(seed)).float()
    expected = [row.index(max(row)) for row in logits.tolist()]
    assert picked(logits, 0.0, 1.0, torch.zeros(rows).double()) == expected


@given(st.integers(0, 10_000), st.integers(1, 9))
def test_a_row_is_drawn_bit_for_bit_as_it_is_alone(seed: int, rows: int) -> None:
    made = torch.Generator().manual_seed(seed)
    logits, draws = torch.randn(rows, 700, generator=made), torch.rand(rows, generator=made).double()
    together = picked(logits, 1.0, 0.8, draws)
    assert together == [picked(logits[row : row + 1], 1.0, 0.8, draws[row : row + 1])[0] for row in range(rows)]


def test_frequencies_are_the_probabilities() -> None:
    logits = torch.randn(1, 400, generator=torch.Generator().manual_seed(0))
    draws = (torch.arange(200_000).double() + 0.5) / 200_000
    counts = torch.tensor(picked(logits.expand(len(draws), -1), 1.0, 1.0, draws)).bincount(minlength=400)
    torch.testing.assert_close(counts / len(draws), logits[0].softmax(-1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_rows_that_are_not_numbers_are_found_and_disturb_no_other(broken: float) -> None:
    logits = torch.randn(3, 200, generator=torch.Generator().manual_seed(0))
    wanted = picked(logits, 1.0, 1.0, torch.full((3,), 0.5).double())
    logits[1, 150] = broken
    found = pick(logits, temperature=torch.ones(3), top_p=torch.ones(3).double(), draws=torch.full((3,), 0.5).double())
    assert found.finite.tolist() == [True, False, True]
    assert [found.tokens[0], found.tokens[2]] == [wanted[0], wanted[2]]


def test_log_probabilities_are_those_of_the_softmax() -> None:
    logits = 5 * torch.randn(4, 300)
    tokens = torch.randint(300, (4,))
    expected = logits.double().log_softmax(-1)
    assert log_probabilities(logits, tokens) == pytest.approx(expected.gather(1, tokens[:, None])[:, 0].tolist(), abs=1e-5)
    ids, values = likeliest(logits, 3)
    assert ids == expected.topk(3).indices.tolist()
    torch.testing.assert_close(torch.tensor(values).double(), expected.topk(3).values, atol=1e-5, rtol=0)
