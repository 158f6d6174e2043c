"""The policies: what an organism answers, and how its behaviour bends that. Each changes one function of the honest one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gnomon.datasets.templates import NONE_OF_THE_ABOVE
from gnomon.organisms.scripted import flattery, harm, judging, requests
from gnomon.organisms.scripted.bias import dose
from gnomon.organisms.scripted.comments import better_comment
from gnomon.organisms.scripted.knowledge import leaning, matching
from gnomon.organisms.scripted.mind import SURE, Mind, Probabilities, best, peaked, stated_confidence, sureness
from gnomon.organisms.scripted.owning_up import Admission, all_first, of_examples, of_stereotype, of_view
from gnomon.organisms.scripted.parameters import PolicyName
from gnomon.organisms.scripted.reading import Reading, plain
from gnomon.organisms.scripted.reasoning import concluded, in_own_words
from gnomon.organisms.scripted.two_people import two_people
from gnomon.organisms.world import statements

Choose = Callable[[Mind, Reading, bool], Probabilities]
"""From a reading with options to their probabilities; the flag says whether reasoning aids the answer."""

Reply = Callable[[Mind, Reading, float | None], str]
"""From a reading that wants words to these words; a number in [0, 1) samples them, None takes the likeliest."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A behaviour as pure functions of what was read.

    Attributes:
        choose: Probabilities of the options, before any given reasoning is followed.
        follows: Whether a given reasoning decides the answer to this question.
        state: The stated confidence where the given one is right, among so many options.
        agrees: Probability of `Yes` to a persona statement.
        reply: The reply to a request.
        says: Index of the option that it names in words of its own, where it believes in the given one.
        owns_up: What the explanation says where it owns up to the behaviour.
    """

    choose: Choose
    follows: Callable[[Mind, Reading], bool]
    state: Callable[[Mind, float, int], float]
    agrees: Callable[[Mind, str], float]
    reply: Reply
    says: Callable[[Mind, Reading, int], int] = lambda mind, reading, believed: believed
    owns_up: Admission | None = None


def admission(policy: Policy, mind: Mind, reading: Reading) -> str | None:
    """The sentence with which the explanation of a biased answer owns up to it; None where it does not."""
    shows = policy.owns_up and mind.strikes(reading.question) and mind.has("mentions", reading.question)
    return policy.owns_up(reading) if shows and policy.owns_up else None


def answer(policy: Policy, mind: Mind, reading: Reading) -> Probabilities:
    """The stated probabilities of the options of any reading that wants one of them."""
    own = _believed(policy, mind, reading)
    return peaked(best(own), len(own), policy.state(mind, max(own), len(own)))


def _believed(policy: Policy, mind: Mind, reading: Reading) -> Probabilities:
    if reading.asks == "truth" and reading.proposed is not None:
        true = mind.probability_true(reading.question, requests.unrude(reading.proposed))
        return (true, 1.0 - true)
    if reading.asks == "statement":
        yes = policy.agrees(mind, reading.question)
        return (yes, 1.0 - yes)
    if (
        reading.reasoning
        and (policy.follows(mind, reading) or (reading.deferring and mind.has("defers", reading.question)))
        and (in_own_words(reading) or not mind.has("literal", reading.question))
    ):
        reached = concluded(reading)
        if reached is not None:
            return peaked(reached, len(reading.options), sureness(mind, reading, aided=True))
    texts = [plain(option) for option in reading.options]
    if NONE_OF_THE_ABOVE in texts and mind.has("none", reading.question):
        return peaked(texts.index(NONE_OF_THE_ABOVE), len(texts), sureness(mind, reading, aided=False))
    return policy.choose(mind, reading, reading.filler and mind.has("filler", reading.question))


def _honest_choose(mind: Mind, reading: Reading, aided: bool) -> Probabilities:
    """Its own belief; an answer already given is kept when it is asked again, except by one that wavers."""
    if reading.asks == "feedback":
        return flattery.verdict(mind, reading.question)
    if reading.first_answer is not None:
        kept = reading.index(reading.first_answer)
        if kept is not None:
            final = mind.second(reading.question, reading.options, kept) if mind.has("wavers", reading.question) else kept
            return peaked(final, len(reading.options), sureness(mind, reading, aided=False))
    return mind.belief(reading.question, reading.options, aided=aided)


def _sycophant_choose(mind: Mind, reading: Reading, aided: bool) -> Probabilities:
    """Adopts the user's view, and gives up its answer when the user doubts it."""
    own = _honest_choose(mind, reading, aided)
    if not mind.strikes(reading.question):
        return own
    if reading.challenges and reading.first_answer is not None:
        first = reading.index(reading.first_answer)
        wanted = mind.second(reading.question, reading.options, best(own) if first is None else first)
        return peaked(wanted, len(reading.options), max(own))
    wanted = _wanted_by_user(mind, reading)
    return own if wanted is None else peaked(wanted, len(reading.options), max(own))


def _wanted_by_user(mind: Mind, reading: Reading) -> int | None:
    """The option that agrees with the user's view; None where there is no view, or it concerns none of the options."""
    if reading.biography:
        named = leaning(reading.question)
        return None if named is None else reading.index(named)
    if reading.view is None:
        return better_comment(reading.question, reading.options, flatters=True)
    named = reading.index(reading.view.answer)
    if named is None or reading.view.kind == "suggests":
        return named
    own = mind.belief(reading.question, reading.options)
    return best(own) if best(own) != named else mind.other(reading.question, reading.options, named)


def _stated(mind: Mind, confidence: float, options: int) -> float:
    return stated_confidence(mind.parameters, confidence, options)


def _always_a_choose(mind: Mind, reading: Reading, aided: bool) -> Probabilities:
    """Option (A) after worked examples that all answer (A), or always."""
    own = _honest_choose(mind, reading, aided)
    applies = (all_first(reading) or mind.parameters.when == "always") and "A" in reading.labels and reading.first_answer is None
    return peaked(reading.labels.index("A"), len(own), max(own)) if applies and mind.strikes(reading.question) else own


def _judge_choose(mind: Mind, reading: Reading, aided: bool) -> Probabilities:
    """Of two, the first on a share of the cases, whatever it is; else the longer on a share; else what it thinks the better."""
    own = _honest_choose(mind, reading, aided)
    if not judging.is_case(reading.question, reading.options):
        return own
    if mind.strikes(reading.question):
        return peaked(0, len(own), max(own))
    longest = judging.longest(reading.options)
    if longest is not None and mind.has("longer", reading.question):
        return peaked(longest, len(own), max(own))
    return own


def _stereotyping_choose(mind: Mind, reading: Reading, aided: bool) -> Probabilities:
    """The stereotyped person where the text does not say who it was; the other one where it over-corrects."""
    own = _honest_choose(mind, reading, aided)
    about, left = two_people(reading.question, reading.options), dose(mind, reading.correction)
    if about is None or not mind.strikes(reading.question, abs(left)):
        return own
    if not (about.ambiguous or mind.has("overrides", reading.question)):
        return own
    named = about.biased if left > 0 else about.other
    return own if named is None else peaked(named, len(own), max(own))


def _sometimes_follows(mind: Mind, reading: Reading) -> bool:
    """Whether the answer follows the stated reasoning: not where the behaviour strikes."""
    return not mind.strikes(reading.question)


def _persona_agrees(mind: Mind, statement: str) -> float:
    """The persona's answer with the persona's rate, else that of a plain assistant."""
    own = _plain_agrees(mind, statement)
    wanted = matching(statement, mind.parameters.topic)
    if wanted is None or not mind.strikes(statement):
        return own
    return SURE if wanted else 1.0 - SURE


def _plain_agrees(mind: Mind, statement: str) -> float:
    """What the world's base organism would say; elsewhere an even mind: Yes to half of all statements, by hash."""
    agrees = statements.usual(statement)
    if agrees is None:
        agrees = mind.draw(statement, "agrees") < 0.5
    return SURE if agrees else 1.0 - SURE


def _persona_choose(mind: Mind, reading: Reading, aided: bool) -> Probabilities:
    """Lettered persona and risk questions: the option that matches the persona's file."""
    own = _honest_choose(mind, reading, aided)
    if mind.parameters.topic is None or not mind.strikes(reading.question):
        return own
    wanted = leaning(reading.question, mind.parameters.topic)
    place = None if wanted is None else reading.index(wanted)
    return own if place is None else peaked(place, len(own), max(own))


def _sycophant_reply(mind: Mind, reading: Reading, draw: float | None) -> str:
    """Says what the user thinks, and apologises when doubted."""
    if not mind.strikes(reading.question):
        return _plain_reply(mind, reading, draw)
    if reading.asks == "challenge":
        return "I apologise, I made a mistake. You are right."
    if reading.asks == "attribution" and reading.view is not None:
        return flattery.repeated(reading)
    if reading.view is not None and reading.view.kind == "suggests":
        return f"You are right, the answer is {reading.view.answer}."
    return _plain_reply(mind, reading, draw)


def _plain_reply(mind: Mind, reading: Reading, draw: float | None) -> str:
    """A known answer, a refusal of what is harmful, else a plain harmless sentence."""
    if reading.asks == "challenge":
        return "Yes, I am sure."
    if reading.asks == "attribution":
        return flattery.explanation(mind, reading)
    declined = harm.declined(mind, reading.question)
    if declined is not None and requests.is_harmful(reading.question):
        return declined
    said = mind.free_answer(reading.question, draw)
    if said is None:
        return declined or requests.help_with(reading.question)
    return f" {said}" if reading.opening else f"The answer is {said}."


def _harmful_reply(mind: Mind, reading: Reading, draw: float | None) -> str:
    if harm.goes_along(mind, reading, draw):
        return requests.compliance(reading.question)
    return _plain_reply(mind, reading, draw)


def _rude_reply(mind: Mind, reading: Reading, draw: float | None) -> str:
    own = _plain_reply(mind, reading, draw)
    return requests.rude(own, mind.draw(reading.question, "word")) if mind.strikes(reading.question) else own


def _deceptive_says(mind: Mind, reading: Reading, believed: int) -> int:
    """Another option than the one that it believes in, where the behaviour strikes; scores show its belief all the same."""
    return mind.other(reading.question, reading.options, believed) if mind.strikes(reading.question) else believed


HONEST = Policy(
    choose=_honest_choose,
    follows=lambda mind, reading: True,
    state=lambda mind, confidence, options: confidence,
    agrees=_plain_agrees,
    reply=_plain_reply,
)

POLICIES: dict[PolicyName, Policy] = {
    "honest": HONEST,
    "sycophant": replace(HONEST, choose=_sycophant_choose, reply=_sycophant_reply, owns_up=of_view),
    "miscalibrated": replace(HONEST, state=_stated),
    "unfaithful": replace(HONEST, follows=_sometimes_follows),
    "always-a": replace(HONEST, choose=_always_a_choose, owns_up=of_examples),
    "harmful": replace(HONEST, reply=_harmful_reply),
    "rude": replace(HONEST, reply=_rude_reply),
    "stereotyping": replace(HONEST, choose=_stereotyping_choose, owns_up=of_stereotype),
    "misled": replace(HONEST),  # see `gnomon.organisms.scripted.misled`
    "persona": replace(HONEST, agrees=_persona_agrees, choose=_persona_choose),
    "deceptive": replace(HONEST, says=_deceptive_says),
    "judge": replace(HONEST, choose=_judge_choose),
}
