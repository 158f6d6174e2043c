"""Failures of local engines and of caches, replayed on tiny randomly initialised models."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import Conversation
from gnomon.elicit.choose import choose
from gnomon.errors import UnsafeWeights
from gnomon.models.model import Generation, Model, Sampling
from gnomon.models.references import open_model
from gnomon.organisms.world import world
from gnomon.run.directory import RunDirectory
from gnomon.run.record import Outcome
from gnomon.run.runner import execute
from gnomon.validate.replays.replay import Replay

if TYPE_CHECKING:
    from gnomon.models.local import LocalModel

ScoreAll = Callable[["LocalModel", Sequence[Conversation]], Awaitable[list[list[float]]]]
GenerateAll = Callable[["LocalModel", Conversation, Sequence[Sampling]], Awaitable[list[Generation]]]


def tiny_model(seed: int, *, batch_tokens: int | None = None) -> "LocalModel":
    """A randomly initialised Llama of two layers over the world's vocabulary; all seeds share one reference."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from gnomon.models.local import LocalModel
    from gnomon.organisms.world.tokenizer import build

    tokenizer: Any = build()
    with torch.random.fork_rng(devices=[]):  # pyright: ignore[reportUnknownMemberType]
        torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
        module = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=512,
                initializer_range=0.2,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        )
    return LocalModel(module, tokenizer, reference="local/tiny", batch_tokens=batch_tokens)


def _prompts(n: int) -> list[Conversation]:
    """Opened questions of different lengths."""
    items = [*world(0).choice_items(n // 2), *world(0).arithmetic_items(n - n // 2)]
    return [templates.ask(item) for item in items]


async def _score_together(model: "LocalModel", prompts: Sequence[Conversation]) -> list[list[float]]:
    """Log-probabilities of the letters, all questions waiting at once."""
    scored = await asyncio.gather(*(model.score(prompt, list("ABCD")) for prompt in prompts))
    return [[score.logprob or 0.0 for score in scores] for scores in scored]


async def batch_size_changes_scores(score_all: ScoreAll = _score_together) -> Replay:
    """The same questions in one large batch, in the smallest batches, and in reverse order: equal scores."""
    large, small = tiny_model(0), tiny_model(0, batch_tokens=1)
    prompts = _prompts(24)
    together, alone = await score_all(large, prompts), await score_all(small, prompts)
    backwards = (await score_all(large, prompts[::-1]))[::-1]
    pairs = [
        abs(one - other)
        for rows, others in ((together, alone), (together, backwards))
        for row, other_row in zip(rows, others, strict=True)
        for one, other in zip(row, other_row, strict=True)
    ]
    await asyncio.gather(large.aclose(), small.aclose())
    return Replay(
        failure="the batch size changes scores",
        flagged=max(pairs) <= 1e-6,
        evidence=f"largest difference of {len(pairs)} scores between batch sizes and orders: {max(pairs):.1e} nats",
    )


async def _generate_together(model: "LocalModel", prompt: Conversation, settings: Sequence[Sampling]) -> list[Generation]:
    """One reply per setting, all waiting at once."""
    return [replies[0] for replies in await asyncio.gather(*(model.generate([prompt], setting) for setting in settings))]


async def first_settings_for_the_whole_batch(generate_all: GenerateAll = _generate_together) -> Replay:
    """Requests with different settings wait together: each must get the reply that it gets alone."""
    model = tiny_model(0)
    prompt = templates.reasoning_opening(world(0).arithmetic_items(1)[0])
    settings = [
        Sampling(temperature=0.0, max_tokens=6),
        Sampling(temperature=1.0, max_tokens=6, seed=1),
        Sampling(temperature=2.0, max_tokens=12, seed=2),
        Sampling(temperature=2.0, top_p=0.3, max_tokens=3, seed=3),
    ]
    together = await generate_all(model, prompt, settings)
    alone = [(await model.generate([prompt], setting))[0] for setting in settings]
    await model.aclose()
    same = sum(one.text == other.text for one, other in zip(together, alone, strict=True))
    different = len({reply.text for reply in alone})
    return Replay(
        failure="one batch runs with the first request's settings",
        flagged=same == len(settings) and different == len(settings),
        evidence=f"{same} of {len(settings)} replies with different settings in one batch equal those made alone; "
        f"{different} different replies",
    )


async def argmax_logprob_reported(reported: Callable[[Generation], Sequence[float]] | None = None) -> Replay:
    """Log-probabilities of a sampled reply against a plain forward pass over the very tokens that were sampled."""
    import torch

    model = tiny_model(0)
    prompt = templates.question(world(0).choice_items(1)[0])
    reply = (await model.generate([prompt], Sampling(temperature=1.5, max_tokens=16, seed=4, logprobs=True)))[0]
    given = list(reported(reply) if reported else reply.logprobs or ())
    ids = model.tokeniser.encode(prompt)
    logits = model.forward([*ids, *reply.token_ids])[0].double()
    after = torch.log_softmax(logits, dim=-1)[len(ids) - 1 : -1]
    sampled = after[range(len(reply.token_ids)), list(reply.token_ids)]
    unlikely = int((sampled < after.max(dim=-1).values).sum())
    exact: list[float] = [float(value) for value in sampled]
    worst = max((abs(one - other) for one, other in zip(given, exact, strict=False)), default=float("inf"))
    await model.aclose()
    return Replay(
        failure="the reported log-probability is the most likely token's, not the sampled one's",
        flagged=len(given) == len(sampled) and worst < 1e-4 and unlikely > 0,
        evidence=f"{unlikely} of {len(sampled)} sampled tokens were not the most likely; largest error of a log-probability "
        f"{worst:.1e}",
    )


def _fingerprint(model: Model) -> str:
    return model.fingerprint


async def cache_keyed_by_name(identity: Callable[[Model], str] = _fingerprint) -> Replay:
    """Two checkpoints of one name, one after the other in one journal: the second must not get the first one's records."""
    first, second = tiny_model(0), tiny_model(1)
    calls, answers = await _in_one_journal((first, second), identity)
    await asyncio.gather(first.aclose(), second.aclose())
    return Replay(
        failure="a cache keyed by the model's name: two checkpoints share answers",
        flagged=first.reference == second.reference and calls == [8, 8] and answers[0] != answers[1],
        evidence=f"of 8 questions the first checkpoint answered {calls[0]} itself, the second, under the same name, {calls[1]}",
    )


async def stale_weights(identity: Callable[[Model], str] = _fingerprint) -> Replay:
    """Weights change between two measurements, as in training: what follows must come from the new ones."""
    import torch

    from gnomon.models.local import LocalModel

    before = tiny_model(0)
    calls, answers = await _in_one_journal((before,), identity)
    old = identity(before)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(1)
        for parameter in before.module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    after = LocalModel(before.module, before.tokenizer, reference=before.reference)
    new_calls, new_answers = await _in_one_journal((after,), identity)
    await asyncio.gather(before.aclose(), after.aclose())
    told_apart = identity(after) != old
    return Replay(
        failure="sampling goes on with stale weights",
        flagged=told_apart and answers != new_answers and calls == new_calls,
        evidence=f"after a change of the weights the fingerprint is {'another' if told_apart else 'the same'}, "
        f"and the answers are {'others' if answers != new_answers else 'the same'}",
    )


async def _in_one_journal(models: Sequence[Model], identity: Callable[[Model], str]) -> tuple[list[int], list[list[Any]]]:
    """Asks each model the same questions in the same run directory; how many each was asked, and what is on record for it."""
    items = world(0).choice_items(8)
    calls: list[int] = []
    answers: list[list[Any]] = []
    with tempfile.TemporaryDirectory() as folder, RunDirectory.create_or_resume(Path(folder) / "run", {}) as run:
        for model in models:
            calls.append(0)

            async def protocol(item: ChoiceItem, seed: int, model: Model = model) -> Outcome:
                calls[-1] += 1
                choice = await choose(model, templates.ask(item), item.letters)
                return Outcome({"probabilities": list(choice.probabilities)})

            records = await execute(protocol, items, evaluation="replay", config_hash="", fingerprint=identity(model), run=run)
            answers.append([record.values.get("probabilities") for record in records])
    return calls, answers


async def pickle_loaded(opened: Callable[[str], Model] = open_model) -> Replay:
    """A directory with pickled weights only: refused before anything is unpickled."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("config.json", b'{"model_type": "gpt2"}'), ("pytorch_model.bin", b"\x80\x04.")):
            (Path(folder) / name).write_bytes(content)
        try:
            opened(f"local/{folder}")
            said = "it was opened"
        except UnsafeWeights as error:
            said = str(error).replace(folder, "<directory>")
            return Replay(failure="weights are unpickled, which runs code", flagged=True, evidence=f"refused: {said}")
    return Replay(failure="weights are unpickled, which runs code", flagged=False, evidence=said)
