"""Scores from providers, by three methods, best first.

`prompt_logprobs`: the provider says how likely it found each token of the prompt. The text is sent with and without the
continuation; the continuation's tokens are those behind the common beginning, the rule of `models.tokenisation`.

`top_logprobs`: the likeliest first tokens of a reply. A continuation of one letter or digit is found among them (its variants
with space around it are summed); one that is not among them has no log-probability, for it may be anything below the last.

`sampling`: the share of replies that begin with the continuation, out of `samples`. One that was never said has no
log-probability either: its share is not known to be 0.

Each method gives scores, or `lacking` where the provider does not have it, or `passed` where it does but found nothing this time.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Literal

from inspect_ai.model import Logprob, ModelOutput

from gnomon.datasets.items import derive_seed
from gnomon.datasets.messages import Message, Prompt, as_text
from gnomon.errors import DeterministicFailure
from gnomon.models.inspect_messages import as_generation, opening
from gnomon.models.model import Score, ScoreMethod
from gnomon.models.tokenisation import common_length, render_plain

if TYPE_CHECKING:
    from gnomon.models.inspect_models import InspectModel

Found = list[Score] | Literal["lacking", "passed"]

HAVE_PROMPT_LOGPROBS = ("vllm", "vllm-completions", "openai-api-completions", "sagemaker")
"""Providers asked for prompt log-probabilities in `auto`; the others would ignore the request or refuse it."""

OPENING_BRACKETS = "([{"


def methods_for(wanted: str, provider: str, continuations: Sequence[str]) -> list[ScoreMethod]:
    """The methods to try, in order."""
    if wanted != "auto":
        return [method for method in METHODS if method == wanted]
    methods: list[ScoreMethod] = ["prompt_logprobs"] if provider in HAVE_PROMPT_LOGPROBS else []
    if all(len(text.strip()) == 1 for text in continuations):
        methods.append("top_logprobs")
    return [*methods, "sampling"]


async def by_prompt_logprobs(model: "InspectModel", prefix: Prompt, continuations: Sequence[str]) -> Found:
    """Scores from the prompt's own log-probabilities; one call for the prefix and one for each continuation."""
    prompts = [prefix, *(extended(prefix, text, plain=model.takes_text) for text in continuations)]
    try:
        outputs = await asyncio.gather(
            *(model.ask(prompt, prompt_logprobs=1, max_tokens=1, temperature=0.0) for prompt in prompts)
        )
    except DeterministicFailure:
        if model.options.scores == "auto":
            return "lacking"
        raise
    alone, *together = [_prompt_tokens(output) for output in outputs]
    if not any(together):
        return "lacking"
    return [_behind(alone, tokens, text) for tokens, text in zip(together, continuations, strict=True)]


async def by_top_logprobs(model: "InspectModel", prefix: Prompt, continuations: Sequence[str]) -> Found:
    """Scores from the likeliest first tokens of one reply."""
    settings = {"logprobs": True, "top_logprobs": model.options.top_logprobs, "max_tokens": 1, "temperature": 1.0}
    try:
        output = await model.ask(prefix, **settings)
    except DeterministicFailure:
        if model.options.scores == "auto":
            return "lacking"
        raise
    choice = output.choices[0]
    if choice.stop_reason == "content_filter":
        return [Score(None, method="top_logprobs", reason="refusal") for _ in continuations]
    first = choice.logprobs.content[0] if choice.logprobs and choice.logprobs.content else None
    if first is None or not first.top_logprobs:
        return "lacking"
    scores = [_among(first, text) for text in continuations]
    if model.options.scores == "auto" and all(score.logprob is None for score in scores):
        return "passed"
    return scores


async def by_sampling(model: "InspectModel", prefix: Prompt, continuations: Sequence[str]) -> Found:
    """Scores from the share of replies that begin with each continuation."""
    longest = max((len(text) for text in continuations), default=1)
    seed = derive_seed("score", as_text(prefix))
    outputs = await asyncio.gather(
        *(
            model.ask(prefix, temperature=1.0, max_tokens=longest + 16, seed=derive_seed(seed, index) & 0x7FFFFFFF)
            for index in range(model.options.samples)
        )
    )
    replies = [reply_behind(output, prefix) for output in outputs if output.stop_reason != "content_filter"]
    return [_share(replies, len(outputs), text) for text in continuations]


METHODS: dict[ScoreMethod, Callable[["InspectModel", Prompt, Sequence[str]], Awaitable[Found]]] = {
    "prompt_logprobs": by_prompt_logprobs,
    "top_logprobs": by_top_logprobs,
    "sampling": by_sampling,
}


def extended(prefix: Prompt, continuation: str, *, plain: bool) -> Prompt:
    """The prompt with the continuation said."""
    if isinstance(prefix, str):
        return prefix + continuation
    if plain:
        return render_plain(prefix) + continuation
    if prefix and prefix[-1].role == "assistant":
        return (*prefix[:-1], Message("assistant", prefix[-1].content + continuation))
    return (*prefix, Message("assistant", continuation))


def reply_behind(output: ModelOutput, prompt: Prompt) -> str:
    """The reply's text without repeated opening words, a repeated bracket and leading space."""
    text = as_generation(output, prompt).text.lstrip()
    last = opening(prompt).rstrip()[-1:]
    return text[1:].lstrip() if last and last in OPENING_BRACKETS and text.startswith(last) else text


def _prompt_tokens(output: ModelOutput) -> list[Logprob]:
    return output.choices[0].prompt_logprobs.content if output.choices[0].prompt_logprobs else []


def _behind(alone: Sequence[Logprob], together: Sequence[Logprob], continuation: str) -> Score:
    shared = common_length([entry.token for entry in alone], [entry.token for entry in together])
    tokens = together[shared:]
    if not continuation:
        return Score(0.0, method="prompt_logprobs")
    if len("".join(entry.token for entry in tokens).strip()) < len(continuation.strip()):
        reason = "the provider gave no log-probability for all of the continuation's tokens"
        return Score(None, method="prompt_logprobs", reason=reason)
    logprobs = tuple(entry.logprob for entry in tokens)
    if not all(map(math.isfinite, logprobs)):
        return Score(None, method="prompt_logprobs", reason="the provider's log-probability is not a finite number")
    return Score(math.fsum(logprobs), logprobs, method="prompt_logprobs")


def _among(first: Logprob, continuation: str) -> Score:
    offered = first.top_logprobs or []
    found = [entry.logprob for entry in offered if entry.token.strip() == continuation.strip() and math.isfinite(entry.logprob)]
    if not found:
        reason = f"not among the {len(offered)} likeliest tokens"
        return Score(None, method="top_logprobs", reason=reason)
    total = math.log(sum(map(math.exp, found)))
    likeliest = max(offered, key=lambda entry: entry.logprob)
    return Score(total, (total,), likeliest.token.strip() == continuation.strip(), method="top_logprobs")


def _share(replies: Sequence[str], samples: int, continuation: str) -> Score:
    said = sum(_begins(reply, continuation.strip()) for reply in replies)
    if not replies:
        return Score(None, method="sampling", reason="refusal")
    if not said:
        return Score(None, method="sampling", reason=f"not said in {samples} samples")
    logprob = math.log(said / samples)
    return Score(logprob, (logprob,), method="sampling")


def _begins(reply: str, text: str) -> bool:
    """Whether the reply begins with the text and no word goes on behind it."""
    cut = text and text[-1].isalnum() and reply[len(text) : len(text) + 1].isalnum()
    return reply.startswith(text) and not cut
