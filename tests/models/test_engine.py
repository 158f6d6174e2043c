"""The batcher, with batch functions that need no model."""

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.errors import DeterministicFailure, RateLimited
from gnomon.models.engine import Batcher, padded_length


class Recorder:
    """Doubles its work and keeps the batches that it saw; the first batch waits until `released`."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.released = threading.Event()
        self.released.set()

    def __call__(self, works: Sequence[int]) -> list[int]:
        self.released.wait(10)
        self.batches.append(list(works))
        if any(work < 0 for work in works):
            raise ValueError("negative")
        return [2 * work for work in works]


def blocked(recorder: Recorder, batcher: Batcher[int, int]) -> None:
    """Occupies the thread, so that what follows waits together."""
    recorder.released.clear()
    batcher.submit("first", 1, 0)
    while not any(thread.name == "gnomon-engine" for thread in threading.enumerate()):
        pass


def test_waiting_requests_of_a_group_share_a_batch_in_order() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 100)
    blocked(recorder, batcher)
    futures = [batcher.submit(index % 2, 10, index) for index in range(1, 9)]
    recorder.released.set()
    assert [future.result(10) for future in futures] == [2 * index for index in range(1, 9)]
    batcher.close()
    assert sorted(work for batch in recorder.batches for work in batch) == list(range(9))
    assert all(len({work % 2 for work in batch}) == 1 for batch in recorder.batches[1:])
    assert [1, 3, 5, 7] in recorder.batches


def test_a_batch_holds_no_more_than_its_size_but_a_larger_request_runs_alone() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 25)
    blocked(recorder, batcher)
    futures = [batcher.submit("group", 10, index) for index in range(1, 6)] + [batcher.submit("group", 90, 6)]
    recorder.released.set()
    assert [future.result(10) for future in futures] == [2, 4, 6, 8, 10, 12]
    batcher.close()
    assert all(len(batch) <= 2 for batch in recorder.batches)
    assert [6] in recorder.batches


def test_a_failing_request_does_not_take_its_batch_down() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 100)
    blocked(recorder, batcher)
    futures = [batcher.submit("group", 1, work) for work in (1, 2, -3, 4, 5)]
    recorder.released.set()
    with pytest.raises(DeterministicFailure, match="negative"):
        futures[2].result(10)
    assert [future.result(10) for index, future in enumerate(futures) if index != 2] == [2, 4, 8, 10]
    batcher.close()


def test_results_that_are_exceptions_reach_their_request_only() -> None:
    batcher: Batcher[int, int] = Batcher(lambda works: [RateLimited("later") if work == 2 else work for work in works], 100)
    futures = [batcher.submit("group", 1, work) for work in (1, 2, 3)]
    assert futures[0].result(10) == 1
    assert futures[2].result(10) == 3
    with pytest.raises(RateLimited):
        futures[1].result(10)
    batcher.close()


def test_close_ends_the_thread_and_a_later_request_starts_one_anew() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 100)
    others = set(threading.enumerate())  # engines of other tests' models among them
    assert batcher.submit("group", 1, 1).result(10) == 2
    thread = next(thread for thread in set(threading.enumerate()) - others if thread.name == "gnomon-engine")
    batcher.close()
    assert not thread.is_alive()
    assert batcher.submit("group", 1, 2).result(10) == 4
    batcher.close()


def test_a_cancelled_request_is_not_run() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 100)
    blocked(recorder, batcher)
    cancelled, kept = batcher.submit("group", 1, 7), batcher.submit("group", 1, 8)
    assert cancelled.cancel()
    recorder.released.set()
    assert kept.result(10) == 16
    batcher.close()
    assert 7 not in [work for batch in recorder.batches for work in batch]


@given(st.integers(1, 20_000))
def test_padding_is_a_multiple_of_16_and_wastes_little(length: int) -> None:
    padded = padded_length(length)
    assert padded % 16 == 0
    assert length <= padded < length + max(16, length / 4)
    assert padded_length(padded) == padded
