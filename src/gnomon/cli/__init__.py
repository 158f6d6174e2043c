"""The `gnomon` command: parses, calls `gnomon.api`, prints. No logic of its own.

Results go to standard output, everything else to standard error; with `--json` standard output holds exactly one JSON object.
Exit code 0: done; 1: the work failed; 2: the user can mend it, and one sentence says how; 130: interrupted, resumable.
A command imports what it needs when it is called, so that the help is there at once.
"""

import sys
import warnings

import typer

from gnomon.cli.commands import app as app
from gnomon.cli.output import complain, console
from gnomon.errors import GnomonError


def run(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns the exit code; nothing escapes but a bug."""
    try:
        code = typer.main.get_command(app).main(args=arguments, prog_name="gnomon", standalone_mode=False)
    except GnomonError as error:
        complain(str(error))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        console(stderr=True).print("Interrupted. Run the same command again to resume.")
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        if not _is_usage_error(error):
            raise
        error.show()  # pyright: ignore[reportAttributeAccessIssue]
        return 2
    return code if isinstance(code, int) else 0


def _is_usage_error(error: Exception) -> bool:
    return hasattr(error, "show") and hasattr(error, "exit_code")


def main() -> None:
    """Entry point of the console script; the deprecations of the libraries below are not the user's concern."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    sys.exit(run())
