"""Records that somebody already has, from wherever they lie, to estimates; no model is needed."""

import logging
from codecs import BOM_UTF8
from itertools import islice
from pathlib import Path

from gnomon.datasets.files import opened
from gnomon.datasets.jsonl import read_lines
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure import catalogue
from gnomon.measure.audit import AuditResult, analyse
from gnomon.measure.published import formats
from gnomon.run.directory import RunDirectory
from gnomon.run.transcripts import read_records

INSPECT_LOGS = (".eval", ".json")
RUN = "run.json"
INSPECT_FIELD, HEAD = b'"eval"', 4096
"""What an Inspect log in JSON has among its first bytes."""
OWN_FIELDS = {"values", "unscored", "messages"}
"""Where a published format has an evaluation's name, a file of JSON lines whose first has one of these holds gnomon's records."""

_log = logging.getLogger(__name__)


def analyse_recorded(path: Path, evaluation: str, out: Path | None = None, choice: str | None = None) -> AuditResult:
    """Analyses a run directory, a JSONL file of records, an Inspect log, or a published recording.

    Warns where a run was stopped before its end.

    Args:
        path: Where the records are.
        evaluation: The evaluation whose analysis is wanted, or the format of a published recording.
        out: A run directory to keep table and estimates in (None: nowhere).
        choice: What of a published recording that holds several.

    Raises:
        DatasetError: Nothing there, a broken line, or no records of this evaluation.
        ConfigurationError: There is no such evaluation.
        MissingExtra: An Inspect log without `gnomon[inspect]`.
    """
    published = evaluation in formats.names() and not (evaluation in catalogue.names() and _holds_records(path))
    if published:
        recording = formats.read(evaluation, path, choice)
        model, records = recording.model, recording.records
    elif choice is not None:
        raise ConfigurationError(f"--format is for published recordings: {', '.join(formats.names())}")
    elif path.suffix in INSPECT_LOGS and path.is_file():
        from gnomon.models.inspect_logs import import_log

        model, records = path.name, import_log(path, evaluation, catalogue.chat_reader(evaluation))
    elif path.exists():
        records = read_records(path, evaluation, catalogue.chat_reader(evaluation))
        run = RunDirectory.open(path) if path.is_dir() else None
        model = str(run.description.configuration.get("reference", "")) if run else path.name
        if run and evaluation in run.unfinished():
            _log.warning("the run in %s was stopped before it was finished: these are the estimates of a part of it", path)
    else:
        raise DatasetError(f"{path} does not exist: give a run directory, a JSONL file of records, or an Inspect log")
    result = analyse(records, evaluation, model, published=published)
    if out is None:
        return result
    configuration = {"reference": model, "evaluation": evaluation, "source": str(path), "format": choice}
    with RunDirectory.create_or_resume(out, configuration, verb="analyse") as kept:
        kept.write_table(evaluation, [record for record in records if record.evaluation == evaluation])
        kept.write_estimates(result.estimates)
    return result.model_copy(update={"run": str(out)})


def _holds_records(path: Path) -> bool:
    """Whether gnomon or Inspect wrote what lies there, or somebody in gnomon's format."""
    if not path.is_file():
        return (path / RUN).is_file()
    if path.suffix == ".eval":
        return True
    with opened(path) as file:
        head = file.read(HEAD).removeprefix(BOM_UTF8).lstrip()
    if path.suffix == ".json":
        return INSPECT_FIELD in head
    return head.startswith(b"{") and any(not OWN_FIELDS.isdisjoint(line) for _, line in islice(read_lines(path), 1))
