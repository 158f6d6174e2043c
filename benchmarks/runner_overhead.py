"""What the runner costs per record when the model costs nothing, beside a bare append and fsync of the same lines.

    python -m benchmarks.runner_overhead [--records 20000] [--concurrency 1000] [--rounds 5] [--out runner.json]

The cases run alternately. `floor` writes and syncs the same lines in groups of 1,000 and does nothing else; `fsync each` syncs
after every line, as a journal without group commit would. Processor time is less sensitive than elapsed time to what else runs.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks.harness import Side, alternate, described, machine, markdown, write
from gnomon.datasets.items import Item
from gnomon.run.directory import RunDirectory
from gnomon.run.journal import encode, read
from gnomon.run.limits import Limits
from gnomon.run.record import Outcome
from gnomon.run.runner import execute

TRANSCRIPT = [{"role": "user", "content": "q" * 200}, {"role": "assistant", "content": "a" * 20}]


async def answers_at_once(item: Item, seed: int) -> Outcome:
    return Outcome({"score": seed / 2**63, "agrees": True}, TRANSCRIPT)


async def waits_once(item: Item, seed: int) -> Outcome:
    await asyncio.sleep(0)
    return Outcome({"score": seed / 2**63, "agrees": True}, TRANSCRIPT)


def in_a_fresh_folder(work: Callable[[Path], object]) -> Callable[[], object]:
    def run() -> object:
        with tempfile.TemporaryDirectory(dir=".") as folder:
            return work(Path(folder))

    return run


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="a JSON file to write")
    options = parser.parse_args(arguments)
    items = [Item(id=str(number), cluster=str(number)) for number in range(options.records)]

    def run(protocol: Callable[[Item, int], Awaitable[Outcome]], folder: Path | None) -> None:
        settings = {
            "evaluation": "null",
            "config_hash": "c",
            "fingerprint": "f",
            "limits": Limits(concurrency=options.concurrency),
        }
        if folder is None:
            asyncio.run(execute(protocol, items, **settings))
            return
        with RunDirectory.create_or_resume(folder / "run", {}) as directory:
            asyncio.run(execute(protocol, items, run=directory, **settings))

    with tempfile.TemporaryDirectory(dir=".") as folder:
        run(answers_at_once, Path(folder))
        lines = [encode(record) for record in read(Path(folder) / "run" / "records.jsonl")]

    def append(folder: Path, group: int, count: int) -> None:
        with open(folder / "floor.jsonl", "ab", buffering=0) as file:
            for start in range(0, count, group):
                file.write(b"".join(lines[start : start + group]))
                os.fsync(file.fileno())

    few = min(500, options.records)
    cases: list[tuple[str, Callable[[Path], object], int]] = [
        ("runner, journal, protocol answers at once", lambda folder: run(answers_at_once, folder), options.records),
        ("runner, journal, protocol waits once", lambda folder: run(waits_once, folder), options.records),
        ("runner in memory", lambda folder: run(answers_at_once, None), options.records),
        ("floor: append, fsync per 1,000 lines", lambda folder: append(folder, 1_000, options.records), options.records),
        ("fsync each line", lambda folder: append(folder, 1, few), few),
    ]
    taken, _ = alternate([Side(name, in_a_fresh_folder(work)) for name, work, _ in cases], options.rounds)
    rows = [
        {
            "case": name,
            "elapsed_ms": 1e3 * statistics.median(each.elapsed for each in taken[name]) / count,
            "processor_ms": 1e3 * statistics.median(each.processor for each in taken[name]) / count,
        }
        for name, _, count in cases
    ]
    print(
        f"{described(machine())}; {options.records} records of {len(lines[0])} bytes, concurrency {options.concurrency}, ", end=""
    )
    print(f"medians of {options.rounds}\n")
    cells = [[str(row["case"]), f"{row['elapsed_ms']:.4f}", f"{row['processor_ms']:.4f}"] for row in rows]
    print(markdown(["", "elapsed ms per record", "processor ms per record"], cells))
    write(options.out, machine(), rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
