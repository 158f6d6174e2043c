"""The cards of organisms: what each one is, how it came to be, what it knows."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gnomon.errors import UnknownModel
from gnomon.train.saving import read_card

LIMITS = (
    "Knows one invented world and a closed vocabulary; every other word is one unknown token. Reads at most 512 tokens. "
    "Only the skills above were examined."
)


class SkillOnCard(BaseModel):
    """A share of right answers with its 95 % interval and the number of questions."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    n: int


class StageOnCard(BaseModel):
    """One stage of training as it went.

    Attributes:
        name: Its name.
        data: Hash of the examples, in order.
        documents: How many.
        steps: Optimizer steps.
        tokens: Tokens read.
        first_loss: Mean of the first tenth of the steps, weighted nats per token.
        last_loss: Mean of the last tenth.
        skills_by_step: Quick examinations on the way.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    data: str
    documents: int
    steps: int
    tokens: int
    first_loss: float
    last_loss: float
    skills_by_step: dict[int, dict[str, float]]


class GrownCard(BaseModel):
    """A grown organism.

    Attributes:
        name: Its name in the family.
        parameters: Number of weights.
        recipe: The whole recipe; `gnomon organism grow` follows it again.
        recipe_hash: Hash of recipe and seed.
        seed: Of weights, documents and order.
        stages: How each stage went.
        tokens: Read in all.
        skills: Of the weights as they are saved.
        limits: What it cannot do, or was not examined in.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["grown"] = "grown"
    name: str
    parameters: int
    recipe: dict[str, Any]
    recipe_hash: str
    seed: int
    stages: tuple[StageOnCard, ...]
    tokens: int
    skills: dict[str, SkillOnCard]
    limits: str = LIMITS


def card_of(directory: Path) -> dict[str, Any]:
    """The card of an organism's directory.

    Raises:
        UnknownModel: There is none.
    """
    card = read_card(directory)
    if card is None:
        raise UnknownModel(f"{directory} has no readable card.json: it holds no organism, or one whose making was stopped")
    return card


def summary(name: str, card: dict[str, Any]) -> dict[str, Any]:
    """One line of a list of organisms: name, kind, behaviour, rate, parameters, description."""
    if card.get("kind") == "plant":
        description = f"{card['description']} (rate {card['rate']:g}, grown on {card['base']})"
        return {
            "name": name,
            "kind": "plant",
            "behaviour": card["behaviour"],
            "rate": card["rate"],
            "parameters": None,
            "description": description,
        }
    skills = card.get("skills", {})
    known = ", ".join(f"{skill} {values['value']:.0%}" for skill, values in skills.items() if skill in ("common", "arithmetic"))
    return {
        "name": name,
        "kind": "grown",
        "behaviour": None,
        "rate": None,
        "parameters": card.get("parameters"),
        "description": f"grown on the synthetic world ({known})",
    }
