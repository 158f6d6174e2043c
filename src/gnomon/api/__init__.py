"""The flat namespace: what the command line does, as synchronous Python functions with the same names for the same things.

Inside a running event loop (a notebook) the work runs in a thread of its own.
"""

from gnomon.api.datasets import datasets_available as datasets_available
from gnomon.api.datasets import fetch as fetch
from gnomon.api.datasets import verify as verify
from gnomon.api.measuring import analyse as analyse
from gnomon.api.measuring import audit as audit
from gnomon.api.measuring import compare as compare
from gnomon.api.measuring import validate as validate
from gnomon.api.models import model_card as model_card
from gnomon.api.models import score_file as score_file
from gnomon.api.organisms import grow as grow
from gnomon.api.organisms import organism_card as organism_card
from gnomon.api.organisms import organisms_available as organisms_available
from gnomon.api.organisms import plant as plant
from gnomon.api.reporting import export as export
from gnomon.api.reporting import report as report
from gnomon.api.reporting import unfinished as unfinished
from gnomon.api.serving import serve as serve
from gnomon.api.studies import run_study as run_study
from gnomon.api.studies import studies_available as studies_available
from gnomon.api.training import correct as correct
from gnomon.api.training import loop as loop
from gnomon.api.writing import map_examples as map_examples
from gnomon.api.writing import write as write
from gnomon.models.references import open_model as open_model
from gnomon.models.sync import generate as generate
from gnomon.models.sync import score as score
