"""What a study works at: models by reference, and a run directory in which every measurement is kept and resumed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from gnomon.datasets.items import content_hash
from gnomon.errors import ConfigurationError
from gnomon.measure.audit import audit, audit_configuration
from gnomon.measure.evaluation import Evaluation
from gnomon.models.model import Model
from gnomon.models.references import open_model
from gnomon.run.directory import RunDirectory
from gnomon.run.limits import Limits
from gnomon.run.progress import Progress
from gnomon.run.record import Record
from gnomon.stats.estimate import Estimate


@dataclass(frozen=True)
class Measured:
    """An evaluation on a model.

    Attributes:
        model: The model's reference.
        table: The record table.
        estimates: What its analysis gives.
        records: The records themselves, transcripts included.
    """

    model: str
    table: pl.DataFrame
    estimates: Sequence[Estimate]
    records: Sequence[Record]

    def __getitem__(self, name: str) -> Estimate:
        """One estimate.

        Raises:
            ConfigurationError: There is none of that name.
        """
        for found in self.estimates:
            if found.name == name:
                return found
        raise ConfigurationError(f"the evaluation gave no estimate {name!r}")


@dataclass
class Bench:
    """Opens each model once and runs evaluations on it; a study that was stopped takes up where it was.

    Attributes:
        run: The study's run directory.
        limits: Of the measurements.
        progress: Told of every record.
    """

    run: RunDirectory
    limits: Limits | None = None
    progress: Progress | None = None
    _open: dict[str, Model] = field(default_factory=dict[str, Model])

    def model(self, reference: str) -> Model:
        """The model of a reference, opened once.

        Raises:
            UnknownModel: There is none.
        """
        if reference not in self._open:
            self._open[reference] = open_model(reference)
        return self._open[reference]

    def size(self, reference: str) -> int:
        """Parameters of a model.

        Raises:
            ConfigurationError: Its size is not known.
        """
        found = self.model(reference).card.parameters
        if not found:
            raise ConfigurationError(f"{reference} does not say how many parameters it has, and this study is about sizes")
        return found

    async def measure(self, reference: str, evaluation: Evaluation) -> Measured:
        """Runs an evaluation on a model, in a directory of its own inside the study's; what was run before is read.

        Raises:
            RunInterrupted: Stopped; run the same study again to resume.
        """
        model = self.model(reference)
        told = content_hash(audit_configuration(model, [evaluation]))[:8]
        out = self.run.path / "audits" / f"{label(reference)}-{evaluation.name}-{told}"
        found = await audit(model, [evaluation], out, limits=self.limits, progress=self.progress)
        kept = RunDirectory.open(out)
        return Measured(reference, kept.read_table(evaluation.name), found.estimates, kept.records())

    async def aclose(self) -> None:
        """Closes the models."""
        for model in self._open.values():
            await model.aclose()


def label(reference: str) -> str:
    """A model's name for figures, estimates and directories: the last part of its reference."""
    return re.sub(r"[^\w.=-]+", "-", reference.rstrip("/").rpartition("/")[2]).strip("-.") or "model"
