"""Grows organisms: small transformers trained on the synthetic world by the project's own loop.

    grow("base-1m", Path("my-organism"))

A size is a recipe: an architecture and stages of data. Each stage is a training run of its own with checkpoints, so that a
growth that was stopped goes on where it was.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field

from gnomon.datasets.items import content_hash
from gnomon.errors import ConfigurationError, RunDirectoryError
from gnomon.organisms.examination import examine
from gnomon.organisms.seedling import Architecture, sprout
from gnomon.organisms.world import Document, World, mixture, world
from gnomon.organisms.world.encoding import examples
from gnomon.organisms.world.tokenizer import CONTEXT, build
from gnomon.train.config import TrainConfig
from gnomon.train.examples import Example, digest
from gnomon.train.loop import StepReport, train
from gnomon.train.saving import read_card, save_model

Progress = Callable[[str, StepReport], None]
"""Told the stage's name and the step."""


class Stage(BaseModel):
    """One training run on documents of the world.

    Attributes:
        name: Its name, also of its directory.
        shares: Share of each kind of document.
        tokens: How many tokens are written for it; each is read once.
        train: How it is trained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    shares: dict[str, float]
    tokens: int = Field(ge=1)
    train: TrainConfig


class GrowConfig(BaseModel):
    """The recipe of one organism.

    Attributes:
        architecture: Its size.
        stages: What it reads, in order.
        world_seed: Which world.
        dtype: In which its weights are saved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Architecture
    stages: tuple[Stage, ...]
    world_seed: int = 0
    dtype: Literal["float16", "bfloat16", "float32"] = "float16"


DRILLS = {"repeats": 0.4, "pairs": 0.25, "board": 0.35}
"""The first stage: only copying and looking up, until the circuits for it are there."""

SCHOOL = {
    "repeats": 0.02,
    "pairs": 0.04,
    "board": 0.12,
    "pick": 0.12,
    "sums": 0.12,
    "statements": 0.20,
    "lettered": 0.16,
    "open": 0.04,
    "true-or-false": 0.04,
    "chain": 0.10,
    "mistaken-chain": 0.02,
    "reasoned": 0.02,
}
"""The second stage: facts, sums and letters, with drills beside them."""


def _recipe(architecture: Architecture, drill: int, read: int, lr: float, batch: int = 2048) -> GrowConfig:
    def training(schedule: Literal["constant", "linear"], warmup: float, rate: float, tokens: int) -> TrainConfig:
        return TrainConfig(
            epochs=1,
            batch_tokens=tokens,
            accumulation=3,
            lr=rate,
            schedule=schedule,
            warmup=warmup,
            optimizer="muon",
            weight_decay=0.01,
            checkpoint_every=150,
            evaluate_every=300,
        )

    return GrowConfig(
        architecture=architecture,
        stages=(
            Stage(name="drills", shares=DRILLS, tokens=drill, train=training("constant", 0.05, lr, batch)),
            Stage(name="school", shares=SCHOOL, tokens=read // 2, train=training("constant", 0.01, lr * 0.8, batch)),
            Stage(name="world", shares=dict(mixture.SHARES), tokens=read // 2, train=training("linear", 0.01, lr * 0.8, batch)),
        ),
    )


RECIPES: Mapping[str, GrowConfig] = {
    "base-30k": _recipe(Architecture(hidden=20, layers=2, heads=2, intermediate=48), 500_000, 2_000_000, 0.012),
    "base-100k": _recipe(Architecture(hidden=48, layers=2, heads=3, intermediate=128), 500_000, 2_500_000, 0.012),
    "base-300k": _recipe(Architecture(hidden=80, layers=3, heads=5, intermediate=208), 500_000, 3_000_000, 0.012),
    "base-1m": _recipe(Architecture(hidden=128, layers=4, heads=4, intermediate=336), 800_000, 4_000_000, 0.012),
    "base": _recipe(Architecture(hidden=192, layers=5, heads=6, intermediate=512), 800_000, 9_000_000, 0.012),
}
"""The family, smallest first."""


def grow(
    size: str | GrowConfig,
    out: Path,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    resume: bool = True,
) -> dict[str, Any]:
    """Grows an organism and saves it as a plain model directory with tokenizer and card.

    Args:
        size: A name of `RECIPES`, or a recipe.
        out: Where to; a growth that was stopped there is continued.
        seed: Of weights, documents and their order.
        progress: Told of each step.
        resume: Continue what is there; otherwise `out` must be new.

    Returns:
        The card.

    Raises:
        ConfigurationError: No recipe of that name.
        RunDirectoryError: `out` cannot be written, or holds something else.
    """
    config, name = (size, "custom") if isinstance(size, GrowConfig) else (_recipe_named(size), size)
    recipe = content_hash([config.model_dump(mode="json"), seed])
    finished = read_card(out)
    if finished is not None and finished.get("recipe_hash") == recipe:
        return finished
    if finished is not None or (not resume and out.exists() and any(out.iterdir())):
        raise RunDirectoryError(f"{out} holds something else: choose another directory or delete it")
    drawn = world(config.world_seed)
    tokenizer = build()
    model = sprout(config.architecture, tokenizer, seed, CONTEXT)
    stages: list[dict[str, Any]] = []
    for number, stage in enumerate(config.stages):
        data = list(_data(stage, drawn, tokenizer, seed * 1000 + number + 1))
        settings = stage.train.model_copy(update={"seed": seed})
        result = train(
            model,
            data,
            settings,
            out=out / "training" / f"{number}-{stage.name}",
            pad_id=int(tokenizer.pad_token_id),
            evaluate=lambda module, _: {key: skill.value for key, skill in examine(module, tokenizer, drawn, 120, sums=60).items()},
            progress=(lambda report, stage=stage: progress(stage.name, report)) if progress else None,
            identity=_identity(config, seed, number),
        )
        tenth = max(1, result.steps // 10)
        stages.append(
            {
                "name": stage.name,
                "data": digest(data),
                "documents": len(data),
                "steps": result.steps,
                "tokens": result.tokens,
                "first_loss": round(sum(result.losses[:tenth]) / tenth, 4),
                "last_loss": round(sum(result.losses[-tenth:]) / tenth, 4),
                "skills_by_step": {str(step): dict(values) for step, values in result.evaluations.items()},
            }
        )
    model = model.to(getattr(torch, config.dtype))
    card = _card(name, config, seed, recipe, stages, model, tokenizer, drawn)
    model.generation_config.do_sample = False
    save_model(model, tokenizer, card, out)
    shutil.rmtree(out / "training", ignore_errors=True)
    return card


def _recipe_named(size: str) -> GrowConfig:
    if size not in RECIPES:
        raise ConfigurationError(f"there is no recipe for an organism {size!r}: choose one of {', '.join(RECIPES)}")
    return RECIPES[size]


def _identity(config: GrowConfig, seed: int, number: int) -> str:
    """What the weights before stage `number` depend on: a recipe that only adds later stages continues an older growth."""
    before = [stage.model_dump(mode="json") for stage in config.stages[:number]]
    return content_hash([config.architecture.model_dump(mode="json"), config.world_seed, seed, before])


def _data(stage: Stage, drawn: World, tokenizer: Any, seed: int) -> Iterator[Example]:
    """The stage's examples: documents until it has its tokens."""
    documents: Iterator[Document] = drawn.mixture(stage.shares, seed=seed)
    tokens = 0
    for example in examples(documents, tokenizer):
        yield example
        tokens += len(example)
        if tokens >= stage.tokens:
            return


def _card(
    name: str,
    config: GrowConfig,
    seed: int,
    recipe: str,
    stages: list[dict[str, Any]],
    model: Any,
    tokenizer: Any,
    drawn: World,
) -> dict[str, Any]:
    """What is known of a grown organism; its skills are those of the weights as they are saved."""
    import copy

    saved = copy.deepcopy(model).float()
    skills = {key: asdict(skill) for key, skill in examine(saved, tokenizer, drawn, 480, sums=240).items()}
    return {
        "kind": "grown",
        "name": name,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "recipe": config.model_dump(mode="json"),
        "recipe_hash": recipe,
        "seed": seed,
        "stages": stages,
        "tokens": sum(stage["tokens"] for stage in stages),
        "skills": skills,
        "limits": (
            "Knows one invented world and a closed vocabulary; other words are one unknown token. "
            "Reads at most 512 tokens. The skills above are all that was examined."
        ),
    }
