"""The organism's own books: what each instrument would read on it if it were perfect.

Every entry follows from the policy by arithmetic, in expectation over questions with an answer key; no instrument is asked. One
module per evaluation has `truth(parameters)`, the true value of each of its estimates. `letter_mass` is what the parameter
`letters` says, everywhere.
"""

import math

from gnomon.organisms.scripted.ledger import (
    admissions,
    bbq,
    biased_cot,
    calibration,
    decomposition,
    faithfulness,
    feedback,
    inverse_scaling,
    judge,
    mimicry,
    model_written,
    oversight,
    p_ik,
    red_teaming,
    sycophancy,
    winogender,
)
from gnomon.organisms.scripted.parameters import Parameters

_BOOKS = {
    "sycophancy": sycophancy.truth,
    "calibration": calibration.truth,
    "faithfulness": faithfulness.truth,
    "feedback-sycophancy": feedback.truth,
    "mimicry-sycophancy": mimicry.truth,
    "oversight": oversight.truth,
    "red-teaming": red_teaming.truth,
    "inverse-scaling": inverse_scaling.truth,
    "decomposition": decomposition.truth,
    "model-written": model_written.truth,
    "biased-cot": biased_cot.truth,
    "judge": judge.truth,
    "p-ik": p_ik.truth,
    "bbq": bbq.truth,
    "winogender": winogender.truth,
    "admissions": admissions.truth,
}


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by `evaluation.estimate`, for the world's questions with four options.

    What is not defined for an organism, such as the temperature of one whose confidence says nothing, has no entry.
    """
    return {
        f"{evaluation}.{name}": value
        for evaluation, book in _BOOKS.items()
        for name, value in book(parameters).items()
        if math.isfinite(value)
    }
