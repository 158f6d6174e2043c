"""P(IK), "I know": a head on a language model that tells from the question alone how likely the model's answer is right.

After Kadavath et al. 2022 (2207.05221, procedure 7): sampled answers give each training question a share of right ones; a scalar
head is trained on it by cross-entropy, and read at the last token of any text. Two ways to train it:

- `head`: the model stays as it is. The head is a logistic regression on its last hidden state; with `spectrum` also on the
  log-probabilities of its likeliest next tokens, sorted, which are a function of that state too: how peaked a prediction is
  cannot be read from the state by a straight line where every answer has a direction of its own. Convex, so exact; the ridge
  penalty is chosen by cross-validation over whole clusters.
- `all`: as in the paper the whole model is trained, in the one training loop, with a scalar output in place of its vocabulary.
"""

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from scipy.optimize import minimize
from scipy.special import expit
from torch import Tensor, nn

from gnomon.errors import DatasetError, UserError
from gnomon.run.files import write_atomically
from gnomon.stats.intervals import Floats, cluster_codes
from gnomon.train.config import TrainConfig
from gnomon.train.examples import Example, collate
from gnomon.train.forward import device_of, selective_logits
from gnomon.train.loop import train
from gnomon.train.objectives import Loss, Predictions

LIKELIEST = 8
"""So many of the likeliest next tokens' log-probabilities are the spectrum."""
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e3)
"""Ridge penalties of the hidden state's weights; under the last one hardly more than the spectrum is left."""
SPECTRUM_PENALTY = 1e-3
FOLDS = 5
BATCH_TOKENS = 4096
FORMAT = "gnomon p-ik 1"

Trained = Literal["head", "all"]


class HeadConfig(BaseModel):
    """How a head is trained.

    Attributes:
        weights: `head`: the model is frozen; `all`: its weights are trained with the head.
        spectrum: `head` only: whether the head sees the log-probabilities of the likeliest next tokens beside the hidden state.
        epochs: `all` only: passes over the questions.
        lr: `all` only: peak learning rate.
        seed: Of folds and data order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Trained = "head"
    spectrum: bool = True
    epochs: float = Field(default=6.0, gt=0)
    lr: float = Field(default=3e-4, gt=0)
    seed: int = 0


@dataclass(frozen=True)
class Lesson:
    """A training question.

    Attributes:
        ids: Its prompt's token ids.
        right: How many sampled answers were right.
        samples: How many were judged.
        cluster: The unit of independence.
    """

    ids: tuple[int, ...]
    right: int
    samples: int
    cluster: str


@dataclass(frozen=True)
class Head:
    """A trained head.

    Attributes:
        fingerprint: Of the model that it reads.
        config: How it was trained.
        identity: Hash of all that it was made from.
        tensors: Its numbers: of a frozen model `center`, `scale`, `weight` [features] and `bias` [1]; else the whole model's.
    """

    fingerprint: str
    config: HeadConfig
    identity: str
    tensors: dict[str, Tensor]

    @property
    def digest(self) -> str:
        """SHA-256 of its content, 16 hexadecimal digits."""
        sha = hashlib.sha256(json.dumps([self.fingerprint, self.config.model_dump(), self.identity]).encode())
        for name, tensor in sorted(self.tensors.items()):
            sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            sha.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        return sha.hexdigest()[:16]

    def read(self, module: nn.Module, prompts: Sequence[Sequence[int]]) -> Floats:
        """P(IK) at the end of each prompt, [prompts].

        Args:
            module: The model that it was trained on.
            prompts: Token ids.
        """
        if not prompts:
            return np.zeros(0)
        if self.config.weights == "all":
            whole = _with_scalar_output(module)
            whole.load_state_dict(self.tensors)
            return expit(_outputs(whole.eval(), prompts)[1][:, 0])
        center, scale, weight, bias = (self.tensors[name].double().numpy() for name in ("center", "scale", "weight", "bias"))
        return expit((features(module, prompts, spectrum=self.config.spectrum) - center) / scale @ weight + bias)


def features(module: nn.Module, prompts: Sequence[Sequence[int]], *, spectrum: bool) -> Floats:
    """What a head on a frozen model sees.

    Returns:
        The last hidden states [prompts, hidden]; with `spectrum` followed by `LIKELIEST` sorted log-probabilities.
    """
    states, likeliest = _outputs(module, prompts)
    return np.concatenate([states, likeliest], axis=1) if spectrum else states


def knowing(predictions: Predictions) -> Loss:
    """The objective: cross-entropy of the scalar output against the share of right answers, weighted by their number."""
    share = predictions.scores[predictions.row, 0]
    weights = predictions.weights.float()
    losses = F.binary_cross_entropy_with_logits(predictions.logits[:, 0].float(), share, reduction="none")
    return Loss((losses * weights).sum(), weights.sum())


def train_head(module: nn.Module, lessons: Sequence[Lesson], config: HeadConfig, *, fingerprint: str, identity: str) -> Head:
    """Trains a head; the model itself is left as it is.

    Args:
        module: A causal language model of transformers.
        lessons: Questions with the counts of right answers.
        config: How.
        fingerprint: Of the model.
        identity: Hash of all that the result depends on.

    Raises:
        DatasetError: Fewer clusters than folds, or all answers right, or all wrong: there is nothing to tell apart.
    """
    lessons = [lesson for lesson in lessons if lesson.samples]
    clusters = len({lesson.cluster for lesson in lessons})
    if clusters < FOLDS:
        raise DatasetError(f"a head needs at least {FOLDS} training questions with answers that could be judged, not {clusters}")
    right, samples = sum(lesson.right for lesson in lessons), sum(lesson.samples for lesson in lessons)
    if right in (0, samples):
        said = "right" if right else "wrong"
        raise DatasetError(
            f"all {samples:,} answers to the training questions are {said}: there is nothing that a head could learn"
        )
    tensors = _whole(module, lessons, config) if config.weights == "all" else _frozen(module, lessons, config)
    return Head(fingerprint, config, identity, tensors)


def save_head(head: Head, path: Path) -> None:
    """Saves a head as safetensors, with its content hash.

    Raises:
        RunDirectoryError: It cannot be written.
    """
    about = {"format": FORMAT, "fingerprint": head.fingerprint, "config": head.config.model_dump_json()}
    about |= {"identity": head.identity, "digest": head.digest}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in head.tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(tensors, metadata=about))


def load_head(path: Path) -> Head:
    """Loads a head and checks its content hash.

    Raises:
        UserError: There is none, or it is broken or something else.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            opened: Any = file
            about: dict[str, str] = opened.metadata() or {}
            tensors = {str(name): opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # no mapping
    except FileNotFoundError:
        raise UserError(f"there is no head {path}: give the file that a p-ik audit saved in its run directory") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is no safetensors file or is damaged ({error}): give the file that a p-ik audit saved") from None
    if about.get("format") != FORMAT:
        raise UserError(f"{path} holds tensors, but no P(IK) head: give the file that a p-ik audit saved in its run directory")
    head = Head(about["fingerprint"], HeadConfig.model_validate_json(about["config"]), about["identity"], tensors)
    if head.digest != about["digest"]:
        raise UserError(f"{path} is not what was saved (its content hash differs): train the head again")
    return head


def _frozen(module: nn.Module, lessons: Sequence[Lesson], config: HeadConfig) -> dict[str, Tensor]:
    seen = features(module, [lesson.ids for lesson in lessons], spectrum=config.spectrum)
    hidden = seen.shape[1] - (LIKELIEST if config.spectrum else 0)
    center, scale = seen.mean(axis=0), np.maximum(seen.std(axis=0), 1e-6)
    x = (seen - center) / scale
    share = np.array([lesson.right / lesson.samples for lesson in lessons])
    counts = np.array([lesson.samples for lesson in lessons], dtype=np.float64)
    codes, count = cluster_codes([lesson.cluster for lesson in lessons], len(lessons))
    fold = (np.random.default_rng(config.seed).permutation(count) % FOLDS)[codes]

    def penalties(penalty: float) -> Floats:
        return np.concatenate([np.full(hidden, penalty), np.full(seen.shape[1] - hidden, SPECTRUM_PENALTY)])

    def held_out(penalty: float) -> float:
        total = 0.0
        for number in range(FOLDS):
            out = fold == number
            weight, bias = logistic_fit(x[~out], share[~out], counts[~out], penalties(penalty))
            total += float(np.sum(_losses(x[out] @ weight + bias, share[out]) * counts[out]))
        return total

    best = min(PENALTIES, key=held_out)
    weight, bias = logistic_fit(x, share, counts, penalties(best))
    named = {"center": center, "scale": scale, "weight": weight, "bias": np.array([bias]), "penalty": np.array([best])}
    return {name: torch.from_numpy(np.asarray(values, dtype=np.float64)) for name, values in named.items()}


def logistic_fit(x: Floats, share: Floats, counts: Floats, penalties: Floats) -> tuple[Floats, float]:
    """Weights [features] and bias that minimise mean cross-entropy plus half the penalised squares of the weights.

    Args:
        x: [n, features].
        share: [n] shares of right answers.
        counts: [n] how many answers each share is of.
        penalties: [features], not negative.
    """
    mass = counts / counts.sum()

    def value(parameters: Floats) -> tuple[float, Floats]:
        weight, bias = parameters[:-1], parameters[-1]
        z = x @ weight + bias
        error = (expit(z) - share) * mass
        loss = float(mass @ _losses(z, share) + 0.5 * penalties @ weight**2)
        return loss, np.concatenate([error @ x + penalties * weight, [error.sum()]])

    found: Any = minimize(value, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 1000, "gtol": 1e-8})
    return np.asarray(found.x[:-1]), float(found.x[-1])


def _losses(z: Floats, share: Floats) -> Floats:
    return np.logaddexp(0.0, z) - share * z


def _whole(module: nn.Module, lessons: Sequence[Lesson], config: HeadConfig) -> dict[str, Tensor]:
    """The state of the model trained with its scalar output."""
    whole = _with_scalar_output(module).float()
    whole.requires_grad_(True)
    examples = [_example(lesson.ids, float(lesson.samples), lesson.right / lesson.samples) for lesson in lessons]
    settings = TrainConfig(epochs=config.epochs, batch_tokens=1024, lr=config.lr, seed=config.seed, weight_decay=0.01)
    return dict(train(whole, examples, settings, objective=knowing).model.state_dict())


def _with_scalar_output(module: nn.Module) -> nn.Module:
    """A copy of the model with one number in place of its vocabulary."""
    whole: Any = copy.deepcopy(module)
    head = nn.Linear(whole.get_output_embeddings().weight.shape[1], 1).to(device_of(module))
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    whole.config.tie_word_embeddings = False
    whole.set_output_embeddings(head)
    return whole


def _example(ids: Sequence[int], weight: float = 1.0, score: float = 0.0) -> Example:
    """The prompt with one token more, whose prediction is the head's reading; which token that is does not matter."""
    return Example([*ids, ids[-1]], [0.0] * len(ids) + [weight], (score,))


@torch.no_grad()
def _outputs(module: nn.Module, prompts: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
    """The last hidden states [prompts, hidden] and what the output head makes of them.

    The latter is the number that a scalar head gives [prompts, 1], or the largest log-probabilities, sorted [prompts, LIKELIEST].
    """
    causal: Any = module
    kept: list[Tensor] = []

    def keep(head: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        kept.append(given[0])

    handle = causal.get_output_embeddings().register_forward_hook(keep)
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    states: dict[int, Any] = {}
    outputs: dict[int, Any] = {}
    try:
        with selective_logits(module) as selective:
            for group in _groups(order, [len(prompt) + 1 for prompt in prompts]):
                kept.clear()
                found = selective(collate([_example(prompts[place]) for place in group]).to(device_of(module))).float()
                made = found if found.shape[1] == 1 else found.log_softmax(-1).topk(LIKELIEST, dim=-1).values
                states |= zip(group, kept[0][0][: len(group)].double().cpu().numpy(), strict=True)
                outputs |= zip(group, made.double().cpu().numpy(), strict=True)
    finally:
        handle.remove()
    places = range(len(prompts))
    return np.stack([states[place] for place in places]), np.stack([outputs[place] for place in places])


def _groups(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    filled = 0
    for place in order:
        if not groups or filled + lengths[place] > BATCH_TOKENS:
            groups.append([])
            filled = 0
        groups[-1].append(place)
        filled += lengths[place]
    return groups
