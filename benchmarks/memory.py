"""Memory of scoring: the most that each side's process ever held, libraries and weights included.

    python -m benchmarks.memory [--only 124m-5shot] [--rounds 3] [--out memory.json] [--quick]

Each side scores the same questions in a process of its own; `loaded` is what that process held before the first score.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness import Settings, described, machine, markdown, parser, write
from benchmarks.material import LARGE, SMALL, Question, Size, questions, saved, size_of
from benchmarks.scoring import BATCH_SIZES, FIVE_SHOT, difference, harness_model, harness_side

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Load:
    """What is scored."""

    name: str
    directory: Path
    requests: list[Question]
    goal_megabytes: float | None = None


def five_shot(size: Size, count: int, goal_megabytes: float | None = None) -> Callable[[Settings], Load]:
    def load(settings: Settings) -> Load:
        actual, asked = size_of(size, settings), 4 if settings.quick else count
        requests = questions(actual, asked, shared=FIVE_SHOT)
        return Load(f"{asked} x 4 options, 5-shot, {actual.label}", saved(actual, settings.folder), requests, goal_megabytes)

    return load


LOADS: Mapping[str, Callable[[Settings], Load]] = {
    "124m-5shot": five_shot(LARGE, 12, goal_megabytes=2_000),
    "10m-5shot": five_shot(SMALL, 40),
}

SIDES = ("gnomon", *(f"hf-{batch}" for batch in BATCH_SIZES))


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts a process for each side and round, compares their scores and prints their peaks."""
    made = parser(__doc__, LOADS)
    made.add_argument("--child", nargs=3, metavar=("SIDE", "DIRECTORY", "REQUESTS"), help="what the parent starts")
    options = made.parse_args(arguments)
    torch.set_num_threads(options.threads)
    if options.child:
        print(json.dumps(scored(options.child[0], Path(options.child[1]), Path(options.child[2]))))
        return 0
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(options.quick, options.rounds, Path(folder))
        for name in options.only or LOADS:
            rows += measured(LOADS[name](settings), settings, options.threads)
    print(f"{described(machine())}; peak resident memory in MB, medians of {options.rounds}\n")
    print(table(rows))
    write(options.out, machine(), rows)
    return 0


def measured(load: Load, settings: Settings, threads: int) -> list[dict[str, Any]]:
    """A row per side.

    Raises:
        SystemExit: The sides' scores differ.
    """
    requests = settings.folder / "requests.json"
    requests.write_text(json.dumps(load.requests), encoding="utf-8")
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(settings.rounds):
        for side in SIDES:
            command = [sys.executable, "-m", "benchmarks.memory", "--threads", str(threads), "--child", side]
            done = subprocess.run(
                [*command, str(load.directory), str(requests)], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True
            )
            found[side].append(json.loads(done.stdout.splitlines()[-1]))
    for side in SIDES[1:]:
        differs = difference(found[SIDES[0]][0]["scores"], found[side][0]["scores"])
        if differs:
            raise SystemExit(f"{load.name}: {SIDES[0]} and {side} differ: {differs}")
    return [
        {"work": load.name, "side": side, "goal": load.goal_megabytes if side == SIDES[0] else None}
        | {key: [run[key] for run in runs] for key in ("peak", "loaded", "seconds")}
        for side, runs in found.items()
    ]


def scored(side: str, directory: Path, requests: Path) -> dict[str, Any]:
    """What the child process does; memory in megabytes."""
    asked: list[Question] = [(prefix, texts) for prefix, texts in json.loads(requests.read_text(encoding="utf-8"))]
    run = gnomon_scores(directory, asked) if side == SIDES[0] else harness_scores(directory, asked, int(side.removeprefix("hf-")))
    loaded, began = peak(), time.perf_counter()
    scores = run()
    return {"scores": scores, "loaded": loaded, "peak": peak(), "seconds": time.perf_counter() - began}


def gnomon_scores(directory: Path, asked: Sequence[Question]) -> Callable[[], list[Any]]:
    import gnomon

    model = gnomon.open_model(f"local/{directory}")
    return lambda: [score.logprob for scores in gnomon.score(model, asked) for score in scores]


def harness_scores(directory: Path, asked: Sequence[Question], batch: int) -> Callable[[], list[Any]]:
    peer = harness_model(pretrained=str(directory), device="cpu", dtype="float32", batch_size=batch)
    return harness_side("hf", peer, asked).run


def peak() -> float:
    """The most that this process ever held, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # the usage counters of a process begin at its parent's peak
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        [
            row["work"],
            row["side"],
            f"{statistics.median(row['peak']):.0f} [{min(row['peak']):.0f}, {max(row['peak']):.0f}]",
            f"<= {row['goal']:.0f}" if row["goal"] else "",
            f"{statistics.median(row['loaded']):.0f}",
            f"{statistics.median(row['seconds']):.3g}",
        ]
        for row in rows
    ]
    return markdown(["work", "side", "peak", "goal", "loaded", "seconds"], lines)


if __name__ == "__main__":
    raise SystemExit(main())
