"""The web application: what machines ask, signing in, the desk's pages and the API."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from guardian import __version__
from guardian.errors import UsageError
from guardian.web.auth import pages as auth_pages
from guardian.web.auth.requests import NotPermitted, NotSignedIn
from guardian.web.desk import Desk
from guardian.web.headers import ProtectingHeaders
from guardian.web.metrics import Metrics
from guardian.web.probes import CoverageReader, Readiness, probe_routes
from guardian.web.rendering import page, static_folder

API = "/api/"
_FOR_MACHINES = (API, "/ready", "/metrics", "/coverage")

PROBLEM = "application/problem+json"
"""RFC 9457."""


def build_app(metrics: Metrics, readiness: Readiness, read_coverage: CoverageReader, desk: Desk) -> FastAPI:
    """Return the application that the daemon serves."""
    app = FastAPI(title="guardian", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.add_middleware(ProtectingHeaders, encrypted=(desk.settings.public_url or "").startswith("https:"))

    app.include_router(probe_routes(metrics, readiness, read_coverage))
    app.include_router(auth_pages.router)
    app.mount("/static", StaticFiles(directory=static_folder()), name="static")

    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(NotPermitted, _not_permitted)
    app.add_exception_handler(UsageError, _makes_no_sense)
    app.add_exception_handler(HTTPException, _of_http)
    return app


def problem(status: int, title: str, detail: str) -> JSONResponse:
    """Return an error as programs read it."""
    body = {"type": "about:blank", "status": status, "title": title, "detail": detail}
    return JSONResponse(body, status_code=status, media_type=PROBLEM)


async def _not_signed_in(request: Request, error: Exception) -> Response:
    if _is_for_machines(request):
        answer = problem(401, "Not signed in", str(error))
        answer.headers["www-authenticate"] = "Bearer"
        return answer
    # What was sent is lost, so the person comes back to where it was sent from.
    where = request.url.path if request.method == "GET" else "/cases"
    query = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
    return RedirectResponse(f"/login?then={quote(where + query, safe='/')}", status_code=303)


async def _not_permitted(request: Request, error: Exception) -> Response:
    return _fault(request, 403, "Not permitted", str(error))


async def _makes_no_sense(request: Request, error: Exception) -> Response:
    return _fault(request, 400, "This makes no sense", str(error))


async def _of_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    title = "There is no such page" if status == 404 else detail
    return _fault(request, status, title, detail)


def _fault(request: Request, status: int, title: str, text: str) -> Response:
    if _is_for_machines(request):
        return problem(status, title, text)
    return page(request, "fault.html", status=status, title=title, text=text)


def _is_for_machines(request: Request) -> bool:
    return request.url.path.startswith(_FOR_MACHINES) or "authorization" in request.headers
