"""Texts that are alike come together, the same way each time."""

import pytest

from gnomon.stats.clusters import clustered

TEXTS = [f"steal the boat of {name}" for name in ("anna", "bilo", "cuno")] + [f"burn a barn at {name}" for name in ("x", "y")]


def test_two_kinds_are_two_groups():
    found = clustered(TEXTS)
    assert found.groups == (0, 0, 0, 1, 1)
    assert found.points.shape == (5, 2)
    again = clustered(TEXTS)
    assert (again.points == found.points).all()


def test_equal_texts_are_one_place():
    found = clustered(["burn it", "burn it", "burn it", "steal it"])
    assert found.groups == (0, 0, 0, 1)


def test_two_texts_are_too_few():
    with pytest.raises(ValueError, match="three"):
        clustered(["a", "b"])
