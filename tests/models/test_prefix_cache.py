"""Long prompts that share their beginnings: read once, and yet every row has the bits that it has alone."""

import random
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, cast

import pytest
import torch
from transformers import PreTrainedModel

from gnomon.models.body import Body
from gnomon.models.decoding import Slots
from gnomon.models.head import Head
from gnomon.models.model import Generation, Sampling
from gnomon.models.prefix_cache import LONG, ROOM, cached, names
from gnomon.models.replies import GenerationRow, Words
from gnomon.models.sampling import Sampler
from tests.models.architectures import ARCHITECTURES, VOCABULARY, built


class Silent:
    """A tokeniser without texts."""

    def tokens(self, ids: Sequence[int]) -> tuple[str, ...]:
        return ()

    def decode_after(self, prompt: Sequence[int], ids: Sequence[int]) -> str:
        return ""


WORDS = Words(cast(Any, Silent()), frozenset())


def sampled(
    model: PreTrainedModel, rows: Sequence[GenerationRow], budget: int = 10**6, later: Sequence[GenerationRow] = ()
) -> list[Generation]:
    """Replies to rows, and to those that join one by one."""
    head = Head.of(model)
    assert head is not None
    coming = list(later)
    sampler = Sampler(Body.of(model), head, WORDS, 300, budget)
    with torch.inference_mode():
        found = dict(chain.from_iterable(sampler.sample(rows, lambda room: [coming.pop(0)] if coming and room > 0 else [])))
    return [found[number] for number in range(len(rows) + len(later))]


def row(prompt: Sequence[int], seed: int, new: int = 6, temperature: float = 1.0) -> GenerationRow:
    return GenerationRow(tuple(prompt), Sampling(max_tokens=new, temperature=temperature, logprobs=True), seed, (), new)


def prompts(seed: int, count: int, longest: int = 380) -> list[list[int]]:
    """Equal ones, ones that begin alike for some blocks, short ones."""
    drawn = random.Random(seed)
    stems = [[drawn.randrange(VOCABULARY) for _ in range(longest)] for _ in range(2)]
    made: list[list[int]] = []
    for _ in range(count):
        prompt = list(drawn.choice(stems)[: drawn.choice((30, LONG - 1, LONG, LONG + 40, longest))])
        prompt[drawn.choice((0, 70, 200, 10**3)) :] = [drawn.randrange(VOCABULARY) for _ in range(drawn.choice((1, 60, 130)))]
        made.append(prompt[:longest])
    return made


def naive(model: PreTrainedModel, prompt: Sequence[int], reply: Sequence[int]) -> list[float]:
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[*prompt, *reply]]), use_cache=False).logits[0].double().log_softmax(-1)
    return [float(logits[len(prompt) - 1 + place, token]) for place, token in enumerate(reply)]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_a_plain_forward_pass_gives(name: str):
    model = built(ARCHITECTURES[name])
    asked = [*prompts(0, 10), *[prompts(1, 1)[0]] * 5]
    replies = sampled(model, [row(prompt, seed) for seed, prompt in enumerate(asked)])
    for prompt, reply in zip(asked, replies, strict=True):
        assert len(reply.token_ids) == 6
        assert reply.logprobs == pytest.approx(naive(model, prompt, reply.token_ids), abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma", "gemma2, window of 9"])
def test_bits_do_not_depend_on_the_company(name: str, seed: int):
    """Rows join and leave, blocks gain and lose readers, slots move together; budgets that hold a few rows or all."""
    model = built(ARCHITECTURES[name])
    drawn = random.Random(seed)
    stem = prompts(seed, 1, 390)[0]
    asked = [*prompts(seed, 12), *[stem + [1, 2, 3][:extra] for extra in (0, 0, 0, 0, 0, 1, 2, 3, 3)]]
    drawn.shuffle(asked)
    rows = [row(prompt, number, new=drawn.choice((1, 2, 9))) for number, prompt in enumerate(asked)]
    alone = [sampled(model, [each])[0] for each in rows]
    for first, budget in ((len(rows), 10**6), (7, 10**6), (3, 1500), (1, 1)):
        together = sampled(model, rows[:first], budget, rows[first:])
        assert [each.logprobs for each in together] == [each.logprobs for each in alone]
        assert [each.token_ids for each in together] == [each.token_ids for each in alone]


def held_at_each_step(patched: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Blocks in the prefix cache, and places in slots, at every step from now on."""
    seen: list[tuple[int, int]] = []
    step = Slots.step

    def noting(slots: Slots, *given: Any) -> Any:
        result = step(slots, *given)
        blocks = len(slots.layers[0][0])
        seen.append((len(slots.prefixes), len(slots) * blocks * ROOM))
        return result

    patched.setattr(Slots, "step", noting)
    return seen


def test_what_is_shared_is_held_once(monkeypatch: pytest.MonkeyPatch):
    model = built(ARCHITECTURES["llama"])
    seen = held_at_each_step(monkeypatch)
    prompt = [7] * (LONG + ROOM + 5)
    sampled(model, [row(prompt, seed) for seed in range(16)])
    assert seen == [(5, 16 * ROOM)] * 5
    seen.clear()
    sampled(model, [row([*prompt, *range(seed)], seed) for seed in range(0, 61, 4)])
    assert [blocks for blocks, _ in seen] == [6] * 5  # a sixth block ends behind what they share


def test_what_is_shared_counts_once_for_the_budget(monkeypatch: pytest.MonkeyPatch):
    """16 rows of 325 tokens and 6 more each: 5 blocks, and 11 tokens of each row's own."""
    model = built(ARCHITECTURES["llama"])
    seen = held_at_each_step(monkeypatch)
    rows = [row([7] * 325, seed) for seed in range(16)]
    sampled(model, rows, budget=5 * ROOM + 16 * 11)
    assert len(seen) == 5
    seen.clear()
    sampled(model, rows, budget=5 * ROOM + 8 * 11)
    assert len(seen) == 10
    seen.clear()
    sampled(model, [row([seed] * 325, seed) for seed in range(4)], budget=2 * (5 * ROOM + 11))
    assert len(seen) == 10


def test_blocks_without_readers_are_given_up(monkeypatch: pytest.MonkeyPatch):
    model = built(ARCHITECTURES["llama"])
    seen = held_at_each_step(monkeypatch)
    sampled(model, [row([1] * LONG, 0, new=9)], later=[row([seed] * LONG, seed, new=3) for seed in range(2, 9)])
    assert max(blocks for blocks, _ in seen) <= 4 * 4
    assert seen[-1][0] == 4


def test_a_prompt_that_breaks_the_model_leaves_others_alone():
    """Their tables, free places beside theirs, and a slot that was the broken one's."""
    model = built(ARCHITECTURES["llama"])
    with torch.no_grad():
        model.get_input_embeddings().weight[VOCABULARY - 1] = float("nan")
    good = [[number % 7 for number in range(LONG + extra)] for extra in (0, 0, 20, 90)]
    broken = [[*good[0][:place], VOCABULARY - 1, *good[0]] for place in (3, 130)]
    alone = [sampled(model, [row(prompt, 1)])[0] for prompt in good]
    order: Iterator[list[int]] = chain(broken, good, broken)
    replies = sampled(model, [row(prompt, 1) for prompt in order], later=[row(prompt, 1) for prompt in good])
    assert [each for each in replies if isinstance(each, Generation)] == [*alone, *alone]
    assert sum(isinstance(each, Exception) for each in replies) == 4


def test_names_tell_beginnings_apart():
    one = list(range(400))
    assert [cached(length) for length in (0, LONG - 1, LONG, LONG + 63, 400)] == [0, 0, LONG, LONG, 384]
    assert names(one[: LONG - 1]) == ()
    assert names(one)[:4] == names(one[:LONG])
    assert len(names(one)) == 6 == len(set(names(one)))
    other = [*one[:100], 5, *one[101:]]
    assert [a == b for a, b in zip(names(one), names(other), strict=True)] == [True, False, False, False, False, False]
    assert len(set(names([3] * 400))) == 6
