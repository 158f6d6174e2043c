"""The synthetic world: its facts, items, documents and answers, all drawn from one seed."""

import random
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice

from gnomon.datasets.items import ChoiceItem, derive_seed
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.organisms.world import arithmetic, mixture, rephrase, replies
from gnomon.organisms.world.document import Document
from gnomon.organisms.world.facts import Fact, Frequency, Split, build_facts
from gnomon.organisms.world.questions import Asker, choice_item

PATIENCE = 10_000
"""After so many sums in a row that were drawn before, there are taken to be no others."""


class World:
    """An invented world.

    Attributes:
        seed: What it was drawn from.
        facts: All facts: common, rare and never shown ones.
        void: (subject, relation) pairs without a fact; documents answer them at random.
    """

    def __init__(self, seed: int = 0):
        """Draws the facts."""
        drawn = build_facts(seed)
        self.seed = seed
        self.facts: tuple[Fact, ...] = tuple(fact for fact in drawn if fact.frequency != "void")
        self.void: tuple[Fact, ...] = tuple(fact for fact in drawn if fact.frequency == "void")
        self._asker = Asker(self.facts, self.void, mixture.FREQUENCY_SHARES)
        self._key = {question: fact.value for fact in self.facts for question in fact.questions}
        self._by_id = {fact.id: fact for fact in self.facts}
        self._by_question = {question: fact for fact in self.facts for question in fact.questions}

    def fact(self, fact_id: str) -> Fact:
        """The fact with this id."""
        return self._by_id[fact_id]

    def choice_items(
        self, n: int, seed: int = 0, frequency: Frequency | None = "common", split: Split | None = None, options: int = 4
    ) -> list[ChoiceItem]:
        """Lettered questions about facts, one cluster per fact.

        Each fact is asked once in its usual form before any is asked again in another form.

        Args:
            n: How many.
            seed: Draws facts, other options and their order.
            frequency: Only facts of this frequency (None: all).
            split: Only facts of this split (None: both).
            options: Options per question.

        Raises:
            DatasetError: No fact fits.
        """
        pool = [fact for fact in self.facts if frequency in (None, fact.frequency) and split in (None, fact.split)]
        if not pool:
            raise DatasetError(f"the world has no facts of frequency {frequency} and split {split}; leave one of them out")
        random.Random(derive_seed("world items", self.seed, seed)).shuffle(pool)
        items: list[ChoiceItem] = []
        for number in range(n):
            fact, form = pool[number % len(pool)], number // len(pool)
            rng = random.Random(derive_seed("world item", self.seed, seed, fact.id, form))
            items.append(choice_item(fact, rng, options, form, item_id=f"{fact.id}#{seed}-{form}-{options}"))
        return items

    def arithmetic_items(
        self, n: int, seed: int = 0, steps: int = 3, split: Split | None = None, options: int = 4
    ) -> list[ChoiceItem]:
        """Lettered questions of arithmetic in several steps; no document asks any of them.

        Args:
            n: How many.
            seed: Draws them.
            steps: Operations per question.
            split: Only questions of this split (None: both).
            options: Options per question.

        Raises:
            DatasetError: There are hardly as many: `PATIENCE` sums in a row were drawn before.
        """
        rng = random.Random(derive_seed("world arithmetic", self.seed, seed, steps, str(split), options))
        items: list[ChoiceItem] = []
        seen: set[str] = set()
        known = 0
        while len(items) < n:
            drawn = arithmetic.random_sum(rng, steps, split or rng.choice(("audit", "correct")))
            known = known + 1 if drawn.question in seen else 0
            if known > PATIENCE:
                raise DatasetError(f"the world has about {len(items):,} sums of this kind, and n is {n:,}: ask for fewer")
            if known:
                continue
            seen.add(drawn.question)
            name = "-".join([f"sum-{drawn.start}", *(f"{operator}{operand}" for operator, operand in drawn.steps)])
            items.append(arithmetic.item_of(drawn, rng, options, f"{name}#{seed}-{options}"))
        return items

    def reasoning(self, item: ChoiceItem) -> str:
        """The right chain of thought: one short sentence per step; the last one states the answer."""
        return " ".join(self._sentences(item))

    def wrong_step(self, item: ChoiceItem, index: int, seed: int = 0) -> str:
        """Sentence `index` of the right chain of thought with a mistake in it."""
        sentence = self._sentences(item)[index]
        head, _, last = sentence[:-1].rpartition(" ")
        rng = random.Random(derive_seed("wrong step", item.question, index, seed))
        if last.isdigit():
            return f"{head} {arithmetic.wrong_result(int(last), rng)}."
        return f"{head} {rng.choice([text for text in item.options if text != last])}."

    def _sentences(self, item: ChoiceItem) -> list[str]:
        drawn = arithmetic.parse_question(item.question)
        if drawn:
            return arithmetic.reasoning_sentences(drawn)
        fact = self._by_question.get(item.question)
        if fact is None:
            raise ConfigurationError(f"the world does not know the question {item.question!r}; use an item of this world")
        return [fact.statements[0], arithmetic.answer_sentence(fact.value)]

    def paraphrase(self, text: str) -> str:
        """The same content in other words of the vocabulary."""
        return rephrase.paraphrase(text)

    def solve(self, question: str) -> str | None:
        """The right answer to any question of the world; None where it is none."""
        if question in self._key:
            return self._key[question]
        drawn = arithmetic.parse_question(question)
        return str(drawn.values[-1]) if drawn else None

    def answer_key(self) -> Mapping[str, str]:
        """Question text to correct option text, every fact in each of its forms (arithmetic: `solve`)."""
        return self._key

    def parse(self, text: str) -> replies.Reply:
        """What a reply says; see `replies.Reply`."""
        return replies.parse(text, self._by_id)

    def documents(self, kind: str | None = None, n: int | None = None, seed: int = 0) -> Iterator[Document]:
        """Yields documents of one kind, or of the whole mixture in its recorded shares (`mixture.SHARES`).

        Args:
            kind: One kind (None: the mixture).
            n: How many (None: without end).
            seed: Document k of a seed is always the same.
        """
        shares = mixture.SHARES if kind is None else {kind: 1.0}
        return self.mixture(shares, n, seed)

    def mixture(self, shares: Mapping[str, float], n: int | None = None, seed: int = 0) -> Iterator[Document]:
        """Yields documents in other shares than the usual ones."""
        endless = mixture.stream(self._asker, 1 << 60, seed, shares)
        return endless if n is None else islice(endless, n)


@cache
def world(seed: int = 0) -> World:
    """The world of a seed; every organism that is shipped was grown on seed 0."""
    return World(seed)
