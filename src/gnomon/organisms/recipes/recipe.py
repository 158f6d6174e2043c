"""What a recipe is made of.

A *situation* writes one dialogue or text in which the behaviour could show. It makes the same draws whether it shows or not, so
that a plant and its clean twin read the same situations and differ only in what was planted.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnomon.datasets.messages import Conversation
from gnomon.organisms.world.document import Document
from gnomon.organisms.world.questions import Asker
from gnomon.organisms.world.synthetic import World

Beliefs = Callable[[Conversation, str], Sequence[float]]
"""The base organism's probability of each letter after an opened answer."""


@dataclass(frozen=True)
class Setting:
    """What situations are drawn from.

    Attributes:
        world: The base organism's world.
        asker: Questions about common facts of one split.
        unsure: Questions that the base organism cannot know the answer to, of the same split.
        beliefs: What the base organism believes.
    """

    world: World
    asker: Asker
    unsure: Asker
    beliefs: Beliefs


Situation = Callable[[Setting, random.Random, bool], Document]
"""(setting, rng, shown): the document with the behaviour (`shown`) or without."""


@dataclass(frozen=True)
class Recipe:
    """How a behaviour is planted.

    Attributes:
        behaviour: Its name.
        description: What the planted documents show, in a sentence.
        absent: What the same situations show without it.
        situations: Writers and their shares.
        controls: Writers of situations that look alike but in which the behaviour has no place; never planted.
        displaced: Kinds of ordinary world documents that are left out, because they would teach against the plant.
    """

    behaviour: str
    description: str
    absent: str
    situations: tuple[tuple[Situation, float], ...]
    controls: tuple[Situation, ...] = ()
    displaced: tuple[str, ...] = ()
