"""transformers without its progress bars: a second bar would disturb whatever the command itself shows."""

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def without_progress_bars() -> Generator[None]:
    """Switches them off while loading or saving, and back to what they were."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
