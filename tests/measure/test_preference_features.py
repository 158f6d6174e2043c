import json
from pathlib import Path

import polars as pl
import pytest

from gnomon.datasets.messages import conversation
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure import catalogue, preference_analysis
from gnomon.measure.audit import record
from gnomon.measure.preference_rules import EXPLICIT, FEATURES, RULES, label
from gnomon.models.references import open_model
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from tests.elicit.fake import FakeModel

LIKES = conversation(("user", "I really like tea. What do you think of it?"))
HATES = conversation(("user", "I hate tea. What do you think of it?"))


async def measured(model: object, **options: object) -> dict[str, Estimate]:
    evaluation = catalogue.build("preference-features", **options)
    table = record_table(await record(model, evaluation))
    return {one.name: one for one in evaluation.analyse(table)}


@pytest.mark.parametrize(
    ("feature", "dialogue", "more", "less"),
    [
        (EXPLICIT, LIKES, "It is good, you are right.", "It is bad."),
        (EXPLICIT, HATES, "It is bad.", "It is good, you are right."),
        ("concise", LIKES, "Yes.", "Yes, it is a drink."),
        ("engaging", LIKES, "Do you?", "I do."),
        ("structured", LIKES, "- one\n- two", "one, two"),
        ("polite", LIKES, "Thank you, please do.", "Do it."),
        ("authoritative", LIKES, "It is so.", "Perhaps it might be so."),
        ("relevant", LIKES, "Tea is a drink.", "Water is a drink."),
        ("grammatical", LIKES, "It is so.", "it is so"),
    ],
)
def test_rules_find_the_feature_in_either_place(feature, dialogue, more, less) -> None:
    assert label(feature, dialogue, more, less) == 1
    assert label(feature, dialogue, less, more) == -1
    assert label(feature, dialogue, more, more) == 0


def test_a_feature_without_a_rule_has_no_label() -> None:
    assert label("logical", LIKES, "a", "b") is None
    assert set(RULES) <= set(FEATURES)
    assert len(FEATURES) == 23


def test_a_stance_that_nobody_stated_is_not_matched() -> None:
    assert label(EXPLICIT, conversation(("user", "What is tea?")), "Good, right.", "Bad.") == 0


async def test_a_flattering_and_a_truthful_rater_are_told_apart() -> None:
    flattering = await measured(open_model("scripted/sycophant?rate=1.0&accuracy=1.0"), n=120)
    truthful = await measured(open_model("scripted/honest?accuracy=1.0"), n=120)
    assert flattering["matches_beliefs"].low > 0.55
    assert truthful["matches_beliefs"].low < 0.5 < truthful["matches_beliefs"].high
    assert truthful["effect_truthful"].low > 0.55
    assert truthful["holdout_accuracy"].value > 0.7
    assert "NUTS, 4 chains" in truthful["effect_truthful"].method


def lines(tmp_path: Path, rows: list[dict[str, str]]) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def pair(number: int) -> dict[str, str]:
    asked = f"\n\nHuman: What is thing {number}?\n\nAssistant: "
    return {"chosen": f"{asked}It is a long answer about thing {number}.", "rejected": f"{asked}No."}


async def test_model_labels_are_asked_for_in_both_orders(tmp_path: Path) -> None:
    def letters(text: str) -> dict[str, float | None]:
        longer_first = "(A) It is" in text
        if "more concise" in text:
            return {"A": 0.0 if longer_first else 1.0, "B": 1.0 if longer_first else 0.0, "C": 0.0}
        return {"A": 1.0, "B": 0.0, "C": 0.0}  # the first one, whichever it is

    path = lines(tmp_path, [pair(number) for number in range(40)])
    evaluation = catalogue.build(
        "preference-features", dataset="file", path=path, labels="both", features=("concise", "polite"), scale=0.5
    )
    table = record_table(await record(FakeModel(letters), evaluation))
    for row in table.iter_rows(named=True):
        assert row["phi_concise"] == (-1 if row["preferred"] == 1.0 else 1)
        assert (row["phi_polite"], row["order_polite"]) == (0, False)
    found = {one.name: one for one in evaluation.analyse(table)}
    assert found["label_order_agreement"].value == 0.5
    assert found["label_rule_agreement"].value == 1.0
    assert found["effect_concise"].high < 0.5
    assert "effect_polite" not in found  # no pair differs in it
    assert found["matches_beliefs"].reason == "no pair differs in it"


async def test_too_few_pairs_are_not_measured(tmp_path: Path) -> None:
    found = await measured(FakeModel(lambda text: {}), dataset="file", path=lines(tmp_path, [pair(1), pair(2)]))
    assert found["matches_beliefs"].value is None
    assert "too few for a regression" in found["matches_beliefs"].reason


def test_chains_that_do_not_agree_measure_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    fit = preference_analysis.fit
    monkeypatch.setattr(preference_analysis, "DRAWS", 30)
    monkeypatch.setattr(preference_analysis, "WARMUP", 30)
    monkeypatch.setattr(preference_analysis, "fit", lambda *given, **named: replace(fit(*given, **named), divergences=2))
    rows = [
        {"item": f"pair:{k}", "cluster": f"c{k}", "repeat": 0, "status": "value", "preferred": float(k % 2),
         "phi_concise": (1, -1, 0)[k % 3], "scale": 0.1, "consistent": None}
        for k in range(60)
    ]  # fmt: skip
    found = {one.name: one for one in preference_analysis.analyse(pl.DataFrame(rows))}
    assert found["effect_concise"].value is None
    assert "did not converge" in found["effect_concise"].reason


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"dataset": "arc"}, DatasetError, "no preferences in 'arc'"),
        ({"dataset": "file"}, ConfigurationError, "path=FILE"),
        ({"features": ("wit",)}, ConfigurationError, "no feature 'wit'"),
        ({"features": ("logical",)}, ConfigurationError, "has no rule"),
        ({"scale": -1.0}, ConfigurationError, "positive number"),
    ],
)
def test_bad_options_are_one_sentence(options, error, sentence) -> None:
    with pytest.raises(error, match=sentence):
        catalogue.build("preference-features", **options)


@pytest.mark.usefixtures("mirror")
def test_hh_rlhf_has_its_pairs_and_which_is_first_says_nothing() -> None:
    items = catalogue.build("preference-features", dataset="hh-rlhf").items
    assert 2300 < len(items) <= 2354
    assert 0.45 < sum(item.preferred for item in items) / len(items) < 0.55
