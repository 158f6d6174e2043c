"""gnomon: audit a language model, explain, correct, and audit it again.

Everything a script needs is here, flat: `gnomon.open_model`, `gnomon.audit`, `gnomon.loop` and the others of `gnomon.api`.
Nothing is imported before it is used.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_API = (
    "analyse",
    "audit",
    "compare",
    "correct",
    "datasets_available",
    "export",
    "fetch",
    "generate",
    "grow",
    "loop",
    "map_examples",
    "model_card",
    "open_model",
    "organism_card",
    "organisms_available",
    "plant",
    "report",
    "score",
    "score_file",
    "serve",
    "studies_available",
    "unfinished",
    "run_study",
    "validate",
    "verify",
    "write",
)

__all__ = ["__version__", *_API]  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from gnomon.api import analyse as analyse
    from gnomon.api import audit as audit
    from gnomon.api import compare as compare
    from gnomon.api import correct as correct
    from gnomon.api import datasets_available as datasets_available
    from gnomon.api import export as export
    from gnomon.api import fetch as fetch
    from gnomon.api import generate as generate
    from gnomon.api import grow as grow
    from gnomon.api import loop as loop
    from gnomon.api import map_examples as map_examples
    from gnomon.api import model_card as model_card
    from gnomon.api import open_model as open_model
    from gnomon.api import organism_card as organism_card
    from gnomon.api import organisms_available as organisms_available
    from gnomon.api import plant as plant
    from gnomon.api import report as report
    from gnomon.api import run_study as run_study
    from gnomon.api import score as score
    from gnomon.api import score_file as score_file
    from gnomon.api import serve as serve
    from gnomon.api import studies_available as studies_available
    from gnomon.api import unfinished as unfinished
    from gnomon.api import validate as validate
    from gnomon.api import verify as verify
    from gnomon.api import write as write


def _of_api(name: str) -> property:
    def get(_: ModuleType) -> Any:
        return getattr(importlib.import_module("gnomon.api"), name)

    def ignore(_: ModuleType, __: object) -> None:
        """The import system sets `gnomon.loop` when it loads the module of that name; the function keeps the name."""

    return property(get, ignore)


# `loop`, `correct`, `report`, `serve` and `validate` are functions of the flat namespace and also modules of the layers. A
# property of the module's class has precedence over what the import system puts into the module.
class _Namespace(ModuleType):
    pass


for _name in _API:
    setattr(_Namespace, _name, _of_api(_name))
sys.modules[__name__].__class__ = _Namespace
