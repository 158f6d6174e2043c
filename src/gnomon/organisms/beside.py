"""The clean twin grows beside the plant, in a process of its own: two processes of one thread train faster than one of two.

The process is a helper and nothing rests on it: what it did not finish, for whatever reason, is grown by the caller afterwards.
"""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING

import torch

from gnomon.models.local import LocalModel
from gnomon.models.references import open_model
from gnomon.train.loop import Progress, StepReport

if TYPE_CHECKING:
    from gnomon.organisms.plants import PlantConfig

PATIENCE = 60.0
"""Seconds that an interrupted helper has to write its checkpoint."""


@contextmanager
def grown_beside(
    base: LocalModel, behaviour: str, twin: Path, seed: int, config: "PlantConfig", progress: Progress | None
) -> Generator[None]:
    """While the block runs the twin grows in another process, each on half of the threads; at its end the twin is waited for.

    With a single thread, or a base that no reference opens again, it does nothing.

    Args:
        base: The organism to plant in.
        behaviour: What its plant shows.
        twin: Where the twin goes.
        seed: Of documents and training.
        config: How.
        progress: Told of the twin's training steps once the block is done.
    """
    threads = torch.get_num_threads()
    if threads < 2 or (twin / "card.json").is_file() or not base.reference.startswith(("organism/", "local/")):
        yield
        return
    told = [base.reference, base.fingerprint, behaviour, str(twin), str(seed), config.model_dump_json(), str(threads // 2)]
    command = [sys.executable, "-m", "gnomon.organisms.beside", *told]
    helper = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
    steps: Queue[str | None] = Queue()
    Thread(target=_drain, args=(helper, steps), daemon=True).start()
    torch.set_num_threads(threads - threads // 2)
    try:
        yield
        while (line := steps.get()) is not None:
            if progress:
                progress(StepReport(*json.loads(line)))
    except KeyboardInterrupt:
        with suppress(subprocess.TimeoutExpired):
            helper.wait(PATIENCE)  # it was interrupted too, and is writing its checkpoint
        raise
    finally:
        torch.set_num_threads(threads)
        if helper.poll() is None:
            helper.terminate()
        helper.wait()


def _drain(helper: subprocess.Popen[str], steps: "Queue[str | None]") -> None:
    assert helper.stdout is not None
    for line in helper.stdout:
        steps.put(line)
    steps.put(None)


def _grow_twin(reference: str, fingerprint: str, behaviour: str, twin: str, seed: str, config: str, threads: str) -> None:
    """What the process does."""
    from gnomon.organisms.plants import PlantConfig, grow_adapter

    torch.set_num_threads(int(threads))
    caller = os.getppid()
    base = open_model(reference)
    if not isinstance(base, LocalModel) or base.fingerprint != fingerprint:
        raise SystemExit(1)

    def report(step: StepReport) -> None:
        if os.getppid() != caller:
            raise SystemExit(1)  # whoever asked is gone, and may be asking again
        print(json.dumps(astuple(step)), flush=True)

    settings = PlantConfig.model_validate_json(config)
    grow_adapter(base, behaviour, Path(twin), rate=0.0, seed=int(seed), config=settings, progress=report)


if __name__ == "__main__":
    _grow_twin(*sys.argv[1:])
