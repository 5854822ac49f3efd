"""The web application: what machines ask, signing in, the desk's pages and the API."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from guardian import __version__
from guardian.errors import CaseChanged, StoreUnusable, UsageError, VaultFull
from guardian.views.cases import event_json
from guardian.web.api.routes import add_api
from guardian.web.auth import pages as auth_pages
from guardian.web.auth.pages import HOME
from guardian.web.auth.requests import NotPermitted, NotSignedIn
from guardian.web.bodies import BoundedBodies
from guardian.web.desk import Desk
from guardian.web.headers import ProtectingHeaders
from guardian.web.metrics import Metrics
from guardian.web.pages import (
    account,
    assets,
    audit,
    case,
    check,
    evidence,
    licences,
    named_searches,
    notices,
    operations,
    operators,
    overview,
    people,
    pictures,
    queue,
    search,
    sources,
)
from guardian.web.pages.deciding import changes_text
from guardian.web.probes import CoverageReader, Readiness, probe_routes
from guardian.web.problems import problem
from guardian.web.refused_forms import form_again, page_of_form, path_of
from guardian.web.rendering import page, static_folder

API = "/api/"
_TITLES = {
    404: "Not there",
    405: "Not possible here",
    413: "Too large",
    415: "Of another kind",
    503: "Not possible now",
    400: "This cannot be shown",
}
_NOTHING_DONE = "Nothing was done"
_CHANGED_MEANWHILE = "somebody changed this case while you looked at it. Look, and decide again."

_FOR_MACHINES = (API, "/ready", "/metrics", "/coverage")


def build_app(metrics: Metrics, readiness: Readiness, read_coverage: CoverageReader, desk: Desk) -> FastAPI:
    """Return the application that the daemon serves."""
    app = FastAPI(title="guardian", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.state.read_coverage = read_coverage
    app.add_middleware(BoundedBodies, but=API)
    app.add_middleware(ProtectingHeaders, encrypted=(desk.settings.public_url or "").startswith("https:"))

    app.include_router(probe_routes(metrics, readiness, read_coverage))
    app.include_router(auth_pages.router)
    if desk.settings.oidc is not None:
        # Imported late: most desks have no provider.
        from guardian.web.auth import oidc

        app.include_router(oidc.router)
    for noun in (
        pictures,
        queue,
        case,
        evidence,
        operators,
        assets,
        licences,
        named_searches,
        notices,
        check,
        search,
        overview,
        sources,
        operations,
        audit,
        people,
        account,
    ):
        app.include_router(noun.router)
    add_api(app)
    app.mount("/static", StaticFiles(directory=static_folder()), name="static")

    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(NotPermitted, _not_permitted)
    app.add_exception_handler(UsageError, _makes_no_sense)
    app.add_exception_handler(CaseChanged, _changed_since)
    app.add_exception_handler(StoreUnusable, _not_now)
    app.add_exception_handler(VaultFull, _not_now)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _of_http)
    return app


async def _not_signed_in(request: Request, error: Exception) -> Response:
    if _is_for_machines(request):
        answer = problem(401, "Not signed in", str(error))
        answer.headers["www-authenticate"] = "Bearer"
        return answer
    # What was sent is lost, so the person comes back to where it was sent from.
    where = path_of(request.url) if request.method == "GET" else page_of_form(request)
    return RedirectResponse(f"/login?then={quote(where or HOME, safe='/')}", status_code=303)


async def _not_permitted(request: Request, error: Exception) -> Response:
    return await _fault(request, 403, "Not permitted", str(error))


async def _makes_no_sense(request: Request, error: Exception) -> Response:
    return await _fault(request, 400, _TITLES[400] if request.method == "GET" else _NOTHING_DONE, str(error))


async def _changed_since(request: Request, error: Exception) -> Response:
    if not isinstance(error, CaseChanged):
        raise error
    if not _is_for_machines(request):
        lines = [_CHANGED_MEANWHILE, *(changes_text([event]) for event in error.since)]
        return await _fault(request, 409, "Somebody was faster", "\n".join(lines))
    more = {"version": error.case.version, "since": [event_json(line) for line in error.since]}
    answer = problem(412, "Changed since", str(error), more=more)
    answer.headers["etag"] = f'"{error.case.version}"'
    return answer


async def _not_now(request: Request, error: Exception) -> Response:
    return await _fault(request, 503, "Not possible now", str(error))


async def _invalid(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    # What was sent is not repeated: it may hold a secret, or be no JSON.
    wrong = [{"where": ".".join(str(part) for part in one["loc"]), "what": one["msg"]} for one in found]
    if _is_for_machines(request):
        text = "; ".join(f"{one['where']}: {one['what']}" for one in wrong)
        return problem(422, "Invalid", text, more={"errors": wrong})
    # People know fields by their names alone; programs are told whether it is one of the body or of the address.
    text = "\n".join(f"{one['loc'][-1]}: {one['msg']}" for one in found)
    return await _fault(request, 422, _TITLES[400] if request.method == "GET" else _NOTHING_DONE, text)


async def _of_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    title = _TITLES.get(status, detail)
    return await _fault(request, status, title, detail)


async def _fault(request: Request, status: int, title: str, text: str) -> Response:
    if _is_for_machines(request):
        return problem(status, title, text)
    back = None
    if request.method != "GET":
        again = await form_again(request, status, text)
        if again is not None:
            return again
        back = page_of_form(request) or HOME
    return page(request, "fault.html", status=status, title=title, text=text, back=back)


def _is_for_machines(request: Request) -> bool:
    return request.url.path.startswith(_FOR_MACHINES) or "authorization" in request.headers
