"""Renders the desk's pages from its templates. Everything that is put into one is escaped."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from guardian import __version__


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page made from a template. `session` is there when somebody is signed in, else None."""
    session = getattr(request.state, "session", None)
    text = (
        _environment()
        .get_template(template)
        .render(session=session, path=request.url.path, version=__version__, **values)
    )
    return HTMLResponse(text, status_code=status)


def static_folder() -> str:
    """Return the folder of style sheets and scripts inside the package."""
    return str(files("guardian.web") / "static")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("guardian.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
