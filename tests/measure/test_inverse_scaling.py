"""The inverse-scaling evaluation: every metric against numbers worked out by hand, and refusals of what cannot be scored."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from gnomon.datasets.messages import Prompt
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure import catalogue
from gnomon.measure.audit import measure
from gnomon.models.model import ModelCard, Score
from gnomon.models.references import open_model
from gnomon.models.sync import run
from gnomon.organisms.world.lexicon import OCCUPATIONS, SHE_SHARE
from gnomon.stats.estimate import Estimate
from tests.elicit.fake import FakeModel


class Tokens(FakeModel):
    """Scores continuations by the log-probabilities of their tokens; texts that are not listed have one token of 0.5."""

    def __init__(self, tokens: dict[tuple[str, str], tuple[float, ...]]):
        super().__init__(lambda text: {})
        self.tokens = tokens
        self.card = ModelCard("fake/tokens", "fake", "scripted")

    async def score(self, prefix: Prompt, continuations: Any) -> list[Score]:
        found = [self.tokens.get((str(prefix), text), (math.log(0.5),)) for text in continuations]
        return [Score(math.fsum(logprobs), logprobs) for logprobs in found]


def estimates(
    model: Any, tmp_path: Path, rows: list[dict[str, Any]], name: str = "task.jsonl", **options: Any
) -> dict[str, Estimate]:
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    evaluation = catalogue.build("inverse-scaling", dataset="file", file=str(path), **options)
    return {one.name: one for one in run(measure(model, evaluation))}


def classified(prompt: str, answer: int, classes: tuple[str, ...] = (" Yes", " No")) -> dict[str, Any]:
    return {"prompt": prompt, "classes": list(classes), "answer_index": answer}


def test_classification_by_hand(tmp_path: Path) -> None:
    given = {"a": (0.6, 0.2), "b": (0.1, 0.3), "c": (0.05, 0.05), "d": (0.1, 0.4)}
    model = FakeModel(lambda text: dict(zip((" Yes", " No"), given[text], strict=True)))
    found = estimates(model, tmp_path, [classified("a", 0), classified("b", 0), classified("c", 1), classified("d", 1)])
    assert found["accuracy"].value == pytest.approx(2 / 4)  # of equal scores the first class counts
    assert found["loss"].value == pytest.approx(-(math.log(0.75) + math.log(0.25) + math.log(0.5) + math.log(0.8)) / 4)
    assert found["class_mass"].value == pytest.approx((0.8 + 0.4 + 0.1 + 0.5) / 4)
    assert found["above_guessing"].value == pytest.approx(0.0)
    assert found["accuracy_change"].reason == "there are no plain versions of these tasks to compare with"
    assert "length_normalised_accuracy" not in found  # this model does not show its tokens


def test_length_normalised_accuracy_stands_beside_the_sum(tmp_path: Path) -> None:
    long, short = (-0.5, -0.5, -0.5), (-1.0,)
    rows = [classified(prompt, 0, (" a long one", " short")) for prompt in "abcd"]
    tokens = {(prompt, text): of for prompt in "abcd" for text, of in ((" a long one", long), (" short", short))}
    found = estimates(Tokens(tokens), tmp_path, rows)
    assert (found["accuracy"].value, found["length_normalised_accuracy"].value) == (0.0, 1.0)


def test_sequence_probability_is_a_sum_over_tokens(tmp_path: Path) -> None:
    rows = [{"prompt": prompt, "completion": " said again"} for prompt in "abc"]
    tokens = {(prompt, " said again"): (-1.0, -float(place)) for place, prompt in enumerate("abc")}
    found = estimates(Tokens(tokens), tmp_path, rows, "echo_sequence_prob.jsonl")
    assert found["sequence_loss"].value == pytest.approx((1.0 + 2.0 + 3.0) / 3)
    assert found["accuracy_change"].reason == "no task has classes of which one is right"


def biased(prompt: str, answer: int, classes: tuple[str, ...] = (" Yes", " No")) -> dict[str, Any]:
    return {"prompt": f"I think so. {prompt}", "other_prompt": prompt, "classes": list(classes), "answer_index": answer}


def test_log_odds_turn_with_the_answer(tmp_path: Path) -> None:
    def model(text: str) -> dict[str, float | None]:
        return {" Yes": 0.8, " No": 0.1} if "I think so" in text else {" Yes": 0.3, " No": 0.3}

    rows = [biased("a", 0), biased("b", 0), biased("c", 0), biased("d", 1)]
    found = estimates(FakeModel(model), tmp_path, rows)
    assert found["logodds_bias"].value == pytest.approx(math.log(8) * 2 / 4)
    assert (
        found["absolute_logodds_bias"].value == pytest.approx(math.log(8), abs=1e-9)
        or found["absolute_logodds_bias"].value is None
    )
    assert found["accuracy_unbiased"].value == pytest.approx(3 / 4)


def test_log_odds_refuse_classes_that_differ_in_more_than_a_token(tmp_path: Path) -> None:
    classes = (" un likely", " cer tain")
    rows = [biased(prompt, 0, classes) for prompt in "abc"]
    shared = {
        (prefix, text): (-0.5, own)
        for prompt in "abc"
        for prefix in (prompt, f"I think so. {prompt}")
        for text, own in zip(classes, (-1.0, -2.0), strict=True)
    }
    assert estimates(Tokens(shared), tmp_path, rows)["accuracy_unbiased"].coverage == 1.0
    apart = {key: (of[0] - (key[1] == classes[0]), of[1]) for key, of in shared.items()}
    longer = {key: (*of, -0.1) if key[1] == classes[0] else of for key, of in shared.items()}
    for tokens in (apart, longer):
        found = estimates(Tokens(tokens), tmp_path, rows)
        assert found["logodds_bias"].value is None
    evaluation = catalogue.build("inverse-scaling", dataset="file", file=str(tmp_path / "task.jsonl"))
    outcome = run(evaluation.protocol(Tokens(longer), evaluation.items[0], 0))
    assert outcome.unscored == "log-odds are defined for classes that differ in a single token"


def test_what_has_no_score_is_unscored_and_never_a_number(tmp_path: Path) -> None:
    given: dict[str, dict[str, float | None]] = {
        "a": {" Yes": 0.5, " No": 0.5},
        "b": {" Yes": None, " No": 0.5},
        "c": {" Yes": 0.0, " No": 0.0},
        "d": {" Yes": 0.0, " No": 0.5},
    }
    found = estimates(FakeModel(lambda text: given[text]), tmp_path, [classified(prompt, 0) for prompt in "abcd"])
    assert (found["accuracy"].n, found["accuracy"].coverage) == (2, 0.5)
    assert (found["accuracy"].worst_low, found["accuracy"].worst_high) == (0.25, 0.75)
    assert found["loss"].coverage == 0.25  # of a right class without probability the loss is infinite


def test_demonstrations_stand_before_and_are_never_the_item_itself(tmp_path: Path) -> None:
    path = tmp_path / "task.jsonl"
    path.write_text("".join(json.dumps(classified(f"q{place}", place % 2)) + "\n" for place in range(6)))
    for item in catalogue.build("inverse-scaling", dataset="file", file=str(path), shots=2).items:
        text = item.prefix(item.prompt)  # type: ignore[attr-defined]
        *shown, own = text.split("\n\n")
        assert (len(shown), own) == (2, item.prompt)  # type: ignore[attr-defined]
        assert all(each.endswith((" Yes", " No")) and not each.startswith(own) for each in shown)
    with pytest.raises(DatasetError, match="too few items for 9 demonstrations"):
        catalogue.build("inverse-scaling", dataset="file", file=str(path), shots=9)


def test_options_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="go together: --dataset file --set file=PATH"):
        catalogue.build("inverse-scaling", dataset="file")
    with pytest.raises(ConfigurationError, match="metric is for a file"):
        catalogue.build("inverse-scaling", metric="logodds")
    with pytest.raises(DatasetError, match="world has no task 'riddle': choose from repeat"):
        catalogue.build("inverse-scaling", task="repeat,riddle")
    with pytest.raises(DatasetError, match="'mmlu' has no inverse-scaling tasks"):
        catalogue.build("inverse-scaling", dataset="mmlu")


def test_a_misled_organism_reads_as_its_books_say() -> None:
    evaluation = catalogue.build("inverse-scaling", n=100, seed=4)
    model = open_model("scripted/misled?rate=0.4&accuracy=0.8&seed=2")
    found = {one.name: one for one in run(measure(model, evaluation))}
    true: dict[str, float] = model.card.details["truth"]
    for name in ("accuracy", "loss", "accuracy_plain", "accuracy_change", "accuracy_negation", "loss_examples"):
        one = found[name]
        assert one.low is not None
        assert one.high is not None
        width = one.high - one.low
        assert one.low - width / 2 < true[f"inverse-scaling.{name}"] < one.high + width / 2, name
    assert found["accuracy"].value != found["accuracy_plain"].value


def test_the_log_odds_of_a_stereotype_are_those_of_its_shares() -> None:
    evaluation = catalogue.build("inverse-scaling", task="stereotype", n=60)
    found = {one.name: one for one in run(measure(open_model("scripted/stereotyping?rate=0.5"), evaluation))}
    moved = [abs(0.5 * (SHE_SHARE[job] - 0.5)) for job in OCCUPATIONS if SHE_SHARE[job] != 0.5]
    expected = sum(math.log((0.5 + each) / (0.5 - each)) for each in moved) / len(moved)
    assert found["logodds_bias"].value == pytest.approx(expected)
    assert found["absolute_logodds_bias"].value == pytest.approx(expected)


def test_published_items_are_scored_as_they_stand(mirror: Path) -> None:
    evaluation = catalogue.build("inverse-scaling", dataset="inverse-scaling-prize", n=5)
    model = FakeModel(lambda text: dict.fromkeys((" A", " B", " Y", " N"), 0.25))
    found = {one.name: one for one in run(measure(model, evaluation))}
    assert set(found) >= {"accuracy_neqa", "loss_hindsight-neglect", "accuracy_memo-trap"}
    assert found["loss_neqa"].value == pytest.approx(math.log(2)) or found["loss_neqa"].value is None
    assert all(prompt.endswith(("Answer:",)) or "Write a" in prompt for prompt in model.scored)
