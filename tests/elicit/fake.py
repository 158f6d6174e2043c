"""A model made of two functions, of exactly known behaviour."""

import math
from collections.abc import Callable, Mapping, Sequence

from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import Prompt, as_text
from gnomon.models.model import Finish, Generation, ModelCard, Sampling, Score

Probabilities = Mapping[str, float | None]


class FakeModel:
    """Scores continuations by `letters(text)`, replies with `reply(text)`; `text` is the prompt as plain text.

    A probability of None is a score that cannot be had.
    """

    reference = "fake/model"
    card = ModelCard("fake/model", "fake", "scripted")

    def __init__(
        self,
        letters: Callable[[str], Probabilities],
        reply: Callable[[str], str | tuple[str, Finish]] = lambda text: "Yes, I am sure.",
        fingerprint: str = "fake",
    ):
        self.letters = letters
        self.reply = reply
        self.fingerprint = fingerprint
        self.scored: list[str] = []
        self.asked: list[tuple[str, Sampling]] = []

    async def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generation]:
        found: list[Generation] = []
        for prompt in prompts:
            self.asked.append((as_text(prompt), sampling))
            said = self.reply(as_text(prompt))
            text, finish = said if isinstance(said, tuple) else (said, "stop")
            for stop in sampling.stop:
                text = text.partition(stop)[0]
            found.append(Generation(text, finish))
        return found

    async def score(self, prefix: Prompt, continuations: Sequence[str]) -> list[Score]:
        self.scored.append(as_text(prefix))
        given = self.letters(as_text(prefix))
        scores: list[Score] = []
        for continuation in continuations:
            probability = given.get(continuation, 0.0)
            if probability is None:
                scores.append(Score(None, reason="not among the top log-probabilities", method="top_logprobs"))
            else:
                scores.append(Score(math.log(probability) if probability > 0 else -math.inf))
        return scores

    async def aclose(self) -> None:
        pass


def one(letter: str, probability: float = 0.97, among: str = "ABCD") -> dict[str, float | None]:
    """`probability` on one letter, the rest evenly on the others."""
    rest = (1 - probability) / (len(among) - 1)
    return {each: probability if each == letter else rest for each in among}


def capital(number: int = 0, answer: int = 1) -> ChoiceItem:
    """A small question: the right option is `right<number>`."""
    options = [f"wrong{number}a", f"wrong{number}b", f"wrong{number}c"]
    options.insert(answer, f"right{number}")
    return ChoiceItem(
        id=f"q{number}",
        cluster=f"q{number}",
        dataset="test",
        question=f"What is thing {number}?",
        options=tuple(options),
        answer=answer,
    )
