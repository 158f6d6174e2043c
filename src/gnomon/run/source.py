"""Which code a run was made with: what is kept from an earlier call must not outlive the code that made it."""

import hashlib
from functools import cache
from pathlib import Path

import gnomon


@cache
def code_hash() -> str:
    """SHA-256 of the package's Python sources, names and contents, its first 16 hexadecimal digits."""
    root = Path(gnomon.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]
