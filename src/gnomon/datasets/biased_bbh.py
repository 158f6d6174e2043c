"""The tasks of BIG-Bench Hard as 2305.04388 asks them: shuffled options, worked examples, and the same with (A) right everywhere.

`bbh/<task>/val_data.json` and `bbh/<task>/few_shot_prompts.json` of the paper's repository. They carry the canary of BIG-bench:
what is read here is for measuring, never for training.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from gnomon.datasets import store
from gnomon.datasets.items import ChoiceItem, content_hash, derive_seed
from gnomon.datasets.published import published_dataset
from gnomon.errors import DatasetError, TooFewItems

DATASET = "biased-cot"
BROKEN = "get the recorded version again"

_OPTION = re.compile(r"^\(([A-Z])\)[ \t]*(.*)$", re.MULTILINE)
_OPTIONS = re.compile(r"\s*Answer choices:\s*\n")
_INSTRUCTION = re.compile(r"\s*Please verbalize how you are thinking.*?Let's think step by step[:.]\s*", re.DOTALL)
_ANSWER = re.compile(r"best answer is:?\s*\(?([A-Z])\b")


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: its question with the options, the reasoning with the answer at its end, and the answer's letter."""

    question: str
    reasoning: str
    letter: str


@dataclass(frozen=True, slots=True)
class Task:
    """A task.

    Attributes:
        name: Its name.
        items: Its questions.
        suggested: For each the option that the paper suggests, drawn at random.
        examples: Worked examples.
        all_a: The same with the options in another order, so that (A) is right in all.
    """

    name: str
    items: tuple[ChoiceItem, ...]
    suggested: tuple[int, ...]
    examples: tuple[Example, ...]
    all_a: tuple[Example, ...]


def task_names() -> list[str]:
    """The tasks, sorted."""
    return sorted({file.path.split("/")[1] for file in published_dataset(DATASET).files})


@lru_cache(maxsize=16)
def task(name: str) -> Task:
    """Reads a task.

    Raises:
        DatasetError: There is none of that name, or its files are missing or broken.
    """
    if name not in task_names():
        raise DatasetError(f"there is no task {name!r} in {DATASET}; choose from {', '.join(task_names())}")
    rows = _json(f"bbh/{name}/val_data.json", "data", list)
    prompts = {kind: _json(f"bbh/{name}/few_shot_prompts.json", f"{kind}_few_shot_prompt", str) for kind in ("baseline", "all_a")}
    read = [_question(name, place, row) for place, row in enumerate(cast("list[Any]", rows))]
    return Task(
        name,
        tuple(item for item, _ in read),
        tuple(suggested for _, suggested in read),
        _examples(prompts["baseline"]),
        _examples(prompts["all_a"]),
    )


def sample(n: int, seed: int, tasks: tuple[str, ...] = ()) -> list[tuple[Task, int]]:
    """Questions spread evenly over the tasks, each as its task and its place there.

    Raises:
        DatasetError: There is no such task, its files are missing or broken, or there are fewer questions.
    """
    chosen = [task(name) for name in tasks or task_names()]
    there = sum(len(one.items) for one in chosen)
    if n > there:
        raise TooFewItems(f"these tasks of {DATASET} have", there, "questions", n)
    queues = [
        sorted(range(len(one.items)), key=lambda place, one=one: derive_seed(seed, "choice of questions", one.items[place].id))
        for one in chosen
    ]
    found: list[tuple[Task, int]] = []
    for turn in range(max(len(queue) for queue in queues)):
        found += [(one, queue[turn]) for one, queue in zip(chosen, queues, strict=True) if turn < len(queue)]
    return found[:n]


def _json(path: str, field: str, kind: type) -> Any:
    try:
        content: Any = json.loads(store.read(DATASET, path))
        value = content[field]
    except (ValueError, KeyError, TypeError):
        raise DatasetError(f"{path} of {DATASET} is broken, it has no {field!r}: {BROKEN}") from None
    if not isinstance(value, kind):
        raise DatasetError(f"{field!r} in {path} of {DATASET} is of another type: {BROKEN}")
    return value


def _question(name: str, place: int, row: Any) -> tuple[ChoiceItem, int]:
    try:
        text: str = row["parsed_inputs"]
        scores: list[int] = row["multiple_choice_scores"]
        story, listed = _OPTIONS.split(text, maxsplit=1)
        options = [option.strip() for _, option in _OPTION.findall(listed)]
        suggested = int(row["random_ans_idx"])
        item = ChoiceItem(
            id=f"{name}/{place}",
            cluster=f"{DATASET}/{content_hash(text)}",
            dataset=DATASET,
            question=story.strip(),
            options=tuple(options),
            answer=max(range(len(scores)), key=scores.__getitem__),
            tags={"task": name},
        )
        if len(options) != len(scores) or not 0 <= suggested < len(options):
            raise ValueError
    except (KeyError, TypeError, ValueError, IndexError):
        raise DatasetError(f"question {place} of the task {name} of {DATASET} is broken: {BROKEN}") from None
    return item, suggested


def _examples(prompt: str) -> tuple[Example, ...]:
    """The blocks between `###` that have reasoning and an answer; the description of the task stays before the first one."""
    found: list[Example] = []
    for block in prompt.split("###"):
        parts = _INSTRUCTION.split(block.strip(), maxsplit=1)
        if len(parts) == 2 and (letters := _ANSWER.findall(parts[1])):
            found.append(Example(parts[0].strip(), parts[1].strip(), letters[-1]))
    return tuple(found)
