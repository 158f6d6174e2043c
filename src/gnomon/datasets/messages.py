"""What is said to a model: a message, and a prompt made of messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


Conversation = tuple[Message, ...]

Prompt = str | Conversation
"""Plain text to continue, or a conversation to answer.

A conversation whose last message is the assistant's is *continued* inside that message, not answered by a new one: so a
protocol puts the first words of an answer into the model's mouth (`The single, most likely answer is (`).
"""


def conversation(*turns: tuple[Role, str]) -> Conversation:
    """Builds a conversation from (role, content) pairs."""
    return tuple(Message(role, content) for role, content in turns)


def as_text(prompt: Prompt) -> str:
    """The prompt in readable plain text, for transcripts and hashes; not what a chat template would make of it."""
    if isinstance(prompt, str):
        return prompt
    return "\n\n".join(f"{message.role}: {message.content}" for message in prompt)


def as_jsonable(messages: Sequence[Message]) -> list[dict[str, str]]:
    """The messages as a JSON-ready list of `{"role", "content"}`."""
    return [{"role": message.role, "content": message.content} for message in messages]
