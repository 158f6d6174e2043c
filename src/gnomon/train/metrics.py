"""`metrics.jsonl`: one line per step and per evaluation, in step with the checkpoints."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from gnomon.run.files import writing


class Metrics:
    """What was measured during training, in memory and in a file.

    Attributes:
        losses: Of every step so far.
        tokens: Seen so far.
        evaluations: By step.
    """

    def __init__(self, path: Path | None):
        self.losses: list[float] = []
        self.tokens = 0
        self.evaluations: dict[int, dict[str, float]] = {}
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> "Metrics":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def restore(self, step: int) -> None:
        """Reads what the file holds up to `step`, drops what lies after it, and opens the file for appending.

        Raises:
            RunDirectoryError: The file cannot be read or written.
        """
        if self._path is None:
            return
        with writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            kept = self._read(step)
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
            temporary.replace(self._path)
            self._file = self._path.open("a", encoding="utf-8")
        for line in kept:
            self._remember(line)

    def add_step(self, step: int, loss: float, lr: float, gradient_norm: float, tokens: int) -> None:
        """One step's loss, learning rate, gradient norm and tokens."""
        self._add({"step": step, "loss": loss, "lr": lr, "gradient_norm": gradient_norm, "tokens": self.tokens + tokens})

    def add_evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """What the evaluation hook returned after `step`."""
        self._add({"step": step, "evaluation": dict(values)})

    def sync(self) -> None:
        """Flushes to the disk, before a checkpoint that relies on it."""
        if self._file is not None and self._path is not None:
            with writing(self._path):
                self._file.flush()
                os.fsync(self._file.fileno())

    def _add(self, line: dict[str, Any]) -> None:
        self._remember(line)
        if self._file is not None and self._path is not None:
            with writing(self._path):
                self._file.write(json.dumps(line) + "\n")

    def _remember(self, line: dict[str, Any]) -> None:
        if "evaluation" in line:
            self.evaluations[int(line["step"])] = line["evaluation"]
        else:
            self.losses.append(float(line["loss"]))
            self.tokens = int(line["tokens"])

    def _read(self, step: int) -> list[dict[str, Any]]:
        """The lines up to `step`; a torn last line belongs to a step after the checkpoint."""
        if self._path is None or step == 0 or not self._path.exists():
            return []
        kept: list[dict[str, Any]] = []
        for text in self._path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                break
            if line["step"] > step:
                break
            kept.append(line)
        return kept
