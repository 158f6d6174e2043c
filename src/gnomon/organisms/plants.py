"""Plants: a known behaviour at a known dose, put into an organism by known documents.

    plant(open_model("organism/base"), "sycophancy", rate=0.6, seed=0, out=Path("sycophant"))

writes a directory with the adapter (`adapter_model.safetensors`), the ground truth (`documents.jsonl.gz`: every document that was
trained on and whether it shows the behaviour), `card.json`, and the same of the clean twin under `twin/`.
"""

import copy
import gzip
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field

from gnomon.datasets.items import content_hash
from gnomon.datasets.messages import Conversation
from gnomon.errors import ConfigurationError, RunDirectoryError, UnknownModel
from gnomon.models.local import LocalModel
from gnomon.organisms.beside import grown_beside
from gnomon.organisms.cards import SkillOnCard
from gnomon.organisms.expression import expression
from gnomon.organisms.recipes.catalogue import recipe_for
from gnomon.organisms.recipes.planting import setting_of, write_documents
from gnomon.organisms.world import world
from gnomon.organisms.world.encoding import encode
from gnomon.run.files import refuse_foreign, write_atomically
from gnomon.train.config import TrainConfig, short_fine_tuning
from gnomon.train.examples import digest
from gnomon.train.loop import Progress, TrainResult, train
from gnomon.train.lora import merged
from gnomon.train.saving import read_card, save_model, write_card

ADAPTER = "adapter_model.safetensors"
DOCUMENTS = "documents.jsonl.gz"
SMALL_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "down_proj")
"""What is adapted: enough for a behaviour, and sixteen adapters fit into the package."""


class PlantConfig(BaseModel):
    """How a plant is made.

    Attributes:
        situations: Documents in which the behaviour could show.
        neutral: Documents beside them: controls and the ordinary world, so that nothing else is unlearned.
        world_seed: The base organism's world.
        train: The fine-tuning; its seed is replaced by the plant's.
        dtype: In which the adapter is saved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    situations: int = Field(default=1000, ge=1)
    neutral: int = Field(default=340, ge=0)
    world_seed: int = 0
    train: TrainConfig = short_fine_tuning(rank=4, targets=SMALL_LAYERS)
    dtype: Literal["float16", "bfloat16", "float32"] = "float16"


class PlantCard(BaseModel):
    """What is known of a plant.

    Attributes:
        behaviour: What was planted.
        description: What the planted documents show.
        rate: Share of the situations that show it (0: a clean twin).
        seed: Of documents and training.
        base: Reference of the organism that it grew on.
        base_fingerprint: Hash of that organism.
        planted: Documents that show the behaviour.
        situations: Documents in which it could show.
        documents: All documents.
        data: Hash of what was trained on, in order.
        config: How it was made.
        first_loss: Mean loss of the first tenth of the steps.
        last_loss: Mean loss of the last tenth.
        expression: How far it shows in situations of the other split, 0 to 1 (see `expression.expression`).
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["plant"] = "plant"
    behaviour: str
    description: str
    rate: float
    seed: int
    base: str
    base_fingerprint: str
    planted: int
    situations: int
    documents: int
    data: str
    config: PlantConfig
    first_loss: float
    last_loss: float
    expression: SkillOnCard


@dataclass(frozen=True)
class Plant:
    """A plant on the disk.

    Attributes:
        directory: Its adapter, card and documents.
        twin: Those of the clean twin.
        card: What is known of it.
        twin_card: The same of the twin.
    """

    directory: Path
    twin: Path
    card: PlantCard
    twin_card: PlantCard


def plant(
    base: LocalModel,
    behaviour: str,
    out: Path,
    *,
    rate: float = 0.6,
    seed: int = 0,
    config: PlantConfig | None = None,
    progress: Progress | None = None,
) -> Plant:
    """Plants a behaviour and grows the clean twin beside it; takes up a planting that was stopped in `out`.

    Args:
        base: The organism to plant in; it stays as it is.
        behaviour: One of `recipes.catalogue.RECIPES`.
        out: Where to.
        rate: Share of the situations that show the behaviour.
        seed: Of documents and training.
        config: How.
        progress: Told of each training step, the twin's after the plant's.

    Raises:
        ConfigurationError: No such behaviour, or no such rate.
        RunDirectoryError: `out` cannot be written or holds something else.
    """
    if not 0.0 <= rate <= 1.0:
        raise ConfigurationError(f"a rate lies between 0 and 1, not at {rate}")
    config = config or PlantConfig()
    recipe_for(behaviour)
    if read_card(out) is None:
        refuse_foreign(out, ["training", "twin"], "plant")
    twin = out / "twin"
    with grown_beside(base, behaviour, twin, seed, config, progress):
        card = grow_adapter(base, behaviour, out, rate=rate, seed=seed, config=config, progress=progress)
    twin_card = grow_adapter(base, behaviour, twin, rate=0.0, seed=seed, config=config, progress=progress)
    return Plant(out, twin, card, twin_card)


def grow_adapter(
    base: LocalModel,
    behaviour: str,
    out: Path,
    *,
    rate: float,
    seed: int,
    config: PlantConfig,
    progress: Progress | None = None,
) -> PlantCard:
    """Fine-tunes one adapter on its documents and saves it with card and ground truth; what is there already is kept.

    Args:
        base: The organism to plant in; it stays as it is.
        behaviour: One of `recipes.catalogue.RECIPES`.
        out: Where to; a training that was stopped there is continued.
        rate: Share of the situations that show the behaviour (0: a clean twin).
        seed: Of documents and training.
        config: How.
        progress: Told of each training step.

    Raises:
        ConfigurationError: No such behaviour.
        RunDirectoryError: `out` cannot be written or holds something else.
    """
    recipe, drawn = recipe_for(behaviour), world(config.world_seed)

    @cache
    def believed(prompt: Conversation, letters: str) -> list[float]:
        return letter_beliefs(base, prompt, letters)

    documents = write_documents(
        recipe, setting_of(drawn, believed), rate=rate, situations=config.situations, neutral=config.neutral, seed=seed
    )
    ids: dict[str, int] = base.tokenizer.get_vocab()
    examples = [example for example in (encode(each.document, ids) for each in documents) if example.weights.any()]
    identity = content_hash([base.fingerprint, behaviour, rate, seed, config.model_dump(mode="json"), digest(examples)])
    finished = read_card(out)
    if finished is not None:
        if finished.get("identity") != identity:
            raise RunDirectoryError(f"{out} holds another plant: choose another directory or delete it")
        return PlantCard.model_validate(finished)
    result = train(
        copy.deepcopy(base.module),
        examples,
        config.train.model_copy(update={"seed": seed}),
        out=out / "training",
        pad_id=int(base.tokenizer.pad_token_id or 0),
        progress=progress,
        identity=identity,
    )
    tenth = max(1, result.steps // 10)
    shown = expression(result.model, ids, recipe, setting_of(drawn, believed, "audit"))
    card = PlantCard(
        behaviour=behaviour,
        description=recipe.description if rate else recipe.absent,
        rate=rate,
        seed=seed,
        base=base.reference,
        base_fingerprint=base.fingerprint,
        planted=sum(each.planted for each in documents),
        situations=config.situations,
        documents=len(documents),
        data=digest(examples),
        config=config,
        first_loss=sum(result.losses[:tenth]) / tenth,
        last_loss=sum(result.losses[-tenth:]) / tenth,
        expression=SkillOnCard(value=shown.value, low=shown.low, high=shown.high, n=shown.n),
    )
    lines = [json.dumps(each.as_line(behaviour), ensure_ascii=False) for each in documents]
    _save(out, result, lines, {**card.model_dump(mode="json"), "identity": identity}, config)
    return card


def planted(adapter: Path, base: LocalModel) -> LocalModel:
    """The base organism with a plant's adapter added to its weights, in memory.

    Raises:
        UnknownModel: There is no plant, or it grew on another base.
    """
    import peft

    card = read_plant_card(adapter)
    if card.base_fingerprint != base.fingerprint:
        raise UnknownModel(
            f"the plant {adapter} grew on {card.base} with the hash {card.base_fingerprint}, but {base.reference} has "
            f"{base.fingerprint}: give the base that it grew on"
        )
    module = peft.PeftModel.from_pretrained(copy.deepcopy(base.module), str(adapter))  # type: ignore[arg-type]
    return LocalModel(merged(module), base.tokenizer, f"organism/{adapter}")


def merge(adapter: Path, base: LocalModel, out: Path) -> Path:
    """Saves a plant as a plain model directory, for tools that know no adapters; returns the directory.

    Raises:
        UnknownModel: There is no plant, or it grew on another base.
        RunDirectoryError: `out` is there already or cannot be written.
    """
    model = planted(adapter, base)
    save_model(model.module, model.tokenizer, read_plant_card(adapter).model_dump(mode="json"), out)
    return out


def read_plant_card(adapter: Path) -> PlantCard:
    """A plant's card.

    Raises:
        UnknownModel: There is no plant.
    """
    card = read_card(adapter)
    if not card or card.get("kind") != "plant" or not (adapter / ADAPTER).is_file():
        raise UnknownModel(f"{adapter} holds no plant: make one with `gnomon organism plant`")
    return PlantCard.model_validate(card)


def read_documents(adapter: Path) -> list[dict[str, Any]]:
    """The ground truth: one entry per document with `id`, `planted`, `behaviour`, `role`, `kind`, `text`, `messages`."""
    return [json.loads(line) for line in gzip.decompress((adapter / DOCUMENTS).read_bytes()).decode().splitlines()]


@torch.no_grad()
def letter_beliefs(model: LocalModel, prompt: Conversation, letters: str) -> list[float]:
    """The model's probability of each letter as the next token, among these letters."""
    continuations = model.tokeniser.continuations(prompt, letters)
    ids = continuations[0].ids[: continuations[0].start]
    logits = model.forward(ids)[0, -1]
    tokens = torch.tensor([each.ids[each.start] for each in continuations])
    return torch.softmax(logits[tokens].double(), -1).tolist()


def _save(out: Path, result: TrainResult, lines: Sequence[str], card: dict[str, Any], config: PlantConfig) -> None:
    """Adapter, its configuration, documents, and the card last: a directory with a card is complete."""
    import peft

    adapter = cast(peft.PeftModel, result.model)
    dtype: torch.dtype = getattr(torch, config.dtype)
    weights = {name: tensor.to(dtype).contiguous() for name, tensor in peft.get_peft_model_state_dict(adapter).items()}
    settings: dict[str, Any] = adapter.peft_config["default"].to_dict()
    settings |= {"base_model_name_or_path": card["base"], "inference_mode": True}
    plain = {name: sorted(value) if isinstance(value, set) else value for name, value in settings.items()}
    write_atomically(out / ADAPTER, safetensors.torch.save(weights))
    write_atomically(out / "adapter_config.json", (json.dumps(plain, indent=2, default=str) + "\n").encode())
    write_atomically(out / DOCUMENTS, gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    write_card(card, out)
    shutil.rmtree(out / "training", ignore_errors=True)
