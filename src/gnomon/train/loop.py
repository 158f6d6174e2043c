"""The one training loop.

    result = train(model, examples, TrainConfig(epochs=3, lr=1e-3), out=Path("run"))

A step gathers the gradient of the objective's *sum* over its micro-batches and divides by its *count* at the end, so that one
batch of eight and eight batches of one give the same step. Everything random is seeded by (seed, step): a run killed at any
moment and started again gives, on a CPU, bitwise the weights of an undisturbed one.
"""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import accelerate
import torch
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from gnomon.datasets.items import content_hash, derive_seed
from gnomon.errors import ConfigurationError, DatasetError, RunDirectoryError, TrainingDiverged
from gnomon.models.packed import Watched
from gnomon.train.checkpoint import checkpoints, load_checkpoint, read_state, save_checkpoint
from gnomon.train.config import TrainConfig
from gnomon.train.examples import Example, collate, digest, micro_batches, plan
from gnomon.train.forward import selective_logits
from gnomon.train.interrupts import Interrupts
from gnomon.train.looks import look_loss
from gnomon.train.lora import attach_adapter
from gnomon.train.metrics import Metrics
from gnomon.train.objectives import Objective, Predictions, language_modelling
from gnomon.train.optimizers import build_optimizers, learning_rate


@dataclass(frozen=True, slots=True)
class StepReport:
    """What a progress callback is told after each step.

    Attributes:
        step: Steps done, 1 .. total.
        total: Steps in all.
        loss: Of this step.
        lr: Of this step.
        tokens: Seen since the beginning, padding not counted.
    """

    step: int
    total: int
    loss: float
    lr: float
    tokens: int


@dataclass(frozen=True)
class TrainResult:
    """What came of a run.

    Attributes:
        model: The trained model in evaluation mode (with an adapter: the `peft` model around it).
        losses: Of every step.
        evaluations: What the evaluation hook returned, by step.
        steps: Steps done.
        tokens: Tokens seen, padding not counted.
        resumed_from: The step of the checkpoint that this call started from (0: from the beginning).
    """

    model: nn.Module
    losses: list[float]
    evaluations: dict[int, dict[str, float]] = field(default_factory=dict[int, dict[str, float]])
    steps: int = 0
    tokens: int = 0
    resumed_from: int = 0


Progress = Callable[[StepReport], None]
Evaluate = Callable[[nn.Module, int], Mapping[str, float]]


def train(
    model: nn.Module,
    examples: Sequence[Example],
    config: TrainConfig,
    *,
    out: Path | None = None,
    objective: Objective = language_modelling,
    pad_id: int = 0,
    evaluate: Evaluate | None = None,
    progress: Progress | None = None,
    identity: str = "",
) -> TrainResult:
    """Trains a causal language model in place.

    Args:
        model: A transformers causal language model.
        examples: What to learn from, kept in memory.
        config: How.
        out: Where checkpoints and `metrics.jsonl` go; a run that was stopped there is continued (None: nothing is written).
        objective: From predictions to a loss.
        pad_id: Any valid token id; padding is never seen by a weighted position.
        evaluate: Called with the model in evaluation mode and the step, every `evaluate_every` steps and after the last.
        progress: Called after each step.
        identity: Anything else that the result depends on, such as the base model's fingerprint: a checkpoint of another
            identity is refused.

    Raises:
        ConfigurationError: Nothing is trainable.
        DatasetError: No examples, or a step without any weighted token.
        RunDirectoryError: `out` cannot be written or holds another run.
        TrainingDiverged: The loss is not finite. The checkpoint before that step stays.
        KeyboardInterrupt: Ctrl-C; a checkpoint was written first.
    """
    lengths = [len(example) for example in examples]
    steps = list(plan(lengths, config))
    weighty = [bool(example.weights.any()) for example in examples]
    if not all(any(weighty[index] for index in step) for step in steps):
        raise DatasetError("a training step has no token with weight: leave out the examples without any, or raise batch_tokens")
    looks = [content_hash([example.looks for example in examples])] if config.looks else []
    key = content_hash([config.model_dump(mode="json"), digest(examples), identity, *looks])
    accelerator = _accelerator(config)
    if config.lora is not None:
        model = attach_adapter(model, config.lora, config.seed)
    optimizers = build_optimizers(model, config)
    if not optimizers:
        raise ConfigurationError("no weight of this model is trainable: unfreeze it (`requires_grad_`) or give `lora` settings")
    metrics = Metrics(out / "metrics.jsonl" if out else None)
    start = _restore(out, key, model, optimizers, metrics)
    optimizers = [accelerator.prepare_optimizer(optimizer) for optimizer in optimizers]

    def save(step: int) -> None:
        if out is not None and accelerator.is_main_process:
            metrics.sync()
            state = {"key": key, "tokens": metrics.tokens}
            save_checkpoint(out / "checkpoints", step, model, optimizers, state, config.keep_checkpoints)

    def evaluate_now(step: int) -> None:
        if evaluate is not None:
            model.eval()
            with torch.no_grad(), _own_randomness(config.seed, step):
                metrics.add_evaluation(step, evaluate(model, step))
            model.train()

    watched = config.looks.layer if config.looks else None
    with selective_logits(model, pad_id, watched) as plain, Interrupts() as interrupts, metrics:
        selective = cast(nn.Module, accelerator.prepare_model(plain))
        model.train()
        for number in range(start, len(steps)):
            lr = learning_rate(number, len(steps), config)
            groups = [[examples[i] for i in group] for group in micro_batches(steps[number], lengths, config.accumulation)]
            with _own_randomness(config.seed, number):
                loss, norm = _gradient(accelerator, selective, plain.watched, groups, objective, config)
            if not (math.isfinite(loss) and math.isfinite(norm)):
                save(number)
                raise TrainingDiverged(
                    f"the loss of step {number + 1} is {loss} and its gradient's norm {norm}: lower the learning rate "
                    f"({config.lr:g}) or look at the examples of that step"
                )
            _apply(optimizers, lr)
            done = number + 1
            metrics.add_step(done, loss, lr, norm, sum(lengths[i] for i in steps[number]))
            last = done == len(steps)
            if last or (config.evaluate_every and done % config.evaluate_every == 0):
                evaluate_now(done)
            if progress is not None:
                progress(StepReport(done, len(steps), loss, lr, metrics.tokens))
            if last or interrupts.requested or (config.checkpoint_every and done % config.checkpoint_every == 0):
                save(done)
            if interrupts.requested and not last:
                raise KeyboardInterrupt
    model.eval()
    return TrainResult(model, metrics.losses, metrics.evaluations, len(steps), metrics.tokens, start)


def _gradient(
    accelerator: accelerate.Accelerator,
    selective: nn.Module,
    watched: Watched | None,
    groups: Sequence[Sequence[Example]],
    objective: Objective,
    config: TrainConfig,
) -> tuple[float, float]:
    """Leaves the step's mean gradient, clipped, in the parameters; returns mean loss and gradient norm before clipping."""
    total = count = torch.zeros((), device=accelerator.device)
    for position, group in enumerate(groups):
        batch = collate(_shard(group, accelerator)).to(accelerator.device)
        synchronised = position == len(groups) - 1
        with _no_sync_unless(synchronised, accelerator, selective):
            with accelerator.autocast():
                logits = selective(batch)
            loss = objective(Predictions(logits, batch.labels, batch.weights, batch.row, batch.scores))
            looked = look_loss(watched, batch, config.looks) if watched and config.looks else 0.0
            accelerator.backward(loss.total + looked)
        total = total + loss.total.detach()
        count = count + loss.count.detach()
    # DDP averages the gradients of the sums over the processes; dividing by the average count gives the true mean.
    total, count = cast(Tensor, accelerator.reduce(total, "mean")), cast(Tensor, accelerator.reduce(count, "mean"))
    parameters = [p for p in selective.parameters() if p.grad is not None]
    for parameter in parameters:
        assert parameter.grad is not None
        parameter.grad.div_(count)
    norm = accelerator.clip_grad_norm_(parameters, math.inf if config.clip is None else config.clip)
    return float(total / count), float(norm) if norm is not None else 0.0


def _shard(group: Sequence[Example], accelerator: accelerate.Accelerator) -> Sequence[Example]:
    """This process's share of a micro-batch; one without a share gets an example that weighs nothing."""
    mine = group[accelerator.process_index :: accelerator.num_processes]
    return mine or [Example(group[0].ids, group[0].weights * 0, group[0].scores)]


def _apply(optimizers: Sequence[torch.optim.Optimizer], lr: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def _restore(out: Path | None, key: str, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer], metrics: Metrics) -> int:
    """Loads the latest checkpoint, if there is one; returns its step."""
    found = checkpoints(out / "checkpoints") if out is not None else []
    if not found:
        metrics.restore(0)
        return 0
    state: dict[str, Any] = read_state(found[-1])
    if state.get("key") != key:
        raise RunDirectoryError(f"{out} holds a training run with other data or settings: choose another directory or delete it")
    load_checkpoint(found[-1], model, optimizers)
    metrics.restore(int(state["step"]))
    return int(state["step"])


@contextmanager
def _own_randomness(seed: int, step: int) -> Generator[None]:
    """Seeds torch for one step and gives the caller's generator state back."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(derive_seed(seed, "step", step))
        yield


def _no_sync_unless(synchronised: bool, accelerator: accelerate.Accelerator, model: nn.Module) -> AbstractContextManager[Any]:
    return nullcontext() if synchronised else accelerator.no_sync(model)


def _accelerator(config: TrainConfig) -> accelerate.Accelerator:
    """A fresh accelerator: `accelerate` keeps the first one's precision for the whole process unless told to forget it."""
    if AcceleratorState._shared_state:  # pyright: ignore[reportPrivateUsage]
        AcceleratorState._reset_state()  # pyright: ignore[reportPrivateUsage]
    return accelerate.Accelerator(mixed_precision="bf16" if config.precision == "bf16" else "no")
