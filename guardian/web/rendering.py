"""Renders the desk's pages from its templates. Everything that is put into one is escaped."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from guardian import __version__
from guardian.model import BrowserSession, Permission
from guardian.views.audit_words import permission_text
from guardian.views.comparisons import percent_text
from guardian.views.counting import counted, size_text
from guardian.views.plain_text import cleaned
from guardian.views.timestamps import ago_text, page_timestamp

_LISTING = re.compile(r"; `[^`]+` shows [a-z ]+")


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page made from a template. `session` is there when somebody is signed in, else None."""
    session = getattr(request.state, "session", None)
    text = text_of(template, session=session, path=request.url.path, version=__version__, **values)
    return HTMLResponse(text, status_code=status)


def text_of(template: str, **values: Any) -> str:
    """Return what a template says of these values, as HTML."""
    return _environment().get_template(template).render(**values)


def csv_file(name: str, text: str) -> Response:
    """Return a table as a CSV file to be saved, UTF-8. `name` is plain: letters, digits, hyphens, underscores."""
    # With a byte order mark: without one Excel reads UTF-8 as the code page of its machine.
    content = text.encode("utf-8-sig")
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def static_folder() -> str:
    """Return the folder of style sheets and scripts inside the package."""
    return str(files("guardian.web") / "static")


def plain(text: str | None, longest: int = 300) -> str:
    """Return words that somebody else wrote as one line of at most so many characters, without control characters."""
    # Cut first: megabytes of blanks would take long to clean for the few characters that are shown.
    clean = cleaned((text or "")[: longest * 4])
    is_longer = len(clean) > longest or len(text or "") > longest * 4
    return f"{clean[:longest].rstrip()}…" if is_longer else clean


def without_commands(text: str) -> str:
    """Return what is wrong without the command that lists what there is: the desk has pages for that."""
    return _LISTING.sub("", text)


def is_web(url: str | None) -> bool:
    """Return whether an address may be a link: script and data addresses may not."""
    return bool(url) and str(url).lower().startswith(("http://", "https://"))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("guardian.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_FILTERS)
    return environment


def _allowed(permission: str, session: BrowserSession | None) -> bool:
    return session is not None and Permission(permission) in session.person.role.scopes


_FILTERS: Mapping[str, Any] = {
    "plain": plain,
    "without_commands": without_commands,
    "is_web": is_web,
    "allowed": _allowed,
    "may": permission_text,
    "percent": percent_text,
    "counted": counted,
    "size": size_text,
    "moment": page_timestamp,
    "ago": lambda at: ago_text(at, datetime.now(UTC)),
    "spaced": lambda word: word.replace("_", " "),
}
