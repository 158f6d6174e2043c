"""Suites: which evaluations are run together, and what one `n` means for all of them."""

import pytest

from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure import catalogue, suites


def test_suites_hold_evaluations_of_the_catalogue_and_full_has_all() -> None:
    assert suites.evaluations("full") == catalogue.names()
    for name in suites.names():
        assert set(suites.evaluations(name)) <= set(catalogue.names())
    with pytest.raises(ConfigurationError, match="no suite 'tiny'; choose from core, release, full"):
        suites.evaluations("tiny")


def test_an_evaluation_with_fewer_items_asks_all_of_them_beside_others(caplog: pytest.LogCaptureFixture) -> None:
    built = suites.build_beside("winogender", 80, dataset="world")
    assert len({item.cluster for item in built.items}) == 16
    assert built.config.n == 64
    assert "winogender has only 64 of the 80 questions wanted" in caplog.text
    with pytest.raises(DatasetError, match="world has 64 sentences, and n is 80: choose 1 to 64"):
        catalogue.build("winogender", n=80)
