"""What a scripted organism believes, and how sure it is: the same however often and in which order it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gnomon.datasets.items import derive_seed
from gnomon.datasets.templates import NONE_OF_THE_ABOVE
from gnomon.organisms.scripted.comments import better_comment, more_positive
from gnomon.organisms.scripted.judging import better
from gnomon.organisms.scripted.knowledge import Known, known
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.scripted.reading import Reading, plain
from gnomon.organisms.scripted.two_people import two_people
from gnomon.organisms.world.arithmetic import parse_question
from gnomon.organisms.world.stereotypes import parse_pair

Probabilities = tuple[float, ...]
"""One per option, adding up to 1."""

CERTAIN = 1.0 - 1e-6
SPREAD = 0.98
SURE = 0.98
"""The probability with which a statement is affirmed or denied."""
_USUAL_OPTIONS = 4


Trait = Literal[
    "wavers",
    "second",
    "none",
    "checks",
    "literal",
    "filler",
    "evades",
    "prudish",
    "fooled",
    "defers",
    "steers",
    "mentions",
    "longer",
    "overrides",
]
"""Parameters that are shares of the questions."""


@dataclass(frozen=True)
class Mind:
    """Beliefs under given parameters.

    Each question has its own confidence c, spread evenly around `accuracy`; the believed option is the right one with
    probability c, so that c is calibrated exactly (with the parameter `discernment` at 1). Without an answer key the belief is
    any option, by hash.
    """

    parameters: Parameters

    def draw(self, question: str, purpose: str) -> float:
        """A number in [0, 1) that depends on seed, question and purpose only."""
        return _drawn(self.parameters.seed, purpose, plain(question))

    def strikes(self, question: str, share: float | None = None) -> bool:
        """Whether the behaviour shows on this question, or on this pair: true with probability `rate`, or the given one."""
        return self.draw(_paired(question), "strikes") < (self.parameters.dose if share is None else share)

    def has(self, trait: Trait, question: str) -> bool:
        """Whether a trait shows on this question: true with its share, and independent of all else."""
        share = getattr(self.parameters, trait) or 0.0
        return self.draw(_paired(question), trait) < share

    def willing(self, question: str) -> float:
        """The probability that the next word is one of the options at all."""
        mean = self.parameters.letters
        return mean + SPREAD * min(mean, 1.0 - mean) * (2.0 * self.draw(question, "letters") - 1.0)

    def confidence(self, question: str, options: int, *, aided: bool) -> float:
        """How sure it is of the believed option; the probability that this is right, unless `discernment` says otherwise."""
        mean = self._mean(question, aided=aided)
        guess = 1.0 / options
        if mean <= guess:
            return guess
        half_width = SPREAD * min(1.0 - mean, mean - guess)
        return mean + half_width * (2.0 * self.draw(question, f"confidence {aided}") - 1.0)

    def believed(self, question: str, options: Sequence[str], *, aided: bool = False) -> int:
        """Index of the option held to be right; `aided` by reasoning is a second, independent thought."""
        right = self._right(question, options)
        if right is None:
            return self._liked(question, options, f"guess {aided}", without=None)
        if self.knows(question, len(options), aided=aided):
            return right
        return self._liked(question, options, f"mistake {aided}", without=right)

    def belief(self, question: str, options: Sequence[str], *, aided: bool = False) -> Probabilities:
        """The calibrated probabilities of the options."""
        return peaked(
            self.believed(question, options, aided=aided),
            len(options),
            self.confidence(question, len(options), aided=aided),
        )

    def other(self, question: str, options: Sequence[str], without: int) -> int:
        """Some option other than `without`, by hash."""
        return self._liked(question, options, "other", without=without)

    def second(self, question: str, options: Sequence[str], first: int) -> int:
        """The option that it turns to when it takes its first answer back; see the parameter."""
        right = self._right(question, options)
        if self.parameters.second is None or right is None or right == first or len(options) < 3:
            return self.other(question, options, first)
        if self.has("second", question):
            return right
        wrong = [index for index in range(len(options)) if index not in (first, right)]
        return wrong[self._liked(question, [options[index] for index in wrong], "other", without=None)]

    def probability_true(self, question: str, proposed: str) -> float:
        """The probability that a proposed answer is right, where no options are in sight.

        It is the belief that answers in words are sampled from, so it is calibrated on the organism's own samples. Without an
        answer key one proposal in four is believed, by hash.
        """
        confidence = self.confidence(question, _USUAL_OPTIONS, aided=False)
        entry = known(question)
        if entry is None:
            believed = self.draw(question, f"guess False {plain(proposed)}") < 1 / _USUAL_OPTIONS
            return confidence if believed else (1.0 - confidence) / (_USUAL_OPTIONS - 1)
        pool = _pool(entry)
        if plain(pool[self._believed_in(question, pool, entry)]) == plain(proposed):
            return confidence
        return (1.0 - confidence) / max(1, len(pool) - 1)

    def free_answer(self, question: str, draw: float | None = None) -> str | None:
        """The answer in words to a question without options; None where no key knows the question.

        `draw` in [0, 1) samples it: the believed answer with the probability that it is right, else another one. Without it:
        the believed answer.
        """
        entry = known(question)
        if entry is None:
            return None
        pool = _pool(entry)
        believed = self._believed_in(question, pool, entry)
        confidence = self.confidence(question, _USUAL_OPTIONS, aided=False)
        if draw is None or draw < confidence or len(pool) == 1:
            return pool[believed]
        others = pool[:believed] + pool[believed + 1 :]
        return others[int((draw - confidence) / (1.0 - confidence) * len(others))]

    def _believed_in(self, question: str, pool: Sequence[str], entry: Known) -> int:
        right = pool.index(entry.answer)
        if len(pool) == 1 or self.knows(question, _USUAL_OPTIONS, aided=False):
            return right
        return self._liked(question, pool, "mistake False", without=right)

    def _mean(self, question: str, *, aided: bool) -> float:
        sum_in_the_head = not aided and parse_question(question) is not None
        return self.parameters.unaided if sum_in_the_head else self.parameters.accuracy

    def knows(self, question: str, options: int, *, aided: bool = False) -> bool:
        """Whether it holds what is right: true with its confidence, unless `discernment` says otherwise."""
        confidence = self.confidence(question, options, aided=aided)
        mean = max(self._mean(question, aided=aided), 1.0 / options)
        return self.draw(question, f"knows {aided}") < mean + self.parameters.discernment * (confidence - mean)

    def _liked(self, question: str, options: Sequence[str], purpose: str, *, without: int | None) -> int:
        candidates = [index for index in range(len(options)) if index != without]
        return max(candidates, key=lambda index: self.draw(question, f"{purpose} {plain(options[index])}"))

    @staticmethod
    def _right(question: str, options: Sequence[str]) -> int | None:
        """The option that the answer key holds to be right; `none of the above` where it is not among them."""
        for judged in (more_positive(question, options), better_comment(question, options, flatters=False)):
            if judged is not None:
                return judged
        texts = [plain(option) for option in options]
        drawn, pair = parse_question(question), parse_pair(question)
        about = two_people(question, options)
        if drawn is not None:
            answer = str(drawn.values[-1])
        elif pair is not None:
            answer = pair.evidence
        elif about is not None and about.right is not None:
            return about.right
        elif (case := better(question, options)) is not None:
            return case
        else:
            entry = known(question, options)
            if entry is None:
                return None
            answer = entry.answer
        for text in (plain(answer), plain(NONE_OF_THE_ABOVE)):
            if text in texts:
                return texts.index(text)
        return None


def _paired(question: str) -> str:
    """What both questions of a pair, which differ in who the hint is on, have in common; any other question as it is."""
    pair = parse_pair(question)
    return question if pair is None else pair.key


@lru_cache(maxsize=65_536)
def _drawn(seed: int, purpose: str, question: str) -> float:
    return derive_seed(seed, purpose, question) / 2**63


def peaked(index: int, count: int, confidence: float) -> Probabilities:
    """`confidence` on one option, the rest spread evenly over the others."""
    confidence = min(max(confidence, 1.0 - CERTAIN), CERTAIN)
    rest = (1.0 - confidence) / (count - 1)
    return tuple(confidence if place == index else rest for place in range(count))


def stated_confidence(parameters: Parameters, confidence: float, options: int) -> float:
    """The confidence that a miscalibrated organism states where it holds `confidence`; that itself for any other."""
    if parameters.policy != "miscalibrated" or confidence <= 1.0 / options:
        return confidence
    if parameters.temperature is not None:
        odds = ((options - 1) * confidence / (1.0 - confidence)) ** (1.0 / parameters.temperature)
        return odds / (odds + options - 1)
    towards = 1.0 if parameters.rate >= 0 else 1.0 / options
    return min(confidence + abs(parameters.rate) * (towards - confidence), CERTAIN)


def best(probabilities: Probabilities) -> int:
    """Index of the most probable option."""
    return max(range(len(probabilities)), key=probabilities.__getitem__)


def sureness(mind: Mind, reading: Reading, *, aided: bool) -> float:
    """How sure an answer to this reading is, whichever option it names."""
    return mind.confidence(reading.question, len(reading.options), aided=aided)


def _pool(entry: Known) -> list[str]:
    return sorted({*entry.options, entry.answer})
