"""Errors as programs read them: application/problem+json (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

PROBLEM = "application/problem+json"


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return an error. `detail` says what to do; `more` are members of its own, which programs may read."""
    body = {"type": "about:blank", "status": status, "title": title, "detail": detail, **(more or {})}
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=dict(headers or {}))
