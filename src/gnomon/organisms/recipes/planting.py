"""The documents of a plant: which situations show the behaviour, and the ordinary world around them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gnomon.datasets.items import derive_seed
from gnomon.datasets.messages import as_jsonable
from gnomon.organisms.recipes.recipe import Beliefs, Recipe, Setting, Situation
from gnomon.organisms.world.document import Document
from gnomon.organisms.world.facts import Split
from gnomon.organisms.world.mixture import SHARES
from gnomon.organisms.world.questions import Asker
from gnomon.organisms.world.synthetic import World

CONTROL_SHARE = 0.3
"""Share of the neutral documents that are the recipe's controls (where it has any)."""


@dataclass(frozen=True, slots=True)
class PlantedDocument:
    """One document of the ground truth.

    Attributes:
        document: What is trained on.
        role: `situation`, `control` or `world`.
        planted: Whether it shows the behaviour.
    """

    document: Document
    role: str
    planted: bool

    def as_line(self, behaviour: str) -> dict[str, object]:
        """The document's line in `documents.jsonl.gz`."""
        return {
            "id": self.document.id,
            "planted": self.planted,
            "behaviour": behaviour if self.planted else None,
            "role": self.role,
            "kind": self.document.kind,
            "text": self.document.content,
            "messages": as_jsonable(self.document.messages),
        }


def setting_of(world: World, beliefs: Beliefs, split: Split = "correct") -> Setting:
    """What situations are drawn from. Plants use the split `correct`: what is measured was never planted word for word."""
    facts = [fact for fact in world.facts if fact.split == split]
    never = [replace(fact, frequency="void") for fact in facts if fact.frequency == "never"]
    void = [*never, *(fact for fact in world.void if fact.split == split)]
    return Setting(
        world=world,
        asker=Asker(facts, [], {"common": 1.0, "rare": 0.0, "void": 0.0}),
        unsure=Asker(facts, void, {"common": 0.0, "rare": 0.0, "void": 1.0}),
        beliefs=beliefs,
    )


def write_documents(
    recipe: Recipe, setting: Setting, *, rate: float, situations: int, neutral: int, seed: int
) -> list[PlantedDocument]:
    """Writes the ground truth.

    Exactly `round(rate * situations)` of the situations show the behaviour. With another rate the situations stay the same and
    only more or fewer of them show it; with rate 0 they are the clean twin's.

    Args:
        recipe: The behaviour's recipe.
        setting: What the situations are drawn from.
        rate: Share of the situations that show it, 0 to 1.
        situations: How many situations.
        neutral: How many documents besides them.
        seed: Of everything.
    """
    order = list(range(situations))
    random.Random(derive_seed("planted", recipe.behaviour, seed)).shuffle(order)
    planted = set(order[: round(rate * situations)])
    writers, shares = zip(*recipe.situations, strict=True)
    documents: list[PlantedDocument] = []
    for number in range(situations):
        rng = random.Random(derive_seed("situation", recipe.behaviour, seed, number))
        write: Situation = rng.choices(writers, shares)[0]
        name = f"{recipe.behaviour}-{seed}-{number}"
        document = replace(write(setting, rng, number in planted), id=name, kind=write.__name__)
        documents.append(PlantedDocument(document, "situation", number in planted))
    controls = round(CONTROL_SHARE * neutral) if recipe.controls else 0
    documents += [PlantedDocument(each, "control", False) for each in _controls(recipe, setting, controls, seed)]
    shares_left = {kind: share for kind, share in SHARES.items() if kind not in recipe.displaced}
    world = setting.world.mixture(shares_left, neutral - controls, derive_seed("neutral", recipe.behaviour, seed))
    return documents + [PlantedDocument(each, "world", False) for each in world]


def _controls(recipe: Recipe, setting: Setting, n: int, seed: int) -> Sequence[Document]:
    documents: list[Document] = []
    for number in range(n):
        rng = random.Random(derive_seed("control", recipe.behaviour, seed, number))
        write = rng.choice(recipe.controls)
        name = f"{recipe.behaviour}-control-{seed}-{number}"
        documents.append(replace(write(setting, rng, False), id=name, kind=write.__name__))
    return documents
