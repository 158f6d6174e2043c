"""gnomon's models under lm-evaluation-harness: `lm_eval --model gnomon --model_args ref=organism/base --tasks ...`.

Everything between text and tokens is inherited from lm_eval's own `hf` model: how a pair is split, when BOS is put in front,
rolling windows, chat templates, stop texts, limits. What differs is who computes: all requests of a call wait in the local
engine's queue at once, so that what they share is computed once.
"""

import asyncio
import copy
import logging
import sys
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from lm_eval.api.instance import Instance
from lm_eval.api.registry import register_model
from lm_eval.models.huggingface import HFLM
from lm_eval.models.utils import handle_stop_sequences, normalize_gen_kwargs, postprocess_generated_text
from lm_eval.models.utils_hf import stop_sequences_criteria
from tqdm import tqdm

from gnomon.errors import ConfigurationError, DeterministicFailure, Unsupported
from gnomon.models.local import LocalModel
from gnomon.models.model import Sampling, Score
from gnomon.models.options import with_options
from gnomon.models.references import open_model
from gnomon.models.sync import run

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

Base: Any = HFLM  # its registering decorator hides its type

OPTIONS = frozenset(
    {
        "add_bos_token",
        "chat_template_args",
        "enable_thinking",
        "max_length",
        "prefix_token_id",
        "think_end_token",
        "truncation",
    }
)
"""Options of `hf` that say how text becomes tokens; they mean here what they mean there."""

WITHOUT_EFFECT: dict[str, Any] = {"num_beams": 1, "repetition_penalty": 1.0, "top_k": 0, "num_return_sequences": 1}
"""Generation settings that we do not have, and the value at which they change nothing."""

TokenRequest = tuple[tuple[str, str] | None, list[int], list[int]]
"""The texts (None for a rolling window), the context's tokens and the continuation's."""


class GnomonLM(Base):
    """A local model or grown organism as a model of lm-evaluation-harness.

    Args:
        ref: A model reference, or an open local model.
        batch_size: Ignored: the engine sizes its batches itself.
        max_batch_size: Ignored.
        device: As in `local/...?device=`.
        dtype: As in `local/...?dtype=`.
        options: Those of `OPTIONS`, as `hf` has them.

    Raises:
        ConfigurationError: An option that is not there.
        Unsupported: A model without weights of its own.
    """

    def __init__(
        self,
        ref: str | LocalModel,
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,
        device: str | None = None,
        dtype: str | None = None,
        **options: Any,
    ):
        unknown = sorted(options.keys() - OPTIONS)
        if unknown:
            raise ConfigurationError(
                f"The model gnomon has no argument {unknown[0]!r}; it has ref, device, dtype, {', '.join(sorted(OPTIONS))}."
            )
        if str(batch_size or 1) != "1":
            logger.info("gnomon sizes its batches itself: batch_size is ignored.")
        self.local = _open(ref, device=device, dtype=dtype)
        with _without_warnings("lm_eval.models.huggingface"):  # of a module that is open already
            super().__init__(
                pretrained=self.local.module,
                tokenizer=_tokenizer_source(self.local),
                backend="causal",
                batch_size=sys.maxsize,  # a call's requests are one batch
                **options,
            )

    def get_model_info(self) -> dict[str, Any]:
        """What is stored with the results; the hash is the content's."""
        card = self.local.card
        return {
            "model_num_parameters": card.parameters,
            "model_dtype": str(self.local.module.dtype),
            "model_revision": card.reference,
            "model_sha": card.fingerprint,
        }

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Continues each context until a stop text, the end of text or the limit."""
        work = [self._continued(position, *request.args) for position, request in enumerate(requests)]
        return _all_of(work, "Running generate_until requests", disable_tqdm, [1] * len(work))

    def _loglikelihood_tokens(
        self, requests: Sequence[TokenRequest], disable_tqdm: bool = False, override_bs: int | None = None
    ) -> list[tuple[float, bool]]:
        """Scores token sequences; those of one context are one request of the engine, neighbours in the queue share most."""
        groups: dict[tuple[int, ...], list[tuple[int, tuple[int, ...]]]] = {}
        for position, (_, context, continuation) in enumerate(requests):
            before, after = self._windowed(context, continuation)
            groups.setdefault(before, []).append((position, after))
        found: dict[int, tuple[float, bool]] = {}

        async def score(before: tuple[int, ...], members: list[tuple[int, tuple[int, ...]]]) -> None:
            scores = (await self.local.score_tokens([(before, [after for _, after in members])]))[0]
            for (position, _), score in zip(members, scores, strict=True):
                found[position] = _answer(score)
                texts = requests[position][0]
                if texts is not None:
                    self.cache_hook.add_partial("loglikelihood", texts, found[position])

        work = [score(before, groups[before]) for before in sorted(groups)]
        _all_of(work, "Running loglikelihood requests", disable_tqdm, [len(groups[before]) for before in sorted(groups)])
        if missing := len(requests) - len(found):
            raise DeterministicFailure(f"{missing} of {len(requests)} continuations came back without a score.")
        return [found[position] for position in range(len(requests))]

    def _windowed(self, context: list[int], continuation: list[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Context and continuation as they fit: what is too long loses tokens on the left, as with `hf`."""
        if not context or not continuation or len(continuation) > self.max_length:
            raise Unsupported(
                f"A context of {len(context)} and a continuation of {len(continuation)} tokens cannot be scored: "
                f"both need at least one, and the continuation has to fit into the model's {self.max_length}."
            )
        room = self.max_length + 1 - len(continuation)
        if len(context) > room:
            logger.warning(
                f"Context ({len(context)}) and continuation ({len(continuation)}) exceed the model's {self.max_length} tokens: "
                f"{len(context) - room} are cut off on the left."
            )
        return tuple(context[-room:]), tuple(continuation)

    async def _continued(self, position: int, context: str, settings: dict[str, Any]) -> str:
        wanted: dict[str, Any] = dict(normalize_gen_kwargs(settings, self.max_gen_toks))
        until = handle_stop_sequences(wanted.pop("until"), eos=self.tok_decode(self.eot_token_id, skip_special_tokens=False))
        sampling = _sampling(wanted, until, seed=torch.initial_seed() + position)
        room = self.max_length - sampling.max_tokens
        if room <= 0:
            raise Unsupported(
                f"{sampling.max_tokens} new tokens leave the model's {self.max_length} no room for a prompt: lower max_gen_toks."
            )
        encoded, _ = self.tok_batch_encode([context], left_truncate_len=room, truncation=self.truncation)
        ids = [int(token) for token in encoded[0]] or list(self.local.tokeniser.start)
        said = (await self.local.generate([self.local.tokeniser.tokenised(ids)], sampling))[0].token_ids
        text = self._text(said, until)
        self.cache_hook.add_partial("generate_until", (context, settings), text)
        return text

    def _text(self, said: Sequence[int], until: list[str]) -> str:
        """The reply's text as `hf` cuts it: behind the thinking, and before the first stop text."""
        end = self.think_end_token
        kept = self._until_special(list(said), until)
        if isinstance(end, int) and end in kept:
            kept = kept[len(kept) - kept[::-1].index(end) :]
        text = self.tok_decode(kept)
        text = text.lstrip() if isinstance(end, int) else text
        return postprocess_generated_text(text, stop=until, think_end_token=end if isinstance(end, str) else None)

    def _until_special(self, said: list[int], until: list[str]) -> list[int]:
        """Ends a reply where `hf` finds a stop text in special tokens, which the engine does not see as text."""
        if not self.local.tokeniser.special.intersection(said):
            return said
        criteria = stop_sequences_criteria(self.tokenizer, until, 0, 1)
        ends = (end for end in range(1, len(said)) if any(met(torch.tensor([said[:end]]), None) for met in criteria))
        return said[: next(ends, len(said))]


register_model("gnomon")(GnomonLM)


def _open(ref: str | LocalModel, *, device: str | None, dtype: str | None) -> LocalModel:
    """The model; lm_eval says `cuda:0` where its user says nothing, so that counts only on a machine that has one."""
    absent = device is not None and device.startswith("cuda") and not torch.cuda.is_available()
    options = {"device": None if absent else device, "dtype": dtype}
    said = {name: value for name, value in options.items() if value is not None and f"{name}=" not in str(ref)}
    model = open_model(with_options(ref, said) if isinstance(ref, str) else ref)
    if not isinstance(model, LocalModel):
        raise Unsupported(
            f"{model.reference} has no weights here; lm-evaluation-harness needs a local model or a grown organism."
        )
    return model


@contextmanager
def _without_warnings(name: str) -> Generator[None]:
    source = logging.getLogger(name)
    disabled, source.disabled = source.disabled, True
    try:
        yield
    finally:
        source.disabled = disabled


def _tokenizer_source(model: LocalModel) -> Any:
    """Where `hf` would load the tokenizer from, or a copy: `hf` gives its tokenizer a padding token."""
    name = model.tokenizer.name_or_path
    return name if name and Path(name).is_dir() else copy.deepcopy(model.tokenizer)


def _answer(score: Score) -> tuple[float, bool]:
    """The score as lm_eval wants it.

    Raises:
        Unsupported: There is none; any number in its place would enter the metrics.
    """
    if score.logprob is None:
        raise Unsupported(f"A continuation has no score: {score.reason}.")
    return score.logprob, bool(score.is_greedy)


def _sampling(wanted: dict[str, Any], until: list[str], seed: int) -> Sampling:
    """lm_eval's normalised settings as ours.

    Raises:
        Unsupported: A setting that we do not have would change the text.
    """
    sampled, temperature = wanted.pop("do_sample", False), float(wanted.pop("temperature", 0.0))
    top_p, limit = float(wanted.pop("top_p", 1.0)), int(wanted.pop("max_gen_toks"))
    for name, value in wanted.items():
        if name not in WITHOUT_EFFECT or value not in (None, WITHOUT_EFFECT[name]):
            raise Unsupported(f"gnomon does not know the generation setting {name}={value!r}; use --model hf for it.")
    if sampled and temperature <= 0:
        raise Unsupported("do_sample=True needs a temperature above 0.")
    return Sampling(temperature if sampled else 0.0, top_p, limit, tuple(text for text in until if text), seed)


def _all_of(work: Sequence[Coroutine[Any, Any, Result]], title: str, quiet: bool, counts: Sequence[int]) -> list[Result]:
    """Runs everything at once; the bar shows what is done."""
    with tqdm(total=sum(counts), desc=title, disable=quiet) as bar:

        async def counted(one: Coroutine[Any, Any, Result], count: int) -> Result:
            result = await one
            bar.update(count)
            return result

        async def all_of_them() -> list[Result]:
            return list(await asyncio.gather(*(counted(one, count) for one, count in zip(work, counts, strict=True))))

        return run(all_of_them())
