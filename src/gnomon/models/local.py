"""Models whose weights are here: any transformers causal language model from safetensors, behind the `Model` interface.

Results do not depend on what else is in a batch. On the CPU in float32 they are bit for bit the same (asserted by the tests);
on accelerators and in half precision they agree to rounding.
"""

import asyncio
import inspect
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gnomon.datasets.items import derive_seed
from gnomon.datasets.messages import Prompt
from gnomon.errors import DeterministicFailure, UnknownModel, Unsupported
from gnomon.models.engine import Batcher, Coalescer, More
from gnomon.models.fingerprint import Unchanged, fingerprint_of
from gnomon.models.forward import hooked
from gnomon.models.model import Generation, ModelCard, Piece, Sampling, Score
from gnomon.models.options import parse_options
from gnomon.models.padded import sample_padded, score_padded
from gnomon.models.predictions import Predicted
from gnomon.models.replies import Caller, GenerationRow, Words
from gnomon.models.sampling import Sampler
from gnomon.models.scoring import ScoreRow, TreeScorer, plan_row
from gnomon.models.tokenisation import Continuation, Tokeniser
from gnomon.models.tree_probe import tree_scorer
from gnomon.models.turns import PROCESSOR, Turns, send_helpers_away
from gnomon.models.weights import LoadOptions, find_directory, load

CPU_BATCH_TOKENS = 2_048
ACCELERATOR_BATCH_TOKENS = 65_536
GENERATION_CACHE = 1 << 28
"""Bytes of keys and values that a batch of replies may take on the CPU where that is more than the tokens of a batch: a step of a
small model costs the same for many rows as for few."""
COALESCED = 1 << 15
"""Tokens of requests that are asked at once and laid out before the first of them is handed over."""
LOOK_AHEAD = 64
"""Scoring looks for shared prefixes among so many batches of waiting requests."""


def open_local(rest: str) -> "LocalModel":
    """Opens `<directory or cached hub id>[?dtype=...&device=...&batch_tokens=...]`.

    Raises:
        UnknownModel: Nothing there.
        UnsafeWeights: Pickle files only, or remote code.
        UserError: Broken files or options.
    """
    name, _, options_text = rest.partition("?")
    if not name:
        raise UnknownModel("local/ needs a directory: local/path/to/model.")
    options = parse_options(options_text, LoadOptions)
    module, tokenizer = load(find_directory(name), options)
    return LocalModel(module, tokenizer, reference=f"local/{rest}", batch_tokens=options.batch_tokens)


Found = TypeVar("Found")


class LocalModel:
    """A causal language model in memory.

    The weights must not change while it is open: its fingerprint, the key of every cache and journal, is taken once. Requests to
    changed weights fail; after training build a new one.

    Args:
        module: A transformers causal language model; put into evaluation mode.
        tokenizer: Its tokenizer.
        reference: The string that opens it again.
        fingerprint: Hash of its content (None: computed).
        card: What is known of it (None: its size and configuration).
        batch_tokens: Most tokens, padding included, in one forward pass (None: by device).
    """

    def __init__(
        self,
        module: nn.Module,
        tokenizer: Any,
        reference: str,
        fingerprint: str | None = None,
        *,
        card: ModelCard | None = None,
        batch_tokens: int | None = None,
    ):
        self.module = module.eval()
        self.tokenizer = tokenizer
        self.reference = reference
        self._weights = Unchanged(module)
        self.fingerprint = fingerprint or fingerprint_of(module, tokenizer)
        self.tokeniser = Tokeniser.of(tokenizer)
        self._card = card
        self._ends = _end_tokens(module, self.tokeniser)
        self._turns = PROCESSOR if self.device.type == "cpu" else Turns()
        self._batch_tokens = batch_tokens or (CPU_BATCH_TOKENS if self.device.type == "cpu" else ACCELERATOR_BATCH_TOKENS)
        self._coalescer = Coalescer(COALESCED)
        self._scorer = Batcher(self._run_scores, LOOK_AHEAD * self._batch_tokens, self._forget)
        self._reply_tokens = batch_tokens or max(self._batch_tokens, self._cached_tokens())
        self._generator = Batcher(self._run_generations, self._reply_tokens)

    @property
    def card(self) -> ModelCard:
        """Its size, type, context and where its numbers are computed."""
        return self._card or ModelCard(
            reference=self.reference,
            fingerprint=self.fingerprint,
            kind="local",
            parameters=sum(parameter.numel() for parameter in self.module.parameters()),
            details={
                "architecture": type(self.module).__name__,
                "dtype": str(next(self.module.parameters()).dtype).removeprefix("torch."),
                "device": str(self.device),
                "context": self.context,
                "vocabulary": self._vocabulary,
                "chat_template": bool(self.tokenizer.chat_template),
            },
        )

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        return next(self.module.parameters()).device

    @cached_property
    def context(self) -> int | None:
        """Most tokens of prompt and reply together (None: no limit known)."""
        limit = getattr(self._text_config, "max_position_embeddings", None)
        return limit if isinstance(limit, int) and limit > 0 else None

    def forward(
        self,
        ids: Sequence[int] | Sequence[Sequence[int]] | Tensor,
        hooks: Mapping[str, Callable[..., Any]] | None = None,
        *,
        grad: bool = False,
    ) -> Tensor:
        """One forward pass.

        Args:
            ids: Token ids of one sequence `[length]` or of several equally long ones `[rows, length]`.
            hooks: Forward hooks by the names of `module.named_modules()`: `hook(module, arguments, output)`, whose result, unless
                None, replaces the output. They are removed afterwards.
            grad: Whether gradients are recorded.

        Returns:
            Logits `[rows, length, vocabulary]`.

        Raises:
            Unsupported: No submodule of a hook's name.
        """
        batch = torch.as_tensor(ids, dtype=torch.long, device=self.device)
        batch = batch[None] if batch.dim() == 1 else batch
        causal: Any = self.module
        names: set[str] = {name for name, _ in causal.named_modules()}
        for name in hooks or {}:
            if name not in names:
                raise Unsupported(f"The model has no module {name!r}; model.module.named_modules() lists them.")
        with self._turns, hooked(self.module, hooks or {}), torch.set_grad_enabled(grad):
            return self.module(input_ids=batch, use_cache=False).logits

    async def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generation]:
        """Samples one reply to each prompt, from the seed `derive_seed(seed, position)`, batched with whatever else is waiting.

        Raises:
            DeterministicFailure: A prompt cannot be run.
            Unsupported: A prompt fills the context, or the chat template refuses it.
        """
        self._check_cache()
        rows = [self._generation_row(prompt, sampling, position) for position, prompt in enumerate(prompts)]
        futures = [self._generator.submit(self._size(row), row) for row in rows]
        try:
            return list(await asyncio.gather(*map(asyncio.wrap_future, futures)))
        finally:
            for row in rows:
                row.caller.gone = True  # of those that run, nobody waits for what is not done by now

    async def stream(self, prompt: Prompt, sampling: Sampling, position: int = 0) -> AsyncIterator[Piece]:
        """Samples one reply, piece by piece; closing the iterator ends the sampling.

        The pieces' texts together are that of `generate`'s reply at this position; the last one has `finish`.

        Raises:
            DeterministicFailure: The prompt cannot be run.
            Unsupported: As in `generate`.
        """
        self._check_cache()
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue[Piece | None]()

        def tell(piece: Piece | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        row = self._generation_row(prompt, sampling, position, Caller(tell))
        future = self._generator.submit(self._size(row), row)
        future.add_done_callback(lambda _: tell(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            future.result()
        finally:
            row.caller.gone = True
            future.cancel()

    async def score(self, prefix: Prompt, continuations: Sequence[str]) -> list[Score]:
        """Exact log-probability of each continuation after the prefix, by the rule of `models.tokenisation`.

        A continuation that does not fit into the model's context, or has no token of its own, gets no number but a reason.
        """
        laid_out = self.tokeniser.continuations(prefix, continuations)
        return await self._score_where_possible(laid_out, continuations)

    async def score_tokens(self, requests: Sequence[tuple[Sequence[int], Sequence[Sequence[int]]]]) -> list[list[Score]]:
        """As `score`, for prefixes and continuations that are token ids already; every token of a continuation is scored.

        Args:
            requests: Pairs of a prefix, at least one token, and the continuations after it.

        Returns:
            A list of scores per request, in order.
        """

        async def one(prefix: Sequence[int], continuations: Sequence[Sequence[int]]) -> list[Score]:
            laid_out = [Continuation((*prefix, *ids), len(prefix)) for ids in continuations]
            return await self._score_where_possible(laid_out, continuations)

        return list(await asyncio.gather(*(one(prefix, continuations) for prefix, continuations in requests)))

    async def predict(self, ids: Sequence[int], top: int) -> list[Predicted]:
        """How likely each token after the first is, its rank, and the likeliest tokens in its place.

        Args:
            ids: At least two tokens, no more than the context and one.
            top: How many of the likeliest.

        Raises:
            DeterministicFailure: The model's numbers are not finite.
        """
        row = plan_row([Continuation(tuple(ids), 1)], top)
        found: list[Predicted] = await asyncio.wrap_future(self._scorer.submit(row.size, row))
        if not all(math.isfinite(each.logprob) for each in found):
            raise DeterministicFailure("The model's logits are not finite numbers; its weights are broken.")
        return found

    async def _score_where_possible(self, laid_out: Sequence[Continuation], given: Sequence[Sequence[Any]]) -> list[Score]:
        """Scores or reasons, in order; `given` says which continuations are empty."""
        scores = [_unscorable(each, content, self.context) for each, content in zip(laid_out, given, strict=True)]
        wanted = [index for index, score in enumerate(scores) if score is None]
        if wanted:
            found = await self._score_laid_out([laid_out[index] for index in wanted])
            for index, score in zip(wanted, found, strict=True):
                scores[index] = score
        return [score for score in scores if score is not None]

    @property
    def unanswered(self) -> int:
        """Prompts and prefixes that wait for their replies and scores, or are at work."""
        return self._scorer.unanswered + self._generator.unanswered

    async def aclose(self) -> None:
        """Ends the engine's threads; the weights go with the last reference to this object. A later call starts them anew."""
        await asyncio.gather(*(asyncio.to_thread(batcher.close) for batcher in (self._scorer, self._generator)))

    async def _score_laid_out(self, continuations: Sequence[Continuation]) -> list[Score]:
        row = plan_row(continuations)
        await self._coalescer.hold(row.size)
        return await asyncio.wrap_future(self._scorer.submit(row.size, row))

    def _check_cache(self) -> None:
        if not self._caches:
            kind = type(self.module).__name__
            raise Unsupported(f"{kind} has no key-value cache; the local engine samples only from models that have one.")

    def _generation_row(self, prompt: Prompt, sampling: Sampling, position: int, caller: Caller | None = None) -> GenerationRow:
        ids = tuple(self.tokeniser.encode(prompt)) or self.tokeniser.start
        room = sampling.max_tokens if self.context is None else self.context - len(ids)
        if not ids or room <= 0:
            raise Unsupported(
                f"The prompt's {len(ids)} tokens leave no room for a reply in the model's context of {self.context}."
            )
        seed = sampling.seed if sampling.seed is not None else derive_seed("prompt", self.tokeniser.render(prompt))
        return GenerationRow(
            prompt=ids,
            sampling=sampling,
            seed=derive_seed(seed, position),
            stop=(*sampling.stop, *self.tokeniser.stop_texts(prompt)),
            limit=min(sampling.max_tokens, room),
            caller=caller or Caller(),
        )

    def _size(self, row: GenerationRow) -> int:
        """Tokens of a row that no other can share, as far as the model lets rows share any."""
        return row.own if self._tree else row.size

    def _run_scores(self, rows: Sequence[ScoreRow], more: More[ScoreRow]) -> Iterator[list[tuple[int, list[Any]]]]:
        tree = self._tree
        return self._exclusively(tree.score(rows) if tree else score_padded(self.module, rows, self._batch_tokens))

    def _exclusively(self, work: Iterator[Found]) -> Iterator[Found]:
        """Goes on with `work` while nobody else computes; between its passes others may."""
        # Inference mode makes small operations cheaper, but what a module keeps from it can never be trained with.
        mode = torch.no_grad if self._tree is None else torch.inference_mode
        try:
            while True:
                with self._turns, mode():
                    self._weights.check()
                    if self.module.training:
                        self.module.eval()
                    found = next(work, None)
                if found is None:
                    return
                yield found
        finally:
            send_helpers_away()

    def _forget(self) -> None:
        if self._tree:
            self._tree.forget()

    def _run_generations(
        self, rows: Sequence[GenerationRow], more: More[GenerationRow]
    ) -> Iterator[list[tuple[int, Generation | Exception]]]:
        tree, words = self._tree, Words(self.tokeniser, self._ends)
        if tree is None:
            yield from self._exclusively(sample_padded(self.module, rows, words))
            return
        sampler = Sampler(tree.body, tree.head, words, self._batch_tokens, self._reply_tokens)
        yield from self._exclusively(sampler.sample(rows, more))

    def _cached_tokens(self) -> int:
        """Tokens whose keys and values take `GENERATION_CACHE` bytes (0 where that is not known, or not the CPU's)."""
        config = self._text_config
        heads = getattr(config, "num_key_value_heads", None) or getattr(config, "num_attention_heads", None)
        layers, hidden = getattr(config, "num_hidden_layers", None), getattr(config, "hidden_size", None)
        if self.device.type != "cpu" or not (heads and layers and hidden):
            return 0
        width = getattr(config, "head_dim", None) or hidden // config.num_attention_heads
        return GENERATION_CACHE // (2 * layers * heads * width * next(self.module.parameters()).element_size())

    @cached_property
    def _tree(self) -> TreeScorer | None:
        """What scores requests as one tree; None where the model does not take one."""
        with self._turns, torch.no_grad():
            self.module.eval()
            return tree_scorer(self.module, self._batch_tokens)

    @cached_property
    def _caches(self) -> bool:
        return "past_key_values" in inspect.signature(self.module.forward).parameters

    @cached_property
    def _text_config(self) -> Any:
        config: Any = self.module.config
        return config.get_text_config() if hasattr(config, "get_text_config") else config

    @cached_property
    def _vocabulary(self) -> int:
        causal: Any = self.module
        return int(causal.get_input_embeddings().weight.shape[0])


def _end_tokens(module: nn.Module, tokeniser: Tokeniser) -> frozenset[int]:
    """Tokens that end a reply: the generation configuration's, the tokenizer's, and the chat template's end of turn."""
    configured: Any = getattr(getattr(module, "generation_config", None), "eos_token_id", None)
    ends: list[Any] = [tokeniser.tokenizer.eos_token_id, tokeniser.end_of_turn()]
    ends += configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in ends if isinstance(token, int))


def _unscorable(continuation: Continuation, given: Sequence[Any], context: int | None) -> Score | None:
    """The score of what needs no forward pass."""
    if not given:
        return Score(0.0, (), True)
    if continuation.start >= len(continuation.ids):
        return Score(None, reason="the continuation has no token of its own after this prefix")
    if continuation.start == 0:
        return Score(None, reason="nothing stands before the first token, and the tokenizer has no start token")
    if context is not None and len(continuation.ids) - 1 > context:
        return Score(None, reason=f"the text has {len(continuation.ids)} tokens, more than the model's context of {context}")
    return None
