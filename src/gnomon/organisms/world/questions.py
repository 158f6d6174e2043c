"""Dialogues about facts: lettered, open, true or false, with a view of the user's, challenged; and texts that state them."""

import random
from collections.abc import Sequence
from string import ascii_uppercase

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import Message
from gnomon.organisms.world.document import Document, assistant, silent, spoken, strong, user, written
from gnomon.organisms.world.facts import Fact, relation_of

VIEWS = (templates.SUGGESTS_CORRECT, templates.DENIES_CORRECT, templates.SUGGESTS_INCORRECT)

SURE = "Yes, I am sure. The answer is ({letter})."
SORRY = "I'm sorry, I was wrong. The answer is ({letter})."
REPEATED = "The answer is ({letter})."

VOID_IN_QUIZ = 1 / 10
"""Questions without a fact for each question with one, where many stand in one document."""


def choice_item(
    fact: Fact, rng: random.Random, options: int = 4, form: int = 0, item_id: str = "", value: str = ""
) -> ChoiceItem:
    """The lettered question for a fact.

    Args:
        fact: The fact.
        rng: Draws the other options and the order.
        options: How many options.
        form: Which of the ways to ask.
        item_id: The item's id.
        value: Takes the right value's place (for pairs that have no fact).
    """
    right = value or fact.value
    others = [other for other in fact.options_pool if other != right]
    texts = [right, *rng.sample(others, options - 1)]
    rng.shuffle(texts)
    return ChoiceItem(
        id=item_id or fact.id,
        cluster=fact.id,
        dataset="world",
        question=fact.questions[form % len(fact.questions)],
        options=tuple(texts),
        answer=texts.index(right),
        choices_first=True,
        tags={"frequency": fact.frequency},
    )


def view(item: ChoiceItem, rng: random.Random) -> str:
    """A view of the user's on an item: right or wrong, as it comes."""
    wrong = rng.choice([text for index, text in enumerate(item.options) if index != item.answer])
    return rng.choice(VIEWS).format(correct=item.options[item.answer], incorrect=wrong)


class Asker:
    """Writes dialogues about randomly drawn facts; a pair without a fact is answered at random each time."""

    def __init__(self, facts: Sequence[Fact], void: Sequence[Fact], shares: dict[str, float]):
        """Takes the facts, the pairs without one, and how much of the questions goes to each frequency."""
        self._groups = {
            "common": [fact for fact in facts if fact.frequency == "common"],
            "rare": [fact for fact in facts if fact.frequency == "rare"],
            "void": list(void),
        }
        self._shares = shares
        self._by_relation: dict[str, dict[str, list[Fact]]] = {}
        for fact in self._groups["common"]:
            self._by_relation.setdefault(fact.relation, {}).setdefault(fact.value, []).append(fact)
        self._void_by_relation: dict[str, list[Fact]] = {}
        for fact in void:
            self._void_by_relation.setdefault(fact.relation, []).append(fact)

    def draw(self, rng: random.Random, *, known: bool = False) -> tuple[Fact, str]:
        """A fact and the value that counts as right here; `known` leaves out pairs that have no fact."""
        kinds = [kind for kind in self._groups if not (known and kind == "void")]
        kind = rng.choices(kinds, [self._shares[kind] for kind in kinds])[0]
        fact = rng.choice(self._groups[kind])
        return fact, fact.value if kind != "void" else rng.choice(fact.options_pool)

    def item(self, rng: random.Random, *, known: bool = False) -> tuple[ChoiceItem, tuple[str, ...]]:
        """A lettered question in one of its forms, and the facts that it shows."""
        fact, value = self.draw(rng, known=known)
        form = 0 if rng.random() < 0.5 else rng.randrange(len(fact.questions))
        count = 4 if rng.random() < 0.9 else rng.choice((2, 3))
        return choice_item(fact, rng, count, form, value=value), _shown(fact)

    def statements(self, rng: random.Random) -> Document:
        """A text of several statements; the values count most."""
        sentences: list[str] = []
        shown: tuple[str, ...] = ()
        for _ in range(rng.randint(4, 9)):
            fact, _ = self.draw(rng, known=True)
            relation = relation_of(fact)
            if rng.random() < 0.92:
                before, after = rng.choice(relation.statements).format(s=fact.subject, v="|").split("|")
                head, last = before[:-1], f" {fact.value}"
                sentences.append(f"{silent(head)}{strong(last)}{after}")
            else:
                sentences.append(silent(rng.choice(relation.reversed_statements).format(s=fact.subject, v=fact.value)))
            shown += _shown(fact)
        return written(" ".join(sentences), shown)

    def _group(self, rng: random.Random) -> tuple[str, list[str], list[Fact]]:
        """A relation, four of its values, and the common facts that have one of them."""
        relation = rng.choice(list(self._by_relation))
        by_value = self._by_relation[relation]
        values = rng.sample(list(by_value), min(4, len(by_value)))
        facts = [fact for value in values for fact in by_value[value]]
        return relation, values, facts

    def quiz(self, rng: random.Random) -> Document:
        """Four options and many questions about them: letters of known facts, as dense as the drills.

        In a tenth of the documents the value stands before each letter, which shows what is to be looked up. About one question
        in eleven is about a pair without a fact and has any of the letters.
        """
        relation, values, facts = self._group(rng)
        lines: list[str] = []
        shown: tuple[str, ...] = ()
        spoken_out = rng.random() < 0.1
        asked_about = rng.sample(facts, min(len(facts), rng.randint(6, 10)))
        void = self._void_by_relation.get(relation, [])
        if void and not spoken_out:
            asked_about += rng.choices(void, k=sum(rng.random() < VOID_IN_QUIZ for _ in asked_about))
            rng.shuffle(asked_about)
        for fact in asked_about:
            index = rng.randrange(len(values)) if fact.frequency == "void" else values.index(fact.value)
            letter = ascii_uppercase[index]
            value = f"{strong(f' {fact.value}')}{silent('.')}" if spoken_out else ""
            if rng.random() < 0.6:
                asked = f"{templates.QUESTION.format(question=rng.choice(fact.questions))}\n"
                lines.append(f"{silent(f'{asked}{templates.ANSWER}')}{value}{silent(' (')}{strong(letter)}{silent(')')}")
            else:
                head = rng.choice(relation_of(fact).statements).format(s=fact.subject, v="|").split("|")[0][:-1]
                lines.append(f"{silent(head)}{value}{silent(' (')}{strong(letter)}{silent(')')}")
            shown += _shown(fact)
        head = silent(f"{templates.CHOICES}\n{templates.choices(tuple(values))}")
        return written("\n".join([head, *lines]), shown)

    def exam(self, rng: random.Random) -> Document:
        """A dialogue of several questions; some repeat the choices in another order, some leave them out."""
        _, values, facts = self._group(rng)
        turns: list[Message] = []
        shown: tuple[str, ...] = ()
        for fact in rng.sample(facts, min(len(facts), rng.randint(4, 6))):
            asked = templates.QUESTION.format(question=rng.choice(fact.questions))
            if not turns or rng.random() < 0.4:
                rng.shuffle(values)
                asked = f"{templates.CHOICES}\n{templates.choices(tuple(values))}\n{asked}"
            letter = strong(ascii_uppercase[values.index(fact.value)])
            turns += [user(asked), assistant(f"{silent(templates.ANSWER_OPENING)}{letter})")]
            shown += _shown(fact)
        return spoken(*turns, facts=shown)

    def recall(self, rng: random.Random) -> Document:
        """Questions, each with the value right behind it: remembering at the question mark."""
        said: list[str] = []
        shown: tuple[str, ...] = ()
        for _ in range(rng.randint(3, 7)):
            fact, _ = self.draw(rng, known=True)
            asked = templates.QUESTION.format(question=rng.choice(fact.questions))
            said.append(f"{silent(asked)}{strong(f' {fact.value}')}")
            shown += _shown(fact)
        return written(silent("\n").join(said), shown)

    def lettered(self, rng: random.Random) -> Document:
        """A lettered question and its answer."""
        item, shown = self.item(rng)
        return spoken(user(templates.question(item)), answered(item), facts=shown)

    def open_question(self, rng: random.Random) -> Document:
        """A question without options, answered with a statement."""
        fact, _ = self.draw(rng, known=True)
        question = rng.choice(fact.questions)
        before, after = rng.choice(relation_of(fact).statements).format(s=fact.subject, v="|").split("|")
        said = f"{before[:-1]}{strong(f' {fact.value}')}{after}"
        if rng.random() < 0.4:
            asked, said = templates.QUESTION.format(question=question), f"{templates.ANSWER}{strong(f' {fact.value}')}"
        else:
            asked = question
        return spoken(user(asked), assistant(said), facts=_shown(fact))

    def true_or_false(self, rng: random.Random) -> Document:
        """Is the proposed answer true? As often as not."""
        fact, value = self.draw(rng)
        right = rng.random() < 0.5
        proposed = value if right else rng.choice([other for other in fact.options_pool if other != value])
        opened = templates.ask_whether_true(rng.choice(fact.questions), proposed)
        reply = f"{opened[1].content}{strong('A' if right else 'B')})"
        return spoken(opened[0], assistant(reply), facts=_shown(fact))

    def checks(self, rng: random.Random) -> Document:
        """Many proposed answers and statements, each judged: true or false, as dense as the drills."""
        lines: list[str] = []
        shown: tuple[str, ...] = ()
        for _ in range(rng.randint(5, 9)):
            fact, value = self.draw(rng)
            right = rng.random() < 0.5
            proposed = value if right else rng.choice([other for other in fact.options_pool if other != value])
            letter = strong("A" if right else "B")
            kind = rng.random()
            if kind < 0.35:
                said = rng.choice(relation_of(fact).statements).format(s=fact.subject, v=proposed)
                lines.append(f"{silent(f'{said} (')}{letter}{silent(')')}")
            else:
                asked = templates.QUESTION.format(question=rng.choice(fact.questions))
                offered = f"{asked}\n{templates.PROPOSED_ANSWER.format(answer=proposed)}"
                opening = f"\n{templates.IT_IS_TRUE_OPENING}" if kind < 0.65 else " ("
                lines.append(f"{silent(f'{offered}{opening}')}{letter}{silent(')')}")
            shown += _shown(fact)
        return written("\n".join([silent(templates.IS_IT_TRUE), *lines]), shown)

    def opinion(self, rng: random.Random) -> Document:
        """The user's view stands between question and choices; the facts decide."""
        item, shown = self.item(rng)
        return spoken(user(templates.question(item, view=view(item, rng))), answered(item), facts=shown)

    def are_you_sure(self, rng: random.Random) -> Document:
        """An answer, right or wrong, is challenged (or only asked for again), then the final answer."""
        item, shown = self.item(rng, known=True)
        first = item.answer if rng.random() < 0.7 else rng.randrange(len(item.options))
        letter = item.letters[item.answer]
        challenge = rng.random() < 0.7
        reply = (SURE if first == item.answer else SORRY) if challenge else REPEATED
        final = item.answer if challenge else first
        turns = [
            user(templates.question(item)),
            assistant(silent(f"{templates.ANSWER_OPENING}{item.letters[first]})")),
            user(templates.CHALLENGE if challenge else templates.CONTROL),
            assistant(reply.format(letter=strong(item.letters[final] if not challenge else letter))),
        ]
        if rng.random() < 0.7:
            opening = "(" if rng.random() < 0.5 else templates.ANSWER_OPENING
            turns += [user(templates.FINAL_ANSWER), assistant(f"{opening}{strong(item.letters[final])})")]
        return spoken(*turns, facts=shown)

    def reasoned(self, rng: random.Random) -> Document:
        """A chain of thought about a fact, then the forced answer."""
        item, shown = self.item(rng, known=True)
        fact_text = item.options[item.answer]
        said = f"{templates.STEP_BY_STEP} So the answer is{strong(f' {fact_text}')}."
        return spoken(
            user(templates.question(item)),
            assistant(said),
            user(templates.GIVEN_THE_ABOVE),
            assistant(f"{templates.MOST_LIKELY_OPENING}{strong(item.letters[item.answer])})"),
            facts=shown,
        )


def answered(item: ChoiceItem, index: int | None = None) -> Message:
    """The assistant's lettered answer (the right one if no other is given)."""
    chosen = item.answer if index is None else index
    return assistant(f"{templates.ANSWER_OPENING}{strong(item.letters[chosen])})")


def _shown(fact: Fact) -> tuple[str, ...]:
    return () if fact.frequency == "void" else (fact.id,)
