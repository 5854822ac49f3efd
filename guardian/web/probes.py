"""What machines ask: /health, /ready, /metrics (Prometheus) and /coverage (the last scans, as JSON).

/health answers everybody. The others answer this machine, and elsewhere whoever may read operations.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from guardian.model import Permission
from guardian.web.auth.requests import NotPermitted, acting
from guardian.web.client import is_this_machine
from guardian.web.metrics import Metrics

Readiness = Callable[[], dict[str, str]]
"""Problems by the part that has them; empty when guardian can work."""

CoverageReader = Callable[[], list[dict[str, Any]]]
"""Returns one JSON object for each source: what its last scan saw, and what it did not."""


async def _is_let_in(request: Request) -> None:
    """Let programs of this machine in without a token, as before there were any. Raises NotSignedIn, NotPermitted."""
    if is_this_machine(request):
        return
    actor = await acting(request)
    if not actor.may(Permission.OPERATIONS_READ):
        raise NotPermitted(f"{actor.name} may not do this; it needs {Permission.OPERATIONS_READ.value}")


def probe_routes(metrics: Metrics, readiness: Readiness, read_coverage: CoverageReader) -> APIRouter:
    """Return the routes. The callables may block: they run in a thread, so that a slow database stops no event loop."""
    router = APIRouter(include_in_schema=False)
    guarded = APIRouter(dependencies=[Depends(_is_let_in)], include_in_schema=False)

    @router.get("/health")
    async def health() -> Response:
        """Say that the process lives; asks nothing else, so that a slow database gets no daemon restarted."""
        return JSONResponse({"status": "alive"})

    @guarded.get("/ready")
    async def ready() -> Response:
        """Say whether the daemon can work: 503 and the problems if not."""
        problems = await run_in_threadpool(readiness)
        return JSONResponse({"ready": not problems, "problems": problems}, status_code=503 if problems else 200)

    @guarded.get("/metrics")
    async def show_metrics() -> Response:
        """Print all metrics in the text format of Prometheus."""
        text = await run_in_threadpool(generate_latest, metrics.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    @guarded.get("/coverage")
    async def show_coverage() -> Response:
        """Show what the last scan of each source saw."""
        return JSONResponse({"sources": await run_in_threadpool(read_coverage)})

    router.include_router(guarded)
    return router
