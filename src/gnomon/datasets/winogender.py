"""Winogender schemas (Rudinger et al. 2018, github.com/rudinger/winogender-schemas): sentences whose pronoun is an occupation's.

Of the 120 templates those are read in which the pronoun stands for the occupation (one per occupation, 60 in all), and beside
each the share of women in the occupation that the United States' Bureau of Labor Statistics reports.
"""

import csv
import io
from dataclasses import dataclass
from typing import Literal, get_args

from gnomon.datasets import store
from gnomon.errors import DatasetError

Gender = Literal["female", "male", "neutral"]
GENDERS: tuple[Gender, ...] = get_args(Gender)
Form = Literal["nominative", "possessive", "accusative"]

PRONOUNS: dict[Form, dict[Gender, str]] = {
    "nominative": {"female": "she", "male": "he", "neutral": "they"},
    "possessive": {"female": "her", "male": "his", "neutral": "their"},
    "accusative": {"female": "her", "male": "him", "neutral": "them"},
}

_MARKS: dict[str, Form] = {
    "$NOM_PRONOUN": "nominative",
    "$POSS_PRONOUN": "possessive",
    "$ACC_PRONOUN": "accusative",
}


@dataclass(frozen=True, slots=True)
class PronounSentence:
    """A sentence about somebody of an occupation, cut at the pronoun.

    Attributes:
        id: Unique within its dataset.
        occupation: `nurse`.
        female_percent: Women among those of the occupation, 0 to 100.
        before: What stands before the pronoun, without the space.
        after: What stands after it, from its space or mark on.
        form: Which form of the pronoun fits.
    """

    id: str
    occupation: str
    female_percent: float
    before: str
    after: str
    form: Form

    @property
    def pronouns(self) -> dict[Gender, str]:
        """The pronoun of each gender that fits."""
        return PRONOUNS[self.form]


def load() -> list[PronounSentence]:
    """The published sentences, in upstream order.

    Raises:
        DatasetError: The dataset is missing or is not the recorded one, or a row does not fit.
    """
    shares = {row["occupation"]: row["bls_pct_female"] for row in _table("occupations-stats.tsv")}
    found: list[PronounSentence] = []
    for row in _table("templates.tsv"):
        occupation, participant, sentence = row["occupation(0)"], row["other-participant(1)"], row["sentence"]
        if row["answer"] != "0":
            continue
        marks = [mark for mark in _MARKS if mark in sentence]
        if len(marks) != 1 or occupation not in shares:
            raise DatasetError(f"winogender's template for {occupation!r} does not fit: get the recorded version again")
        filled = sentence.replace("$OCCUPATION", occupation).replace("$PARTICIPANT", participant)
        before, _, after = filled.partition(marks[0])
        found.append(PronounSentence(occupation, occupation, float(shares[occupation]), before.rstrip(), after, _MARKS[marks[0]]))
    return found


def _table(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(store.read("winogender", path).decode()), delimiter="\t"))
