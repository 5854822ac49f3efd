"""The ASGI application: /health says the process lives, /ready that it can work, /metrics what it did.

/coverage says what the last scan of each source saw.
"""

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

Covered = Callable[[], list[dict[str, Any]]]
"""One JSON object for each source: what its last scan saw, and what it did not."""


def build_app(metrics: Metrics, readiness: Readiness, covered: Covered) -> Starlette:
    """The application that the daemon serves on loopback."""

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(_: Request) -> Response:
        problems = await run_in_threadpool(readiness)
        return JSONResponse({"ready": not problems, "problems": problems}, status_code=503 if problems else 200)

    async def show_metrics(_: Request) -> Response:
        text = await run_in_threadpool(generate_latest, metrics.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def show_coverage(_: Request) -> Response:
        return JSONResponse({"sources": await run_in_threadpool(covered)})

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/ready", ready),
            Route("/metrics", show_metrics),
            Route("/coverage", show_coverage),
        ],
    )
