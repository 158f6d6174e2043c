"""What a client may ask: OpenAI's fields, checked.

A field that would change the answer and that gnomon does not know is refused, not ignored: a client that asked for a tool or a
grammar and got plain text would never learn of it. Fields about the client's own book-keeping are ignored. `null` is "not said".
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from gnomon.datasets.messages import Conversation, Message
from gnomon.models.model import Sampling

MOST_TOKENS = 1 << 20
MOST_CHOICES = 4096
LEAST_TEMPERATURE = 1e-4

IGNORED = frozenset(
    ["user", "metadata", "store", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "service_tier"]
)
"""Fields of the client's book-keeping."""

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "logit_bias": ({},),
    "suffix": ("",),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "top_k": (0, -1),
    "min_p": (0,),
}
"""Fields that are not supported, and the values by which nothing is asked for."""


def refusal(param: str, message: str) -> PydanticCustomError:
    """A validation error that names its field."""
    return PydanticCustomError("unsupported", "{message}", {"message": message, "param": param})


def _spelled(text: str, info: ValidationInfo) -> str:
    """JSON can hold halves of surrogate pairs, which are no text."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise refusal(info.field_name or "prompt", f"{info.field_name} holds half of a surrogate pair, which is no letter")
    return text


Text = Annotated[str, AfterValidator(_spelled)]
StopText = Annotated[Text, StringConstraints(min_length=1, max_length=1000)]
Ids = Annotated[list[int], Field(min_length=1)]


class StreamOptions(BaseModel):
    """Of a streamed answer: whether its last event counts the tokens."""

    model_config = ConfigDict(strict=True)

    include_usage: bool = False


class Asked(BaseModel):
    """What both kinds of request have."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    model: str | None = None
    temperature: float = Field(default=1.0, ge=0, le=100)
    top_p: float = Field(default=1.0, ge=0, le=1)
    n: int = Field(default=1, ge=1, le=128)
    seed: int | None = Field(default=None, ge=-(1 << 63), lt=1 << 64)
    stop: StopText | Annotated[list[StopText], Field(max_length=64)] = []
    stream: bool = False
    stream_options: StreamOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _said(cls, data: Any) -> Any:
        """What was said, without nulls; refuses what gnomon cannot do."""
        if not isinstance(data, dict):
            raise PydanticCustomError("unsupported", "The body must be a JSON object, sent as application/json")
        said: dict[str, Any] = {name: value for name, value in data.items() if value is not None}
        for name, value in said.items():
            if name not in cls.model_fields and name not in IGNORED and value not in NEUTRAL.get(name, ()):
                raise refusal(name, f"gnomon does not support {name!r} here; leave it out")
        return said

    @model_validator(mode="after")
    def _fits(self) -> "Asked":
        if 0 < self.temperature < LEAST_TEMPERATURE:
            raise refusal("temperature", f"temperature must be 0 (the likeliest token) or at least {LEAST_TEMPERATURE}")
        if self.stream_options and not self.stream:
            raise refusal("stream_options", "stream_options needs stream=true")
        return self

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts that end a reply."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)

    def _sampling(self, max_tokens: int, seed: int, *, logprobs: bool, top_logprobs: int) -> Sampling:
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=max_tokens,
            stop=self.stops,
            seed=self.seed if self.seed is not None else seed,
            logprobs=logprobs,
            top_logprobs=top_logprobs,
        )


class CompletionRequest(Asked):
    """Of `POST /v1/completions`. `max_tokens` 0 is for `echo`: nothing is sampled, the prompt is given back."""

    prompt: Text | list[Text] | Ids | list[Ids]
    max_tokens: int = Field(default=16, ge=0, le=MOST_TOKENS)
    logprobs: int | None = Field(default=None, ge=0, le=20)
    echo: bool = False
    prompt_logprobs: int | None = Field(default=None, ge=0, le=20)
    best_of: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _possible(self) -> "CompletionRequest":
        if self.best_of not in (None, 1, self.n):
            raise refusal("best_of", "gnomon does not choose among more replies than it gives; leave best_of out")
        if self.prompt_logprobs is not None and self.stream:
            raise refusal("prompt_logprobs", "prompt_logprobs come with whole answers only; leave out stream")
        if self.max_tokens == 0 and not self.echo:
            raise refusal("max_tokens", "max_tokens must be at least 1 unless echo is true")
        if not self.prompt and not isinstance(self.prompt, str):
            raise refusal("prompt", "prompt must hold at least one text")
        if len(self.prompts) * self.n > MOST_CHOICES:
            raise refusal("n", f"One request may ask for at most {MOST_CHOICES} choices; send several requests")
        return self

    @property
    def prompts(self) -> list[str] | list[list[int]]:
        """One entry per prompt, texts or token ids."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        if isinstance(self.prompt[0], int):
            return [self.prompt]  # pyright: ignore[reportReturnType] a list of ids is one prompt
        return self.prompt  # pyright: ignore[reportReturnType]

    @property
    def alternatives(self) -> int | None:
        """How many of the likeliest tokens are wanted beside those of the prompt; None: no log-probability at all."""
        wanted = [self.prompt_logprobs, self.logprobs if self.echo else None]
        return max((each for each in wanted if each is not None), default=None)

    def sampling(self, seed: int) -> Sampling:
        """As gnomon's setting; `seed` is for a request that brings none."""
        return self._sampling(self.max_tokens, seed, logprobs=self.logprobs is not None, top_logprobs=self.logprobs or 0)


class Part(BaseModel):
    """A part of a message."""

    type: Literal["text"]
    text: Text


class Turn(BaseModel):
    """A message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[Part]

    @model_validator(mode="before")
    @classmethod
    def _only_text(cls, data: Any) -> Any:
        for name in ("tool_calls", "function_call", "audio"):
            if isinstance(data, dict) and data.get(name):
                raise refusal("messages", f"gnomon does not support {name!r} in a message; send text only")
        return data

    @property
    def message(self) -> Message:
        """As gnomon's message; `developer` is a newer name of `system`."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Message("system" if self.role == "developer" else self.role, text)


class ChatRequest(Asked):
    """Of `POST /v1/chat/completions`."""

    messages: list[Turn] = Field(min_length=1)
    max_tokens: int = Field(default=Sampling().max_tokens, ge=1, le=MOST_TOKENS)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    logprobs: bool = False
    top_logprobs: int = Field(default=0, ge=0, le=20)

    @model_validator(mode="after")
    def _possible(self) -> "ChatRequest":
        if self.top_logprobs and not self.logprobs:
            raise refusal("top_logprobs", "top_logprobs needs logprobs=true")
        return self

    @property
    def conversation(self) -> Conversation:
        """The messages."""
        return tuple(turn.message for turn in self.messages)

    def sampling(self, seed: int) -> Sampling:
        """As gnomon's setting; `seed` is for a request that brings none."""
        limit = self.max_completion_tokens or self.max_tokens
        return self._sampling(limit, seed, logprobs=self.logprobs, top_logprobs=self.top_logprobs)
