"""Makes `gnomon` a model name of lm-evaluation-harness: `lm_eval --model gnomon --model_args ref=organism/base --tasks ...`.

Versions after 0.4.13, the newest release, find the name through the entry point group `lm_eval.models`; then this module can go.
0.4.13 knows only the names in its own source. torch calls each entry point of the group `torch.backends` at the end of its own
import, and lm_eval imports torch before it looks a model up: so the name is there in time. In a process without lm_eval nothing
happens.
"""

import importlib
import sys

MODEL = "gnomon.models.lm_eval_model:GnomonLM"


def register() -> None:
    """Puts the name into lm_eval's registry, if lm_eval is what imports torch; the class is imported when it is used."""
    if "lm_eval" not in sys.modules:
        return
    try:
        importlib.import_module("lm_eval.models")  # its own names come first: it fills only an empty registry
        from lm_eval.api.registry import model_registry
    except ImportError:  # another version of lm_eval; importing torch must not fail for that
        return
    if "gnomon" not in model_registry:
        model_registry.register("gnomon", target=MODEL)
