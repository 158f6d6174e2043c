"""What gnomon's pages are made of: templates that escape every text, and their own style and script, named by hash.

A page needs no network: its content security policy admits exactly the style and the script written here, and no request.
"""

import base64
import hashlib
from collections.abc import Sequence

import jinja2
from markupsafe import Markup

from gnomon.report import numbers
from gnomon.report.figure import Figure
from gnomon.report.palette import DARK, LIGHT
from gnomon.report.transcripts import visible


def environment() -> jinja2.Environment:
    """The templates, everything escaped."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("gnomon.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "value": numbers.value,
        "interval": numbers.interval,
        "coverage": numbers.coverage,
        "worst_case": numbers.worst_case,
        "share": numbers.share,
        "p_value": numbers.p_value,
        "spoken": numbers.spoken,
        "visible": visible,
        "drawn": _drawn,
    }
    return templates


def _drawn(figure: Figure, narrow: bool = False) -> Markup:
    return Markup(figure.inline_svg(narrow=narrow))


def own_code(templates: jinja2.Environment, styles: Sequence[str], scripts: Sequence[str]) -> dict[str, str]:
    """The style and script of a page and what its content security policy calls them, as its template names them.

    Args:
        templates: Where the files are.
        styles: The style sheets' files, in order; the palette's colours are put in.
        scripts: The scripts' files, in order.
    """
    style = "".join(_source(templates, name) for name in styles)
    style = style.replace("/*light*/", _variables(LIGHT)).replace("/*dark*/", _variables(DARK))
    script = "".join(_source(templates, name) for name in scripts)
    # Our own files are the only text that is not escaped besides the rendered figures.
    return {"style": Markup(style), "script": Markup(script), "style_hash": _hashed(style), "script_hash": _hashed(script)}


def _source(templates: jinja2.Environment, name: str) -> str:
    assert templates.loader is not None
    return templates.loader.get_source(templates, name)[0]


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def _hashed(text: str) -> str:
    """As a content security policy names a style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
