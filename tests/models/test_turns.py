"""Whose turn it is: one at a time, in order, whatever interrupts them."""

import threading
import time
from pathlib import Path

import pytest
import torch

from gnomon.models.turns import Turns, send_helpers_away


def test_one_at_a_time_in_the_order_of_asking() -> None:
    turns, order, inside = Turns(), list[int](), list[int]()

    def work(number: int) -> None:
        with turns:
            inside.append(1)
            assert len(inside) == 1
            order.append(number)
            inside.pop()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    with turns:
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            while len(turns._waiting) < waiting:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_whoever_comes_back_at_once_does_not_pass_those_who_wait() -> None:
    turns, order = Turns(), list[str]()

    def other() -> None:
        with turns:
            order.append("other")

    thread = threading.Thread(target=other)
    with turns:
        thread.start()
        while not turns._waiting:
            time.sleep(0.001)
    with turns:
        order.append("again")
    thread.join()
    assert order == ["other", "again"]


def test_a_thread_may_take_its_turn_twice() -> None:
    turns = Turns()
    with turns, turns:
        pass
    taken = threading.Event()
    thread = threading.Thread(target=lambda: turns.__enter__() or taken.set())
    thread.start()
    thread.join(5)
    assert taken.is_set()


def test_a_failure_gives_the_turn_on() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns:
        _ = 1 // 0
    with turns:
        pass


@pytest.mark.parametrize("promised", [False, True])
def test_an_interrupted_thread_blocks_nobody(promised: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns()

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if promised:
                turns.__exit__(None, None, None)
            raise KeyboardInterrupt

    other = threading.Thread(target=turns.__enter__)
    other.start()
    other.join()
    if promised:
        turns._owner = threading.get_ident() + 1
    monkeypatch.setattr(threading, "Event", Interrupted)
    with pytest.raises(KeyboardInterrupt), turns:
        pass
    monkeypatch.undo()
    assert not turns._waiting
    if promised:
        with turns:
            pass


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc, which only Linux has")
def test_helpers_are_sent_away_and_come_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        square = torch.randn(600, 600)
        expected = square @ square
        busy = len(list(Path("/proc/self/task").iterdir()))
        send_helpers_away()
        assert len(list(Path("/proc/self/task").iterdir())) < busy
        assert torch.equal(square @ square, expected)
    finally:
        torch.set_num_threads(before)
        send_helpers_away()
