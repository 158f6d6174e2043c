"""Modules that need an optional dependency, imported with a sentence that says how to install it."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from gnomon.errors import MissingExtra

EXTRAS = {
    "inspect_ai": "inspect",
    "lm_eval": "lm-eval",
    "trl": "trl",
    "fastapi": "serve",
    "uvicorn": "serve",
    "prometheus_client": "serve",
}
"""Which extra of gnomon brings a package."""


@contextmanager
def needing_extras() -> Generator[None]:
    """Turns the failed import of an optional dependency into `MissingExtra`; other failed imports go through."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise MissingExtra(f"This needs {package}, which is not installed: pip install 'gnomon[{EXTRAS[package]}]'.") from error


def import_extra(module: str) -> ModuleType:
    """Imports a module of gnomon that needs an optional dependency, such as `gnomon.models.inspect_logs`.

    Raises:
        MissingExtra: The dependency is not installed.
    """
    with needing_extras():
        return import_module(module)
