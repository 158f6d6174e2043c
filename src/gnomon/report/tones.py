"""The tone of a verdict: how its word is coloured, on the page and in the terminal."""

from typing import Literal

Tone = Literal["good", "better", "same", "bad", "unknown"]

TONES: dict[str, Tone] = {
    "fixed": "good",
    "improved": "better",
    "no change": "same",
    "worse": "bad",
    "cannot tell": "unknown",
    "passed": "good",
    "failed": "bad",
    "measured": "same",
    "holds": "good",
    "does not hold": "bad",
}
"""The first five are the loop's words."""
