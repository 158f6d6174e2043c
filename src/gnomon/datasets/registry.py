"""What `gnomon data list` and `gnomon data verify` say."""

from typing import Any

from gnomon.datasets.published import PublishedDataset, PublishedFile, published, published_dataset
from gnomon.datasets.store import locate, read_verified
from gnomon.errors import DatasetError


def listing() -> list[dict[str, Any]]:
    """Every published dataset: `name, title, licence, papers, homepage, note, files, bytes, here, location`.

    `here` is how many of its files are on this machine, `location` the directory of the first of them (None: none is).
    """
    rows: list[dict[str, Any]] = []
    for dataset in published().values():
        found = [location for file in dataset.files if (location := locate(dataset, file))]
        row = dataset.model_dump(mode="json", include={"name", "title", "licence", "papers", "homepage", "note"})
        size = sum(file.bytes for file in dataset.files)
        location = str(found[0].parent) if found else None
        rows.append(row | {"files": len(dataset.files), "bytes": size, "here": len(found), "location": location})
    return rows


def verify(name: str | None = None) -> list[dict[str, Any]]:
    """Checks every file of a dataset, or of all datasets that are here, against its recorded hash.

    Returns:
        A row per file: `dataset, path, state` (`verified`, `missing` or `broken`), `ok, location, reason`.

    Raises:
        DatasetError: The dataset is unknown, or none is here.
    """
    if name is not None:
        datasets = [published_dataset(name)]
    else:
        datasets = [entry for entry in published().values() if any(locate(entry, file) for file in entry.files)]
    if not datasets:
        raise DatasetError(
            "no published dataset is on this machine: run `gnomon data fetch NAME`, or point GNOMON_DATA at a mirror"
        )
    return [_check(dataset, file) for dataset in datasets for file in dataset.files]


def _check(dataset: PublishedDataset, file: PublishedFile) -> dict[str, Any]:
    location = locate(dataset, file)
    state, reason = "verified", None
    if location is None:
        state = "missing"
    else:
        try:
            read_verified(dataset.name, file, location)
        except DatasetError as error:
            state, reason = "broken", str(error)
    return {
        "dataset": dataset.name,
        "path": file.path,
        "state": state,
        "ok": state == "verified",
        "location": str(location) if location else None,
        "reason": reason,
    }
