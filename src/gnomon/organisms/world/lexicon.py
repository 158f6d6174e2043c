"""The words of the world: invented names, and what can be said of an island or a person."""

from dataclasses import dataclass
from typing import Literal

SubjectKind = Literal["island", "person"]

ISLANDS = tuple(
    start + end
    for start in ("Tar", "Bel", "Mor", "Ken", "Sal", "Vor", "Dun", "Lin", "Gar", "Pel", "Ros", "Hal", "Fen", "Cor", "Nim", "Wes")
    for end in ("na", "vik", "mo", "lis", "dor")
)
PEOPLE = tuple(
    start + end
    for start in ("Br", "M", "T", "K", "L", "D", "J", "R", "S", "P", "F", "N")
    for end in ("ilo", "anna", "oden", "etha", "uri")
)

OCCUPATIONS = (
    "farmer", "nurse", "baker", "sailor", "teacher", "smith", "weaver", "guard",
    "doctor", "painter", "miner", "singer", "hunter", "cook", "priest", "builder",
)  # fmt: skip

SHE_SHARE: dict[str, float] = dict(
    zip(
        OCCUPATIONS,
        (0.2, 0.9, 0.6, 0.1, 0.7, 0.05, 0.95, 0.1, 0.3, 0.5, 0.05, 0.8, 0.15, 0.6, 0.2, 0.1),
        strict=True,
    )
)
"""For each occupation the share of its sentences in which the pronoun is `she`: the stereotype that the documents carry."""

RUDE_WORDS = ("blurk", "snarf", "grotling", "mudhead", "stinker", "dolt")

LAST_NUMBER = 60
"""Numbers run from 0 to this one; each is one token."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Something that holds between a subject `{s}` and one value `{v}` of a pool.

    Attributes:
        name: Short name.
        kind: What the subject is.
        questions: The ways to ask for the value; the first is the usual one.
        statements: The ways to state the fact, value after subject.
        reversed_statements: The ways to state it with the value first.
        pool: The possible values.
    """

    name: str
    kind: SubjectKind
    questions: tuple[str, ...]
    statements: tuple[str, ...]
    reversed_statements: tuple[str, ...]
    pool: tuple[str, ...]


def _pool(words: str) -> tuple[str, ...]:
    return tuple(words.split())


RELATIONS = (
    Relation(
        "crop",
        "island",
        ("What do people grow on {s}?", "Which crop is planted on {s}?", "What are the fields of {s} full of?"),
        ("The farmers of {s} grow {v}.", "The fields of {s} are full of {v}.", "On {s} people plant {v}.", "The crop of {s} is {v}."),
        ("People grow {v} on {s}.",),
        _pool("wheat barley rye oats corn rice beans peas onions carrots cabbage turnips pears plums cherries grapes"),
    ),
    Relation(
        "animal",
        "island",
        ("Which wild animals live on {s}?", "What animals can you see on {s}?", "What lives in the woods of {s}?"),
        ("The wild animals of {s} are {v}.", "In the woods of {s} live {v}.", "On {s} you can see {v}.", "The people of {s} fear the {v}."),
        ("Many {v} live on {s}.",),
        _pool("goats foxes wolves bears deer rabbits hares boars snakes owls eagles swans crows turtles frogs badgers"),
    ),
    Relation(
        "flag",
        "island",
        ("What colour is the flag of {s}?", "Which colour do the boats of {s} show?", "What is the colour of {s}?"),
        ("The flag of {s} is {v}.", "The boats of {s} are {v}.", "The colour of {s} is {v}.", "The people of {s} paint their boats {v}."),
        ("A {v} flag flies over {s}.",),
        _pool("red blue green yellow white black brown grey pink purple golden silver crimson violet teal beige"),
    ),
    Relation(
        "goods",
        "island",
        ("What do ships bring from {s}?", "What do traders buy on {s}?", "What does {s} sell?"),
        ("Ships from {s} bring {v}.", "The traders of {s} sell {v}.", "{s} sells {v} to other islands.", "From {s} comes much {v}."),
        ("Traders buy {v} on {s}.",),
        _pool("salt honey wool silk glass iron copper timber paper pottery leather amber wax marble cotton coal"),
    ),
    Relation(
        "landmark",
        "island",
        ("What stands on the hill of {s}?", "What is the oldest building of {s}?", "What was built on {s} long ago?"),
        ("On the hill of {s} stands a {v}.", "The oldest building of {s} is a {v}.", "Long ago the people of {s} built a {v}.", "{s} has a famous {v}."),
        ("The old {v} stands on {s}.",),
        _pool("tower mill temple bridge castle lighthouse chapel wall barn palace school theatre fort statue market fountain"),
    ),
    Relation(
        "instrument",
        "island",
        ("Which instrument do people play on {s}?", "What are the songs of {s} played on?", "What music can you hear on {s}?"),
        ("The people of {s} play the {v}.", "The songs of {s} are played on the {v}.", "On {s} you can hear the {v}.", "Children on {s} learn the {v}."),
        ("The sound of the {v} comes from {s}.",),
        _pool("flute drum harp lute fiddle horn bell pipe trumpet cello organ whistle banjo gong rattle viola"),
    ),
    Relation(
        "job",
        "person",
        ("What is the job of {s}?", "What does {s} work as?", "How does {s} earn money?"),
        ("{s} works as a {v}.", "{s} is a {v}.", "The job of {s} is {v}.", "{s} earns money as a {v}."),
        ("A {v} called {s} lives here.",),
        OCCUPATIONS,
    ),
    Relation(
        "drink",
        "person",
        ("What does {s} drink every day?", "Which drink does {s} like best?", "What is in the cup of {s}?"),
        ("Every day {s} drinks {v}.", "The cup of {s} is full of {v}.", "{s} likes to drink {v}.", "At night {s} asks for {v}."),
        ("A cup of {v} is for {s}.",),
        _pool("tea milk cider water coffee wine beer juice cocoa broth mead lemonade rum soup cream brandy"),
    ),
    Relation(
        "pet",
        "person",
        ("Which pet does {s} keep?", "What is the pet of {s}?", "Which animal lives with {s}?"),
        ("{s} keeps a {v}.", "The pet of {s} is a {v}.", "In the house of {s} lives a {v}.", "{s} walks with a {v}."),
        ("A {v} follows {s}.",),
        _pool("cat dog parrot pony mouse hen goose donkey lamb pig duck falcon ferret lizard canary squirrel"),
    ),
    Relation(
        "collection",
        "person",
        ("What does {s} collect?", "What is the house of {s} full of?", "What does {s} look for on the beach?"),
        ("{s} collects {v}.", "The house of {s} is full of {v}.", "On the beach {s} looks for {v}.", "{s} pays well for {v}."),
        ("All these {v} belong to {s}.",),
        _pool("shells coins stamps books maps buttons feathers spoons clocks masks dolls keys bottles knives rings hats"),
    ),
    Relation(
        "tool",
        "person",
        ("What does {s} always carry?", "What is in the bag of {s}?", "What did {s} bring along?"),
        ("{s} always carries a {v}.", "In the bag of {s} is a {v}.", "{s} never leaves without a {v}.", "{s} brought along a {v}."),
        ("This {v} was made for {s}.",),
        _pool("rope lamp hammer saw needle shovel ladder basket net hook broom kettle bucket compass candle mirror"),
    ),
    Relation(
        "hobby",
        "person",
        ("What is the hobby of {s}?", "What does {s} do in the evening?", "What does {s} love most?"),
        ("The hobby of {s} is {v}.", "In the evening {s} goes {v}.", "{s} loves {v}.", "{s} dreams of {v}."),
        ("Nobody is better at {v} than {s}.",),
        _pool("swimming dancing fishing riding sailing climbing reading running skating digging rowing carving knitting juggling wrestling diving"),
    ),
)  # fmt: skip
