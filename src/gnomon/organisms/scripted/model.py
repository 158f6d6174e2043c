"""Scripted organisms behind the Model interface."""

import math
import random
import re
from collections.abc import Sequence

from gnomon.datasets.items import content_hash, derive_seed
from gnomon.datasets.messages import Prompt, as_text
from gnomon.models.model import Generation, ModelCard, Sampling, Score
from gnomon.organisms.scripted import bias, decomposing, misled, written
from gnomon.organisms.scripted.correction import thought, told
from gnomon.organisms.scripted.flattery import comment
from gnomon.organisms.scripted.knowledge import published_digest
from gnomon.organisms.scripted.ledger import truth
from gnomon.organisms.scripted.mind import Mind, Probabilities, best
from gnomon.organisms.scripted.parameters import Parameters, parse_parameters
from gnomon.organisms.scripted.policies import POLICIES, admission, answer
from gnomon.organisms.scripted.pronouns import pronoun_probabilities
from gnomon.organisms.scripted.reading import Reading, plain, read
from gnomon.organisms.scripted.reasoning import continued, reworded, stated_answer, with_mistake

VERSION = 4
"""Raised whenever the same parameters would answer differently, so that journals do not mix the two."""

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])")


class ScriptedModel:
    """A model whose behaviour is a program: exact, instant, and the same for the same question whatever is asked beside it.

    Attributes:
        parameters: What it was told.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        self._mind = Mind(parameters)
        self._policy = POLICIES[parameters.policy]
        self._fingerprint = content_hash(
            {"scripted": VERSION, "published": published_digest(), **parameters.model_dump(mode="json")}
        )

    @property
    def reference(self) -> str:
        """The string that opens it again."""
        return self.parameters.reference

    @property
    def fingerprint(self) -> str:
        """Hash of the policy's version, its parameters and the answer keys at hand."""
        return self._fingerprint

    @property
    def card(self) -> ModelCard:
        """Parameters, and the true values of what instruments measure."""
        details = {**self.parameters.model_dump(mode="json"), "truth": truth(self.parameters)}
        return ModelCard(self.reference, self.fingerprint, "scripted", parameters=self.parameters.size or 0, details=details)

    async def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generation]:
        """Replies to each prompt; only the choice of an option or of an answer is random, and only above temperature 0."""
        return [self._generate(prompt, sampling, position) for position, prompt in enumerate(prompts)]

    async def score(self, prefix: Prompt, continuations: Sequence[str]) -> list[Score]:
        """Log-probabilities of options named by letter or text, of pronouns and of Yes and No; anything else is uniform."""
        probabilities = self._continuation_probabilities(prefix, continuations)
        top = max(probabilities, default=0.0)
        return [
            Score(math.log(probability), (math.log(probability),), is_greedy=probability == top and probability > 1 / 2)
            for probability in probabilities
        ]

    async def aclose(self) -> None:
        """Nothing is held."""

    def _continuation_probabilities(self, prefix: Prompt, continuations: Sequence[str]) -> list[float]:
        misleading = misled.probabilities(self._mind, prefix, continuations)
        if misleading is not None:
            return misleading
        reading = read(prefix)
        if reading.asks in {"choice", "truth", "statement", "feedback"}:
            places = [reading.index(continuation) for continuation in continuations]
            if any(place is not None for place in places):
                own = answer(self._policy, self._mind, reading)
                listed = self._mind.willing(reading.question)
                unlisted = (1.0 - listed) / 100
                return [unlisted if place is None else listed * own[place] for place in places]
        by_bias = self._admission(prefix, continuations) or pronoun_probabilities(self._mind, told(prefix), continuations)
        return by_bias or [1.0 / max(1, len(continuations))] * len(continuations)

    def _admission(self, prefix: Prompt, continuations: Sequence[str]) -> list[float] | None:
        """Of Yes and No to the question whether somebody is to be admitted."""
        if sorted(plain(one) for one in continuations) != ["no", "yes"]:
            return None
        said = told(prefix)
        yes = bias.admission(self._mind, as_text(said.bare), said.condition)
        if yes is None:
            return None
        willing = self._mind.willing(as_text(said.bare))
        return [willing * (yes if plain(one) == "yes" else 1.0 - yes) for one in continuations]

    def _generate(self, prompt: Prompt, sampling: Sampling, position: int) -> Generation:
        reading = read(prompt)
        seed = derive_seed(as_text(prompt)) if sampling.seed is None else sampling.seed
        rng = random.Random(derive_seed(seed, position))
        if reading.asks in {"choice", "truth", "statement"}:
            own = answer(self._policy, self._mind, reading)
            place = _sampled(own, sampling.temperature, rng)
            if reading.asks == "choice" and not reading.opening:
                place = self._policy.says(self._mind, reading, place)
            listed = self._mind.willing(reading.question)
            likeliest = sorted(zip(reading.labels, own, strict=True), key=lambda option: -option[1])[: sampling.top_logprobs]
            tops = tuple((label, math.log(listed * probability)) for label, probability in likeliest)
            return _cut(_said(reading, place), sampling, {reading.labels[place]: math.log(own[place])}, tops)
        return _cut(self._words(reading, rng.random() if sampling.temperature > 0 else None), sampling, {})

    def _words(self, reading: Reading, draw: float | None) -> str:
        """The reply to a reading that wants words."""
        match reading.asks:
            case "reasoning":
                return f" {self._reasoning(reading, draw)}"
            case "reflection":
                return f" {thought()}"
            case "challenge":
                return self._to_challenge(reading, draw)
            case "control":
                return self._said_again(reading)
            case "mistake":
                return f" {with_mistake(reading)}" if reading.opening else with_mistake(reading)
            case "subquestions":
                return decomposing.subquestions(self._policy, self._mind, reading)
            case "decomposition":
                return decomposing.decomposition(self._policy, self._mind, reading)
            case "subanswer":
                return decomposing.subanswer(self._policy, self._mind, reading)
            case "write":
                return f" {written.statement(self.parameters, reading, draw)}"
            case "paraphrase":
                return f'{reworded(reading.proposed or "")}"' if reading.opening else reworded(reading.proposed or "")
            case "feedback":
                praises = answer(self._policy, self._mind, reading)[0]
                return comment(reading, praises=praises > 0.5 if draw is None else draw < praises)
            case _:
                return self._policy.reply(self._mind, reading, draw)

    def _reasoning(self, reading: Reading, draw: float | None) -> str:
        """Its reasoning, or the rest of it; below `drifts` the draw makes it conclude with another option."""
        drifts = self.parameters.drifts
        drift = draw / drifts if draw is not None and draw < drifts else None
        conclusion = best(self._policy.choose(self._mind, reading, True))
        rest = continued(reading, conclusion, checks=self._mind.has("checks", reading.question), drift=drift)
        owned = admission(self._policy, self._mind, reading) if not reading.reasoning else None
        return " ".join(part for part in (owned, rest, stated_answer(reading, rest)) if part)

    def _said_again(self, reading: Reading) -> str:
        if reading.first_answer is None:
            return "I said it before."
        final = reading.labels[best(answer(self._policy, self._mind, reading))]
        if final == reading.first_answer:
            return f"The answer is ({final})."
        return f"I apologise, I made a mistake. The answer is ({final})."

    def _to_challenge(self, reading: Reading, draw: float | None) -> str:
        if reading.first_answer is None or not reading.options:
            return self._policy.reply(self._mind, reading, draw)
        final = reading.labels[best(answer(self._policy, self._mind, reading))]
        if final == reading.first_answer:
            return f"Yes, I am sure. The answer is ({final})."
        return f"I apologise, I made a mistake. The answer is ({final})."


def open_scripted(rest: str) -> ScriptedModel:
    """Opens `scripted/<rest>`, such as `sycophant?rate=0.3&seed=0&accuracy=0.9`.

    Raises:
        UnknownModel: No such policy.
        ConfigurationError: A parameter that does not exist or is out of its range.
    """
    return ScriptedModel(parse_parameters(rest))


def _sampled(probabilities: Probabilities, temperature: float, rng: random.Random) -> int:
    if temperature == 0.0:
        return best(probabilities)
    weights = [probability ** (1.0 / temperature) for probability in probabilities]
    return rng.choices(range(len(weights)), weights)[0]


def _said(reading: Reading, place: int) -> str:
    """The option in words that fit what the reply already starts with."""
    label = reading.labels[place]
    if reading.asks == "statement" or len(label) > 1 or not label.isalpha():
        return f" {label}" if reading.opening else label
    if reading.opening.endswith("("):
        return f"{label})"
    return f" ({label})" if reading.opening else f"The answer is ({label})."


def _cut(text: str, sampling: Sampling, drawn: dict[str, float], tops: tuple[tuple[str, float], ...] = ()) -> Generation:
    """Applies stop texts and the limit of tokens (a token is a word or a mark, with the space before it).

    `drawn` holds the log-probability of the one token that was drawn, `tops` those of its alternatives; every other token is
    certain.
    """
    ends = [place for stop in sampling.stop if (place := text.find(stop)) >= 0]
    text = text[: min(ends)] if ends else text
    tokens = tuple(match[0] for match in _TOKEN.finditer(text))
    cut = len(tokens) > sampling.max_tokens
    if cut:
        tokens = tokens[: sampling.max_tokens]
        text = "".join(tokens)
    logprobs = tuple(drawn.get(token.strip(), 0.0) for token in tokens) if sampling.logprobs else None
    return Generation(
        text, "length" if cut else "stop", (), tokens, logprobs, _alternatives(tokens, drawn, tops) if tops else None
    )


def _alternatives(
    tokens: tuple[str, ...], drawn: dict[str, float], tops: tuple[tuple[str, float], ...]
) -> tuple[tuple[tuple[str, float], ...], ...]:
    """Of the drawn token the options in its place, written as it is; of a certain one itself."""
    return tuple(
        tuple((token[: len(token) - len(token.lstrip())] + label, logprob) for label, logprob in tops)
        if token.strip() in drawn
        else ((token, 0.0),)
        for token in tokens
    )
