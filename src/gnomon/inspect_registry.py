"""What Inspect finds through its entry point: the provider `gnomon/...` and the evaluations as tasks.

    inspect eval gnomon/sycophancy --model gnomon/organism/sycophant
    inspect eval gnomon/calibration --model openai/gpt-4o -T dataset=truthfulqa -T n=100

The solver runs the evaluation's own protocol on the model in use, the scorer stores its record, and the metrics are the
evaluation's own estimates.
"""

from collections.abc import Callable, Coroutine
from functools import cache
from typing import TYPE_CHECKING, Any

from inspect_ai import Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import Model as ProvidersModel
from inspect_ai.model import ModelAPI, ModelOutput, get_model, modelapi
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from gnomon.errors import GnomonError

if TYPE_CHECKING:
    from gnomon.datasets.items import Item
    from gnomon.measure.evaluation import Evaluation
    from gnomon.models.model import Model
    from gnomon.run.attempts import Work


@modelapi(name="gnomon")
def gnomon() -> type[ModelAPI]:
    """The provider; imported when a model of it is asked for."""
    from gnomon.models.inspect_provider import GnomonAPI

    return GnomonAPI


@task
def sycophancy(dataset: str = "world", n: int | None = None, seed: int = 0, repeats: int = 1, **options: Any) -> Task:
    """Does the model's answer follow the user's view? (arXiv 2310.13548)."""
    return evaluation_task("sycophancy", dataset=dataset, n=n, seed=seed, repeats=repeats, **options)


@task
def calibration(dataset: str = "world", n: int | None = None, seed: int = 0, repeats: int = 1, **options: Any) -> Task:
    """Are the model's probabilities right as often as they say? (arXiv 2207.05221)."""
    return evaluation_task("calibration", dataset=dataset, n=n, seed=seed, repeats=repeats, **options)


@task
def faithfulness(dataset: str = "world", n: int | None = None, seed: int = 0, repeats: int = 1, **options: Any) -> Task:
    """Does the answer depend on the reasoning that is shown? (arXiv 2307.13702)."""
    return evaluation_task("faithfulness", dataset=dataset, n=n, seed=seed, repeats=repeats, **options)


def evaluation_task(name: str, **options: Any) -> Task:
    """An evaluation of the catalogue as a task.

    Args:
        name: Its name in the catalogue.
        options: Fields of its configuration.

    Raises:
        PrerequisiteError: An option that it does not have, or a dataset that is not there.
    """
    from gnomon.measure.catalogue import build

    try:
        evaluation = build(name, **options)
    except GnomonError as error:
        raise PrerequisiteError(str(error)) from error
    samples = [
        Sample(
            id=_sample_id(evaluation, item, repeat),
            input=_question(item),
            metadata={"cluster": item.cluster, "position": position, "repeat": repeat},
        )
        for position, item in enumerate(evaluation.items)
        for repeat in range(evaluation.config.repeats)
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"{name}-{evaluation.config.dataset}"),
        solver=protocol(evaluation),
        scorer=record(name),
        metadata={"evaluation": name, "config": evaluation.config.model_dump(mode="json")},
    )


@solver
def protocol(evaluation: "Evaluation") -> Solver:
    """Runs the evaluation's protocol on the model in use and keeps the record in the sample's store."""
    from gnomon.models.inspect_logs import STORED, as_messages, stored
    from gnomon.models.inspect_messages import to_inspect
    from gnomon.run.attempts import attempt
    from gnomon.run.limits import Limits

    @cache
    def works(fingerprint: str, epochs: int) -> "dict[tuple[int, int], Work]":
        return _works(evaluation, fingerprint, epochs)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = as_gnomon(get_model())
        repeat = (state.epoch - 1) * evaluation.config.repeats + state.metadata["repeat"]
        position = (state.metadata["position"], repeat)
        made = await attempt(_bound(evaluation, model), works(model.fingerprint, state.epoch)[position], Limits())
        state.store.set(STORED, stored(made, position))
        state.messages = to_inspect(as_messages(made.transcript)) or state.messages
        said = [turn["content"] for turn in made.transcript if turn["role"] == "assistant"]
        state.output = ModelOutput.from_content(str(get_model()), said[-1] if said else made.reason or "")
        return state

    return solve


@metric(scores="unreduced")
def estimates(evaluation: str) -> Metric:
    """The evaluation's own estimates, each with its interval and coverage; what was not measured is not there."""
    from gnomon.measure.catalogue import analysis
    from gnomon.models.inspect_logs import as_metrics, from_scores
    from gnomon.run.tables import record_table

    def compute(scores: list[SampleScore]) -> Value:
        records = from_scores([each.score for each in scores])
        return dict(as_metrics(analysis(evaluation)(record_table(records))))

    return compute


def record(evaluation: str) -> Scorer:
    """The stored record as a score, with the evaluation's estimates as metrics."""

    @scorer(metrics=[estimates(evaluation)], name="record")
    def recorded() -> Scorer:
        from gnomon.models.inspect_logs import STORED, as_score

        async def score(state: TaskState, target: Target) -> Score:
            return as_score(state.store.get(STORED))

        return score

    return recorded()


def as_gnomon(model: ProvidersModel) -> "Model":
    """The model in use: our own provider's model itself, with its exact scores; any other behind the adapter."""
    from gnomon.models.inspect_models import InspectModel
    from gnomon.models.inspect_provider import GnomonAPI

    if isinstance(model.api, GnomonAPI):
        return model.api.model
    return InspectModel(model, reference=f"inspect/{model}")


def _bound(evaluation: "Evaluation", model: "Model") -> Callable[["Item", int], Coroutine[Any, Any, Any]]:
    async def bound(item: "Item", seed: int) -> Any:
        return await evaluation.protocol(model, item, seed)

    return bound


def _works(evaluation: "Evaluation", fingerprint: str, epochs: int) -> dict[tuple[int, int], "Work"]:
    """The runner's plan by position of the item and repeat; keys and seeds are those of `gnomon audit`."""
    from gnomon.datasets.items import content_hash
    from gnomon.run.runner import plan

    config = evaluation.config
    planned = plan(
        evaluation.items,
        evaluation=evaluation.name,
        config_hash=content_hash(config.model_dump(mode="json")),
        fingerprint=fingerprint,
        repeats=config.repeats * epochs,
        seed=config.seed,
    )
    places = {item.id: position for position, item in enumerate(evaluation.items)}
    return {(places[work.item.id], work.repeat): work for work in planned}


def _sample_id(evaluation: "Evaluation", item: "Item", repeat: int) -> str:
    return item.id if evaluation.config.repeats == 1 else f"{item.id}#{repeat}"


def _question(item: "Item") -> str:
    """What the item asks, for people who look through the samples."""
    asked: Any = getattr(item, "question", item.id)
    return asked if isinstance(asked, str) else str(getattr(asked, "question", item.id))
