"""Makes `gnomon` a model name of lm-evaluation-harness: `lm_eval --model gnomon --model_args ref=organism/base --tasks ...`.

Its development version finds the name through the entry point group `lm_eval.models`, and then this module can go. The newest
release, 0.4.13, knows only the names in its own source. torch calls each entry point of the group `torch.backends` at the end of its
own import, and lm_eval imports torch before it looks a model up: so the name is there in time. In a process without lm_eval
nothing happens.
"""

import sys

MODEL = "gnomon.models.lm_eval_model:GnomonLM"


def register() -> None:
    """Puts the name into lm_eval's registry of models, if lm_eval is what imports torch; the class is imported when it is used."""
    if "lm_eval" not in sys.modules:
        return
    try:
        import lm_eval.models  # its own names come first: a registry that is not empty is never filled
        from lm_eval.api.registry import model_registry
    except ImportError:  # another version of lm_eval; importing torch must not fail for that
        return
    if "gnomon" not in model_registry:
        model_registry.register("gnomon", target=MODEL)
