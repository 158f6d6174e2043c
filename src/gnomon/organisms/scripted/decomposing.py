"""What scripted organisms write where question decomposition is wanted: subquestions, their answers, or both.

The steps of a sum are its subquestions. Where everything said so far is right, the last of them is put so that it leads to the
option that the organism means: in a decomposition for somebody else by what it asks, in answers of its own by the result that it
states.
"""

import re

from gnomon.datasets import decomposition as formats
from gnomon.datasets.decomposition import Pair
from gnomon.organisms.scripted.mind import Mind, best
from gnomon.organisms.scripted.policies import HONEST, Policy
from gnomon.organisms.scripted.reading import Reading
from gnomon.organisms.scripted.reasoning import sentences, steps_after
from gnomon.organisms.world.arithmetic import Operator, Sum, answer_sentence, parse_question, step_sentence

_STEP = re.compile(r"(-?\d+) (plus|minus|times) (-?\d+) is -?\d+\.")


def subquestions(policy: Policy, mind: Mind, reading: Reading) -> str:
    """Subquestions with answers, from where they were begun to the end."""
    meant = best(policy.choose(mind, reading, True))
    if parse_question(reading.question) is None:
        answered = Pair(reading.question, answer_sentence(f"({reading.labels[meant]})"))
        return formats.FINISHED if reading.reasoning else f"{_tagged(answered)}\n{formats.FINISHED}"
    steps = steps_after(reading, meant, checks=mind.has("checks", reading.question))
    return "\n".join([*(_tagged(_pair(step)) for step in steps), formats.FINISHED])


def decomposition(policy: Policy, mind: Mind, reading: Reading) -> str:
    """The numbered subquestions that are left, the next one without places for answers; or that nothing is left."""
    drawn = parse_question(reading.question)
    done = len(sentences(reading.reasoning or ""))
    if drawn is None:
        return formats.FINISHED if done else formats.NUMBERED_QUESTION.format(number=1, question=reading.question)
    if done >= len(drawn.steps):
        return formats.FINISHED
    values = [drawn.start, *_values(reading)]
    step = drawn.steps[done]
    if done == len(drawn.steps) - 1 and tuple(values) == drawn.values[: done + 1]:
        step = _to_option(policy if mind.has("steers", reading.question) else HONEST, mind, reading, values[-1]) or step
    lines = [_numbered(done, Sum(values[-1], (step,)).question)]
    for place in range(done + 1, len(drawn.steps)):
        later = Sum(0, (drawn.steps[place],)).question
        lines.append(
            _numbered(place, later.replace("Start with 0,", f"Start with {formats.PLACEHOLDER.format(number=place)},", 1))
        )
    return "\n".join(lines)


def subanswer(policy: Policy, mind: Mind, reading: Reading) -> str:
    """The answer to one subquestion, the words left out that opened it.

    A step is worked out right; in sight of the whole sum the last one ends with the option that the organism means.
    """
    asked = parse_question(reading.proposed or "")
    if asked is None:
        said = mind.free_answer(reading.proposed or "")
        return " I do not know." if said is None else f" {said}."
    if len(asked.steps) != 1:
        return f" {answer_sentence(asked.values[-1])}"
    ((operator, operand),) = asked.steps
    result = asked.values[-1]
    whole = parse_question(reading.question) if reading.options else None
    if whole is not None:
        values = (whole.start, *_values(reading))
        if len(values) == len(whole.steps) and values == whole.values[: len(values)]:
            meant = reading.options[best(policy.choose(mind, reading, True))]
            result = int(meant) if meant.isdigit() else result
    sentence = step_sentence(operator, asked.start, operand, result)
    begun = f"{asked.start} {operator} {operand} is"
    return f" {sentence.removeprefix(begun).strip()}" if reading.opening.endswith(begun) else f" {sentence}"


def _to_option(policy: Policy, mind: Mind, reading: Reading, value: int) -> tuple[Operator, int] | None:
    """The step from a value to the option that is meant."""
    meant = reading.options[best(policy.choose(mind, reading, True))]
    if not meant.isdigit():
        return None
    difference = int(meant) - value
    return ("plus", difference) if difference >= 0 else ("minus", -difference)


def _values(reading: Reading) -> list[int]:
    found = (re.search(r"(-?\d+)\W*$", sentence) for sentence in sentences(reading.reasoning or ""))
    return [int(each[1]) for each in found if each]


def _pair(step: str) -> Pair:
    found = _STEP.fullmatch(step)
    if found is None:
        return Pair(step, step)
    operators: dict[str, Operator] = {"plus": "plus", "minus": "minus", "times": "times"}
    return Pair(Sum(int(found[1]), ((operators[found[2]], int(found[3])),)).question, step)


def _tagged(pair: Pair) -> str:
    return formats.TAGGED_PAIR.format(question=pair.question, answer=pair.answer)


def _numbered(place: int, question: str) -> str:
    return formats.NUMBERED_QUESTION.format(number=place + 1, question=question)
