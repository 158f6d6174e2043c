"""Maps of the examples of a model-written evaluation."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from gnomon.datasets.items import Item
from gnomon.datasets.model_written import PronounItem, WrittenItem, load_file
from gnomon.errors import ConfigurationError
from gnomon.models.hidden import hidden_vectors
from gnomon.models.local import LocalModel
from gnomon.report.map import Example, example_map
from gnomon.report.numbers import number
from gnomon.report.projection import Projection


def map_file(path: Path, out: Path | None, model: LocalModel | None, projection: str, seed: int) -> Path:
    """Writes the map of a file's items.

    Args:
        path: A file in the published format, or a directory with `items.jsonl`.
        out: The page (None: `map.html` beside the file).
        model: Whose hidden states place the items (None: their words).
        projection: `tsne` or `pca`.
        seed: Of projection and clusters.

    Raises:
        DatasetError: The file cannot be read or does not fit.
        ConfigurationError: No such projection.
    """
    kinds: Sequence[Projection] = get_args(Projection)
    chosen = next((kind for kind in kinds if kind == projection), None)
    if chosen is None:
        raise ConfigurationError(f"there is no projection {projection!r}; choose from {', '.join(kinds)}")
    examples = examples_of(load_file(path))
    vectors = hidden_vectors(model, [example.text for example in examples]) if model else None
    title = path.name if path.is_dir() else path.name.removesuffix(".gz").removesuffix(".jsonl")
    notes = [f"Placed by the hidden states of {model.reference}."] if model else []
    drawn = example_map(title, examples, vectors=vectors, projection=chosen, notes=notes, labelled="matching answer", seed=seed)
    return drawn.write(out or (path if path.is_dir() else path.parent) / "map.html")


def examples_of(items: Sequence[Item]) -> list[Example]:
    """The items as examples of a map, labelled by their matching answer."""
    return [_example(item) for item in items]


def _example(item: Item) -> Example:
    if isinstance(item, PronounItem):
        share = "mostly women" if item.percent_women > 50 else "mostly men"
        return Example(item.sentence, share, {"occupation": item.occupation, "percent women": number(item.percent_women)})
    assert isinstance(item, WrittenItem)
    wanted = " or ".join(item.answers[place] for place in item.matching)
    facts = {} if item.label_confidence is None else {"label confidence": number(item.label_confidence)}
    return Example(item.statement or item.question, f"{wanted} matches", facts)
