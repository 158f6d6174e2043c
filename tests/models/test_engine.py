"""The batcher, with batch functions that need no model."""

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.errors import DeterministicFailure, RateLimited
from gnomon.models.engine import Batcher, Coalescer, More, padded_length


class Recorder:
    """Doubles its work and keeps the batches that it saw; the first batch waits until `released`."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.entered, self.released = threading.Event(), threading.Event()
        self.released.set()

    def __call__(self, works: Sequence[int], more: object = None) -> Iterator[list[tuple[int, int]]]:
        self.entered.set()
        self.released.wait(10)
        self.batches.append(list(works))
        if any(work < 0 for work in works):
            raise ValueError("negative")
        yield from ([(number, 2 * work)] for number, work in enumerate(works))


def blocked(recorder: Recorder, batcher: Batcher[int, int]) -> None:
    """Occupies the thread, so that what follows waits together."""
    recorder.released.clear()
    batcher.submit(1, 0)
    assert recorder.entered.wait(10)


def test_waiting_requests_share_a_batch_in_order() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 100)
    blocked(recorder, batcher)
    futures = [batcher.submit(10, index) for index in range(1, 9)]
    recorder.released.set()
    assert [future.result(10) for future in futures] == [2 * index for index in range(1, 9)]
    batcher.close()
    assert sorted(work for batch in recorder.batches for work in batch) == list(range(9))
    assert list(range(1, 9)) in recorder.batches


def test_waiting_requests_join_a_batch_that_runs() -> None:
    joined: list[int] = []
    begun, waiting = threading.Event(), threading.Event()

    def run(works: Sequence[int], more: More[int]) -> Iterator[list[tuple[int, int]]]:
        begun.set()
        waiting.wait(10)
        joined.extend(more(15))
        yield [(number, 2 * work) for number, work in enumerate([*works, *joined])]

    batcher = Batcher(run, 100)
    first = batcher.submit(1, 1)
    begun.wait(10)
    others = [batcher.submit(10, 2), batcher.submit(10, 3), batcher.submit(5, 4)]
    waiting.set()
    assert first.result(10) == 2
    assert [future.result(10) for future in others] == [4, 6, 8]
    batcher.close()
    assert joined[:2] == [2, 4]


def test_what_was_given_before_a_failure_stands_and_is_not_run_again() -> None:
    runs: list[list[int]] = []

    def run(works: Sequence[int], more: object) -> Iterator[list[tuple[int, int]]]:
        runs.append(list(works))
        for number, work in enumerate(works):
            if work < 0:
                raise ValueError("negative")
            yield [(number, 2 * work)]

    batcher = Batcher(run, 100)
    futures = [batcher.submit(1, work) for work in (1, 2, -3, 4)]
    assert [futures[index].result(10) for index in (0, 1, 3)] == [2, 4, 8]
    with pytest.raises(DeterministicFailure, match="negative"):
        futures[2].result(10)
    batcher.close()
    assert sum(1 in each for each in runs) == 1


def test_a_run_that_forgets_a_request_fails_it() -> None:
    batcher: Batcher[int, int] = Batcher(lambda works, more: [[(0, works[0])]], 100)
    recorder_future = batcher.submit(1, 1)
    assert recorder_future.result(10) == 1
    batcher.close()
    silent: Batcher[int, int] = Batcher(lambda works, more: [], 100)
    with pytest.raises(DeterministicFailure, match="no result"):
        silent.submit(1, 1).result(10)
    silent.close()


def test_a_batch_holds_no_more_than_its_size_but_a_larger_request_runs_alone() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 25)
    blocked(recorder, batcher)
    futures = [batcher.submit(10, index) for index in range(1, 6)] + [batcher.submit(90, 6)]
    recorder.released.set()
    assert [future.result(10) for future in futures] == [2, 4, 6, 8, 10, 12]
    batcher.close()
    assert all(len(batch) <= 2 for batch in recorder.batches)
    assert [6] in recorder.batches


def test_a_failing_request_does_not_take_its_batch_down() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 100)
    blocked(recorder, batcher)
    futures = [batcher.submit(1, work) for work in (1, 2, -3, 4, 5)]
    recorder.released.set()
    with pytest.raises(DeterministicFailure, match="negative"):
        futures[2].result(10)
    assert [future.result(10) for index, future in enumerate(futures) if index != 2] == [2, 4, 8, 10]
    batcher.close()


def test_results_that_are_exceptions_reach_their_request_only() -> None:
    batcher: Batcher[int, int] = Batcher(
        lambda works, more: [[(n, RateLimited("later") if work == 2 else work) for n, work in enumerate(works)]], 100
    )
    futures = [batcher.submit(1, work) for work in (1, 2, 3)]
    assert futures[0].result(10) == 1
    assert futures[2].result(10) == 3
    with pytest.raises(RateLimited):
        futures[1].result(10)
    batcher.close()


def test_close_ends_the_thread_and_a_later_request_starts_one_anew() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 100)
    others = set(threading.enumerate())  # engines of other tests' models among them
    assert batcher.submit(1, 1).result(10) == 2
    thread = next(thread for thread in set(threading.enumerate()) - others if thread.name == "gnomon-engine")
    batcher.close()
    assert not thread.is_alive()
    assert batcher.submit(1, 2).result(10) == 4
    batcher.close()


def test_a_cancelled_request_is_not_run() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 100)
    blocked(recorder, batcher)
    cancelled, kept = batcher.submit(1, 7), batcher.submit(1, 8)
    assert cancelled.cancel()
    recorder.released.set()
    assert kept.result(10) == 16
    batcher.close()
    assert 7 not in [work for batch in recorder.batches for work in batch]


PLUG = -1
"""Work that keeps the batcher busy until all of the next batch is there."""


@pytest.mark.parametrize("staying", [0, 1])
def test_a_batch_that_nobody_waits_for_ends_at_its_next_result(staying: int) -> None:
    """Replays a server that scored for minutes, and could not be stopped, for clients that had left."""
    computed: list[int] = []
    plugged, asked, begun, left = (threading.Event() for _ in range(4))

    def run(works: Sequence[int], more: object) -> Iterator[list[tuple[int, int]]]:
        if works == [PLUG]:
            plugged.set()
            asked.wait(10)
            yield [(0, PLUG)]
            return
        for number, work in enumerate(works):
            computed.append(work)
            begun.set()
            left.wait(10)
            yield [(number, 2 * work)]

    batcher = Batcher(run, 100)
    batcher.submit(1, PLUG)
    assert plugged.wait(10)
    futures = [batcher.submit(1, work) for work in range(9)]
    asked.set()
    assert begun.wait(10)
    cancelled = [future.cancel() for future in futures[: len(futures) - staying]]
    left.set()
    batcher.close()
    assert not any(cancelled)  # all of them ran already
    assert computed == ([0] if not staying else list(range(9)))
    assert [future.result(10) for future in futures[len(futures) - staying :]] == [16] * staying


def test_a_batch_that_others_keep_joining_holds_no_answers() -> None:
    """Replays a server whose memory grew with every request until it had a moment's rest."""

    class Prompt:
        pass

    waiting, done = threading.Semaphore(0), threading.Event()

    def run(works: Sequence[Prompt], more: More[Prompt]) -> Iterator[list[tuple[int, Prompt]]]:
        yield [(0, works[0])]
        count = 1
        while not done.is_set():
            waiting.acquire(timeout=10)
            for work in more(100):
                yield [(count, work)]
                count += 1
            work = None

    batcher = Batcher(run, 100)
    batcher.submit(1, Prompt()).result(10)
    answered: list[weakref.ref[Prompt]] = []
    for _ in range(5):
        future = batcher.submit(1, Prompt())
        waiting.release()
        answered.append(weakref.ref(future.result(10)))
    del future
    done.set()
    gc.collect()
    assert sum(each() is not None for each in answered) <= 1  # the last may still be on its way
    waiting.release()
    batcher.close()


def test_what_waits_and_runs_is_counted() -> None:
    recorder = Recorder()
    batcher = Batcher(recorder, 100)
    assert batcher.unanswered == 0
    blocked(recorder, batcher)
    futures = [batcher.submit(1, work) for work in (1, 2, 3)]
    assert batcher.unanswered == 4
    futures[0].cancel()
    assert batcher.unanswered == 3
    recorder.released.set()
    assert futures[2].result(10) == 6
    failing = batcher.submit(1, -1)
    with pytest.raises(DeterministicFailure):
        failing.result(10)
    batcher.close()
    assert batcher.unanswered == 0


@given(st.integers(1, 20_000))
def test_padding_is_a_multiple_of_16_and_wastes_little(length: int) -> None:
    padded = padded_length(length)
    assert padded % 16 == 0
    assert length <= padded < length + max(16, length / 4)
    assert padded_length(padded) == padded


ENDS_IN_TORCH = """
import torch
from gnomon.models.engine import Batcher

def run(works, more):
    yield [(0, works[0])]
    for _ in range(200):
        torch.randn(700, 700) @ torch.randn(700, 700)
        yield []

assert Batcher(run, 100).submit(1, 7).result(10) == 7
print("answered")
"""


def test_a_script_that_has_its_answer_may_end_while_the_engine_computes() -> None:
    """Replays an abort: Python ended the thread inside torch."""
    ended = subprocess.run([sys.executable, "-c", ENDS_IN_TORCH], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "answered\n", "")


def test_a_stopped_batcher_ends_after_the_pass_it_is_in() -> None:
    passes: list[int] = []
    going = threading.Event()

    def run(works: Sequence[int], more: object) -> Iterator[list[tuple[int, int]]]:
        for number in range(10_000):
            passes.append(number)
            going.set()
            time.sleep(0.001)
            yield []

    batcher = Batcher(run, 100)
    batcher.submit(1, 1)
    assert going.wait(10)
    batcher.stop()
    assert len(passes) < 10_000


async def test_what_is_asked_in_one_breath_is_laid_out_before_the_first_is_handed_over() -> None:
    coalescer, steps = Coalescer(10), list[str]()

    async def asked(name: str, size: int) -> None:
        steps.append(f"{name} laid out")
        await coalescer.hold(size)
        steps.append(f"{name} over")

    await asyncio.gather(*(asked(name, 4) for name in "abcd"))
    assert steps[:5] == ["a laid out", "b laid out", "c laid out", "c over", "d laid out"]
    assert sorted(steps[5:]) == ["a over", "b over", "d over"]
    steps.clear()
    held = asyncio.ensure_future(asked("gone", 9))
    await asyncio.sleep(0)
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)
    await asyncio.gather(*(asked(name, 5) for name in "ab"))
    assert steps == ["gone laid out", "a laid out", "b laid out", "a over", "b over"]
