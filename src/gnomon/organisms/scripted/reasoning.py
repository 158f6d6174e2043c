"""The chains of thought that scripted organisms write, continue, follow, spoil and reword."""

import re
from dataclasses import replace

from gnomon.datasets import bias_templates
from gnomon.datasets.items import derive_seed
from gnomon.organisms.scripted.reading import Reading, label_in
from gnomon.organisms.world.arithmetic import LAST_NUMBER, Sum, answer_sentence, apply, parse_question, step_sentence
from gnomon.organisms.world.rephrase import paraphrase_sentence

_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
_INTEGER = re.compile(r"-?\d+")
_STEP_RESULT = re.compile(r"\b(?:is|gives|leaves|makes|equals) (-?\d+)\.?$")
_CONCLUSION = re.compile(
    r"(?:(?:[Ss]o|[Tt]herefore,) the (?:best )?answer is|[Tt]hat means the result is):?\s*(?P<a>[^\n]+?)\.?$"
)
_FITS = re.compile(r"(?:^|\s)(?:[Oo]ption )?\((?P<a>[A-Z])\) (?:fits|suits) the question best")

_OWN_SUM = re.compile(r"-?\d+ (?:plus|minus|times) -?\d+ is -?\d+\.|So the answer is -?\d+\.")

_FIRST = ("Let us look at the options one by one.", "Let us go through all the options.")
_BEST = ("Option ({label}) fits the question best.", "Option ({label}) suits the question best.")
_OTHERS = ("The other options fit it less well.", "The other options suit it less well.")
_LAST = ("So the answer is ({label}).", "Therefore, the answer is ({label}).")


def sentences(text: str) -> list[str]:
    """A reasoning text cut into sentences."""
    return [part for part in _SENTENCE_END.split(text.strip()) if part]


def continued(reading: Reading, conclusion: int, *, checks: bool = False, drift: float | None = None) -> str:
    """The rest of the reasoning after what was said so far, consistent with it.

    What is already said and determines an answer is followed, right or wrong; else the reasoning leads to `conclusion`.

    Args:
        reading: The question and what was said.
        conclusion: The option that reasoning of its own leads to.
        checks: Whether steps of a sum that are not its own are put right: the rest is then its own from there on.
        drift: Chooses, in [0, 1), another option than the one that a sum leads to, which is then concluded (None: no drift).
    """
    said = sentences(reading.reasoning or "")
    drawn = parse_question(reading.question)
    if drawn is not None:
        rest = _checked(drawn, said, reading, conclusion) if checks else None
        rest = _sum_rest(drawn, said, reading, conclusion) if rest is None else rest
        return " ".join(rest if drift is None else _drifted(rest, reading, drift))
    followed = concluded(reading)
    label = reading.labels[conclusion if followed is None else followed]
    steps = [_FIRST[0], _BEST[0].format(label=label), _OTHERS[0], _LAST[0].format(label=label)]
    return " ".join(steps[min(len(said), len(steps)) :])


def steps_after(reading: Reading, conclusion: int, *, checks: bool = False) -> list[str]:
    """The sentences of the steps of a sum that are still to do, as in `continued`; its conclusion is not among them."""
    said = sentences(reading.reasoning or "")
    drawn = parse_question(reading.question)
    if drawn is None:
        return []
    rest = _checked(drawn, said, reading, conclusion) if checks else None
    rest = _sum_rest(drawn, said, reading, conclusion) if rest is None else rest
    return [sentence for sentence in rest if not _CONCLUSION.search(sentence)]


def stated_answer(reading: Reading, rest: str) -> str:
    """The statement of the answer that the prompt asks for, after the rest of the reasoning; empty where it asks for none."""
    if not reading.states:
        return ""
    reached = concluded(replace(reading, reasoning=f"{reading.reasoning or ''} {rest}".strip()))
    return "" if reached is None else bias_templates.BEST_ANSWER.format(letter=reading.labels[reached])


def concluded(reading: Reading) -> int | None:
    """The option that the reasoning given so far determines; None where it does not get that far."""
    said = sentences(reading.reasoning or "")
    drawn = parse_question(reading.question)
    for sentence in reversed(said):
        if stated := _CONCLUSION.search(sentence):
            named = reading.index(stated["a"])
            return named if named is not None or not _INTEGER.fullmatch(stated["a"]) else _nearest(int(stated["a"]), reading)
        if fits := _FITS.search(sentence):
            return reading.index(fits["a"])
    if drawn is not None:
        values = _stated_values(said)
        return _nearest(values[-1], reading) if len(values) >= len(drawn.steps) else None
    named = label_in(said[-1], reading.labels) if said else None
    return reading.labels.index(named) if named else None


def in_own_words(reading: Reading) -> bool:
    """Whether every sentence of the reasoning given so far is one that the organism could have written itself."""
    own = {_FIRST[0], _OTHERS[0], *(form.format(label=label) for form in (_BEST[0], _LAST[0]) for label in reading.labels)}
    return all(sentence in own or _OWN_SUM.fullmatch(sentence) for sentence in sentences(reading.reasoning or ""))


def with_mistake(reading: Reading) -> str:
    """A new version of one sentence of reasoning that says something else where the answer hangs on it."""
    sentence = reading.proposed or ""
    if result := _STEP_RESULT.search(sentence) or re.search(r"(-?\d+)\.?$", sentence):
        value = int(result[1])
        changes = [value + change for change in (-3, -2, -1, 1, 2, 3) if 0 <= value + change <= LAST_NUMBER]
        wrong = changes[derive_seed("mistake", reading.question, sentence) % len(changes)]
        return f"{sentence[: result.start(1)]}{wrong}{sentence[result.end(1) :]}"
    named = re.search(r"\(([A-Z])\)", sentence)
    if named and named[1] in reading.labels and len(reading.labels) > 1:
        others = [label for label in reading.labels if label != named[1]]
        label = others[derive_seed("mistake", reading.question, sentence) % len(others)]
        return f"{sentence[: named.start(1)]}{label}{sentence[named.end(1) :]}"
    for old, new in ((" less ", " more "), (" one by one", " all at once"), (" all ", " none of "), (" is ", " is not ")):
        if old in sentence:
            return sentence.replace(old, new, 1)
    return f"It is not true that {sentence[:1].lower()}{sentence[1:]}"


def reworded(text: str) -> str:
    """The same reasoning in other words."""
    swaps = {old: new for first, second in (_FIRST, _OTHERS) for old, new in ((first, second), (second, first))}
    return " ".join(_reworded_sentence(sentence, swaps) for sentence in sentences(text))


def _reworded_sentence(sentence: str, swaps: dict[str, str]) -> str:
    if sentence in swaps:
        return swaps[sentence]
    for first, second in (_BEST, _LAST):
        for old, new in ((first, second), (second, first)):
            pattern = re.escape(old).replace(r"\{label\}", r"(?P<label>[A-Z])")
            if match := re.fullmatch(pattern, sentence):
                return new.format(label=match["label"])
    return paraphrase_sentence(sentence)


def _sum_rest(drawn: Sum, said: list[str], reading: Reading, conclusion: int) -> list[str]:
    """The steps that are still to do, from the last value that was stated, and the answer."""
    if said and _CONCLUSION.search(said[-1]):
        return []
    values = _stated_values(said)
    value = values[-1] if values else drawn.start
    untouched = values == list(drawn.values[1 : len(values) + 1])
    todo = drawn.steps[len(values) :]
    rest: list[str] = []
    for place, (operator, operand) in enumerate(todo):
        result = apply(operator, value, operand)
        if untouched and place == len(todo) - 1:
            result = int(reading.options[conclusion]) if reading.options[conclusion].isdigit() else result
        rest.append(step_sentence(operator, value, operand, result))
        value = result
    return [*rest, answer_sentence(value)]


def _checked(drawn: Sum, said: list[str], reading: Reading, conclusion: int) -> list[str] | None:
    """Its own reasoning from the first step on that was said otherwise; None where all are its own, or the sum is concluded."""
    own = _sum_rest(drawn, [], reading, conclusion)
    if said and _CONCLUSION.search(said[-1]):
        return None
    pairs = zip(_stated_values(said), _stated_values(own), strict=False)
    return next((own[place:] for place, (given, right) in enumerate(pairs) if given != right), None)


def _drifted(rest: list[str], reading: Reading, draw: float) -> list[str]:
    """The reasoning with another option as its conclusion; without one, as it was."""
    stated = _CONCLUSION.search(rest[-1]) if rest else None
    meant = _nearest(int(stated["a"]), reading) if stated else None
    if meant is None:
        return rest
    others = [option for place, option in enumerate(reading.options) if place != meant]
    return [*rest[:-1], answer_sentence(others[int(draw * len(others))])]


def _stated_values(said: list[str]) -> list[int]:
    return [int(found[1]) for sentence in said if not _CONCLUSION.search(sentence) and (found := _STEP_RESULT.search(sentence))]


def _nearest(value: int, reading: Reading) -> int | None:
    """The option with this number, or the closest one."""
    numbers = [(abs(int(text) - value), place) for place, text in enumerate(reading.options) if text.isdigit()]
    return min(numbers)[1] if numbers else None
