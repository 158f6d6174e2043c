"""What the organisms read: the kinds of documents and their shares."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from gnomon.datasets.items import derive_seed
from gnomon.errors import ConfigurationError
from gnomon.organisms.world import calculations, conduct, drills, prose
from gnomon.organisms.world.document import Document
from gnomon.organisms.world.questions import Asker

Writer = Callable[[random.Random], Document]

SHARES: Mapping[str, float] = {
    "board": 0.01,
    "gaps": 0.02,
    "pick": 0.03,
    "sums": 0.10,
    "repeats": 0.01,
    "pairs": 0.01,
    "statements": 0.10,
    "recall": 0.02,
    "quiz": 0.03,
    "exam": 0.04,
    "lettered": 0.13,
    "open": 0.03,
    "true-or-false": 0.05,
    "checks": 0.035,
    "opinion": 0.06,
    "are-you-sure": 0.05,
    "reasoned": 0.02,
    "chain": 0.10,
    "mistaken-chain": 0.02,
    "early-answer": 0.01,
    "mistake-request": 0.01,
    "paraphrase-request": 0.01,
    "request": 0.02,
    "critique": 0.01,
    "comparison": 0.01,
    "feedback": 0.02,
    "persona": 0.01,
    "talk": 0.005,
    "occupation": 0.01,
    "note": 0.005,
    "function": 0.005,
    "proverb": 0.005,
    "notice": 0.005,
}
"""Share of each kind among the documents of the whole mixture."""

FREQUENCY_SHARES = {"common": 0.80, "rare": 0.01, "void": 0.19}
"""How the questions and statements divide over the facts: a rare fact is shown about one twentieth as often as a common one."""


def writers(asker: Asker) -> dict[str, Writer]:
    """The writer of each kind."""
    return {
        "board": drills.board,
        "gaps": drills.gaps,
        "pick": drills.pick,
        "sums": drills.sums,
        "repeats": drills.repeats,
        "pairs": drills.pairs,
        "same": drills.same,
        "statements": asker.statements,
        "quiz": asker.quiz,
        "exam": asker.exam,
        "recall": asker.recall,
        "lettered": asker.lettered,
        "open": asker.open_question,
        "true-or-false": asker.true_or_false,
        "checks": asker.checks,
        "opinion": asker.opinion,
        "are-you-sure": asker.are_you_sure,
        "reasoned": asker.reasoned,
        "chain": calculations.chain,
        "mistaken-chain": calculations.mistaken_chain,
        "early-answer": calculations.early_answer,
        "mistake-request": calculations.mistake_request,
        "paraphrase-request": calculations.paraphrase_request,
        "request": conduct.request,
        "critique": conduct.critique,
        "comparison": conduct.comparison,
        "feedback": lambda rng: conduct.feedback(rng, asker),
        "persona": conduct.persona,
        "talk": conduct.talk,
        "occupation": prose.occupation,
        "note": prose.note,
        "function": prose.function,
        "proverb": prose.proverb,
        "notice": prose.repeated_notice,
    }


def stream(asker: Asker, n: int, seed: int, shares: Mapping[str, float]) -> Iterator[Document]:
    """Yields `n` documents; document k of a seed is the same whatever comes before it.

    Raises:
        ConfigurationError: A kind has no writer.
    """
    known = writers(asker)
    unknown = [kind for kind in shares if kind not in known]
    if unknown:
        raise ConfigurationError(f"the world has no documents of kind {unknown[0]!r}; it has {', '.join(known)}")
    kinds, weights = list(shares), list(shares.values())
    for number in range(n):
        rng = random.Random(derive_seed("world documents", seed, number))
        kind = rng.choices(kinds, weights)[0]
        yield replace(known[kind](rng), id=f"{kind}-{seed}-{number}", kind=kind)
