"""What a run may take: how much at once, how often again, how long."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Limits(BaseModel):
    """Limits of one run. They change how it proceeds, never its results, and so are no part of any journal key.

    Attributes:
        concurrency: Items in flight at once. A local engine batches whatever is waiting, so more is faster until memory ends.
        max_attempts: Calls of the protocol for one item, the first included, where calling again can help.
        backoff_seconds: Wait before the second attempt; doubles with each further one, with jitter.
        backoff_limit_seconds: The longest such wait. A provider's own `retry_after` is honoured as it is.
        item_seconds: Wall-clock limit of one item, its waits and further attempts included (None: none).
        run_seconds: Wall-clock limit of the whole; the run then stops and can be resumed (None: none).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(default=256, ge=1)
    max_attempts: int = Field(default=5, ge=1)
    backoff_seconds: Seconds = 1.0
    backoff_limit_seconds: Seconds = 60.0
    item_seconds: Seconds | None = 3600.0
    run_seconds: Seconds | None = None
