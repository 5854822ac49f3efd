"""Shows a form that was not taken once more: on its page, with what was written and why nothing was done.

Whoever refuses a form only raises an error. The page is asked for anew, so it shows what has changed meanwhile.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote

import structlog
from fastapi import Request
from selectolax.lexbor import LexborHTMLParser
from starlette.datastructures import URL, FormData
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match
from starlette.types import Message, Scope

from guardian.web.auth.pages import local_path
from guardian.web.form_filling import fill_form
from guardian.web.rendering import text_of

log = structlog.get_logger(__name__)

_PAGE_FIELD = "form_page"
"""The field in which a form names its page, where the address that it is sent from is another one or none.

So it is with what answers a form: a form that is shown again has this field, and so has the form that saves a search.
"""

_MOST_REDIRECTS = 3


async def form_again(request: Request, status: int, why: str) -> Response | None:
    """Return the page of a form with the form as it was sent, and in it why it was not taken, in lines.

    None where the request is no form of somebody signed in, comes from a script that shows the reason itself, or its
    page cannot be shown.
    """
    is_form = request.method == "POST" and getattr(request.state, "session", None) is not None
    if not is_form or "hx-request" in request.headers:
        return None

    sent = await request.form()
    for asked in _pages_with(request, sent):
        found = await _page_at(request, asked)
        if found is not None:
            where, content = found
            # A case that was merged into another one meanwhile has its forms there.
            path = request.url.path.replace(URL(asked).path, URL(where).path)
            return HTMLResponse(_refused(content, path, sent, where, why), status_code=status)
    return None


async def with_form_as_sent(request: Request, answer: Response) -> Response:
    """Return a page that says why nothing was done, with the form on it as it was sent."""
    tree, sent = LexborHTMLParser(bytes(answer.body).decode()), await request.form()
    fill_form(tree, request.url.path, sent)
    return HTMLResponse(tree.html or "", status_code=answer.status_code)


def page_of_form(request: Request) -> str | None:
    """Return the path of the page that a form was sent from, as browsers say; None where they name no page."""
    try:
        referer = URL(request.headers.get("referer", ""))
        is_ours = referer.netloc == request.url.netloc
    except ValueError:
        return None
    return path_of(referer) if is_ours and _is_page(request, referer.path) else None


def _pages_with(request: Request, sent: FormData) -> Iterator[str]:
    """Yield the pages that may have a form, the likeliest first: those it names, then what is above its address."""
    said = str(sent.get(_PAGE_FIELD, ""))
    if said == local_path(said) and _is_page(request, URL(said).path):
        yield said
    referer = page_of_form(request)
    if referer is not None:
        yield referer
    path = PurePosixPath(request.url.path)
    yield from (str(one) for one in (path, *path.parents[:-1]) if _is_page(request, str(one)))


def path_of(url: URL) -> str:
    """Return the path of an address of the desk, with its query."""
    return url.path + (f"?{url.query}" if url.query else "")


def _is_page(request: Request, path: str) -> bool:
    asked = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


async def _page_at(request: Request, where: str) -> tuple[str, str] | None:
    """Return where a page of the desk is, and the page as whoever sends this request sees it; None without one."""
    for _ in range(_MOST_REDIRECTS):
        status, headers, content = await _asked(request, where)
        if status == 200 and headers.get(b"content-type", b"").startswith(b"text/html"):
            return where, content.decode()
        where = headers.get(b"location", b"").decode()
        if not where.startswith("/"):
            break
    return None


async def _asked(request: Request, where: str) -> tuple[int, Mapping[bytes, bytes], bytes]:
    """Ask the desk itself for a path; return status, headers and body. Status 500 where the page fails."""
    url = URL(where)
    headers = [(name, value) for name, value in request.headers.raw if not name.startswith(b"content-")]
    kept = {name: request.scope.get(name) for name in ("type", "asgi", "http_version", "scheme", "client", "server")}
    scope: Scope = kept | {
        "method": "GET",
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": headers,
    }
    messages: list[Message] = []

    async def receive() -> Message:
        # Downloads and streams, which a form may name too, end at once: only pages are looked at.
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)

    try:
        await request.app(scope, receive, send)
    except Exception:
        log.exception("page_of_form_failed", path=url.path)
        return 500, {}, b""

    if not messages:
        return 500, {}, b""
    start, *bodies = messages
    return start["status"], dict(start["headers"]), b"".join(one.get("body", b"") for one in bodies)


def _refused(page: str, path: str, sent: FormData, where: str, why: str) -> str:
    """Return a page with the form that was sent to this path filled in, and the reason in it or before all else."""
    tree = LexborHTMLParser(page)
    for said in tree.css(".done"):
        said.decompose()
    for focused in tree.css("[autofocus]"):
        del focused.attrs["autofocus"]
    if tree.root is not None:
        # For scripts: the address of the answer is no page that could be loaded again.
        tree.root.attrs["data-page"] = where

    form = fill_form(tree, path, sent)
    has_file = any(not isinstance(value, str) and value.filename for value in sent.values())
    reason = text_of("refusal.html", lines=why.splitlines(), page_field=_PAGE_FIELD, where=where, has_file=has_file)
    first = (form or tree.css("main")[0]).first_child
    if first is not None:
        first.insert_before(LexborHTMLParser(reason).css(".fault")[0])
    return tree.html or page
