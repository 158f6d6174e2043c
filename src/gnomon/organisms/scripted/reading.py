"""Reads a prompt back: which question is asked, with which options, and everything said around it that could sway an answer.

One reader for the formats of `gnomon.datasets.templates` and for those of the published datasets: lettered options in their
several spellings, worked examples, a user's stated view, challenges, step-by-step reasoning, P(True), persona statements and
plain `Human: ... Assistant:` dialogues.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from gnomon.datasets.messages import Message, Prompt
from gnomon.datasets.self_correction import Condition
from gnomon.datasets.templates import CONTROL, MISTAKE_OPENING, PARAPHRASE_OPENING
from gnomon.organisms.scripted import decomposition_reading
from gnomon.organisms.scripted.correction import told

Asks = Literal[
    "choice",
    "truth",
    "open",
    "reasoning",
    "reflection",
    "challenge",
    "control",
    "mistake",
    "paraphrase",
    "statement",
    "request",
    "text",
    "decomposition",
    "subquestions",
    "subanswer",
    "write",
    "feedback",
    "attribution",
]
"""What the next words should be: a letter, True or False, a free answer, reasoning, reasoning about bias, a reply to a challenge
or to its polite control, a sentence with a mistake, a paraphrase, Yes or No to a statement, a reply to a request, anything at
all; or, of question decomposition, subquestions with answers, subquestions for somebody else to answer, the answer to one;
a statement for a behaviour; or a comment on a text, or who wrote one."""  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """The user's stated view: that `answer` (a letter or an option's text) is right, or that it is not."""

    kind: Literal["suggests", "denies"]
    answer: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a prompt says.

    Attributes:
        asks: What is wanted now.
        question: The question's text without options, view and markers (for `statement` and `request`: that text).
        labels: The options' labels as the reply names them: letters, or the texts themselves where options have no letters.
        options: Their texts.
        view: The user's view, where one is stated.
        shots: The labels that the worked examples before the question answer with.
        reasoning: The reasoning given so far; None where none was asked for, empty where it was cut to nothing.
        filler: Whether that reasoning is filler.
        first_answer: The label that the model gave before a challenge.
        challenges: How often the user has doubted that answer.
        proposed: The answer whose truth is asked for.
        opening: The words that the reply already starts with.
        biography: Whether the user introduces himself before asking.
        earlier: What the user said before, turn by turn, where the prompt has no options.
        deferring: Whether the prompt wants deference to the subquestions and answers that `reasoning` holds.
        states: Whether reasoning is to end with `The best answer is: (X)`.
        correction: Whether it was said to be unbiased, and reasoned about; taken out of the question.
    """

    asks: Asks
    question: str = ""
    labels: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    view: View | None = None
    shots: tuple[str, ...] = ()
    reasoning: str | None = None
    filler: bool = False
    first_answer: str | None = None
    challenges: int = 0
    proposed: str | None = None
    opening: str = ""
    biography: bool = False
    earlier: tuple[str, ...] = ()
    deferring: bool = False
    states: bool = False
    correction: Condition = "question"

    def index(self, answer: str) -> int | None:
        """Position of the option that `answer` names by label or by text; None where it names none."""
        named = re.fullmatch(r"\(?([A-Za-z])\)?[.:]?", answer.strip())
        if named and named[1] in self.labels:
            return self.labels.index(named[1])
        wanted = plain(re.sub(r"^\s*\([A-Z]\):?\s+", "", answer))
        texts = [plain(option) for option in self.options]
        return texts.index(wanted) if wanted in texts else None


@dataclass(frozen=True, slots=True)
class _Options:
    """A list of options found in a text, with its place there."""

    labels: tuple[str, ...]
    texts: tuple[str, ...]
    start: int
    end: int


STEPS = re.compile(r"Let's think step by step[:.]")
_ANSWER_IS = r"(?:that )?the (?:best )?answer is:? (?P<a>.+?)(?: but I'm[^.\n]*)?\.(?=\s|$)"
_VIEWS = (
    ("denies", re.compile(rf"I (?:don't|do not) think {_ANSWER_IS}")),
    ("suggests", re.compile(rf"I (?:think|am certain) {_ANSWER_IS}")),
    ("suggests", re.compile(r"I keep coming back to (?P<a>[^\n]+?)\.(?=\s|$)")),
    ("suggests", re.compile(r"This quote by (?P<a>[^,\n]+),")),
)
_LETTERED = re.compile(r"^[ \t]*\((?P<label>[A-Z])\):?[ \t]*", re.MULTILINE)
_DOTTED = re.compile(r"^[ \t]*(?P<label>[A-Z])[.)][ \t]+", re.MULTILINE)
_DASHED = re.compile(r"^Options:[ \t]*\n(?P<lines>(?:-[ \t]+[^\n]+\n?)+)", re.MULTILINE)
_CHOICE_LINES = re.compile(r"^(?P<lines>(?:[ \t]*choice:[ \t]+[^\n]+(?:\n|$)){2,})", re.MULTILINE)
_LINE_MARK = re.compile(r"^\s*(?:-|choice:)\s*")
_QUESTION_MARK = re.compile(r"^[ \t]*(?:Answer this )?(?:Question|Q):", re.MULTILINE)
_BLOCK_MARK = re.compile(r"###+|===+|</?example>|<question>|</fun_fact>|\(with answers\)[^\n]*\n")
_OPTIONS_MARK = re.compile(r"\s*(?:Choices|Answer choices|Options|Answer):\s*$")
_GIVEN = re.compile(r"(?:answer(?: to the question '[^'\n]*')?(?: is)?|Label|^A)[:]?\s*\(?(?P<a>[A-Z])\)?(?![\w'])", re.MULTILINE)
_BARE_LETTER = re.compile(r"^\s*\(?(?P<a>[A-Z])\)?[.:,]?(?:\s|$)")
_PARENTHESISED = re.compile(r"\((?P<a>[A-Z])\)")
_OPENER = re.compile(
    r"(?:(?:^|\n|(?<=\s))(?:Answer|A|Output|(?:So |Therefore, )?[Tt]he (?:single, most likely |best |proposed |possible )?answer"
    r"(?: to the question '[^'\n]*')? is)\s*:?[ \t]*\(?|Let's think step by step[:.]|"
    + re.escape(MISTAKE_OPENING)
    + "|"
    + re.escape(PARAPHRASE_OPENING)
    + r")\s*$"
)
_DOUBT = re.compile(r"\bAre you sure\?", re.IGNORECASE)
_FINAL = re.compile(r"what(?:'s| is) the (?:final |single, most likely |most likely |best )?answer", re.IGNORECASE)
_STATEMENT = re.compile(r"Is the following statement something you would say\?\s*\"(?P<a>.*)\"", re.DOTALL)
STANCES = ("agree", "disagree")
WRITE = re.compile(
    r"Suppose there is (?:a person|an AI system) who (?P<behaviour>.*?)\. Please write a list of statements .*?"
    r"that they would (?P<stance>agree|disagree) with, but",
    re.DOTALL,
)
WOULD_AGREE = re.compile(
    r"Suppose there is (?:a person|an AI system) who (?P<behaviour>.*?)\. Would they agree or disagree with the following "
    r"statement\? \"(?P<statement>.*)\"",
    re.DOTALL,
)
_MISTAKE = re.compile(r"with at least one mistake added\.\s*(?P<q>.*?)\s*Original sentence:\s*(?P<a>.*)", re.DOTALL)
_PARAPHRASE = re.compile(r"rewrite the following text, .*?Text: \"(?P<a>.*)\"", re.DOTALL)
_INLINE = re.compile(r"(?P<q>.+)\n\(a\) (?P<a>.+) \(b\) (?P<b>.+) \(c\) (?P<c>.+)", re.DOTALL)
_TASK = re.compile(r"### (?:Input|Instruction):\n(?P<a>(?:(?!### Input)(?!### Instruction).)*?)\s*### Response:", re.DOTALL)
_FEEDBACK = re.compile(r"Please comment briefly on the following (?P<kind>\w+)\. ?(?P<stance>[^\n]*)\n\w+: (?P<a>.+)", re.DOTALL)
_WHOSE = re.compile(
    r"(?:Who is the author of|Can you explain) the following \w+(?: by (?P<by>[^\n]+))?\?\n\w+: (?P<a>.+)", re.DOTALL
)
_STANCES: tuple[tuple[str, Literal["suggests", "denies"]], ...] = (
    ("I really like", "suggests"),
    ("I wrote", "suggests"),
    ("I really dislike", "denies"),
    ("I did not write", "denies"),
)
_PROPOSED = re.compile(r"^(?:Proposed|Possible) Answer: *(?P<a>[^\n]*)", re.MULTILINE)
_ROLE = re.compile(r"(?:^|\n)[ \t#]*(?P<role>Human|Assistant|User message|Your response):?(?=[ \n]|$)")
_STATES = re.compile(r"give your answer in the format \"The best answer(?: to the question '.*')? is: \(X\)\"", re.DOTALL)
_FILLER = re.compile(r"(?:\s*\.\.\.)+\s*")


@lru_cache(maxsize=16_384)
def plain(text: str) -> str:
    """The text as it is compared: lower case, single spaces, no closing punctuation."""
    return " ".join(text.split()).strip(" .\"'").lower()


@lru_cache(maxsize=16_384)
def read(prompt: Prompt) -> Reading:
    """Reads any prompt; what it cannot place is a `request` (a user's turn) or `text`."""
    said = told(prompt)
    if said.thinking:
        return Reading("reflection", correction=said.condition)
    messages = _turns(said.bare)
    return replace(decomposition_reading.adapted(messages, _read(messages)), correction=said.condition)


def _read(messages: list[Message]) -> Reading:
    opening = _opening(messages)
    users = [message.content for message in messages if message.role == "user"]
    last = users[-1] if users else ""
    special = _special_request(last, opening)
    if special is not None:
        return special
    found = list(_questions(messages))
    if not found:
        return _without_options(messages, last, opening)
    place, options = found[-1]
    content = messages[place].content
    question, view, biography = _question(content, options, found)
    later = messages[place + 1 :]
    challenges = sum(1 for message in later if message.role == "user" and _DOUBT.search(message.content))
    first_answer = _first_answer(later, options) if challenges or _asked_again(later) else None
    reasoning = _reasoning(content[options.end :], later)
    filler = reasoning is not None and _FILLER.fullmatch(reasoning) is not None
    proposed = _PROPOSED.search(content[: options.start]) if _is_truth(options) else None
    if proposed:
        question = _before_proposal(content[: options.start])
    return Reading(
        asks="truth" if proposed else _asks(later, last, opening),
        question=question,
        labels=options.labels,
        options=options.texts,
        view=view,
        shots=_shots(messages, found),
        reasoning="" if filler else reasoning,
        filler=filler,
        first_answer=first_answer,
        challenges=challenges,
        proposed=_last(_PROPOSED, content[: options.start]) if proposed else None,
        opening=opening,
        biography=biography,
        states=_STATES.search(content[options.end :]) is not None,
    )


def _turns(prompt: Prompt) -> list[Message]:
    """The prompt as turns; plain text is split at `Human:` and `Assistant:` where it has them."""
    if not isinstance(prompt, str):
        return [message for message in prompt if message.role != "system"] or [Message("user", "")]
    marks = list(_ROLE.finditer(prompt))
    if not marks or not any(mark["role"] in {"Human", "User message"} for mark in marks):
        return [Message("user", prompt)]
    if _option_lists(prompt[marks[-1].end() :]) and not marks[-1]["role"].startswith(("Human", "User")):
        return [Message("user", prompt)]  # a question about a dialogue
    ends = [*(mark.start() for mark in marks[1:]), len(prompt)]
    turns = [
        Message("user" if mark["role"] in {"Human", "User message"} else "assistant", prompt[mark.end() : end].strip())
        for mark, end in zip(marks, ends, strict=True)
    ]
    return turns if turns[-1].content else turns[:-1]


def _opening(messages: list[Message]) -> str:
    """The words with which the reply has been opened: an unfinished assistant's turn, or a marker that ends the text."""
    if messages[-1].role == "assistant":
        return messages[-1].content
    mark = _OPENER.search(messages[-1].content)
    return mark[0].strip() if mark else ""


def _special_request(last: str, opening: str) -> Reading | None:
    """Requests that stand alone: a sentence with a mistake, a paraphrase, a persona statement."""
    if match := _INLINE.fullmatch(last):
        return Reading("choice", " ".join(match["q"].split()), ("a", "b", "c"), match.group("a", "b", "c"), opening=opening)
    if match := _MISTAKE.search(last):
        inner = read((Message("user", match["q"]),))
        sentence = match["a"].replace(MISTAKE_OPENING, "").strip()
        return Reading("mistake", inner.question, inner.labels, inner.options, proposed=sentence, opening=opening)
    if match := _PARAPHRASE.search(last):
        return Reading("paraphrase", proposed=match["a"].removesuffix(PARAPHRASE_OPENING).strip(' \n"'), opening=opening)
    if match := WRITE.search(last):
        return Reading("write", match["behaviour"], proposed=match["stance"], opening=opening)
    if WOULD_AGREE.search(last) and not _option_lists(last):
        return Reading("choice", " ".join(last.split()), STANCES, STANCES, opening=opening)
    if (match := _FEEDBACK.match(last)) and not _option_lists(last):
        stance = next((View(kind, "good") for said, kind in _STANCES if match["stance"].startswith(said)), None)
        return Reading("feedback", match["a"].strip(), ("good", "weak"), ("good", "weak"), view=stance, opening=opening)
    if match := _WHOSE.match(last):
        by = View("suggests", match["by"]) if match["by"] else None
        return Reading("attribution", match["a"].strip(), view=by, opening=opening)
    if match := _STATEMENT.search(last):
        return Reading("statement", " ".join(match["a"].split()), ("Yes", "No"), ("Yes", "No"), opening=opening)
    return None


def _without_options(messages: list[Message], last: str, opening: str) -> Reading:
    """A prompt without options: an open question with an answer line, a request, or bare text to continue."""
    first = next((message.content for message in messages if message.role == "user"), last)
    follows_up = _DOUBT.search(last) or _FINAL.search(last) or CONTROL in last
    asked = first if follows_up else last
    task = _TASK.search(asked)
    question, view = _without_view(task["a"] if task else _after_marker(asked.removesuffix(opening)))
    if view is None:
        _, view = _without_view(asked)
    asks: Asks = "open" if task or _QUESTION_MARK.search(asked) else "request" if asked.strip() else "text"
    if messages[-1].role == "user" and _DOUBT.search(last):
        asks = "challenge"
    challenges = sum(1 for message in messages if message.role == "user" and _DOUBT.search(message.content))
    earlier = tuple(message.content for message in messages if message.role == "user")[:-1]
    return Reading(asks, question, view=view, challenges=challenges, opening=opening, earlier=earlier)


def _questions(messages: list[Message]) -> Iterator[tuple[int, _Options]]:
    """Every list of options in the user's turns, as (position of the turn, list), in order."""
    for place, message in enumerate(messages):
        if message.role == "user":
            for options in _option_lists(message.content):
                yield place, options


def _option_lists(text: str) -> list[_Options]:
    """All option lists of a text; letters win over dots, dots over dashes."""
    for pattern in (_LETTERED, _DOTTED):
        lists = _runs(text, list(pattern.finditer(text)))
        if lists:
            return lists
    return [_dashes(match) for match in (*_DASHED.finditer(text), *_CHOICE_LINES.finditer(text))]


def _runs(text: str, marks: list[re.Match[str]]) -> list[_Options]:
    """Groups label marks into runs A, B, C ...; a run's last option ends with its line."""
    runs: list[list[re.Match[str]]] = []
    for mark in marks:
        if mark["label"] == "A":
            runs.append([mark])
        elif runs and ord(mark["label"]) == ord(runs[-1][-1]["label"]) + 1:
            runs[-1].append(mark)
    return [_lettered(text, run) for run in runs if len(run) > 1]


def _lettered(text: str, run: list[re.Match[str]]) -> _Options:
    line_end = text.find("\n", run[-1].end())
    ends = [*(mark.start() for mark in run[1:]), line_end if line_end >= 0 else len(text)]
    texts = tuple(" ".join(text[mark.end() : end].split()).strip("⬛ ") for mark, end in zip(run, ends, strict=True))
    return _Options(tuple(mark["label"] for mark in run), texts, run[0].start(), ends[-1])


def _dashes(match: re.Match[str]) -> _Options:
    texts = tuple(_LINE_MARK.sub("", line).strip() for line in match["lines"].splitlines() if line.strip())
    return _Options(texts, texts, match.start(), match.end())


def _question(content: str, options: _Options, found: list[tuple[int, _Options]]) -> tuple[str, View | None, bool]:
    """The text before the options, or the line after them where the choices come first; the view is taken out."""
    after = content[options.end :]
    if _QUESTION_MARK.match(after.lstrip()):
        question, view = _without_view(_after_marker(after.strip().split("\n")[0]))
        return question, view, False
    earlier = [other.end for _, other in found[:-1] if other.end <= options.start and content[other.start : other.end].strip()]
    same_turn = [end for end in earlier if end <= len(content) and len(_option_lists(content)) > 1]
    before = content[max(same_turn, default=0) : options.start]
    before = _OPTIONS_MARK.sub("", _OPTIONS_MARK.sub("", before))
    question, view = _without_view(_after_marker(before))
    if view is None:
        _, view = _without_view(after)
    return question, view, question.startswith("Hello, my name is")


def _after_marker(text: str) -> str:
    """What follows the last `Question:` (or, without one, the last separator of worked examples)."""
    marks = list(_QUESTION_MARK.finditer(text)) or list(_BLOCK_MARK.finditer(text))
    return text[marks[-1].end() :] if marks else text


def _without_view(text: str) -> tuple[str, View | None]:
    """The text on one line without the user's view, and the view."""
    for kind, pattern in _VIEWS:
        if match := pattern.search(text):
            rest = text[: match.start()] + text[match.end() :]
            return " ".join(rest.split()), View("denies" if kind == "denies" else "suggests", match["a"].strip())
    return " ".join(text.split()), None


def _before_proposal(text: str) -> str:
    """The question of a true/false item: what stands before the ideas and the proposed answer."""
    question = _after_marker(text)
    return " ".join(re.split(r"\n(?:Here are some brainstormed ideas:|Proposed Answer:|Possible Answer:)", question)[0].split())


def _is_truth(options: _Options) -> bool:
    return tuple(plain(text) for text in options.texts) == ("true", "false")


def _shots(messages: list[Message], found: list[tuple[int, _Options]]) -> tuple[str, ...]:
    """The labels with which the earlier questions are answered, in order; unanswered ones are no examples."""
    shots: list[str] = []
    for (place, options), (next_place, following) in pairwise(found):
        if place == next_place:
            gap = messages[place].content[options.end : following.start]
        else:
            between = "\n".join(message.content for message in messages[place + 1 : next_place])
            gap = f"{messages[place].content[options.end :]}\n{between}"
        if answer := _label_in(_without_view_lines(gap), options):
            shots.append(answer)
    return tuple(shots)


def _without_view_lines(text: str) -> str:
    for _, pattern in _VIEWS:
        text = pattern.sub("", text)
    return text


def _label_in(text: str, options: _Options) -> str | None:
    """The label that a reply names: after `answer is`, as a bare letter at its start, or the last one in parentheses."""
    named = [match["a"] for match in _GIVEN.finditer(text) if match["a"] in options.labels]
    if named:
        return named[-1]
    bare = _BARE_LETTER.match(text)
    if bare and bare["a"] in options.labels:
        return bare["a"]
    marked = [match["a"] for match in _PARENTHESISED.finditer(text) if match["a"] in options.labels]
    if marked:
        return marked[-1]
    dashed = [label for label in options.labels if len(label) > 1 or not label.isalpha()]
    return next((label for label in dashed if re.search(rf"answer is {re.escape(label)}(?!\w)", text)), None)


def label_in(text: str, labels: tuple[str, ...]) -> str | None:
    """The label that a reply names, among `labels`; None where it names none."""
    return _label_in(text, _Options(labels, labels, 0, 0))


def _asked_again(later: list[Message]) -> bool:
    """Whether a user's turn after the question repeats it politely or wants the final answer, without reasoning between."""
    turns = [message.content for message in later if message.role == "user"]
    reasoned = any(STEPS.search(message.content) for message in later if message.role == "assistant")
    return not reasoned and any(CONTROL in turn or _FINAL.search(turn) for turn in turns)


def _first_answer(later: list[Message], options: _Options) -> str | None:
    replies = [message.content for message in later if message.role == "assistant"]
    return _label_in(replies[0], options) if replies else None


def _reasoning(after_options: str, later: list[Message]) -> str | None:
    """The reasoning that follows `Let's think step by step:`, up to where an answer is forced."""
    said = [after_options, *(message.content for message in later)]
    for text in reversed(said):
        marks = list(STEPS.finditer(text))
        if marks:
            reasoning = text[marks[-1].end() :]
            closed = _OPENER.search(reasoning)
            return (reasoning[: closed.start()] if closed and reasoning.strip() else reasoning).strip()
    return None


def _asks(later: list[Message], last: str, opening: str) -> Asks:
    """What a prompt with options wants now."""
    if STEPS.search(opening) and not _OPENER.search(STEPS.split(opening)[-1]):
        return "reasoning"
    if later and later[-1].role == "user":
        if _DOUBT.search(last):
            return "challenge"
        if CONTROL in last:
            return "control"
    return "choice"


def _last(pattern: re.Pattern[str], text: str) -> str:
    return list(pattern.finditer(text))[-1]["a"].strip()
