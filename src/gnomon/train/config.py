"""What a training run can be told."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class LoraSettings(BaseModel):
    """A low-rank adapter instead of full fine-tuning (LoRA, through `peft`).

    Attributes:
        rank: Inner dimension of each adapter.
        alpha: Scale; the adapter's product is multiplied by `alpha / rank`.
        dropout: Dropout on the adapter's input.
        targets: Names of the adapted modules, or `all-linear` (every linear layer but the output head).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(default=8, ge=1)
    alpha: float = Field(default=16.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"


class LookSettings(BaseModel):
    """A head that is shown where to look (`train.looks`).

    Attributes:
        layer: Its layer, counted from the end where negative.
        head: Which of the layer's heads.
        weight: What a look counts beside a token of weight 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: int = -1
    head: int = Field(default=0, ge=0)
    weight: float = Field(default=4.0, gt=0)


class TrainConfig(BaseModel):
    """Everything that determines a training run besides model and data. Stored with the run and part of its identity.

    Attributes:
        steps: Optimizer steps (give this or `epochs`).
        epochs: Passes over the examples (give this or `steps`).
        batch_tokens: Tokens of one optimizer step, padding not counted.
        accumulation: Micro-batches per step. The step's examples are sorted by length and divided, so that more
            micro-batches mean less padding and less memory; the gradient is the same.
        lr: Peak learning rate.
        schedule: Its course after the warm-up.
        warmup: Share of all steps in which it rises linearly from 0.
        final_lr: Where `linear` and `cosine` end, as a share of the peak.
        optimizer: `adamw`, or `muon` for the hidden matrices with AdamW for embeddings, head and vectors.
        weight_decay: Decoupled, on matrices only.
        betas: Of AdamW.
        clip: Largest gradient norm (None: no clipping).
        precision: `fp32`, or `bf16` through autocast (the weights stay as they are).
        seed: Of data order, dropout and adapter initialisation.
        checkpoint_every: Steps between checkpoints (None: only at the end or when interrupted).
        keep_checkpoints: How many of the latest checkpoints stay.
        evaluate_every: Steps between calls of the evaluation hook (None: never).
        lora: Train an adapter instead of all weights.
        looks: Show a head where to look, by the examples' looks; only for models whose examples can be packed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int | None = Field(default=None, ge=1)
    epochs: float | None = Field(default=None, gt=0)
    batch_tokens: int = Field(default=4096, ge=1)
    accumulation: int = Field(default=1, ge=1)
    lr: float = Field(default=1e-3, gt=0)
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1)
    final_lr: float = Field(default=0.0, ge=0, le=1)
    optimizer: Literal["adamw", "muon"] = "adamw"
    weight_decay: float = Field(default=0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float | None = Field(default=1.0, gt=0)
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0
    checkpoint_every: int | None = Field(default=None, ge=1)
    keep_checkpoints: int = Field(default=1, ge=1)
    evaluate_every: int | None = Field(default=None, ge=1)
    lora: LoraSettings | None = None
    looks: LookSettings | None = None

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs")
        return self


def short_fine_tuning(
    rank: int, lr: float = 1e-2, targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
) -> TrainConfig:
    """The default of plants and corrections: an adapter of twice its rank's scale, two passes over a few thousand documents."""
    return TrainConfig(
        epochs=2,
        batch_tokens=1024,
        accumulation=2,
        lr=lr,
        schedule="linear",
        checkpoint_every=50,
        lora=LoraSettings(rank=rank, alpha=2 * rank, targets=targets),
    )
