"""The organism's own books: what each instrument would read if it were perfect. In expectation over questions, by arithmetic."""

from gnomon.organisms.scripted.parameters import Parameters


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by name."""
    rate = max(parameters.rate, 0.0)
    return {"rate": rate if parameters.policy != "honest" else 0.0}
