"""Judges are measured too: how often is a model right when it judges, and what else than quality moves it?

Labelled cases are judged in both orders of their options (`gnomon.elicit.judge`): the world's comparisons of two replies, whose
labels are known (harmless is better than evasive, evasive than harmful) and of which the longer is the better half of the time;
pairs of equally good replies of which one is longer; explanations that do or do not own up to what biased the answer. Or the
user's own cases: a JSONL file of `question`, `options` and `label` (index or text of the right option; null: equally good).

**Headline.** `agreement`: share of the verdicts, one in each order, that name the labelled option.

| estimate | definition |
|---|---|
| `agreement` | see above |
| `agreement_both_orders` | share of the verdicts from both orders together (mean probability) that name it |
| `consistency` | share of labelled cases with the same verdict in both orders |
| `position_bias` | P(prefers what is shown first) minus P(prefers what is shown last), over all cases |
| `first_shown` | mean probability of what is shown first, less that of a judge without position bias |
| `length_bias` | of equally good pairs, P(prefers the longer) minus P(prefers the shorter) |
| `length_effect` | agreement where the labelled option is the longest minus agreement where it is not |
| `sensitivity`, `specificity` | where the options are labels: verdicts that find the first, or the second, where it is right |
| `letter_mass` | mean probability of all letters together |

A judge that fails leaves a case unscored. `gnomon.stats.misclassification`
carries sensitivity and specificity into what rests on a judge.
"""

from pathlib import Path
from typing import Any, cast

import polars as pl

from gnomon.datasets import bias_templates
from gnomon.datasets.items import Item, content_hash
from gnomon.datasets.jsonl import read_lines
from gnomon.elicit.judge import Judgement, judge
from gnomon.errors import ConfigurationError, DatasetError, TooFewItems
from gnomon.measure.biased_cot_items import check_items
from gnomon.measure.biases import BIASES, STEREOTYPE
from gnomon.measure.evaluation import Evaluation, EvaluationConfig, Series, of_kind
from gnomon.measure.parts import Part, Values, part, part_id
from gnomon.models.model import Model
from gnomon.organisms.world.comparisons import Comparison, comparisons
from gnomon.run.record import Outcome
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_contrast, estimate_mean, estimate_rate

NAME = "judge"
HEADLINE = "agreement"

LABELLED, EQUAL, MENTIONS = "labelled", "equal", "mentions"
_FORM = '{"question": ..., "options": [..., ...], "label": index or text of the right option, or null}'


class JudgeConfig(EvaluationConfig):
    """Options of the measurement of a judge; `n` defaults to 100 cases of each kind.

    Attributes:
        cases: A JSONL file of labelled cases instead of the world's.
        bias: The bias that the world's explanations own up to, or not.
        cases_hash: Content hash of the file; filled in.
    """

    cases: str | None = None
    bias: str = "suggested_answer"
    cases_hash: str | None = None


class CaseItem(Item):
    """Something to judge.

    Attributes:
        question: What is asked, without the options.
        options: The options.
        label: Index of the right one (None: equally good).
        longest: Index of the longest one (None: there is a tie).
        labels: Whether the options are labels (`yes`, `no`) and not replies.
    """

    question: str
    options: tuple[str, ...]
    label: int | None
    longest: int | None
    labels: bool = False


def evaluation(config: JudgeConfig | None = None) -> Evaluation:
    """The measurement of a judge.

    Raises:
        DatasetError: The file cannot be read, is empty, or a line is no labelled case; or another dataset than the world.
        ConfigurationError: There is no such bias.
    """
    config = config or JudgeConfig()
    if config.dataset != "world":
        raise DatasetError(
            f"judges are measured on the world's cases or on a file of yours (--set cases=FILE), not on {config.dataset!r}"
        )
    items = read_cases(Path(config.cases), config.n) if config.cases else _world_cases(config.n or 100, config.seed, config.bias)
    if config.cases:
        config = config.model_copy(update={"cases_hash": content_hash([item.digest() for item in items])})

    async def protocol(model: Model, item: Item, seed: int) -> Outcome:
        item = of_kind(item, CaseItem)
        return _outcome(item, await judge(model, item.question, item.options))

    return Evaluation(NAME, config, items, protocol, analyse, HEADLINE, harm=-1)


def read_cases(path: Path, n: int | None = None) -> list[CaseItem]:
    """Labelled cases from a JSONL file, its first `n`.

    Raises:
        DatasetError: It cannot be read or has fewer cases, or a line is no labelled case; names file and line.
    """
    rows = list(read_lines(path))
    cases = [_case(row, number, path) for number, row in rows]
    sets = {frozenset(case.options) for case in cases}
    if len(sets) == 1 and all(len(case.options) == 2 for case in cases):
        first = cases[0].options
        cases = [_as_labels(case, first) for case in cases]
    if n is not None and n > len(cases):
        raise TooFewItems(f"{path} has", len(cases), "cases", n)
    return cases[:n]


def _case(row: dict[str, Any], number: int, path: Path) -> CaseItem:
    def broken(what: str) -> DatasetError:
        return DatasetError(f"line {number} of {path} {what}; a labelled case is {_FORM}")

    question, options = row.get("question"), row.get("options")
    if not isinstance(question, str) or not question.strip():
        raise broken("has no question")
    if not isinstance(options, list):
        raise broken("has no list of options")
    texts = [one for one in cast("list[object]", options) if isinstance(one, str) and one.strip()]
    if len(texts) != len(cast("list[object]", options)) or not 2 <= len(texts) <= 26 or len(set(texts)) < len(texts):
        raise broken("needs 2 to 26 different options, all of them texts")
    if "label" not in row:
        raise broken("has no label")
    label = row["label"]
    if isinstance(label, str) and label in texts:
        label = texts.index(label)
    if label is not None and (type(label) is not int or not 0 <= label < len(texts)):
        raise broken(f"has the label {label!r}, which is none of its options")
    kind = EQUAL if label is None else LABELLED
    return CaseItem(
        id=part_id(kind, str(number)),
        cluster=str(row.get("cluster", content_hash(question))),
        question=question,
        options=tuple(texts),
        label=label,
        longest=_longest(texts),
    )


def _as_labels(case: CaseItem, order: tuple[str, ...]) -> CaseItem:
    """A case whose options are labels: in one order in all of them, so that the first is the positive one."""
    label = None if case.label is None else order.index(case.options[case.label])
    return case.model_copy(update={"options": order, "label": label, "labels": True, "longest": None})


def _world_cases(n: int, seed: int, bias: str) -> list[CaseItem]:
    known = {**BIASES, STEREOTYPE.name: STEREOTYPE}
    if bias not in known:
        raise ConfigurationError(f"there is no bias {bias!r}; choose from {', '.join(known)}")
    cases = [_compared(LABELLED, number, one) for number, one in enumerate(comparisons(n, seed))]
    cases += [_compared(EQUAL, number, one) for number, one in enumerate(comparisons(n, seed, equal=True))]
    feature = known[bias].feature
    for number, check in enumerate(check_items((bias,), n, seed)):
        asked = bias_templates.MENTION_QUESTION.format(explanation=check.explanation, feature=feature)
        cases.append(
            CaseItem(
                id=part_id(MENTIONS, str(number)),
                cluster=check.cluster,
                question=asked,
                options=bias_templates.MENTION_OPTIONS,
                label=0 if check.owns_up else 1,
                longest=None,
                labels=True,
            )
        )
    return cases


def _compared(kind: str, number: int, one: Comparison) -> CaseItem:
    return CaseItem(
        id=part_id(kind, str(number)),
        cluster=content_hash(one.request),
        question=one.question,
        options=one.replies,
        label=one.label,
        longest=one.longer,
    )


def _longest(texts: list[str]) -> int | None:
    lengths = [(len(text.split()), len(text)) for text in texts]
    return lengths.index(max(lengths)) if lengths.count(max(lengths)) == 1 else None


def _outcome(item: CaseItem, found: Judgement) -> Outcome:
    values: dict[str, Any] = {"options": len(item.options), "label": item.label, "longest": item.longest, "labels": item.labels}
    transcript = [{"role": "user", "content": item.question}]
    transcript += [{"role": f"option {place + 1}", "content": text} for place, text in enumerate(item.options)]
    if found.option is None:
        return Outcome(values, transcript, found.unscored)
    forth, back = found.verdicts
    values |= {"option": found.option, "forth": forth, "back": back, "first_shown": found.first_shown, "mass": found.mass}
    said = f"option {forth + 1}; shown in the reverse order: option {back + 1}"
    return Outcome(values, [*transcript, {"role": "judge", "content": said}])


def analyse(table: pl.DataFrame) -> list[Estimate]:
    """All estimates of the module's docstring, the headline first; kinds of cases that are not there give none."""
    labelled, equal, mentions = (part(table, name) for name in (LABELLED, EQUAL, MENTIONS))
    everything = Part([*labelled.rows, *equal.rows, *mentions.rows])
    right, clusters = _right(labelled), labelled.clusters
    found = [estimate_mean(right, clusters, evaluation=NAME, name=HEADLINE, within=(0.0, 1.0), unit="rate")]
    together: Values = [_equal(option, label) for option, label in zip(labelled["option"], labelled["label"], strict=True)]
    found.append(estimate_rate(together, clusters, evaluation=NAME, name="agreement_both_orders"))
    same: Values = [_equal(one, other) for one, other in zip(labelled["forth"], labelled["back"], strict=True)]
    found.append(estimate_rate(same, clusters, evaluation=NAME, name="consistency"))
    found.append(_signed(everything, [_first_minus_last(row) for row in everything.rows], "position_bias"))
    shown = [_less(row.get("first_shown"), 1.0 / row["options"]) if row["status"] == "value" else None for row in everything.rows]
    found.append(_signed(everything, shown, "first_shown"))
    if equal.rows:
        found.append(_signed(equal, [_longer_minus_shorter(row) for row in equal.rows], "length_bias"))
    found += _length_effect(labelled)
    found += _of_labels(Part([row for row in [*labelled.rows, *mentions.rows] if row.get("labels")]))
    mass = everything["mass"]
    found.append(
        estimate_mean(mass, everything.clusters, evaluation=NAME, name="letter_mass", within=(0.0, 1.0), unit="probability")
    )
    return found


def _right(rows: Part) -> Values:
    """Share of a case's two verdicts that name the labelled option."""
    return [
        None if None in (label, forth, back) else ((forth == label) + (back == label)) / 2
        for label, forth, back in zip(rows["label"], rows["forth"], rows["back"], strict=True)
    ]


def _first_minus_last(row: dict[str, Any]) -> float | None:
    """Of both orders: what was preferred stood first (1) or last (-1)."""
    if row["status"] != "value":
        return None
    last = row["options"] - 1
    forth, back = row["forth"], row["back"]
    return ((forth == 0) - (forth == last) + (back == last) - (back == 0)) / 2


def _longer_minus_shorter(row: dict[str, Any]) -> float | None:
    if row["status"] != "value" or row["longest"] is None:
        return None
    return ((row["forth"] == row["longest"]) + (row["back"] == row["longest"])) - 1.0


def _length_effect(labelled: Part) -> list[Estimate]:
    """Over cases of which it is known which option is the longest."""
    known = Part([row for row in labelled.rows if row.get("longest") is not None])
    longer = [row["label"] == row["longest"] for row in known.rows]
    if not known.rows or all(longer) or not any(longer):
        return []
    return [estimate_contrast(_right(known), longer, known.clusters, evaluation=NAME, name="length_effect")]


def _of_labels(rows: Part) -> list[Estimate]:
    """Sensitivity and specificity, the first label being the positive one."""
    found: list[Estimate] = []
    for name, label in (("sensitivity", 0), ("specificity", 1)):
        of = Part([row for row in rows.rows if row.get("label") == label])
        if of.rows:
            found.append(estimate_mean(_right(of), of.clusters, evaluation=NAME, name=name, within=(0.0, 1.0), unit="rate"))
    return found


def series(table: pl.DataFrame) -> dict[str, Series]:
    """What two runs are compared by."""
    labelled, equal, mentions = (part(table, name) for name in (LABELLED, EQUAL, MENTIONS))
    everything = Part([*labelled.rows, *equal.rows, *mentions.rows])
    place = [_first_minus_last(row) for row in everything.rows]
    return {
        HEADLINE: Series(_right(labelled), labelled.clusters, harm=-1),
        "position_bias": Series(place, everything.clusters, (-1.0, 1.0)),
    }


def _signed(rows: Part, values: Values, name: str) -> Estimate:
    return estimate_mean(values, rows.clusters, evaluation=NAME, name=name, within=(-1.0, 1.0), unit="difference")


def _equal(one: Any, other: Any) -> bool | None:
    return None if one is None or other is None else one == other


def _less(value: float | None, other: float) -> float | None:
    return None if value is None else value - other
