from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.errors import DatasetError
from gnomon.train.config import TrainConfig
from gnomon.train.examples import Example, collate, digest, micro_batches, plan

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=40)


@given(LENGTHS, st.integers(1, 200), st.integers(1, 4), st.integers(0, 5))
def test_every_epoch_takes_each_example_once(lengths: list[int], batch_tokens: int, epochs: int, seed: int):
    steps = list(plan(lengths, TrainConfig(epochs=epochs, batch_tokens=batch_tokens, seed=seed)))
    assert Counter(i for step in steps for i in step) == dict.fromkeys(range(len(lengths)), epochs)
    assert all(sum(lengths[i] for i in step) >= batch_tokens for step in steps[:-1])


@given(LENGTHS, st.integers(1, 20))
def test_steps_are_as_many_as_asked_for_and_the_same_again(lengths: list[int], steps: int):
    config = TrainConfig(steps=steps, batch_tokens=20)
    first = list(plan(lengths, config))
    assert len(first) == steps
    assert first == list(plan(lengths, config))


def test_another_seed_is_another_order():
    orders = {tuple(next(plan([5] * 30, TrainConfig(steps=1, batch_tokens=150, seed=seed)))) for seed in range(5)}
    assert len(orders) == 5


@given(LENGTHS, st.integers(1, 8))
def test_micro_batches_divide_a_step_by_length(lengths: list[int], parts: int):
    groups = micro_batches(range(len(lengths)), lengths, parts)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    assert len(groups) <= parts
    assert all(groups)
    in_order = [lengths[i] for group in groups for i in group]
    assert in_order == sorted(in_order)


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=7), min_size=1, max_size=5), st.randoms())
def test_collate_points_each_weighted_token_at_the_state_before_it(sequences: list[list[int]], random):  # type: ignore[no-untyped-def]
    examples = [Example(ids, [random.choice([0.0, 1.0, 0.5]) for _ in ids]) for ids in sequences]
    batch = collate(examples)
    found = {
        (int(row), int(column) + 1): (int(label), float(w))
        for row, column, label, w in zip(batch.row, batch.column, batch.labels, batch.weights, strict=True)
    }
    expected = {
        (row, t): (int(example.ids[t]), float(example.weights[t]))
        for row, example in enumerate(examples)
        for t in range(1, len(example))
        if example.weights[t]
    }
    assert found == expected
    assert batch.ids.tolist() == [token for ids in sequences for token in ids]
    assert batch.lengths == tuple(map(len, sequences))


def test_no_examples_is_an_error():
    with pytest.raises(DatasetError, match="no examples"):
        list(plan([], TrainConfig(steps=1)))


@pytest.mark.parametrize("weights", [[1.0], [1.0, float("nan"), 1.0]])
def test_weights_must_fit(weights: list[float]):
    with pytest.raises(DatasetError):
        Example([1, 2, 3], weights)


def test_digest_sees_ids_weights_scores_and_boundaries():
    variants = [
        [Example([1, 2, 3])],
        [Example([1, 2, 4])],
        [Example([1, 2, 3], [0, 1, 0])],
        [Example([1, 2, 3], scores=(1.0,))],
        [Example([1, 2]), Example([3])],
    ]
    assert len({digest(v) for v in variants}) == len(variants)
    assert digest([Example(np.array([1, 2, 3]))]) == digest([Example((1, 2, 3))])
