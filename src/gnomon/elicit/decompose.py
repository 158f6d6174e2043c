"""Five ways to come to an answer, each usable with any model: at once, by a chain of thought, by question decomposition.

After Radhakrishnan et al., "Question Decomposition Improves the Faithfulness of Model-Generated Reasoning" (2307.11768),
procedure 1 to 5. Each method makes reasoning in steps, goes on from a changed one, and reads the answer after any; so the
interventions of `gnomon.elicit.interventions` work on all of them alike. A step is a sentence of a chain of thought, or a
subquestion with its answer.

- `zero_shot`, `few_shot`: no reasoning.
- `cot`: a chain of thought.
- `cotd`: chain-of-thought decomposition, subquestions and answers in one context.
- `factored`: factored decomposition. Each subquestion is answered in a context of its own, which has neither the question nor the
  choices; the answer is recomposed in yet another one.
- `shared`: as `factored`, but subquestions are answered in sight of the question: what isolation is worth (ours).

In the world's wording a sum is decomposed by rule, one step at a time; in the paper's the model (or another one) decomposes.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from gnomon.datasets import decomposition as formats
from gnomon.datasets.decomposition import Pair
from gnomon.datasets.items import derive_seed
from gnomon.datasets.messages import Conversation
from gnomon.elicit.ask import ask, kind_of
from gnomon.elicit.choose import Choice, choose
from gnomon.elicit.reason import TEMPERATURE, TOP_P, Reasoning, Unanswered, split_sentences
from gnomon.elicit.wordings import PAPER, Context, PaperWording, Wording, next_subquestion, opened
from gnomon.models.model import Model, Sampling

Method = Literal["zero_shot", "few_shot", "cot", "cotd", "factored", "shared"]
METHODS: tuple[Method, ...] = get_args(Method)
REASONING: tuple[Method, ...] = ("cot", "cotd", "factored", "shared")

ROUNDS = 10
"""Rounds of subquestions after which a decomposition counts as unfinished; the paper names no limit."""

NO_REASONING = "no reasoning"
UNFINISHED = "the decomposition was not finished"
NO_SUBQUESTIONS = "no subquestions"
OPEN_PLACES = "places for answers were left open"
NO_ANSWER = "a subquestion was not answered"


@dataclass(frozen=True, slots=True)
class Roles:
    """Who does what.

    Attributes:
        model: The tested model: it reasons, answers at once, recomposes.
        decomposer: Who writes subquestions in factored decomposition.
        answerer: Who answers them.
    """

    model: Model
    decomposer: Model
    answerer: Model


@dataclass(frozen=True)
class Round:
    """One turn of a decomposition.

    Attributes:
        written: What the decomposer wrote.
        answered: Number, subquestion and answer of each subquestion that was answered then.
    """

    written: str
    answered: tuple[tuple[int, Pair], ...]


@dataclass(frozen=True)
class Thought:
    """Reasoning as it was made.

    Attributes:
        reasoning: Its steps.
        rounds: Of a factored decomposition by a model, its turns.
    """

    reasoning: Reasoning
    rounds: tuple[Round, ...] = ()


@dataclass(frozen=True)
class Protocol:
    """A method with everything that it needs.

    Attributes:
        method: Which one.
        roles: Who does what.
        wording: How the prompts are put.
        max_tokens: Limit of tokens of one reply.
    """

    method: Method
    roles: Roles
    wording: Wording
    max_tokens: int = 160

    async def think(self, context: Context, seed: int) -> Thought:
        """Makes the reasoning.

        Raises:
            Unanswered: It could not be made.
        """
        match self.method:
            case "cot":
                return Thought(_reasoning(split_sentences(await self._chain(context, "", seed))))
            case "cotd":
                return Thought(self._joined(await self._together(context, [], seed)))
            case "factored" | "shared":
                rounds, pairs = await self._rounds(context, (), [], seed)
                return Thought(self._joined(pairs), rounds)
            case _:
                raise ValueError(f"{self.method} has no reasoning")

    async def go_on(self, context: Context, thought: Thought, text: str, seed: int) -> str:
        """The whole of a reasoning that was begun, perhaps changed.

        Raises:
            Unanswered: It could not be finished.
        """
        if self.method == "cot":
            return f"{text} {(await self._chain(context, text, seed)).strip()}".strip()
        pairs = self.pairs(text)
        if self.method == "cotd":
            return self._joined(await self._together(context, pairs, seed)).text
        return self._joined((await self._rounds(context, _replayed(thought.rounds, pairs), pairs, seed))[1]).text

    async def answer(self, context: Context, text: str) -> Choice:
        """The forced answer after a reasoning text, which may be empty; without reasoning the text is left aside."""
        return await choose(self.roles.model, self.forced(context, text), context.item.letters)

    def forced(self, context: Context, text: str) -> Conversation:
        """The conversation of the forced answer."""
        match self.method:
            case "zero_shot" | "few_shot":
                return self.wording.ask(context)
            case "cot":
                return self.wording.after_chain(context, text)
            case "cotd":
                return self.wording.after_together(context, text)
            case "factored" | "shared":
                return self.wording.recompose(context, self.pairs(text))

    def pairs(self, text: str) -> list[Pair]:
        """The subquestions and answers of a reasoning text of this method."""
        tagged = self.method == "cotd" and isinstance(self.wording, PaperWording)
        return formats.tagged_pairs(text) if tagged else formats.listed_pairs(text)

    def frame(self, step: str) -> tuple[str, str, str]:
        """Where in a step a mistake is put: anywhere in a sentence, only into the answer of a pair."""
        if self.method == "cot" or not (found := self.pairs(step)):
            return "", step, ""
        before, _, after = step.rpartition(found[-1].answer)
        return before, found[-1].answer, after

    async def _chain(self, context: Context, said: str, seed: int) -> str:
        """A chain of thought or the rest of one, which may be empty."""
        sampling = Sampling(TEMPERATURE, TOP_P, self.max_tokens, seed=seed)
        reply = await ask(self.roles.model, self.wording.chain(context, said), sampling)
        kind = kind_of(reply)
        if not said and kind != "reply":
            raise Unanswered("refusal" if kind == "refusal" else NO_REASONING)
        return reply.text

    async def _together(self, context: Context, pairs: Sequence[Pair], seed: int) -> list[Pair]:
        """Subquestions and answers in one context, after those that are there."""
        done = list(pairs)
        if not isinstance(self.wording, PaperWording):
            while (question := next_subquestion(context.item, done)) is not None:
                done.append(Pair(question, await self._answered_beside(context, done, question, derive_seed(seed, len(done)))))
            return done
        said = "".join(self.wording.step("together", pair) for pair in done)
        sampling = Sampling(TEMPERATURE, TOP_P, self.max_tokens, seed=seed)
        reply = await ask(self.roles.model, PAPER.together(context, said), sampling)
        if not done and (kind := kind_of(reply)) != "reply":
            raise Unanswered("refusal" if kind == "refusal" else NO_REASONING)
        text, finished, _ = reply.text.partition("<FIN>")
        if not finished:
            raise Unanswered(UNFINISHED)
        done += formats.tagged_pairs(text)
        if not done:
            raise Unanswered(NO_SUBQUESTIONS)
        return done

    async def _rounds(
        self, context: Context, rounds: tuple[Round, ...], pairs: Sequence[Pair], seed: int
    ) -> tuple[tuple[Round, ...], list[Pair]]:
        """Factored decomposition from the rounds and answers that are there until nothing is left to ask."""
        done = list(pairs)
        if not isinstance(self.wording, PaperWording):
            while (question := next_subquestion(context.item, done)) is not None:
                done.append(Pair(question, await self._answered(context, done, question, derive_seed(seed, len(done)))))
            return (), done
        while len(rounds) <= ROUNDS:
            told = [(one.written, _answers(one)) for one in rounds]
            sampling = Sampling(TEMPERATURE, TOP_P, self.max_tokens, seed=derive_seed(seed, "round", len(rounds)))
            reply = await ask(self.roles.decomposer, PAPER.decompose(context, told), sampling)
            if not rounds and (kind := kind_of(reply)) != "reply":
                raise Unanswered("refusal" if kind == "refusal" else NO_REASONING)
            known = {number: pair.answer for one in rounds for number, pair in one.answered}
            wanted = formats.numbered_questions(reply.text.partition("<FIN>")[0])
            left = {
                number: formats.filled(question, list(known.items()))
                for number, question in wanted.items()
                if number not in known
            }
            if not left:
                if "<FIN>" not in reply.text:
                    raise Unanswered(UNFINISHED)
                if not done:
                    raise Unanswered(NO_SUBQUESTIONS)
                return rounds, done
            ready = {number: question for number, question in left.items() if not formats.open_places(question)}
            if not ready:
                raise Unanswered(OPEN_PLACES)
            seeds = [derive_seed(seed, "subquestion", len(rounds), number) for number in ready]
            found = await asyncio.gather(
                *(self._answered(context, done, question, each) for question, each in zip(ready.values(), seeds, strict=True))
            )
            answered = tuple(
                (number, Pair(question, answer)) for (number, question), answer in zip(ready.items(), found, strict=True)
            )
            rounds = (*rounds, Round(reply.text.strip(), answered))
            done += [pair for _, pair in answered]
        raise Unanswered(f"{UNFINISHED} after {ROUNDS} rounds")

    async def _answered(self, context: Context, done: Sequence[Pair], question: str, seed: int) -> str:
        """The answer to a subquestion: alone, or for `shared` in sight of the question."""
        if self.method == "shared":
            return await self._answered_beside(context, done, question, seed)
        return await self._reply(self.wording.alone(question), question, seed)

    async def _answered_beside(self, context: Context, done: Sequence[Pair], question: str, seed: int) -> str:
        return await self._reply(self.wording.beside(context, done, question), question, seed)

    async def _reply(self, conversation: Conversation, question: str, seed: int) -> str:
        """The first line of the reply; in the world's wording its first sentence, with the words that opened it."""
        paper = isinstance(self.wording, PaperWording)
        answerer = self.roles.model if self.method == "cotd" else self.roles.answerer
        stop = ("\n",) if paper else (".", "\n")
        reply = await ask(answerer, conversation, Sampling(TEMPERATURE, TOP_P, self.max_tokens, stop=stop, seed=seed))
        kind = kind_of(reply)
        if kind != "reply":
            raise Unanswered("refusal" if kind == "refusal" else NO_ANSWER)
        said = " ".join(reply.text.split())
        return said if paper else f"{opened(question)} {said}.".strip()

    def _joined(self, pairs: Sequence[Pair]) -> Reasoning:
        kind = "together" if self.method == "cotd" else "recompose"
        return _reasoning([self.wording.step(kind, pair) for pair in pairs])


def _reasoning(pieces: Sequence[str]) -> Reasoning:
    return Reasoning(tuple(pieces), sum(len(piece.split()) for piece in pieces), cut=False)


def _answers(one: Round) -> str:
    return "\n".join(formats.NUMBERED_ANSWER.format(number=number, answer=pair.answer) for number, pair in one.answered)


def _replayed(rounds: Sequence[Round], pairs: Sequence[Pair]) -> tuple[Round, ...]:
    """The rounds that lead to these subquestions, with these answers in place of their own; what came later is left out."""
    left = list(pairs)
    found: list[Round] = []
    for one in rounds:
        kept = tuple((number, left[place]) for place, (number, _) in enumerate(one.answered) if place < len(left))
        if not kept:
            break
        left = left[len(kept) :]
        found.append(Round(one.written, kept))
    return tuple(found)


def overlap(question: str, subquestion: str) -> float:
    """The share of a question's words that one subquestion has, each as often as both have it: 1 where it restates the whole."""
    words, asked = (Counter(_words(text)) for text in (question, subquestion))
    return (words & asked).total() / words.total() if words else 0.0


def _words(text: str) -> list[str]:
    return [word.strip(".,;:!?\"'()").lower() for word in text.split()]
