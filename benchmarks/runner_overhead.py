"""What the runner costs per record when the model costs nothing, beside a bare append and fsync of the same lines.

    python benchmarks/runner_overhead.py [--records 20000] [--concurrency 1000] [--rounds 5]

Prints medians. `floor` writes and syncs the same lines in groups of 1,000 and does nothing else; `fsync each` syncs after every
line, as a journal without group commit would. Processor time is less sensitive than elapsed time to what else runs.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

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


def measured(work: Callable[[Path], object], rounds: int) -> tuple[float, float]:
    """Medians of elapsed and processor seconds."""
    elapsed: list[float] = []
    processor: list[float] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            began = time.perf_counter(), time.process_time()
            work(Path(folder))
            elapsed.append(time.perf_counter() - began[0])
            processor.append(time.process_time() - began[1])
    return statistics.median(elapsed), statistics.median(processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    items = [Item(id=str(number), cluster=str(number)) for number in range(options.records)]

    def run(protocol: Callable[..., object], folder: Path | None) -> None:
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
    print(f"{options.records} records of {len(lines[0])} bytes, concurrency {options.concurrency}, medians of {options.rounds}")
    print(f"{'':45}{'elapsed':>12}{'processor':>12}   ms per record")
    for name, work, count in cases:
        elapsed, processor = measured(work, options.rounds)
        print(f"{name:45}{1e3 * elapsed / count:12.4f}{1e3 * processor / count:12.4f}")


if __name__ == "__main__":
    main()
