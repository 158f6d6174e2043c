"""What an organism knows: right answers per skill, with intervals, by plain forward passes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import Conversation, as_jsonable
from gnomon.organisms.world import World
from gnomon.stats import intervals

ROWS = 50


@dataclass(frozen=True, slots=True)
class Skill:
    """A share of right answers with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


def examine(
    module: nn.Module, tokenizer: Any, world: World, n: int = 240, *, seed: int = 1, sums: int | None = None
) -> dict[str, Skill]:
    """Examines a model of the world.

    Returns:
        `common`, `rare`, `never` (lettered questions about facts of that frequency), `true-or-false` (proposed answers to those
        about common facts, as often right as wrong), `arithmetic` (three steps with the model's own chain of thought),
        `arithmetic-without` (the same, answered at once), `arithmetic-given` (with the right chain of thought given), `chain`
        (share of chains of thought that are right word for word).
    """
    examiner = _Examiner(module.eval(), tokenizer)
    skills: dict[str, Skill] = {}
    for frequency in ("common", "rare", "never"):
        items = world.choice_items(n if frequency == "common" else min(n, 120), seed=seed, frequency=frequency)
        skills[frequency] = _skill(examiner.right(items, [templates.ask(item) for item in items]))
    skills["true-or-false"] = _skill(examiner.judged(world.choice_items(n, seed=seed, frequency="common")))
    items = world.arithmetic_items(sums or n, seed=seed)
    said = examiner.continued([templates.reasoning_opening(item) for item in items])
    skills["arithmetic"] = _skill(
        examiner.right(items, [templates.answer_after(*pair) for pair in zip(items, said, strict=True)])
    )
    skills["arithmetic-without"] = _skill(examiner.right(items, [templates.ask(item) for item in items]))
    given = [templates.answer_after(item, world.reasoning(item)) for item in items]
    skills["arithmetic-given"] = _skill(examiner.right(items, given))
    skills["chain"] = _skill([text == world.reasoning(item) for text, item in zip(said, items, strict=True)])
    return skills


def _skill(right: Sequence[bool]) -> Skill:
    found = intervals.rate(torch.tensor(right, dtype=torch.float64).numpy())
    return Skill(round(found.value, 4), round(found.low, 4), round(found.high, 4), found.n)


class _Examiner:
    """Greedy letters and greedy text of a batch of conversations."""

    def __init__(self, module: nn.Module, tokenizer: Any):
        self.module = module
        self.tokenizer = tokenizer

    def right(self, items: Sequence[ChoiceItem], prompts: Sequence[Conversation]) -> list[bool]:
        """Whether the likeliest letter is the right one, per item."""
        right: list[bool] = []
        for start in range(0, len(items), ROWS):
            some = items[start : start + ROWS]
            logits = self._next_logits(prompts[start : start + ROWS])
            for item, row in zip(some, logits, strict=True):
                letters = self.tokenizer.convert_tokens_to_ids(list(item.letters))
                right.append(int(row[letters].argmax()) == item.answer)
        return right

    def judged(self, items: Sequence[ChoiceItem]) -> list[bool]:
        """Whether the likelier of True and False is right, per item: every second one proposes the option after the right one."""
        true, false = self.tokenizer.convert_tokens_to_ids(["A", "B"])
        right: list[bool] = []
        for start in range(0, len(items), ROWS):
            some = list(enumerate(items))[start : start + ROWS]
            proposed = [item.options[(item.answer + number % 2) % len(item.options)] for number, item in some]
            logits = self._next_logits(
                [templates.ask_whether_true(item.question, text) for (_, item), text in zip(some, proposed, strict=True)]
            )
            said = (logits[:, true] > logits[:, false]).tolist()
            right += [bool(is_true) == (number % 2 == 0) for (number, _), is_true in zip(some, said, strict=True)]
        return right

    def continued(self, prompts: Sequence[Conversation], limit: int = 56) -> list[str]:
        """The likeliest continuation of each prompt, to the end of its turn."""
        texts: list[str] = []
        for start in range(0, len(prompts), ROWS):
            batch = self._batch(prompts[start : start + ROWS], "left")
            with torch.no_grad():
                out = self.module.generate(  # type: ignore[operator]
                    **batch, max_new_tokens=limit, do_sample=False, pad_token_id=self.tokenizer.pad_token_id
                )
            length = batch["input_ids"].shape[1]
            texts += [text.strip() for text in self.tokenizer.batch_decode(out[:, length:], skip_special_tokens=True)]
        return texts

    def _next_logits(self, prompts: Sequence[Conversation]) -> torch.Tensor:
        batch = self._batch(prompts, "right")
        last = batch["attention_mask"].sum(1) - 1
        with torch.no_grad():
            return self.module(**batch).logits[torch.arange(len(prompts)), last]

    def _batch(self, prompts: Sequence[Conversation], side: str) -> dict[str, torch.Tensor]:
        texts = [
            self.tokenizer.apply_chat_template(as_jsonable(prompt), tokenize=False, continue_final_message=True)
            for prompt in prompts
        ]
        batch = self.tokenizer(texts, add_special_tokens=False, padding=True, padding_side=side, return_tensors="pt")
        return {name: batch[name] for name in ("input_ids", "attention_mask")}
