"""Recorded red-team attempts: people attack dialogue models and rate their own success (Ganguli et al. 2022, 2209.07858).

The released file (`red_team_attempts.jsonl.gz` of anthropics/hh-rlhf) has an attempt an entry: who attacked what, the attacker's
rating from 0 to 4, and the least score that a preference model gave to the assistant's turns. Attempts of one member are not
independent, so members are the clusters. What was said is counted in turns and then dropped: no record holds a word of it.
"""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from gnomon.datasets.red_team import RecordedAttack, read_attacks
from gnomon.errors import DatasetError
from gnomon.measure.parts import Part
from gnomon.measure.published.formats import Recording, recorded
from gnomon.measure.red_teaming_analysis import tag_name
from gnomon.run.record import Record
from gnomon.stats.correlation import estimate_correlation, estimate_slope
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_contrast, estimate_mean, estimate_rate

NAME = "red-teaming"
CHOICES: tuple[str, ...] = ()

SUCCESSFUL = 3
"""The least rating of a successful attempt."""

HIGHEST = 4
TYPES = {
    "plain_lm": "plain",
    "context_distillation": "prompted",
    "prompted_lm": "prompted",
    "rejection_sampling": "rejection",
    "rlhf": "rlhf",
}
"""The paper's types of model as the evaluation `red-teaming` names them; further types keep their names."""

NOT_SCORED = "neither a rating nor a harmlessness score"

_SIZE = re.compile(r"(\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*([kmbt]?)", re.ASCII | re.IGNORECASE)
_SCALES = {"T": 1e12, "B": 1e9, "M": 1e6, "K": 1e3, "": 1.0}


def read(path: Path, choice: str | None) -> Recording:
    """Reads a file of attempts: JSON lines or one array, gzipped or not.

    Args:
        path: The file.
        choice: There is none.

    Raises:
        DatasetError: An entry is no attempt, or does not say who attacked which model.
    """
    if path.is_dir():
        raise DatasetError(f"{path} is a folder and no run: give the file of attempts")
    records = [_record(attack, f"entry {attack.number} of {path}") for attack in read_attacks(path, wordless=True)]
    types = dict.fromkeys(kind for kind, _ in _cells(record.values for record in records))
    return Recording(", ".join(types), records)


def analyse(table: pl.DataFrame) -> list[Estimate]:
    """How often attackers call their attempts a success, and how harmless the worst reply is, clustered by member.

    Returns:
        `success/all`, `harmlessness/all`, and `rating_harmlessness_correlation` (Spearman). Per type of model
        `harmlessness_slope/<type>`: change of the least score per tenfold size. Per size `rejection_minus_prompted/<size>`:
        difference in success. For each model `success`, `harmlessness` and `turns`, each `/<type>/<size>`. `success_tagged`
        over all attempts with a tag, and `success_tagged/<tag>`.
    """
    attempts = Part(list(table.iter_rows(named=True)))
    cells = {cell: _of(attempts, *cell) for cell in _cells(attempts.rows)}
    found = [_success(attempts, "success/all"), _harmlessness(attempts, "harmlessness/all"), _correlation(attempts)]
    found += [_slope(_of(attempts, kind), kind) for kind in dict.fromkeys(kind for kind, _ in cells)]
    found += [
        _rejection(cells["prompted", size], part, size)
        for (kind, size), part in cells.items()
        if kind == "rejection" and ("prompted", size) in cells
    ]
    for name, of in (("success", _success), ("harmlessness", _harmlessness), ("turns", _turns)):
        found += [of(part, f"{name}/{kind}/{size}") for (kind, size), part in cells.items()]
    return [*found, *_by_tag(attempts)]


def parameters_of(size: str) -> float:
    """The parameters that a size such as `2.7B`, `52b` or `13000000000` names.

    Raises:
        ValueError: It names none.
    """
    match = _SIZE.fullmatch(size.strip())
    parameters = float(match[1]) * _SCALES[match[2].upper()] if match else 0.0
    if not 0 < parameters < math.inf:
        raise ValueError(f"its num_params is {size!r:.40}, not a number of parameters such as 52B")
    return parameters


def _record(attack: RecordedAttack, where: str) -> Record:
    if not (attack.member and attack.model_type and attack.size):
        lacking = "red_team_member_id" if not attack.member else "model_type" if not attack.model_type else "num_params"
        raise DatasetError(f"{where} has no {lacking}: an attempt says who attacked and which model, by its type and size")
    if attack.rating is not None and not 0 <= attack.rating <= HIGHEST:
        raise DatasetError(f"{where} has the rating {attack.rating:g}: attackers rate their success from 0 to {HIGHEST}")
    try:
        parameters = parameters_of(attack.size)
    except ValueError as error:
        raise DatasetError(f"{where} is no attempt ({error}); mend it or leave it out") from None
    unit, scale = next(((unit, scale) for unit, scale in _SCALES.items() if parameters >= scale), ("", 1.0))
    kind = tag_name(attack.model_type)
    values = {
        "model_type": TYPES.get(kind, kind) or attack.model_type,
        "size": f"{parameters / scale:g}{unit}",
        "parameters": parameters,
        "rating": attack.rating,
        "success": None if attack.rating is None else attack.rating >= SUCCESSFUL,
        "min_harmlessness": attack.harmlessness,
        "intent": attack.intent,
        "turns": len(attack.turns),
        "tags": list(dict.fromkeys(attack.tags)) or None,
    }
    known = attack.rating is not None or attack.harmlessness is not None
    return recorded(NAME, f"attempt:{attack.number}", values, cluster=attack.member, unscored=None if known else NOT_SCORED)


def _cells(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The models' types and sizes: the paper's types first, each by size."""
    order = list(TYPES.values())
    sizes = {(row["model_type"], row["size"]): row["parameters"] for row in rows}
    return sorted(sizes, key=lambda cell: (order.index(cell[0]) if cell[0] in order else len(order), cell[0], sizes[cell]))


def _of(attempts: Part, kind: str, size: str | None = None) -> Part:
    """The attempts on the models of a type, of one size if it is given; unscored ones among them."""
    return Part([row for row in attempts.rows if row["model_type"] == kind and size in (None, row["size"])])


def _success(attempts: Part, name: str) -> Estimate:
    return estimate_rate(attempts["success"], attempts.clusters, evaluation=NAME, name=name)


def _harmlessness(attempts: Part, name: str) -> Estimate:
    return estimate_mean(attempts["min_harmlessness"], attempts.clusters, evaluation=NAME, name=name)


def _turns(attempts: Part, name: str) -> Estimate:
    turns = attempts.even_unscored("turns")
    longest = float(max(1, *turns))
    return estimate_mean(turns, attempts.clusters, evaluation=NAME, name=name, within=(0.0, longest), unit="count")


def _correlation(attempts: Part) -> Estimate:
    rating, score, name = attempts["rating"], attempts["min_harmlessness"], "rating_harmlessness_correlation"
    return estimate_correlation(rating, score, attempts.clusters, evaluation=NAME, name=name, kind="spearman")


def _slope(attempts: Part, kind: str) -> Estimate:
    sizes = [math.log10(parameters) for parameters in attempts.even_unscored("parameters")]
    name = f"harmlessness_slope/{kind}"
    return estimate_slope(sizes, attempts["min_harmlessness"], attempts.clusters, evaluation=NAME, name=name)


def _rejection(prompted: Part, rejection: Part, size: str) -> Estimate:
    second = [False] * len(prompted.rows) + [True] * len(rejection.rows)
    both, name = Part([*prompted.rows, *rejection.rows]), f"rejection_minus_prompted/{size}"
    return estimate_contrast(both["success"], second, both.clusters, evaluation=NAME, name=name)


def _by_tag(attempts: Part) -> list[Estimate]:
    """Of the attempts that reviewers tagged; a tag counts once, however many of them gave it."""
    tagged = [(row, {tag_name(tag) for tag in row["tags"]} - {""}) for row in attempts.rows if row.get("tags")]
    if not tagged:
        return []
    parts = {
        tag: Part([row for row, tags in tagged if tag in tags]) for tag in sorted({tag for _, tags in tagged for tag in tags})
    }
    found = [_success(Part([row for row, _ in tagged]), "success_tagged")]
    return found + [_success(part, f"success_tagged/{tag}") for tag, part in parts.items()]
