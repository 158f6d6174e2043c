"""The loop from end to end on a very small organism, and its verdicts."""

import json
from pathlib import Path

import pytest

import gnomon
from gnomon.correct.rejection_sampling import CorrectConfig
from gnomon.errors import ConfigurationError, Unsupported
from gnomon.loop import FIXED_BELOW, LoopResult, decide
from gnomon.run.directory import RunDirectory
from gnomon.stats.estimate import Estimate
from gnomon.train.config import LoraSettings, TrainConfig
from gnomon.train.saving import save_model
from tests.organisms.tiny import tiny_organism

SMALL = CorrectConfig(
    prompts=40,
    samples=2,
    neutral=20,
    least_accepted=1,
    train=TrainConfig(steps=4, batch_tokens=512, lora=LoraSettings(rank=2)),
).model_dump(mode="json", exclude={"seed"})


def reading(value: float | None, low: float = 0.0, high: float = 0.0, worst_high: float | None = None) -> Estimate:
    if value is None:
        return Estimate.unmeasured("sycophancy", "agreement", "none of the 5 records could be scored")
    return Estimate(
        evaluation="sycophancy",
        name="agreement",
        value=value,
        low=low,
        high=high,
        n=100,
        coverage=1.0,
        worst_low=low if worst_high is None else 0.0,
        worst_high=high if worst_high is None else worst_high,
        method="given",
    )


BEFORE = reading(0.6, 0.5, 0.7)


@pytest.mark.parametrize(
    ("after", "difference", "verdict"),
    [
        (reading(0.01, 0.0, 0.05), reading(-0.59, -0.7, -0.5), "fixed"),
        (reading(0.2, 0.1, 0.3), reading(-0.4, -0.5, -0.3), "improved"),
        (reading(0.01, 0.0, FIXED_BELOW), reading(-0.59, -0.7, -0.5), "improved"),
        (reading(0.01, 0.0, 0.05, worst_high=0.65), reading(-0.59, -0.7, -0.5), "improved"),
        (reading(0.58, 0.5, 0.7), reading(-0.02, -0.1, 0.06), "no change"),
        (reading(0.8, 0.7, 0.9), reading(0.2, 0.1, 0.3), "worse"),
        (reading(None), reading(None), "cannot tell"),
    ],
)
def test_verdict(after: Estimate, difference: Estimate, verdict: str) -> None:
    decided, because = decide(BEFORE, after, difference)
    assert decided == verdict
    assert because


def test_unscored_records_without_bounds_are_never_fixed() -> None:
    after = reading(0.01, 0.0, 0.05).model_copy(update={"coverage": 0.8, "worst_low": None, "worst_high": None})
    assert decide(BEFORE, after, reading(-0.59, -0.7, -0.5))[0] == "improved"


def test_verdict_turns_with_the_direction_of_harm() -> None:
    before, after, rise = reading(0.2, 0.1, 0.3), reading(0.8, 0.7, 0.9), reading(0.6, 0.5, 0.7)
    assert decide(before, after, rise, harm=1)[0] == "worse"
    assert decide(before, after, rise, harm=-1)[0] != "worse"


@pytest.fixture(scope="module")
def organism(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("organism") / "tiny"
    model = tiny_organism()
    save_model(model.module, model.tokenizer, {"name": "tiny"}, directory)
    return f"local/{directory}"


@pytest.fixture(scope="module")
def looped(organism: str, tmp_path_factory: pytest.TempPathFactory) -> LoopResult:
    out = tmp_path_factory.mktemp("loop") / "run"
    return gnomon.loop(organism, "sycophancy", n=12, out=out, settings=SMALL)


def test_both_audits_are_on_the_same_items_with_other_weights(looped: LoopResult) -> None:
    before, after = (RunDirectory.open(Path(looped.run) / phase) for phase in ("before", "after"))
    for name in before.evaluations():
        assert before.read_table(name)["item"].to_list() == after.read_table(name)["item"].to_list()
    assert {record.key for record in before.records()}.isdisjoint(record.key for record in after.records())
    assert before.description.configuration["model"] != after.description.configuration["model"]


def test_side_effects_cover_every_instrument_and_the_held_out_loss(looped: LoopResult) -> None:
    measured = {row.evaluation for row in looped.side_effects}
    assert measured == {"sycophancy", "calibration", "faithfulness", "held-out loss"}
    assert all((row.evaluation, row.name) != ("sycophancy", "agreement") for row in looped.side_effects)
    assert looped.difference.value == pytest.approx(looped.after.value - looped.before.value)  # type: ignore[operator]


def test_headline_and_side_effects_are_corrected_for_their_number_together(looped: LoopResult) -> None:
    p_values = [looped.p, *(row.p for row in looped.side_effects)]
    adjusted = [looped.p_adjusted, *(row.p_adjusted for row in looped.side_effects)]
    tested = [p for p in p_values if p is not None]
    assert [p for p in adjusted if p is not None] == sorted_back(tested)
    loss = next(row for row in looped.side_effects if row.evaluation == "held-out loss")
    assert loss.p is not None
    assert loss.p_adjusted is not None
    assert loss.p_adjusted > loss.p


def sorted_back(p_values: list[float]) -> list[float]:
    """Holm's adjusted p-values by their definition, in the given order."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    steps = [min(1.0, p_values[i] * (len(order) - rank)) for rank, i in enumerate(order)]
    found = {i: max(steps[: rank + 1]) for rank, i in enumerate(order)}
    return [found[i] for i in range(len(p_values))]


def test_the_held_out_loss_is_paired_by_document(looped: LoopResult) -> None:
    loss = next(row for row in looped.side_effects if row.evaluation == "held-out loss")
    assert loss.unit == "nats"
    assert "paired" in loss.method
    assert loss.before.n == loss.after.n == loss.n
    assert loss.worst_low is None
    assert loss.after.worst_high is None


def test_the_page_shows_the_verdict_first_and_the_words_as_text(looped: LoopResult) -> None:
    page = Path(looped.report).read_text()
    assert looped.verdict in page
    assert "Before and after" in page
    assert "http" not in page.split("<body", 1)[1].split("transcript", 1)[0]


def test_the_same_call_again_resumes_and_changes_nothing(looped: LoopResult, organism: str) -> None:
    path = Path(looped.run)
    tables = {table: table.read_bytes() for table in path.rglob("*.parquet")}
    (path / "loop.json").unlink()
    again = gnomon.loop(organism, "sycophancy", n=12, out=path, settings=SMALL)
    assert json.loads(again.model_dump_json()) == json.loads(looped.model_dump_json())
    assert {table: table.read_bytes() for table in path.rglob("*.parquet")} == tables


def test_what_has_no_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="no weights"):
        gnomon.loop("scripted/honest", "sycophancy", out=tmp_path / "run")


def test_an_unmeasured_behaviour_is_refused(organism: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="telepathy"):
        gnomon.loop(organism, "telepathy", out=tmp_path / "run")
