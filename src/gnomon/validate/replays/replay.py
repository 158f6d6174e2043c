"""What a replay reports, and the list of them."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict


class Replay(BaseModel):
    """A replayed failure.

    Attributes:
        failure: What happened in a real tool.
        flagged: Whether gnomon flags or survives it.
        evidence: What was seen, in one sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    failure: str
    flagged: bool
    evidence: str


async def replay_all() -> list[Replay]:
    """Runs every replay; one that breaks has flagged nothing."""
    from gnomon.validate.replays import instruments, models, records

    replays: list[Callable[[], Awaitable[Replay]]] = [
        instruments.metric_always_zero,
        records.judge_crash_counted_as_zero,
        records.worst_tenth_refused,
        instruments.denominator_lost,
        records.nan_reloaded_as_zero,
        records.repeats_merged,
        models.batch_size_changes_scores,
        models.first_settings_for_the_whole_batch,
        models.argmax_logprob_reported,
        models.cache_keyed_by_name,
        models.stale_weights,
        records.deterministic_failure_retried,
        instruments.sensitivity_unknown,
        instruments.network_needed,
        models.pickle_loaded,
    ]
    return [await _guarded(replay) for replay in replays]


async def _guarded(replay: Callable[[], Awaitable[Replay]]) -> Replay:
    try:
        return await replay()
    except Exception as error:
        name = getattr(replay, "__name__", str(replay)).replace("_", " ")
        return Replay(failure=name, flagged=False, evidence=f"the replay broke: {type(error).__name__}: {error}")
