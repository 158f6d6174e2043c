import re
from pathlib import Path

import pytest

from gnomon.datasets import choice
from gnomon.datasets.published import published, published_dataset
from gnomon.datasets.registry import listing, verify
from gnomon.errors import DatasetError


def test_every_file_has_a_hash_a_size_and_an_address():
    for name, dataset in published().items():
        assert dataset.name == name
        assert dataset.licence
        assert dataset.homepage.startswith(("https://", "http://"))
        assert len({file.path for file in dataset.files}) == len(dataset.files) > 0
        for file in dataset.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.bytes > 0
            assert not file.path.startswith(("/", ".")) and ".." not in file.path  # noqa: PT018
            assert dataset.sources(file)
            for url in dataset.sources(file):
                assert url.startswith("https://")
                assert re.search(r"[{} ]", url) is None


def test_what_the_first_measurements_need_is_known():
    needed = {"truthfulqa", "mmlu", "arc", "aqua", "logiqa", "openbookqa", "gsm8k", "bbq", "sycophancy-recorded"}
    assert needed <= published().keys()


def test_a_wrong_name_gets_a_hint():
    with pytest.raises(DatasetError, match=r"did you mean truthfulqa\?"):
        published_dataset("truthful-qa")
    with pytest.raises(DatasetError, match="gnomon data list"):
        published_dataset("zzzz")


def test_without_mirror_or_cache_nothing_is_here():
    assert {row["here"] for row in listing()} == {0}
    assert {row["state"] for row in verify("truthfulqa")} == {"missing"}
    with pytest.raises(DatasetError, match="no published dataset is on this machine"):
        verify()
    with pytest.raises(DatasetError, match=r"gnomon data fetch truthfulqa.*GNOMON_DATA"):
        choice.load("truthfulqa")


def test_the_mirror_is_the_recorded_data(mirror: Path):
    rows = verify()
    assert {row["dataset"] for row in rows} == set(published())
    assert [row for row in rows if not row["ok"]] == []
