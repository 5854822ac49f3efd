"""What happens around every operation: who asks, how often, how much is sent, and whether it was sent before.

An answer under an Idempotency-Key is kept for a day. Errors are not: what was sent is looked at anew.
"""

import hashlib
import math
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from guardian.model import Actor
from guardian.store.idempotency import KeptAnswer, KeyedRequest
from guardian.web.api.limits import RequestLimits
from guardian.web.auth.requests import acting
from guardian.web.bodies import bounded
from guardian.web.desk import desk_of
from guardian.web.problems import problem

KEY_HEADER = "idempotency-key"
KEPT_FOR = timedelta(days=1)
LONGEST_KEY = 200

MOST_JSON_BYTES = 1_000_000
_MOST_PICTURE_BYTES = 64_000_000
_ROOM_FOR_FORM = 100_000
"""What a form needs beside the picture in it."""

_KEPT_HEADERS = ("content-type", "etag", "location")
_WRITING = ("POST", "PUT", "PATCH", "DELETE")

Answering = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that asks who comes, bounds what it takes, and answers a repeated request as it did before."""

    remembers = True
    """Whether answers are kept under an Idempotency-Key."""

    def get_route_handler(self) -> Answering:
        """Return what answers a request."""
        answer = super().get_route_handler()
        remembers = self.remembers

        async def guarded(request: Request) -> Response:
            request = Request(request.scope, bounded(request.receive, request.headers, _bound_of(request)))
            actor = await acting(request)
            limits: RequestLimits = request.app.state.limits
            wait = limits.take(actor)
            if wait is not None:
                seconds = str(math.ceil(wait))
                return problem(
                    429, "Too many requests", f"wait {seconds} s, then go on", headers={"retry-after": seconds}
                )

            key = request.headers.get(KEY_HEADER)
            if key is None or request.method not in _WRITING:
                return await answer(request)
            if not remembers:
                raise HTTPException(400, "the answer of this operation is not kept, so it takes no Idempotency-Key")
            if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
                raise HTTPException(400, f"an Idempotency-Key has 1 to {LONGEST_KEY} printable characters")
            return await _answered_once(request, actor, key, answer)

        return guarded


class UnrememberedRoute(GuardedRoute):
    """A guarded route whose answers must not be kept: they hold secrets, or nothing may be recorded of them."""

    remembers = False


async def _answered_once(request: Request, actor: Actor, key: str, answer: Answering) -> Response:
    """Return the answer of the first request with this key, which is made now if there was none."""
    store, clock = desk_of(request).store, desk_of(request).clock
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(request.headers.get("if-match", "").encode())
    digest.update(await request.body())
    claim = KeyedRequest(f"{actor.kind.value}:{actor.name}", key, digest.hexdigest())

    def begin() -> KeptAnswer | None:
        with store.begin() as tx:
            return tx.idempotency.claim(claim, clock(), KEPT_FOR)

    earlier = await run_in_threadpool(begin)
    if earlier is not None:
        return _of_earlier(earlier, claim)

    def end(kept: KeptAnswer | None) -> None:
        with store.begin() as tx:
            if kept is not None:
                tx.idempotency.keep(claim, kept)
            else:
                tx.idempotency.release(claim)

    kept: KeptAnswer | None = None
    try:
        response = await answer(request)
        if response.status_code < 400:
            headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
            kept = KeptAnswer(claim.digest, response.status_code, headers, bytes(response.body))
        return response
    finally:
        await run_in_threadpool(end, kept)


def _of_earlier(earlier: KeptAnswer, claim: KeyedRequest) -> Response:
    if earlier.digest != claim.digest:
        return problem(
            422, "Another request", "this Idempotency-Key was used for another request; choose a new one", more=_NONE
        )
    if earlier.status is None:
        return problem(
            409,
            "Still at work",
            "the request with this Idempotency-Key is still being answered; ask again",
            headers={"retry-after": "1"},
        )
    headers = {**earlier.headers, "idempotency-replayed": "true"}
    return Response(earlier.body, status_code=earlier.status, headers=headers)


_NONE: dict[str, list[str]] = {"errors": []}


def _bound_of(request: Request) -> int:
    content_type = request.headers.get("content-type", "").lower()
    if not content_type.startswith(("multipart/", "image/", "application/octet-stream")):
        return MOST_JSON_BYTES
    services = desk_of(request).services
    return (services.settings.max_image_bytes if services is not None else _MOST_PICTURE_BYTES) + _ROOM_FOR_FORM
