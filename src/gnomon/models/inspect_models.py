"""Any Inspect provider as a gnomon model.

A provider is a black box with habits of its own, so each is made explicit. Retries are capped, here and by the runner: Inspect's
are unlimited by default. An opened assistant message is sent as the conversation's last message; a provider that repeats its
text instead of continuing it has the repetition cut off. Log-probabilities of sampled tokens are passed on only if their tokens
spell the reply: some providers report those of other tokens. How scores are had is in `models.inspect_scores`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageUser, GenerateConfig, ModelOutput, get_model
from inspect_ai.model import Model as ProvidersModel
from pydantic import BaseModel, ConfigDict, Field

from gnomon.datasets.items import content_hash, derive_seed
from gnomon.datasets.messages import Prompt, as_text
from gnomon.errors import ConfigurationError, TransientFailure, UnknownModel, Unsupported
from gnomon.models.inspect_errors import classify, garbled
from gnomon.models.inspect_messages import as_generation, opening, to_inspect
from gnomon.models.inspect_scores import METHODS, methods_for
from gnomon.models.model import Generation, ModelCard, Sampling, Score, ScoreMethod
from gnomon.models.options import parse_options
from gnomon.models.tokenisation import PLAIN_STOP, render_plain

CONTINUING = ("vllm", "sglang")
"""Chat providers that continue the last message only when told to."""
MOCK = "mockllm"


class InspectOptions(BaseModel):
    """What can follow the `?` of an Inspect reference.

    Attributes:
        scores: How to score: `auto` takes the best that the provider has, or one method by name.
        samples: Replies per score where scores come from sampling.
        top_logprobs: Most likely tokens asked for (providers have limits of their own).
        max_retries: Inspect's retries per call; the runner's attempts come on top.
        timeout: Seconds per call, retries included.
        attempt_timeout: Seconds per attempt.
        max_connections: Calls in flight (None: Inspect's default for the provider).
        base_url: Of the provider's server (None: its own).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scores: ScoreMethod | str = Field(default="auto", pattern="^(auto|prompt_logprobs|top_logprobs|sampling)$")
    samples: int = Field(default=20, ge=1)
    top_logprobs: int = Field(default=20, ge=1)
    max_retries: int = Field(default=2, ge=0)
    timeout: int = Field(default=600, ge=1)
    attempt_timeout: int = Field(default=120, ge=1)
    max_connections: int | None = Field(default=None, ge=1)
    base_url: str | None = None


def open_inspect(rest: str) -> "InspectModel":
    """Opens `<provider>/<model>[?samples=...&scores=...]`.

    Raises:
        UnknownModel: Inspect has no such provider.
        ConfigurationError: The provider cannot be used: a package or an API key is missing, or an option does not fit.
    """
    name, _, options_text = rest.partition("?")
    options = parse_options(options_text, InspectOptions)
    config = GenerateConfig(
        max_retries=options.max_retries,
        timeout=options.timeout,
        attempt_timeout=options.attempt_timeout,
        max_connections=options.max_connections,
    )
    try:
        model = get_model(name, config=config, base_url=options.base_url, memoize=False)
    except ValueError as error:
        raise UnknownModel(f"Inspect does not know the model {name!r}: {_first_line(error)}") from error
    except Exception as error:
        raise ConfigurationError(f"The Inspect model {name!r} cannot be opened: {_first_line(error)}") from error
    return InspectModel(model, reference=f"inspect/{rest}", options=options)


class InspectModel:
    """An Inspect model behind the `Model` interface.

    Args:
        model: From `inspect_ai.model.get_model`.
        reference: The string that opens it again.
        options: How to score it.
    """

    def __init__(self, model: ProvidersModel, reference: str, options: InspectOptions | None = None):
        self.model = model
        self.reference = reference
        self.options = options or InspectOptions()
        self.provider = str(model).partition("/")[0]
        self._lacking: set[ScoreMethod] = set()
        if self.provider == MOCK:
            model.api.count_text_tokens = _count_words  # it counts tokens by what Inspect fetches from the network

    @property
    def fingerprint(self) -> str:
        """Hash of the provider's name of the model and of what changes scores; weights behind an API have no hash to be had."""
        asked = self.options.model_dump(include={"scores", "samples", "top_logprobs"})
        return content_hash(["inspect", str(self.model), self.model.api.base_url, asked])

    @property
    def card(self) -> ModelCard:
        """Provider and method of scoring."""
        details = {"provider": self.provider, "scores": self.options.scores, "lacking": sorted(self._lacking)}
        return ModelCard(self.reference, self.fingerprint, kind="inspect", details=details)

    @property
    def takes_text(self) -> bool:
        """Whether the provider continues raw text instead of answering messages."""
        return self.provider.endswith("-completions")

    async def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generation]:
        """Samples one reply to each prompt; a content filter's block is a reply that finished by `refusal`.

        Seeds are handed on; whether they are honoured is the provider's affair.

        Raises:
            RateLimited, TransientFailure, DeterministicFailure: As the provider's error is classified.
        """

        async def one(position: int, prompt: Prompt) -> Generation:
            seed = sampling.seed if sampling.seed is not None else derive_seed("prompt", as_text(prompt))
            output = await self.ask(
                prompt,
                temperature=sampling.temperature,
                top_p=sampling.top_p if sampling.top_p < 1 else None,
                max_tokens=sampling.max_tokens,
                stop_seqs=[*sampling.stop, *self._stops(prompt)] or None,
                seed=derive_seed(seed, position) & 0x7FFFFFFF,
                logprobs=True if sampling.logprobs else None,
            )
            return as_generation(output, prompt)

        return list(await asyncio.gather(*(one(position, prompt) for position, prompt in enumerate(prompts))))

    async def score(self, prefix: Prompt, continuations: Sequence[str]) -> list[Score]:
        """Scores each continuation by the best method that the provider has; each score says which.

        Raises:
            Unsupported: The method asked for is not to be had from this provider.
        """
        wanted = self.options.scores
        for method in methods_for(wanted, self.provider, continuations):
            if method in self._lacking and wanted == "auto":
                continue
            found = await METHODS[method](self, prefix, continuations)
            if isinstance(found, list):
                return found
            if found == "lacking":
                self._lacking.add(method)
        raise Unsupported(f"{self.model} gives no scores by {wanted}; try ?scores=sampling.")

    async def aclose(self) -> None:
        """Closes the provider's client."""
        await self.model.api.aclose()

    async def ask(self, prompt: Prompt, **config: Any) -> ModelOutput:
        """One call with Inspect's configuration options.

        The call gets a task of its own: Inspect keeps events in the calling context, where they would pile up. An answer that
        cannot be read is asked for again, as often as Inspect asks again after other failures that may pass.
        """
        if self.provider in CONTINUING and opening(prompt):
            config["extra_body"] = {"continue_final_message": True, "add_generation_prompt": False}
        settings = GenerateConfig(**{name: value for name, value in config.items() if value is not None})
        for retries_left in range(self.options.max_retries, -1, -1):
            try:
                output = await asyncio.create_task(self.model.generate(self.messages(prompt), config=settings))
                break
            except Exception as error:
                if not (garbled(error) and retries_left):
                    raise classify(error, self.model.api) from error
        else:
            raise AssertionError("the last call returns or raises")
        if output.empty:
            raise TransientFailure(f"{self.model} gave no reply: {output.error or 'no reason said'}.")
        return output

    def messages(self, prompt: Prompt) -> list[ChatMessage]:
        """The prompt as Inspect's messages; one user message of plain text for providers that continue text."""
        if isinstance(prompt, str):
            return [ChatMessageUser(content=prompt)]
        if self.takes_text:
            return [ChatMessageUser(content=render_plain(prompt))]
        return to_inspect(prompt)

    def _stops(self, prompt: Prompt) -> tuple[str, ...]:
        return (PLAIN_STOP,) if self.takes_text and not isinstance(prompt, str) else ()


async def _count_words(text: str) -> int:
    """Stands for a count of tokens of the mock model, which has none."""
    return len(text.split())


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
