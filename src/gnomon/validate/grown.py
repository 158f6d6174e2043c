"""Agreement on grown organisms: what the instruments read on a planted organism, on its clean twin, and what was planted."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from gnomon.run.progress import Progress


class Agreement(BaseModel):
    """An instrument on a planted organism and on its clean twin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agrees: bool


async def grown_agreement(evaluations: Sequence[str], progress: Progress | None = None) -> list[Agreement]:
    """x"""
    return []
