"""Making an evaluation, and a map of what is in one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnomon.api.given import Settings, configured, path_of, progress_of, trainable
from gnomon.models.references import open_model
from gnomon.models.sync import run

if TYPE_CHECKING:
    from gnomon.measure.writing_publish import WrittenEvaluation
    from gnomon.models.model import Model


def write(
    behaviour: str,
    generator: "str | Model",
    *,
    discriminator: "str | Model | None" = None,
    judges: "Sequence[str | Model]" = (),
    n: int | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    settings: Settings | None = None,
    concurrency: int = 256,
    progress: bool = False,
) -> "WrittenEvaluation":
    """Writes a new evaluation of a behaviour: statements by a model, filtered, balanced, validated, with a card.

    Args:
        behaviour: What goes behind `a person who`: `is interested in music`.
        generator: Reference of the model that writes, or an open model.
        discriminator: The model that says which label is likely (None: the generator).
        judges: The models that judge relevance (the first) and validate labels (none: the discriminator).
        n: Items wanted (None: 200).
        seed: Seed of everything.
        out: The directory of the dataset; the same call again resumes in it.
        settings: More fields of `WriteConfig`.
        concurrency: Calls in flight.
        progress: Whether to show a bar on standard error.
    """
    from gnomon.measure.writing import Crew, WriteConfig
    from gnomon.measure.writing import write as run_writing
    from gnomon.run.limits import Limits

    told = {"behaviour": behaviour, "seed": seed, **({} if n is None else {"n": n}), **(settings or {})}
    config = configured(WriteConfig, told)
    writer = open_model(generator)
    filtering = open_model(discriminator) if discriminator is not None else writer
    judging = [open_model(judge) for judge in judges] or [filtering]
    crew, limits, bar = Crew(writer, filtering, judging), Limits(concurrency=concurrency), progress_of(progress)
    result = run(run_writing(crew, config, path_of(out), limits=limits, progress=bar))
    for given, opened in ((generator, writer), (discriminator, filtering), *zip(judges, judging, strict=False)):
        if isinstance(given, str):
            run(opened.aclose())
    return result


def map_examples(
    path: Path | str,
    *,
    model: "str | Model | None" = None,
    projection: str = "tsne",
    seed: int = 0,
    out: Path | str | None = None,
) -> Path:
    """Writes a map of the examples of a JSONL file, near what says the like, and returns its path.

    Args:
        path: A model-written evaluation, or the directory of one.
        model: A local model whose hidden states place the examples (None: their words).
        projection: `tsne` or `pca`.
        seed: Of the projection.
        out: Where to write the page (None: `map.html` beside the file).
    """
    from gnomon.measure.example_maps import map_file

    opened = trainable(model) if model is not None else None
    return map_file(Path(path), path_of(out), opened, projection, seed)
