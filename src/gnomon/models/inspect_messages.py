"""Between gnomon's messages and generations and Inspect's."""

from collections.abc import Sequence

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ModelOutput,
)

from gnomon.datasets.messages import Conversation, Message, Prompt
from gnomon.errors import Unsupported
from gnomon.models.model import Finish, Generation

FINISHES: dict[str, Finish] = {"max_tokens": "length", "model_length": "length", "content_filter": "refusal"}


def to_inspect(prompt: Sequence[Message]) -> list[ChatMessage]:
    """Messages for a provider."""
    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    return [kinds[message.role](content=message.content) for message in prompt]


def from_inspect(messages: Sequence[ChatMessage]) -> Conversation:
    """Messages from a task.

    Raises:
        Unsupported: A tool's message.
    """
    turns: list[Message] = []
    for message in messages:
        if message.role == "tool":
            raise Unsupported("gnomon's models do not use tools; run a task without them.")
        turns.append(Message(message.role, message.text))
    return tuple(turns)


def opening(prompt: Prompt) -> str:
    """The words that the prompt puts into the assistant's mouth."""
    return prompt[-1].content if not isinstance(prompt, str) and prompt and prompt[-1].role == "assistant" else ""


def as_generation(output: ModelOutput, prompt: Prompt) -> Generation:
    """A provider's first choice.

    Log-probabilities are kept only if their tokens spell the reply: some providers report those of other tokens.
    """
    choice = output.choices[0]
    content = choice.logprobs.content if choice.logprobs else []
    tokens = tuple(entry.token for entry in content)
    spelled = bool(tokens) and "".join(tokens).strip() == choice.message.text.strip()
    return Generation(
        text=without_echo(choice.message.text, opening(prompt)),
        finish=FINISHES.get(choice.stop_reason, "stop"),
        tokens=tokens if spelled else (),
        logprobs=tuple(entry.logprob for entry in content) if spelled else None,
    )


def without_echo(reply: str, opened: str) -> str:
    """The reply without a repetition of the words that it was to continue."""
    bare = reply.lstrip()
    return bare[len(opened.strip()) :] if opened.strip() and bare.startswith(opened.strip()) else reply
