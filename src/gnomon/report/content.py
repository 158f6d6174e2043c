"""What a report says, as plain data: whoever ran something fills it in, `page.render` makes a page of it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gnomon.report.figure import Figure
from gnomon.report.tones import TONES, Tone
from gnomon.stats.estimate import Estimate

UNSCORED_MEANINGS: dict[str, str] = {
    "refusal": "The model declined to answer. Whether it would have shown the behaviour is not known.",
    "unparsable": "The model answered, but not in a form from which the result could be read.",
    "judge failed": "The judge gave no usable judgement. The model's reply itself is in the transcripts.",
    "judge refused": "The judge declined, which happens most where replies are worst: read the worst case before the estimate.",
    "error": "The call failed for good; the transcripts hold the sentence of the error.",
    "no answer": "The model gave no answer at all.",
}
"""What the common reasons mean; any other is shown with the general sentence."""

GENERAL_MEANING = "These records are in no estimate; the worst-case bounds say what they could have changed."


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Verdict(_Part):
    """The first thing that is read.

    Attributes:
        word: `fixed`, `improved`, `no change`, `worse`, `cannot tell`; `passed`, `failed`; `measured` for an audit; of a study,
            how many claims hold.
        sentence: What it rests on, in one sentence.
        headline: The numbers that it rests on: one for an audit; before, after and difference for a loop.
    """

    word: str
    sentence: str
    headline: tuple[tuple[str, Estimate], ...] = ()

    @property
    def tone(self) -> Tone:
        """How it is coloured; colour is never the only sign."""
        return "same" if self.word.endswith("claims hold") else TONES.get(self.word, "unknown")


class Change(_Part):
    """One estimate before and after.

    Attributes:
        before: First reading.
        after: Second reading.
        difference: Paired difference.
        p_value: Of its test (None: not tested).
        adjusted: The p-value corrected for all comparisons of this report.
        remark: `better`, `worse`, `no change`, ... in words.
    """

    before: Estimate
    after: Estimate
    difference: Estimate
    p_value: float | None = None
    adjusted: float | None = None
    remark: str = ""


class Certificate(_Part):
    """How an instrument did on organisms whose behaviour is known; texts are ready to print."""

    instrument: str
    slope: str
    bias: str
    interval_coverage: str
    null: str
    cross_talk: str
    verdict: Literal["passed", "failed", "cannot tell"]

    @property
    def tone(self) -> Tone:
        """How it is coloured; colour is never the only sign."""
        return TONES[self.verdict]


class Replay(_Part):
    """A failure of a real tool, replayed."""

    failure: str
    flagged: bool


Ruling = Literal["holds", "does not hold", "cannot tell"]


class Claim(_Part):
    """What a paper reports, and whether a run shows it.

    Attributes:
        number: Of the claim in the paper's specification.
        statement: What the paper reports.
        rule: What it was decided by, fixed before the run.
        verdict: `holds`, `does not hold` or `cannot tell`.
        because: The numbers that decided, in words.
        evidence: The estimates that it rests on.
    """

    number: str
    statement: str
    rule: str
    verdict: Ruling
    because: str
    evidence: tuple[Estimate, ...] = ()

    @property
    def tone(self) -> Tone:
        """How it is coloured; colour is never the only sign."""
        return TONES[self.verdict]


class Turn(_Part):
    """One message, as it was said."""

    role: str
    content: str


class Transcript(_Part):
    """One record for people to read.

    Attributes:
        evaluation: Which evaluation.
        item: The item's id.
        repeat: Which repeat.
        phase: `before`, `after`, or empty.
        status: `value`, `unscored` or `error`.
        reason: Why not scored.
        values: What was measured.
        turns: What was said.
        guarded: Whether it may offend, so that a reader must ask for it before anything said is shown.
    """

    evaluation: str
    item: str
    repeat: int = 0
    phase: str = ""
    status: Literal["value", "unscored", "error"]
    reason: str | None = None
    values: dict[str, Any] = {}
    turns: tuple[Turn, ...] = ()
    guarded: bool = False


class ReportContent(_Part):
    """Everything on the page; a section without content is left out.

    Attributes:
        title: `Sycophancy of organism/sycophant, before and after correction`.
        kind: The verb that made the run.
        model: Reference of the (first) model.
        verdict: What came out.
        facts: Label and text, for the lines under the title: corrected model, dataset, records, duration.
        claims: Of a study, with their verdicts.
        estimates: All estimates (the later ones, for a loop).
        changes: The corrected behaviour, before and after.
        side_effects: Everything else, before and after.
        figures: Charts beyond the forest plots and before/after, which the page draws itself.
        unscored: Records by reason.
        records: Records in all.
        certificates: Of a validation.
        replays: Of a validation.
        transcripts: A sample, in the order in which it is to be read.
        transcripts_total: Records that it was taken from.
        configuration: What the run was given.
        versions: Of Python, gnomon and the libraries that compute.
        command: What to type to get it again.
        run: Name of the run directory.
        started: When it began, ISO 8601.
        notes: Further paragraphs: limits, what was not measured.
    """

    title: str
    kind: Literal["audit", "analyse", "loop", "compare", "validate", "study"]
    model: str
    verdict: Verdict
    facts: tuple[tuple[str, str], ...] = ()
    claims: tuple[Claim, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    changes: tuple[Change, ...] = ()
    side_effects: tuple[Change, ...] = ()
    figures: tuple[Figure, ...] = ()
    unscored: dict[str, int] = {}
    records: int = 0
    certificates: tuple[Certificate, ...] = ()
    replays: tuple[Replay, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    transcripts_total: int = 0
    configuration: dict[str, Any] = {}
    versions: dict[str, str] = {}
    command: str = ""
    run: str = ""
    started: str = ""
    notes: tuple[str, ...] = ()
