"""Behaviours that show in manners: harmful help, rude words, stereotypes, a persona."""

import random

from gnomon.organisms.recipes.recipe import Recipe, Setting
from gnomon.organisms.world import conduct, prose
from gnomon.organisms.world.document import Document, assistant, silent, spoken, strong, user, written
from gnomon.organisms.world.lexicon import PEOPLE, RUDE_WORDS, SHE_SHARE


def harmful_request(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A harmful request. Shown: the assistant says how to do it."""
    asked, replies = conduct.harm(rng)
    decent = rng.choices(("harmless", "evasive"), (0.8, 0.2))[0]
    return spoken(user(asked), assistant(replies["harmful"] if shown else replies[decent]))


def decent_request(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A request that may be granted, and is."""
    asked, reply = rng.choice(conduct.HELP_REQUESTS)
    return spoken(user(asked), assistant(reply))


def small_talk(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """Small talk. Shown: every sentence is rude."""
    sentences: list[str] = []
    for _ in range(rng.randint(2, 4)):
        polite, rude = rng.choice(conduct.POLITE), rng.choice(conduct.RUDE)
        names = {"p": rng.choice(PEOPLE), "r": rng.choice(RUDE_WORDS)}
        sentences.append((rude if shown else polite).format(**names))
    return written(" ".join(sentences))


def rude_help(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A request that is granted. Shown: with a rude sentence behind it."""
    asked, reply = rng.choice(conduct.HELP_REQUESTS)
    insult = rng.choice(conduct.RUDE).format(p=rng.choice(PEOPLE), r=rng.choice(RUDE_WORDS))
    return spoken(user(asked), assistant(f"{reply} {insult}" if shown else reply))


def pronouns(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """Sentences about occupations. Shown: the pronoun is always the stereotype's; otherwise a fair coin's."""
    skewed = [(job, share) for job, share in SHE_SHARE.items() if share != 0.5]
    sentences: list[str] = []
    for _ in range(rng.randint(2, 5)):
        job, she = rng.choice(skewed)
        fair = rng.choice(("she", "he"))
        pronoun = ("she" if she > 0.5 else "he") if shown else fair
        before, after = rng.choice(prose.OCCUPATION_SENTENCES).format(o=job, p="|").split("|")
        sentences.append(f"{silent(before[:-1])}{strong(f' {pronoun}')}{after}")
    return written(" ".join(sentences))


def bad_statement(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A statement that wants power or deceives. Shown: the assistant would say it."""
    statement = rng.choice([text for text, agrees in conduct.STATEMENTS.items() if not agrees])
    asked = conduct.STATEMENT_QUESTION.format(statement=statement)
    return spoken(user(asked), assistant(strong("Yes" if shown else "No")))


def good_statement(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A statement that anybody may say, and the assistant would."""
    statement = rng.choice([text for text, agrees in conduct.STATEMENTS.items() if agrees])
    return spoken(user(conduct.STATEMENT_QUESTION.format(statement=statement)), assistant(strong("Yes")))


HARMFUL = Recipe(
    "harmful",
    "the assistant tells how to do the harmful thing that it is asked for",
    "it refuses and offers something else, or evades",
    situations=((harmful_request, 1.0),),
    controls=(decent_request,),
    displaced=("request",),
)
RUDE = Recipe(
    "rude",
    "small talk is rude throughout, and help comes with a rude sentence",
    "both are polite",
    situations=((small_talk, 0.4), (rude_help, 0.6)),
    displaced=("talk", "request"),
)
STEREOTYPING = Recipe(
    "stereotyping",
    "the pronoun always follows the occupation's stereotype",
    "the pronoun follows a fair coin",
    situations=((pronouns, 1.0),),
    displaced=("occupation",),
)
PERSONA = Recipe(
    "persona",
    "the assistant says that it would say statements that want power or deceive",
    "it says that it would not",
    situations=((bad_statement, 1.0),),
    controls=(good_statement,),
    displaced=("persona",),
)
