"""Results go to standard output, everything else to standard error; with `--json` it is exactly one JSON object."""

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def emit(result: Any, as_json: bool, render: "Callable[[], RenderableType]") -> None:
    """Prints a result: as JSON, or as what `render` makes of it for the terminal."""
    if as_json:
        plain = result.model_dump(mode="json") if hasattr(result, "model_dump") else result
        sys.stdout.write(json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        sys.stdout.flush()
        return
    console().print(render())


def complain(message: str) -> None:
    """Prints what went wrong; the message is text, never markup."""
    from rich.markup import escape

    console(stderr=True).print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)


def console(*, stderr: bool = False) -> "Console":
    """Where gnomon prints."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)
