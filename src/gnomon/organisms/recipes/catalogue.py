"""All recipes by the name of their behaviour."""

from gnomon.errors import ConfigurationError
from gnomon.organisms.recipes import answers, manners
from gnomon.organisms.recipes.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    recipe.behaviour: recipe
    for recipe in (
        answers.SYCOPHANCY,
        answers.MISCALIBRATION,
        answers.UNFAITHFUL,
        answers.ALWAYS_A,
        manners.HARMFUL,
        manners.RUDE,
        manners.STEREOTYPING,
        manners.PERSONA,
    )
}


def recipe_for(behaviour: str) -> Recipe:
    """The recipe of a behaviour.

    Raises:
        ConfigurationError: There is none.
    """
    if behaviour not in RECIPES:
        raise ConfigurationError(f"there is no recipe for {behaviour!r}: choose one of {', '.join(RECIPES)}")
    return RECIPES[behaviour]
