"""Bounds what a request may send: forms are read, and their files written to the disk, before it is known whose."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_FORM_BYTES = 1_000_000
_MOST_UPLOAD_BYTES = 64_000_000


class BoundedBodies:
    """Refuses (413) what is larger than a form of the desk. Paths that begin with `but` have bounds of their own."""

    def __init__(self, app: ASGIApp, *, but: str) -> None:
        self._app, self._but = app, but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not scope["path"].startswith(self._but):
            headers = Headers(scope=scope)
            is_upload = headers.get("content-type", "").lower().startswith("multipart/")
            receive = bounded(receive, headers, _MOST_UPLOAD_BYTES if is_upload else _MOST_FORM_BYTES)
        await self._app(scope, receive, send)


def bounded(receive: Receive, headers: Headers, most: int) -> Receive:
    """Return what receives a request's body, of at most so many bytes. It raises HTTPException (413) beyond."""
    announced = headers.get("content-length", "")
    too_large = HTTPException(413, f"the body may have {most:,} bytes at most")
    seen = 0

    async def receive_bounded() -> Message:
        nonlocal seen
        if announced.isdecimal() and int(announced) > most:
            raise too_large
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise too_large
        return message

    return receive_bounded
