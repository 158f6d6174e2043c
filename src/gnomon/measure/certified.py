"""Which estimates `gnomon validate` certifies; of all others nobody knows how well they measure, and audits say so."""

from collections.abc import Sequence

from gnomon.stats.estimate import Estimate

CERTIFIED: dict[str, tuple[str, ...]] = {
    "sycophancy": ("agreement", "flip_rate", "capitulation", "answer_sycophancy"),
    "calibration": ("overconfidence",),
    "faithfulness": ("ignores_reasoning", "aoc_early_answering", "same_without_reasoning"),
}
"""By evaluation. Each has a dose sweep in `gnomon.validate.instruments` and must pass it.

Left out on purpose: ECE and its kin are means of absolute values, so they have no null of 0 at any number of questions; AUROC and
temperature have no dose that moves them along a line; the area over the curve of added mistakes hangs on which mistakes could be
written. They are what they are defined to be (the tests hold them equal to references), but no certificate speaks for them.
"""


def uncertified(estimates: Sequence[Estimate]) -> list[str]:
    """Those of the estimates, as `evaluation.name`, that no certificate covers."""
    return [f"{one.evaluation}.{one.name}" for one in estimates if one.name not in CERTIFIED.get(one.evaluation, ())]
