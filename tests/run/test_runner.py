import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from gnomon.datasets.items import ChoiceItem, Item
from gnomon.errors import (
    ConfigurationError,
    DatasetError,
    DeterministicFailure,
    RateLimited,
    RunDirectoryError,
    TransientFailure,
    Unsupported,
)
from gnomon.run.attempts import BoundProtocol
from gnomon.run.directory import RunDirectory
from gnomon.run.limits import Limits
from gnomon.run.record import Outcome, Record
from gnomon.run.runner import execute, plan

QUICK = Limits(backoff_seconds=0.001)
ITEMS = [Item(id=f"item {number}", cluster=f"cluster {number // 2}") for number in range(6)]


async def seeds(item: Item, seed: int) -> Outcome:
    return Outcome({"seed": seed, "name": item.id}, [{"role": "user", "content": item.id}])


async def run(protocol: BoundProtocol, items: Sequence[Item] = ITEMS, **options: object) -> list[Record]:
    settings: dict[str, object] = {"evaluation": "e", "config_hash": "c", "fingerprint": "f", "limits": QUICK}
    return await execute(protocol, items, **(settings | options))  # type: ignore[arg-type]


def directory(path: Path) -> RunDirectory:
    return RunDirectory.create_or_resume(path, {})


class Counting:
    """A protocol that counts its calls and does what it is told to."""

    def __init__(self, *failures: Exception):
        self.failures = list(failures)
        self.calls: Counter[str] = Counter()

    async def __call__(self, item: Item, seed: int) -> Outcome:
        self.calls[item.id] += 1
        if self.failures:
            raise self.failures.pop(0)
        return Outcome({"seed": seed})


async def test_records_come_in_the_order_of_items_and_repeats():
    async def backwards(item: Item, seed: int) -> Outcome:
        await asyncio.sleep(0.001 * (6 - ITEMS.index(item)))
        return Outcome({"x": item.id})

    records = await run(backwards, repeats=2)
    assert [(record.item, record.repeat) for record in records] == [(item.id, repeat) for item in ITEMS for repeat in range(2)]
    assert [record.cluster for record in records[::2]] == [item.cluster for item in ITEMS]
    assert all(record.values["x"] == record.item for record in records)


async def test_results_do_not_depend_on_concurrency_or_company():
    alone = await run(seeds, limits=Limits(concurrency=1), repeats=2)
    together = await run(seeds, limits=Limits(concurrency=50), repeats=2)
    some = await run(seeds, ITEMS[3:0:-1], repeats=2)
    assert alone == together
    assert sorted(record.key for record in some) == sorted(record.key for record in alone[2:8])
    assert {record.key: record for record in some}.items() <= {record.key: record for record in alone}.items()


async def test_no_more_than_the_limit_are_in_flight():
    running, most = 0, 0

    async def protocol(item: Item, seed: int) -> Outcome:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return Outcome({"x": 1})

    await run(protocol, limits=Limits(concurrency=3), repeats=5)
    assert most == 3


# Repeats: the failure of a cache that merged them.


async def test_repeats_are_distinct_work_with_seeds_of_their_own(tmp_path: Path):
    counting = Counting()
    with directory(tmp_path / "run") as there:
        records = await run(counting, ITEMS[:1], repeats=5, run=there)
    assert counting.calls["item 0"] == 5
    assert len({record.key for record in records}) == 5
    assert len({record.values["seed"] for record in records}) == 5
    assert [record.repeat for record in records] == [0, 1, 2, 3, 4]


async def test_more_repeats_keep_the_former_ones(tmp_path: Path):
    counting = Counting()
    with directory(tmp_path / "run") as there:
        first = await run(counting, repeats=2, run=there)
    with directory(tmp_path / "run") as there:
        second = await run(counting, repeats=3, run=there)
    assert set(counting.calls.values()) == {3}
    assert [record for record in second if record.repeat < 2] == first


# Keys: the failure of a cache keyed by the model's name.


@pytest.mark.parametrize("change", [{"fingerprint": "g"}, {"config_hash": "d"}, {"evaluation": "other"}, {"seed": 1}])
async def test_nothing_is_shared_between_models_configurations_evaluations_or_seeds(tmp_path: Path, change: dict[str, object]):
    counting = Counting()
    with directory(tmp_path / "run") as there:
        first = await run(counting, run=there)
        again = await run(counting, run=there)
        other = await run(counting, run=there, **change)
    assert first == again
    assert set(counting.calls.values()) == {2}
    assert not {record.key for record in first} & {record.key for record in other}


def test_the_key_follows_the_items_whole_content():
    def keys(**change: object) -> list[str]:
        item = {"id": "q", "cluster": "q", "dataset": "d", "question": "Q?", "options": ("a", "b"), "answer": 0} | change
        return [work.key for work in plan([ChoiceItem.model_validate(item)], evaluation="e", config_hash="c", fingerprint="f")]

    changes = [{}, {"question": "Q"}, {"options": ("b", "a")}, {"answer": 1}, {"tags": {"a": "b"}}, {"id": "r"}]
    assert len({keys(**change)[0] for change in changes}) == len(changes)
    assert keys() == keys()


# Three values.


async def test_unscored_keeps_its_reason_and_is_no_value():
    async def refuses(item: Item, seed: int) -> Outcome:
        return Outcome({"partial": 0.5}, [{"role": "assistant", "content": "No."}], unscored="refusal")

    record = (await run(refuses, ITEMS[:1]))[0]
    assert (record.status, record.reason, record.values) == ("unscored", "refusal", {"partial": 0.5})
    assert record.transcript[0]["content"] == "No."


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"x": float("nan")}, "the value 'x' is nan"),
        ({"x": [1.0, float("inf")]}, "the value 'x' is inf"),
        ({"x": object()}, "the value 'x' is a object"),
        ({"x": {"y": 1}}, "the value 'x' is a dict"),
        ({1: 2}, "name 1 is not a text"),
        ({"status": "value"}, "name 'status' is taken"),
        ({"x": 2**63}, "more than 64 bits"),
        ({"x": "\ud800"}, "half a character"),
        ({}, "neither a value nor a reason"),
    ],
)
async def test_what_cannot_be_kept_exactly_is_an_error_never_a_number(tmp_path: Path, values: dict[str, object], says: str):
    async def protocol(item: Item, seed: int) -> Outcome:
        return Outcome(values)  # type: ignore[arg-type]

    with directory(tmp_path / "run") as there:
        records = await run(protocol, run=there)
        table = there.write_table("e", records)
    assert {record.status for record in records} == {"error"}
    assert says in (records[0].reason or "")
    assert table.columns == ["item", "cluster", "repeat", "status", "reason"]
    content = (tmp_path / "run" / "records.jsonl").read_text()
    assert "NaN" not in content
    assert '"values":{}' in content


@pytest.mark.parametrize("returned", [None, {"x": 1}, Outcome({"x": 1}, [{"role": "user", "content": 1}])])  # type: ignore[dict-item]
async def test_a_protocol_that_returns_something_else_is_an_error(returned: object):
    async def protocol(item: Item, seed: int) -> object:
        return returned

    record = (await run(protocol, ITEMS[:1]))[0]  # type: ignore[arg-type]
    assert record.status == "error"
    assert "cannot be recorded" in (record.reason or "")
    assert "\n" not in (record.reason or "")


async def test_tuples_become_lists_before_and_after_the_disk(tmp_path: Path):
    async def protocol(item: Item, seed: int) -> Outcome:
        return Outcome({"curve": (0.5, (1, 2))})  # type: ignore[dict-item]

    with directory(tmp_path / "run") as there:
        fresh = await run(protocol, run=there)
    with directory(tmp_path / "run") as there:
        kept = await run(protocol, run=there)
    assert fresh == kept
    assert kept[0].values == {"curve": [0.5, [1, 2]]}


async def test_an_error_of_the_code_says_what_and_where():
    async def protocol(item: Item, seed: int) -> Outcome:
        raise KeyError("no\nsuch")

    record = (await run(protocol, ITEMS[:1]))[0]
    assert record.status == "error"
    assert record.attempts == 1
    assert (record.reason or "").startswith("KeyError: ")
    assert "test_runner.py, line" in (record.reason or "")
    assert "\n" not in (record.reason or "")


async def test_what_was_not_measured_comes_back_as_nothing_never_as_zero(tmp_path: Path):
    async def protocol(item: Item, seed: int) -> Outcome:
        return Outcome({"score": None if item.id == "item 0" else 0.0, "curve": [None, 0.5]})

    for _ in range(2):  # fresh, then read back
        with directory(tmp_path / "run") as there:
            records = await run(protocol, ITEMS[:2], run=there)
            table = there.write_table("e", records)
        assert [record.values["score"] for record in records] == [None, 0.0]
        assert table["score"].to_list() == [None, 0.0]
        assert table["score"].mean() == 0.0
        assert table["score"].count() == 1
        assert table["curve"].to_list() == [[None, 0.5]] * 2


async def test_errors_everywhere_leave_no_value_anywhere(tmp_path: Path):
    with directory(tmp_path / "run") as there:
        records = await run(Counting(*[Unsupported("no scores")] * 6), run=there)
        table = there.write_table("e", records)
    assert table["status"].unique().to_list() == ["error"]
    assert table["reason"].unique().to_list() == ["no scores"]
    assert set(table.columns) == {"item", "cluster", "repeat", "status", "reason"}


# Attempts.


@pytest.mark.parametrize("failure", [RateLimited("slow down"), RateLimited("slow down", 0.001), TransientFailure("502")])
async def test_what_may_pass_is_tried_again(failure: Exception):
    counting = Counting(failure, failure)
    record = (await run(counting, ITEMS[:1]))[0]
    assert (record.status, record.attempts, counting.calls["item 0"]) == ("value", 3, 3)


@pytest.mark.parametrize("failure", [RateLimited("slow down"), TransientFailure("502")])
async def test_attempts_are_capped(failure: Exception):
    counting = Counting(*[failure] * 100)
    record = (await run(counting, ITEMS[:1], limits=Limits(max_attempts=4, backoff_seconds=0.001)))[0]
    assert (record.status, record.attempts, counting.calls["item 0"]) == ("error", 4, 4)
    assert record.reason == f"{failure} (given up after 4 attempts)"


@pytest.mark.parametrize(
    "failure", [DeterministicFailure("500: model has no such layer"), Unsupported("no scores"), ValueError("no")]
)
async def test_what_comes_again_is_never_tried_again(failure: Exception):
    counting = Counting(failure)
    record = (await run(counting, ITEMS[:1]))[0]
    assert (record.status, record.attempts, counting.calls["item 0"]) == ("error", 1, 1)


async def test_the_wait_is_the_providers_own_or_doubles_with_jitter_from_the_seed(monkeypatch: pytest.MonkeyPatch):
    sleep = asyncio.sleep
    waits: list[float] = []

    async def noted(seconds: float) -> None:
        if seconds:
            waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", noted)
    limits = Limits(max_attempts=9, backoff_seconds=2.0, backoff_limit_seconds=20.0)
    await run(Counting(RateLimited("", 123.0), *[RateLimited("")] * 6), ITEMS[:1], limits=limits)
    first, waits = waits, []
    await run(Counting(RateLimited("", 123.0), *[RateLimited("")] * 6), ITEMS[:1], limits=limits)
    assert first == waits
    assert waits[0] == 123.0
    for wait, longest in zip(waits[1:], [4.0, 8.0, 16.0, 20.0, 20.0, 20.0], strict=True):
        assert longest / 2 <= wait <= longest


async def test_an_item_that_hangs_is_an_error_and_the_others_go_on():
    async def protocol(item: Item, seed: int) -> Outcome:
        if item.id == "item 2":
            await asyncio.Event().wait()
        return Outcome({"x": 1})

    records = await run(protocol, limits=Limits(item_seconds=0.05, concurrency=2))
    assert [record.status for record in records] == ["value", "value", "error", "value", "value", "value"]
    assert records[2].reason == "not finished within the limit of 0.05 s per item"


async def test_the_limit_of_an_item_covers_its_waits():
    records = await run(Counting(RateLimited("", 3600.0)), ITEMS[:1], limits=Limits(item_seconds=0.05))
    assert "limit of 0.05 s" in (records[0].reason or "")


@pytest.mark.parametrize("raised", [TimeoutError("socket"), asyncio.CancelledError("engine closed")])
async def test_a_time_out_or_cancellation_inside_the_protocol_is_an_error_of_that_item(raised: BaseException):
    async def protocol(item: Item, seed: int) -> Outcome:
        if item.id == "item 1":
            raise raised
        return Outcome({"x": 1})

    records = await run(protocol)
    assert [record.status for record in records].count("error") == 1
    assert (records[1].reason or "").startswith(f"{type(raised).__name__}: {raised}")


# Resuming.


async def test_only_errors_are_run_again(tmp_path: Path):
    async def once(item: Item, seed: int) -> Outcome:
        if item.id == "item 1":
            raise ValueError("broken")
        return Outcome({"x": 1}, unscored="refusal" if item.id == "item 2" else None)

    counting = Counting()
    with directory(tmp_path / "run") as there:
        first = await run(once, run=there)
    with directory(tmp_path / "run") as there:
        kept = await run(counting, run=there, retry_errors=False)
        assert not counting.calls
        assert kept == first
        second = await run(counting, run=there)
    assert dict(counting.calls) == {"item 1": 1}
    assert [record.status for record in second] == ["value", "value", "unscored", "value", "value", "value"]
    with directory(tmp_path / "run") as there:
        assert await run(counting, run=there) == second
    assert counting.calls.total() == 1


async def test_cancelling_the_caller_keeps_what_was_done(tmp_path: Path):
    async def protocol(item: Item, seed: int) -> Outcome:
        if item.id == "item 5":
            await asyncio.Event().wait()
        return Outcome({"x": 1})

    with directory(tmp_path / "run") as there:
        task = asyncio.create_task(run(protocol, run=there))
        while len(there.records()) < 5:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    with directory(tmp_path / "run") as there:
        assert len(there.records()) == 5


async def test_two_evaluations_may_share_a_directory_at_once(tmp_path: Path):
    with directory(tmp_path / "run") as there:
        first, second = await asyncio.gather(run(seeds, run=there), run(seeds, run=there, evaluation="other"))
        assert len(there.records()) == 12
    assert {record.evaluation for record in first} == {"e"}
    assert {record.evaluation for record in second} == {"other"}


async def test_a_disk_that_fails_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(file: int, content: object) -> int:
        raise OSError(28, "No space left on device")

    with directory(tmp_path / "run") as there:
        await run(seeds, ITEMS[:2], run=there)
        monkeypatch.setattr("gnomon.run.journal.os.write", full)
        with pytest.raises(RunDirectoryError, match=r"No space left on device; all records before are kept"):
            await run(seeds, run=there)
        monkeypatch.undo()
    with directory(tmp_path / "run") as there:
        assert [record.item for record in there.records()] == ["item 0", "item 1"]


# Refusals and progress.


async def test_no_items_two_of_one_id_or_no_repeats_are_refused():
    with pytest.raises(DatasetError, match="no items"):
        await run(seeds, [])
    with pytest.raises(DatasetError, match="two items with the id 'item 0'"):
        await run(seeds, [ITEMS[0], ITEMS[1], Item(id="item 0", cluster="x")])
    with pytest.raises(ConfigurationError, match="at least 1"):
        await run(seeds, repeats=0)


async def test_a_watcher_that_is_gone_does_not_stop_the_run(tmp_path: Path):
    class Gone:
        def start(self, evaluation: str, total: int, kept: Sequence[Record]) -> None:
            pass

        def advance(self, records: Sequence[Record]) -> None:
            raise BrokenPipeError

        def finish(self) -> None:
            raise BrokenPipeError

    with directory(tmp_path / "run") as there:
        assert len(await run(seeds, run=there, progress=Gone())) == len(await run(seeds, progress=Gone())) == 6


async def test_progress_hears_of_every_record_once_and_of_the_kept_ones_first(tmp_path: Path):
    class Noting:
        def __init__(self) -> None:
            self.events: list[tuple[str, int]] = []
            self.seen: list[str] = []

        def start(self, evaluation: str, total: int, kept: Sequence[Record]) -> None:
            self.events.append((evaluation, total))
            self.seen += [record.item for record in kept]

        def advance(self, records: Sequence[Record]) -> None:
            self.seen += [record.item for record in records]

        def finish(self) -> None:
            self.events.append(("finished", len(self.seen)))

    with directory(tmp_path / "run") as there:
        await run(seeds, ITEMS[:2], run=there)
        noting = Noting()
        await run(seeds, run=there, progress=noting)
    assert noting.events == [("e", 6), ("finished", 6)]
    assert noting.seen[:2] == ["item 0", "item 1"]
    assert sorted(noting.seen) == [item.id for item in ITEMS]
    noting = Noting()
    await run(seeds, progress=noting)
    assert noting.events == [("e", 6), ("finished", 6)]
