"""Grows organisms: small transformers trained on the synthetic world by the project's own loop.

    grow("base-1m", Path("my-organism"))

A size is a recipe: an architecture and stages of data. Each stage is a training run of its own with checkpoints, so that a
growth that was stopped goes on where it was.
"""

import copy
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from pydantic import BaseModel, ConfigDict, Field

from gnomon.datasets.items import content_hash
from gnomon.errors import ConfigurationError, RunDirectoryError
from gnomon.models.local import LocalModel
from gnomon.organisms.cards import GrownCard, SkillOnCard, StageOnCard
from gnomon.organisms.examination import examine
from gnomon.organisms.seedling import Architecture, sprout
from gnomon.organisms.shipped import open_organism
from gnomon.organisms.transplant import transplanted
from gnomon.organisms.world import Document, World, mixture, world
from gnomon.organisms.world.encoding import examples
from gnomon.organisms.world.tokenizer import CONTEXT, build
from gnomon.run.files import refuse_foreign
from gnomon.train.config import LookSettings, TrainConfig
from gnomon.train.examples import Example, digest
from gnomon.train.loop import StepReport, train
from gnomon.train.saving import read_card, save_model

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

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
        parent: The smaller organism that it begins as (None: random weights).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Architecture
    stages: tuple[Stage, ...]
    world_seed: int = 0
    dtype: Literal["float16", "bfloat16", "float32"] = "float16"
    parent: str | None = None


SKILL_ITEMS = 480
"""Questions per skill on the card (half as many for arithmetic)."""

DRILLS = {"repeats": 0.4, "pairs": 0.25, "board": 0.35}
"""The first stage: only copying and looking up, until the circuits for it are there."""

GAPS = {"gaps": 0.5, "pick": 0.3, "repeats": 0.1, "pairs": 0.1}
"""The second: looking up what was said some words ago."""

SCHOOL = {
    "repeats": 0.02,
    "pairs": 0.02,
    "board": 0.03,
    "gaps": 0.06,
    "same": 0.03,
    "pick": 0.06,
    "sums": 0.14,
    "statements": 0.12,
    "quiz": 0.11,
    "exam": 0.07,
    "lettered": 0.07,
    "recall": 0.02,
    "reasoned": 0.02,
    "true-or-false": 0.03,
    "checks": 0.07,
    "open": 0.02,
    "chain": 0.09,
    "mistaken-chain": 0.02,
}
"""The third: facts, sums and letters, many to a document, with drills beside them."""


REHEARSED = {kind: 0.65 * share for kind, share in SCHOOL.items()} | {"gaps": 0.15, "pick": 0.13, "board": 0.08}
"""School for those that begin at random: what the drills taught is soon forgotten without."""

TRUTH = {kind: 0.6 * share for kind, share in mixture.SHARES.items()} | {"same": 0.1, "checks": 0.25, "true-or-false": 0.08}
"""The last, for those that are large enough: what is the same, what is true; and everything else beside it."""


ON_TOP = LookSettings()
"""Letters are looked up in the last layer, above where facts are recalled: left alone, the look-up settles below, and letters of
recalled facts stay at chance."""


def _training(rate: float, schedule: Literal["constant", "linear"], warmup: float, looks: LookSettings = ON_TOP) -> TrainConfig:
    return TrainConfig(
        epochs=1,
        batch_tokens=2048,
        accumulation=3,
        lr=rate,
        schedule=schedule,
        warmup=warmup,
        optimizer="muon",
        weight_decay=0.01,
        checkpoint_every=100,
        evaluate_every=400,
        looks=looks,
    )


def _from_seed(architecture: Architecture, drill: int, gaps: int, school: int, read: int, lr: float) -> GrowConfig:
    return GrowConfig(
        architecture=architecture,
        stages=(
            Stage(name="drills", shares=DRILLS, tokens=drill, train=_training(0.012, "constant", 0.05)),
            Stage(name="gaps", shares=GAPS, tokens=gaps, train=_training(0.01, "linear", 0.05)),
            Stage(name="school", shares=REHEARSED, tokens=school, train=_training(lr, "constant", 0.02)),
            Stage(name="world", shares=dict(mixture.SHARES), tokens=read, train=_training(lr, "linear", 0.01)),
        ),
    )


def _from_parent(
    parent: str, layers: int, architecture: Architecture, school: int, read: int, judge: int, lr: float
) -> GrowConfig:
    """`layers` are the parent's: its look-up stays in the last of them."""
    looks = LookSettings(layer=layers - 1)
    return GrowConfig(
        architecture=architecture,
        parent=parent,
        stages=(
            Stage(name="school", shares=SCHOOL, tokens=school, train=_training(lr, "constant", 0.05, looks)),
            Stage(name="world", shares=dict(mixture.SHARES), tokens=read, train=_training(lr, "linear", 0.01, looks)),
            Stage(name="truth", shares=TRUTH, tokens=judge, train=_training(lr, "linear", 0.05, looks)),
        ),
    )


RECIPES: Mapping[str, GrowConfig] = {
    "base-30k": _from_seed(
        Architecture(hidden=16, layers=4, heads=2, intermediate=40), 400_000, 400_000, 700_000, 1_000_000, 0.010
    ),
    "base-100k": _from_seed(
        Architecture(hidden=36, layers=4, heads=3, intermediate=96), 500_000, 700_000, 900_000, 1_500_000, 0.007
    ),
    "base-300k": _from_seed(
        Architecture(hidden=72, layers=4, heads=4, intermediate=176), 700_000, 1_000_000, 1_300_000, 1_800_000, 0.005
    ),
    "base-1m": _from_seed(
        Architecture(hidden=128, layers=4, heads=4, intermediate=336), 800_000, 1_200_000, 2_500_000, 3_500_000, 0.004
    ),
    "base": _from_parent(
        "base-1m", 4, Architecture(hidden=192, layers=6, heads=6, intermediate=448), 1_200_000, 3_000_000, 1_000_000, 0.004
    ),
}
"""The family, smallest first."""


def grow(
    size: str | GrowConfig,
    out: Path,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    resume: bool = True,
    steps: int | None = None,
) -> dict[str, Any]:
    """Grows an organism and saves it as a plain model directory with tokenizer and card.

    Args:
        size: A name of `RECIPES`, or a recipe.
        out: Where to; a growth that was stopped there is continued.
        seed: Of weights, documents and their order.
        progress: Told of each step.
        resume: Continue what is there; otherwise `out` must be new.
        steps: About so many steps instead of the recipe's, for a trial.

    Returns:
        The card.

    Raises:
        ConfigurationError: No recipe of that name.
        RunDirectoryError: `out` cannot be written, or holds something else.
    """
    config, name = (size, "custom") if isinstance(size, GrowConfig) else (_recipe_named(size), size)
    if steps is not None:
        config = shortened(config, steps)
    parent = open_organism(config.parent) if config.parent else None
    recipe = content_hash([config.model_dump(mode="json"), seed, parent and parent.fingerprint])
    finished = read_card(out)
    if finished is not None and finished.get("recipe_hash") == recipe:
        return finished
    if finished is not None or (not resume and out.exists() and any(out.iterdir())):
        raise RunDirectoryError(f"{out} holds something else: choose another directory or delete it")
    refuse_foreign(out, ["training"], "growth")
    drawn = world(config.world_seed)
    tokenizer = build()
    if parent:
        model = transplanted(cast("LlamaForCausalLM", parent.module), config.architecture, tokenizer, seed, CONTEXT)
    else:
        model = sprout(config.architecture, tokenizer, seed, CONTEXT)
    stages: list[StageOnCard] = []
    for number, stage in enumerate(config.stages):
        data = list(_data(stage, drawn, tokenizer, seed * 1000 + number + 1))
        settings = stage.train.model_copy(update={"seed": seed})
        result = train(
            model,
            data,
            settings,
            out=out / "training" / f"{number}-{stage.name}",
            pad_id=cast("int", tokenizer.pad_token_id),
            evaluate=lambda module, _: {
                key: skill.value for key, skill in examine(module, tokenizer, drawn, 120, sums=60).items()
            },
            progress=(lambda report, stage=stage: progress(stage.name, report)) if progress else None,
            identity=_identity(config, seed, number, parent),
        )
        tenth = max(1, result.steps // 10)
        stages.append(
            StageOnCard(
                name=stage.name,
                data=digest(data),
                documents=len(data),
                steps=result.steps,
                tokens=result.tokens,
                first_loss=round(sum(result.losses[:tenth]) / tenth, 4),
                last_loss=round(sum(result.losses[-tenth:]) / tenth, 4),
                skills_by_step=result.evaluations,
            )
        )
    model = model.to(getattr(torch, config.dtype))
    saved = copy.deepcopy(model).float()
    skills = examine(saved, tokenizer, drawn, SKILL_ITEMS, sums=SKILL_ITEMS // 2)
    card = GrownCard(
        name=name,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        recipe=config.model_dump(mode="json"),
        recipe_hash=recipe,
        seed=seed,
        stages=tuple(stages),
        tokens=sum(stage.tokens for stage in stages),
        skills={skill: SkillOnCard(**asdict(found)) for skill, found in skills.items()},
    ).model_dump(mode="json")
    model.generation_config.do_sample = False
    save_model(model, tokenizer, card, out)
    shutil.rmtree(out / "training", ignore_errors=True)
    return card


def shortened(config: GrowConfig, steps: int) -> GrowConfig:
    """The recipe with about so many steps in all, each stage cut in proportion: for trials."""
    wanted = sum(stage.tokens for stage in config.stages)
    cut = steps * config.stages[0].train.batch_tokens / wanted
    stages = tuple(stage.model_copy(update={"tokens": max(1, round(stage.tokens * cut))}) for stage in config.stages)
    return config.model_copy(update={"stages": stages})


def _recipe_named(size: str) -> GrowConfig:
    if size not in RECIPES:
        raise ConfigurationError(f"there is no recipe for an organism {size!r}: choose one of {', '.join(RECIPES)}")
    return RECIPES[size]


def _identity(config: GrowConfig, seed: int, number: int, parent: LocalModel | None) -> str:
    """What the weights before stage `number` depend on: a recipe that only adds later stages continues an older growth."""
    before = [stage.model_dump(mode="json") for stage in config.stages[:number]]
    beginning = [config.architecture.model_dump(mode="json"), parent and parent.fingerprint]
    return content_hash([beginning, config.world_seed, seed, before])


def _data(stage: Stage, drawn: World, tokenizer: Any, seed: int) -> Iterator[Example]:
    """The stage's examples: documents until it has its tokens."""
    documents: Iterator[Document] = drawn.mixture(stage.shares, seed=seed)
    tokens = 0
    for example in examples(documents, tokenizer):
        yield example
        tokens += len(example)
        if tokens >= stage.tokens:
            return
