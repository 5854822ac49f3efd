"""The ASGI application on loopback: /health, /ready, /metrics (Prometheus) and /coverage (the last scans, as JSON)."""

from collections.abc import Callable
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from guardian.web.metrics import Metrics

Readiness = Callable[[], dict[str, str]]
"""Problems by room name; empty when guardian can work."""

CoverageReader = Callable[[], list[dict[str, Any]]]
"""Returns one JSON object for each source: what its last scan saw, and what it did not."""


def build_app(metrics: Metrics, readiness: Readiness, read_coverage: CoverageReader) -> Starlette:
    """Return the application that the daemon serves on loopback.

    The callables may block: they run in a thread, so that a slow database does not stop the event loop.
    """

    async def health(_: Request) -> Response:
        """Say that the process lives; asks nothing else, so that a slow database gets no daemon restarted."""
        return JSONResponse({"status": "alive"})

    async def ready(_: Request) -> Response:
        """Say whether the daemon can work: 503 and the problems if not."""
        problems = await run_in_threadpool(readiness)
        return JSONResponse({"ready": not problems, "problems": problems}, status_code=503 if problems else 200)

    async def show_metrics(_: Request) -> Response:
        """Print all metrics in the text format of Prometheus."""
        text = await run_in_threadpool(generate_latest, metrics.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def show_coverage(_: Request) -> Response:
        """Show what the last scan of each source saw."""
        return JSONResponse({"sources": await run_in_threadpool(read_coverage)})

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/ready", ready),
            Route("/metrics", show_metrics),
            Route("/coverage", show_coverage),
        ],
    )
