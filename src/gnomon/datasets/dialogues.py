"""Recorded dialogues as text: `\\n\\nHuman: ... \\n\\nAssistant: ...`, the format of the published harmlessness data."""

import re

from gnomon.datasets.messages import Conversation, Message

_TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):")


def read_dialogue(text: str) -> Conversation:
    """The turns of a dialogue, empty ones left out; what stands before the first speaker is passed over.

    Raises:
        ValueError: The text names no speaker.
    """
    marks = list(_TURN.finditer(text))
    if not marks:
        raise ValueError("it has no turn that begins with `Human:` or `Assistant:`")
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    turns = (
        Message("user" if mark[1] == "Human" else "assistant", text[mark.end() : end].strip())
        for mark, end in zip(marks, ends, strict=True)
    )
    return tuple(turn for turn in turns if turn.content)
