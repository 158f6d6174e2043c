"""The flat namespace."""

import subprocess
import sys

import gnomon
import gnomon.api


def test_every_exported_name_is_there_and_documented() -> None:
    for name in gnomon.__all__:
        member = getattr(gnomon, name)
        assert name.startswith("__") or (callable(member) and member.__doc__), name


def test_functions_keep_their_names_when_modules_of_that_name_are_loaded() -> None:
    from gnomon.loop import decide
    from gnomon.report import terminal
    from gnomon.serve.config import ServeConfig
    from gnomon.validate import validate

    assert decide
    assert terminal
    assert ServeConfig
    assert validate
    assert gnomon.loop is gnomon.api.loop
    assert gnomon.report is gnomon.api.report
    assert gnomon.serve is gnomon.api.serve
    assert gnomon.validate is gnomon.api.validate
    assert gnomon.correct is gnomon.api.correct


def test_importing_gnomon_imports_nothing_of_it() -> None:
    code = "import sys, gnomon; print([name for name in sys.modules if name.startswith('gnomon.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
