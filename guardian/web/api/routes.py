"""All operations under /api/v1, and their description (OpenAPI)."""

import asyncio
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from guardian import __version__
from guardian.web.api import (
    assets,
    cases,
    checks,
    decisions,
    events,
    evidence,
    licences,
    notices,
    operations,
    people,
    search,
    views,
)
from guardian.web.api.answers import PROBLEM_MODELS
from guardian.web.api.limits import RequestLimits
from guardian.web.api.routing import KEY_HEADER, LONGEST_KEY, GuardedRoute

PREFIX = "/api/v1"

DESCRIPTION = """All that the desk's pages do, for programs. See docs/api.md.

Show a token (`guardian token add`) as `Authorization: Bearer guardian_...`. Errors are application/problem+json, and
`detail` says what to do. Fields may be added to answers at any time; none is taken away within /api/v1.
"""

_TAGS = (
    ("cases", "One use of one of your works by one operator each."),
    ("decisions", "What people decide about cases; each can be undone."),
    ("views", "Choices of the queue that somebody has saved; for people who are signed in."),
    ("evidence", "What proves a case: captures, holds, bundles."),
    ("assets", "Your pictures."),
    ("licences", "Who may use what, where and when."),
    ("notices", "Drafts of notices, what people did with them, and whether the copies went away."),
    ("operators", "Who uses your works."),
    ("sources", "The places that are watched, and what was seen of them."),
    ("deliveries", "Messages to your destinations."),
    ("checks", "Is this a copy? Nothing is recorded unless you ask for it."),
    ("search", "What is like a picture, or has some words? Nothing is recorded."),
    ("events", "New and changed cases as they come."),
    ("people", "Who may do what; for admins."),
    ("audit", "Who did what, when and from where; for admins."),
    ("settings", "The configuration that is at work; for admins."),
)


_ROUTERS = (
    cases.router,
    decisions.router,
    views.router,
    evidence.router,
    assets.router,
    licences.router,
    notices.router,
    operations.router,
    operations.unremembered,
    checks.router,
    search.router,
    events.router,
    people.router,
)


def add_api(app: FastAPI) -> None:
    """Add the operations to an application, and their description at /api/v1/openapi.json."""
    app.state.limits = RequestLimits()
    app.state.streams = set[object]()
    app.state.closing = asyncio.Event()
    api = APIRouter(prefix=PREFIX)
    for router in _ROUTERS:
        api.include_router(router)
    app.include_router(api)

    @app.get(f"{PREFIX}/openapi.json", include_in_schema=False)
    async def describe(request: Request) -> Response:
        """Return the description; it holds nothing secret, so it needs no sign-in."""
        return JSONResponse(described(request.app))


def described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description of the API; it is made once."""
    made: dict[str, Any] | None = getattr(app.state, "openapi", None)
    if made is None:
        made = app.state.openapi = _made(app)
    return made


def _made(app: FastAPI) -> dict[str, Any]:
    text = get_openapi(
        title="guardian",
        version=__version__,
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": words} for name, words in _TAGS],
    )
    components = text.setdefault("components", {})
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    text["security"] = [{"token": []}]
    for model in PROBLEM_MODELS:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        components["schemas"] |= schema.pop("$defs", {})
        components["schemas"][model.__name__] = schema

    for route in (route for router in _ROUTERS for route in router.routes):
        if isinstance(route, GuardedRoute) and route.remembers:
            for method in (route.methods or set()) & {"POST", "PATCH", "DELETE"}:
                operation = text["paths"][PREFIX + route.path_format][method.lower()]
                operation.setdefault("parameters", []).append(_KEY)
    return text


_KEY = {
    "name": KEY_HEADER.title(),
    "in": "header",
    "required": False,
    "description": "A random text: the same request within a day is not done again and gets the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
}
