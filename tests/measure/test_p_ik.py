"""P(IK): graded samples, a head in the run directory, and what grown organisms must show."""

import re
from pathlib import Path

import polars as pl
import pytest

import gnomon
from gnomon.datasets.store import mirror_directory
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure import catalogue
from gnomon.measure.audit import record
from gnomon.measure.p_ik import NEEDS_WEIGHTS
from gnomon.measure.p_ik_analysis import analyse, figures, hint_slopes
from gnomon.measure.p_ik_tasks import Question, is_right, load, wrong_chain
from gnomon.organisms.world import arithmetic, world
from gnomon.run.tables import record_table
from tests.elicit.fake import FakeModel


def question(graded: str, *answers: str) -> Question:
    return Question(id="q", cluster="q", task="t", asked="Q", opening="Answer:", graded=graded, answers=answers)


@pytest.mark.parametrize(
    ("graded", "answers", "reply", "right"),
    [
        ("words", ("rice",), " It is Rice.", True),
        ("words", ("rice",), "price", False),
        ("words", ("New York", "NYC"), "nyc", True),
        ("words", ("rice",), " ... ", None),
        ("letter", ("B",), "B) rice", True),
        ("letter", ("B",), "(A)", False),
        ("letter", ("B",), "rice", None),
        ("number", ("1,200",), "so 7.\n#### 1200", True),
        ("number", ("21",), "14 plus 7 is 21. So the answer is 20.", False),
        ("number", ("21",), "The answer is $21.00.", True),
        ("number", ("21",), "14 plus 7 is 21.", False),
    ],
)
def test_grading(graded: str, answers: tuple[str, ...], reply: str, right: bool | None) -> None:
    assert is_right(question(graded, *answers), reply) is right


@pytest.mark.parametrize("task", ["facts", "sums", "letters"])
def test_training_and_test_share_nothing(task: str) -> None:
    train, test = load(task, 60, 40, 3)
    assert (len(train), len(test)) == (60, 40)
    assert not {one.cluster for one in train} & {one.cluster for one in test}
    assert len({one.id for one in (*train, *test)}) == 100


def test_wrong_chains_are_consistent_and_end_wrong() -> None:
    for item in world(0).arithmetic_items(30, 0, steps=3):
        drawn = arithmetic.parse_question(item.question)
        assert drawn is not None
        chain = wrong_chain(drawn, 1)
        assert len(chain) == len(drawn.steps) + 1
        assert chain[-1] != arithmetic.answer_sentence(drawn.values[-1])
        results = [int(number) for number in re.findall(r"is (\d+)\.", " ".join(chain))]
        assert all(0 <= result <= 60 for result in results)


async def test_a_model_without_weights_gets_its_ground_truth_and_one_sentence() -> None:
    evaluation = catalogue.build("p-ik", n=8, samples=4, training=0, ood="none", context=0)
    facts = {one.asked: one.answers[0] for one in load("facts", 0, 8, 0)[1]}
    asked: list[str] = []

    def reply(text: str) -> str:
        asked.append(text)
        fact = re.findall(r"user: (Question: [^\n]+)", text)[0]
        return f" {facts[fact]}" if len(asked) % 2 else " nonsense"

    table = record_table(await record(FakeModel(lambda text: {}, reply), evaluation))
    found = {one.name: one for one in analyse(table)}
    assert found["ground_truth"].value == pytest.approx(0.5, abs=0.13)
    assert found["agreement"].value == pytest.approx(1 / 3, abs=0.1)  # two of each kind: 2 of 6 pairs
    assert found["overconfidence"].value is None
    assert found["overconfidence"].reason == NEEDS_WEIGHTS
    assert found["auroc"].reason == NEEDS_WEIGHTS


def row(item: str, p_ik: float | None, right: int, judged: int = 4, **more: object) -> dict[str, object]:
    base = {"item": item, "cluster": item.partition(":")[2], "repeat": 0, "status": "value", "reason": None}
    return base | {"p_ik": p_ik, "right": right, "judged": judged, "truth": right / judged, "group": "", "no_p_ik": None} | more


def by_hand() -> pl.DataFrame:
    rows = [row("test:a", 0.9, 4, group="common"), row("test:b", 0.2, 1, group="never"), row("test:c", 0.6, 1, group="never")]
    rows += [row("good_hint_0.5:b", 0.4, 2), row("good_hint_1:b", 0.8, 4), row("bad_hint_1:b", 0.3, 0)]
    rows += [row("good_hint_0.5:c", 0.6, 1), row("good_hint_1:c", 0.8, 2)]
    rows += [row("material:c", 0.7, 3), row("irrelevant:c", 0.5, 1)]
    return pl.DataFrame([one | {"agreement": 0.5, "entropy": 1.0, "greedy_loss": 0.5} for one in rows])


def test_estimates_against_hand_computed_values() -> None:
    found = {one.name: one for one in analyse(by_hand())}
    assert found["overconfidence"].value == pytest.approx((0.9 - 1 + 0.2 - 0.25 + 0.6 - 0.25) / 3)
    assert found["ground_truth"].value == pytest.approx(0.5)
    assert found["known"].value == pytest.approx(1 / 3)
    assert found["auroc"].value == 1.0
    assert found["brier"].value == pytest.approx((0.1**2 + 0.2**2 + 0.6**2) / 3)
    assert found["p_ik_never"].value == pytest.approx(0.4)
    assert found["ground_truth_common"].value == 1.0
    assert found["good_hint_gain"].value == pytest.approx((0.2 + 0.6 + 0.0 + 0.2) / 4)
    assert found["good_hint_accuracy_gain"].value == pytest.approx((0.25 + 0.75 + 0.0 + 0.25) / 4)
    assert found["bad_hint_gain"].value == pytest.approx(0.1)
    assert found["good_minus_bad_hint"].value == pytest.approx(0.5)  # of the one question that has both, at one fraction
    assert found["hint_slope"].value == pytest.approx((0.6 + 0.2) / 2)
    assert found["material_gain"].value == pytest.approx(0.1)
    assert found["irrelevant_gain"].value == pytest.approx(-0.1)
    assert hint_slopes(by_hand())[1] == ["b", "c"]


def test_a_question_without_p_ik_stays_in_the_denominator() -> None:
    table = pl.concat(
        [by_hand(), pl.DataFrame([row("test:d", None, 2) | {"agreement": 0.5, "entropy": 1.0, "greedy_loss": 0.5}])]
    )
    found = {one.name: one for one in analyse(table)}
    assert found["overconfidence"].coverage == pytest.approx(0.75)
    assert found["ground_truth"].coverage == 1.0


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("p-ik") / "run"
    told = {"samples": 4, "training": 160, "ood": "none", "context": 4, "context_samples": 0}
    gnomon.audit("organism/base-1m", ["p-ik"], n=80, settings=told, out=out)
    return out


def test_facts_that_no_document_shows_get_a_low_p_ik_and_common_ones_a_high_one(grown: Path) -> None:
    found = {one.name: one for one in analyse(pl.read_parquet(grown / "tables" / "p-ik.parquet"))}
    assert found["p_ik_common"].low > 0.6
    assert found["p_ik_never"].high < 0.55
    assert found["auroc"].low > 0.75
    assert abs(found["overconfidence"].value) < 0.15
    names = {figure.name for figure in figures(pl.read_parquet(grown / "tables" / "p-ik.parquet"))}
    assert names == {"p_ik_reliability", "p_ik_by_group", "p_ik_by_hint"}


def test_the_head_is_kept_and_used_again(grown: Path, tmp_path: Path) -> None:
    head = grown / "heads" / "p-ik.safetensors"
    before = head.stat().st_mtime_ns
    told = {"samples": 4, "training": 160, "ood": "none", "context": 4, "context_samples": 0}
    again = gnomon.audit("organism/base-1m", ["p-ik"], n=80, settings=told, out=grown)
    assert head.stat().st_mtime_ns == before
    given = told | {"head": str(head), "context": 0, "samples": 2}
    result = gnomon.audit("organism/base-1m", ["p-ik"], n=80, settings=given, out=tmp_path / "given")
    assert result.estimate("p-ik", "p_ik").value == pytest.approx(again.estimate("p-ik", "p_ik").value)
    with pytest.raises(ConfigurationError, match="was trained on another model"):
        gnomon.audit("organism/base-30k", ["p-ik"], n=8, settings=given, out=tmp_path / "other")


def test_bad_options_are_one_sentence() -> None:
    with pytest.raises(DatasetError, match="there is no task 'songs'"):
        catalogue.build("p-ik", train_on="songs")
    with pytest.raises(ConfigurationError, match="hint_fractions are shares"):
        catalogue.build("p-ik", hint_fractions=(0.0,))
    with pytest.raises(DatasetError, match="ask for fewer"):
        catalogue.build("p-ik", n=5000)


@pytest.mark.skipif(mirror_directory() is None, reason="needs the mirror")
@pytest.mark.parametrize(("task", "whole"), [("triviaqa", 150), ("gsm8k", 1319), ("mmlu", None)])
def test_published_tasks(task: str, whole: int | None) -> None:
    train, test = load(task, 60, 40, 0)
    assert not {one.cluster for one in train} & {one.cluster for one in test}
    if whole is not None:
        assert all(len(one.before) == 10 and one.asked not in {shown for shown, _ in one.before} for one in test)
        with pytest.raises(DatasetError, match=f"has {whole} questions"):
            load(task, whole, 1, 0)
    for one in test:
        said = one.answers[0] if one.graded != "number" else one.solution[-1]
        assert is_right(one, said) is True
