"""Makes the tiny organism of the neighbouring tests importable, whichever tests run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
