"""Commands of `gnomon model`."""

from gnomon.cli.options import Json, Model, Out, Seed
from gnomon.cli.output import emit


def show(model: Model, seed: Seed = 0, out: Out = None, as_json: Json = False) -> None:
    """Show what a model reference opens: kind, parameters, content fingerprint."""
    from gnomon import api
    from gnomon.report import terminal

    card = api.model_card(model)
    emit(card, as_json, lambda: terminal.card(card))
