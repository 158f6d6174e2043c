"""A run that tests kill: 40 items, each a value, an unscored record or an error, at most a few at once, some milliseconds each.

Prints a line for each record that is on disk, so that a test can kill it in the middle. `--quota` limits the size of files, as
a disk that is full does.
"""

import argparse
import asyncio
import resource
import sys
from pathlib import Path

from gnomon.datasets.items import Item, derive_seed
from gnomon.errors import GnomonError
from gnomon.run.directory import RunDirectory
from gnomon.run.limits import Limits
from gnomon.run.record import Outcome
from gnomon.run.runner import execute

ITEMS = [Item(id=f"item {number}", cluster=f"cluster {number // 4}") for number in range(20)]


async def protocol(item: Item, seed: int) -> Outcome:
    await asyncio.sleep(0.002 + 0.01 * (derive_seed("delay", seed) % 3))
    kind = seed % 5
    if kind == 0:
        return Outcome({}, unscored="refusal")
    if kind == 1:
        raise ArithmeticError("no such number")
    values = {"agrees": kind == 2, "score": seed / 2**63, "letters": ["A", "B", item.id], "even": None if kind == 3 else seed % 2}
    return Outcome(values, [{"role": "user", "content": item.id}])


class Lines:
    def start(self, evaluation, total, kept):
        print("kept", len(kept), flush=True)

    def advance(self, records):
        for record in records:
            print("done", record.item, record.repeat, flush=True)

    def finish(self):
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--quota", type=int)
    parser.add_argument("--run-seconds", type=float)
    options = parser.parse_args()
    if options.quota:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.quota, options.quota))
    try:
        with RunDirectory.create_or_resume(options.path, {"seed": 5}, verb="test") as run:
            records = asyncio.run(
                execute(
                    protocol,
                    ITEMS,
                    evaluation="letters",
                    config_hash="c",
                    fingerprint="f",
                    run=run,
                    limits=Limits(concurrency=3, run_seconds=options.run_seconds),
                    repeats=2,
                    seed=5,
                    progress=Lines(),
                )
            )
            run.write_table("letters", records)
    except GnomonError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
