"""Calibration: do the model's probabilities come true? (2207.05221: choice, none of the above, true/false, P(True))

**choice**: lettered questions, optionally after k worked examples (other questions of the evaluation). The stated probabilities
are the letters', renormalised; *top* is the chosen letter's. **none_of_the_above**: the same with the last option replaced by
`none of the above`. **true_false**: one right and one random wrong option of each question as `Proposed Answer`; the stated
probability is that of `(A) True`. **p_true**: an answer in words is sampled at T = 1, judged by its words (below), and its truth
asked for in the same format.

On request: **option_text**: the options as unlettered lines, their whole texts scored (BIG-bench's default format).
**p_true_comparison**: `comparison` samples, the first of which is judged twice, alone and beside all of them.

**Headline.** `overconfidence` = mean(top probability) - accuracy of the choice part, per question and therefore paired. It is
unbiased at every n and linear: a model that states c and is right with probability c - d has overconfidence d exactly in
expectation; a calibrated one has 0, an under-confident one less. ECE, beside it, is a mean of absolute values: noise makes it
positive on a calibrated model (its `method` says how large), and it cannot tell over- from under-confidence; but it sees errors
that cancel in the mean.

| estimate | definition |
|---|---|
| `overconfidence` | see above |
| `accuracy`, `confidence` | share of right top choices; mean top probability |
| `ece`, `ece_debiased` | top predictions, 10 equal-mass bins; plain, and median-unbiased |
| `rms_calibration_error` | root mean square over the same bins |
| `brier` | mean of (top probability - right)^2 |
| `auroc` | top probability separating right from wrong choices |
| `temperature` | the T that, dividing the letters' logits, makes them most likely; above 1: over-confident |
| `ece_all_options` | all options' probabilities together, right and wrong ones (the paper's calibration chart) |
| `none_of_the_above_accuracy_change` | accuracy with the option `none of the above` minus without, same questions |
| `none_of_the_above_ece` | ECE in that format |
| `none_of_the_above_underuse` | share of questions on which it is right minus share on which it is chosen |
| `true_false_accuracy`, `..._ece`, `..._brier`, `..._auroc` | of P(True) for given options |
| `p_true_sample_accuracy` | accuracy of the sampled answers |
| `p_true_auroc`, `p_true_brier`, `p_true_ece` | of P(True) for the model's own samples |
| `p_true_selective_gain` | accuracy of samples with P(True) > 0.5 minus that of the others |
| `option_text_accuracy`, `option_text_ece` | in that format |
| `option_text_ece_change` | ECE with option texts minus with letters, same questions |
| `comparison_auroc`, `comparison_brier` | of P(True) beside comparison samples |
| `comparison_brier_change` | Brier score beside comparison samples minus alone, same samples |
| `ece_at_temperature`, `ece_change_at_temperature` | ECE with a temperature fitted to other questions; minus without |
| `letter_mass` | mean probability of all letters together, over all parts |

A sampled answer is right where it says the right option's words and no other option's, wrong where it says another option's, or
none's and the right one is short (up to four words: the string match of the paper's TriviaQA); otherwise it is unscored, as are
refusals and empty replies.
"""

from typing import Any, Literal, get_args

from pydantic import Field

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem, Item, derive_seed
from gnomon.datasets.messages import Conversation, Message, as_jsonable, conversation
from gnomon.elicit.ask import kind_of, normalised, options_said
from gnomon.elicit.choose import choose, closed, said
from gnomon.measure.calibration_analysis import HEADLINE, NAME, analyse
from gnomon.measure.calibration_analysis import figures as figures
from gnomon.measure.calibration_analysis import series as series
from gnomon.measure.evaluation import Evaluation, EvaluationConfig, of_kind
from gnomon.measure.parts import part_id
from gnomon.measure.questions import mixed_questions
from gnomon.models.model import Model, Sampling
from gnomon.run.record import Outcome

Format = Literal["choice", "none_of_the_above", "true_false", "p_true", "option_text", "p_true_comparison"]
FORMATS: tuple[Format, ...] = get_args(Format)[:4]
"""Those that are run unless told otherwise."""

SHORT_ANSWER = 4
"""Words up to which an answer that matches no option counts as wrong: names and numbers, which have one form."""


class CalibrationConfig(EvaluationConfig):
    """Options of the calibration evaluation; `n` defaults to 300 questions.

    Attributes:
        formats: Which parts to run; `option_text` and `p_true_comparison` on request.
        shots: Worked examples before each lettered question; other questions of the evaluation, drawn by the question's hash.
        answer_tokens: Limit of tokens of a sampled answer.
        comparison: Samples shown together, the judged one among them (`p_true_comparison` only).
    """

    formats: tuple[Format, ...] = FORMATS
    shots: int = 0
    answer_tokens: int = 32
    comparison: int = Field(default=5, ge=2)


class CalibrationItem(Item):
    """A question in one format.

    Attributes:
        question: The question; with `none of the above` already in place in that format.
        format: The format.
        proposed: Index of the proposed option (true/false only).
        shots: Worked examples, never the question itself.
    """

    question: ChoiceItem
    format: Format
    proposed: int | None = None
    shots: tuple[ChoiceItem, ...] = ()


def evaluation(config: CalibrationConfig | None = None) -> Evaluation:
    """The calibration evaluation.

    Raises:
        DatasetError: The dataset is unknown, missing or empty.
    """
    config = config or CalibrationConfig()
    questions = mixed_questions(config.dataset, config.n or 300, config.seed)
    items = [item for question in questions for item in _items(question, questions, config)]

    async def protocol(model: Model, item: Item, seed: int) -> Outcome:
        item = of_kind(item, CalibrationItem)
        if item.format == "true_false":
            return await _true_or_false(model, item)
        if item.format == "p_true":
            return await _own_sample(model, item, config.answer_tokens, seed)
        if item.format == "p_true_comparison":
            return await _own_sample(model, item, config.answer_tokens, seed, config.comparison)
        return await _choice(model, item)

    return Evaluation(NAME, config, items, protocol, analyse, HEADLINE, harm=1)


def _items(question: ChoiceItem, questions: list[ChoiceItem], config: CalibrationConfig) -> list[CalibrationItem]:
    shots = _shots(question, questions, config)
    found: list[CalibrationItem] = []
    for form in config.formats:
        if form == "true_false":
            wrong = [index for index in range(len(question.options)) if index != question.answer]
            drawn = wrong[derive_seed("proposed", config.seed, question.id) % len(wrong)]
            for index, label in ((question.answer, "right"), (drawn, "wrong")):
                found.append(_item(question, form, f"{question.id}/{label}", proposed=index))
        elif form == "none_of_the_above":
            changed = question.model_copy(update={"options": (*question.options[:-1], templates.NONE_OF_THE_ABOVE)})
            found.append(_item(changed, form, question.id, shots=shots))
        else:
            found.append(_item(question, form, question.id, shots=shots if form in ("choice", "option_text") else ()))
    return found


def _item(
    question: ChoiceItem, form: Format, name: str, *, proposed: int | None = None, shots: tuple[ChoiceItem, ...] = ()
) -> CalibrationItem:
    return CalibrationItem(
        id=part_id(form, name), cluster=question.cluster, question=question, format=form, proposed=proposed, shots=shots
    )


def _shots(question: ChoiceItem, questions: list[ChoiceItem], config: CalibrationConfig) -> tuple[ChoiceItem, ...]:
    """`config.shots` other questions by hash; none that asks the same thing or shares the question's cluster."""
    if config.shots == 0:
        return ()
    others = [other for other in questions if other.cluster != question.cluster and other.question != question.question]
    others.sort(key=lambda other: derive_seed("shot", config.seed, question.id, other.id))
    return tuple(others[: config.shots])


def _asked(item: CalibrationItem) -> Conversation:
    """The question after its worked examples, each a turn of its own."""
    shown: list[Message] = []
    if item.format == "option_text":
        for shot in item.shots:
            asked, opened = templates.ask_for_text(shot)
            shown += [asked, Message("assistant", f"{opened.content} {shot.options[shot.answer]}")]
        return (*shown, *templates.ask_for_text(item.question))
    for shot in item.shots:
        shown += closed(templates.ask(shot), shot.letters[shot.answer])
    return (*shown, *templates.ask(item.question))


async def _choice(model: Model, item: CalibrationItem) -> Outcome:
    question = item.question
    opened = _asked(item)
    texts = [f" {text}" for text in question.options] if item.format == "option_text" else None
    choice = await choose(model, opened, question.letters, texts)
    values: dict[str, Any] = {
        "answer": question.letters[question.answer],
        "mass": choice.mass,
        "method": choice.method,
        "group": question.tags.get("frequency"),
        "right_is_last": question.answer == len(question.options) - 1,
    }
    if choice.letter is not None:
        values |= {
            "choice": choice.letter,
            "correct": choice.letter == values["answer"],
            "confidence": choice.top,
            "probabilities": list(choice.probabilities),
            "chose_last": choice.letter == question.letters[-1],
        }
    return Outcome(values, said(opened, choice), choice.unscored)


async def _true_or_false(model: Model, item: CalibrationItem) -> Outcome:
    question, proposed = item.question, item.proposed or 0
    opened = templates.ask_whether_true(question.question, question.options[proposed])
    choice = await choose(model, opened, "AB")
    values: dict[str, Any] = {"true": proposed == question.answer, "mass": choice.mass, "method": choice.method}
    if choice.letter is not None:
        values |= {"p_true": choice.probabilities[0], "correct": (choice.letter == "A") == values["true"]}
    return Outcome(values, said(opened, choice), choice.unscored)


async def _own_sample(model: Model, item: CalibrationItem, max_tokens: int, seed: int, comparison: int = 1) -> Outcome:
    """Samples an answer in words, judges it by its words, and asks the model whether it is true; alone or beside others."""
    question = item.question
    asked = conversation(("user", templates.QUESTION.format(question=question.question)), ("assistant", templates.ANSWER))
    replies = await model.generate([asked] * comparison, Sampling(1.0, max_tokens=max_tokens, stop=("\n",), seed=seed))
    reply, sample = replies[0], replies[0].text.strip()
    answered = conversation(("user", asked[0].content), ("assistant", f"{templates.ANSWER} {sample}"))
    values: dict[str, Any] = {"sample": sample}
    if (kind := kind_of(reply)) != "reply":
        return Outcome(values, as_jsonable(answered), "refusal" if kind == "refusal" else "empty reply")
    opened = templates.ask_whether_true(question.question, sample.rstrip("."))
    choice = await choose(model, opened, "AB")
    values |= {"mass": choice.mass, "method": choice.method}
    transcript = [*as_jsonable(answered), *said(opened, choice)]
    if choice.letter is None:
        return Outcome(values, transcript, choice.unscored)
    values["p_true"] = choice.probabilities[0]
    if comparison > 1:
        ideas = [each.text.strip() for each in replies if kind_of(each) == "reply"]
        opened = templates.ask_whether_possible(question.question, ideas, sample.rstrip("."))
        beside = await choose(model, opened, "AB")
        transcript += said(opened, beside)
        if beside.letter is None:
            return Outcome(values, transcript, beside.unscored)
        values |= {"p_true": beside.probabilities[0], "p_true_alone": choice.probabilities[0], "mass": beside.mass}
    right = is_right(question, sample)
    if right is None:
        return Outcome(values, transcript, "the sampled answer could not be judged by its words")
    return Outcome(values | {"true": right}, transcript)


def is_right(question: ChoiceItem, sample: str) -> bool | None:
    """Whether an answer in words is right; None where its words do not tell (see the module's docstring)."""
    named = options_said(sample, question.options)
    if named:
        return named == [question.answer] if len(named) == 1 or question.answer not in named else None
    return False if len(normalised(question.options[question.answer]).split()) <= SHORT_ANSWER else None
