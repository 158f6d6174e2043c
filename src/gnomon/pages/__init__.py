"""From a run directory to its page; `report/` knows nothing of evaluations, loops and certificates."""

from pathlib import Path

from gnomon.errors import RunDirectoryError
from gnomon.report.page import write_report
from gnomon.run.directory import RunDirectory


def write_page(path: Path, out: Path | None = None) -> Path:
    """Writes the page of an audit, a loop, a study or a validation.

    Args:
        path: The run directory.
        out: Where to write the page (None: `report.html` in the run).

    Raises:
        RunDirectoryError: No finished run there, or one that has no page.
    """
    from gnomon.pages.runs import audit_content, loop_content
    from gnomon.pages.studies import study_content
    from gnomon.pages.validation import validation_content

    run = RunDirectory.open(path)
    makers = {"audit": audit_content, "loop": loop_content, "study": study_content, "validate": validation_content}
    verb = run.description.verb
    if verb not in makers:
        known = ", ".join(repr(name) for name in makers)
        raise RunDirectoryError(f"{path} holds a run of {verb!r}, which has no page: give one of {known}")
    return write_report(path, makers[verb](run), out=out)
