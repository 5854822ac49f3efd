"""The headers that keep the desk's pages from being used against their readers; set on every response."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # What is seen when signed in must not come out of a cache when signed out.
    "cache-control": "no-store",
}

_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


class ProtectingHeaders:
    """Adds the headers where a response does not set them itself, and refuses what pages of other sites send.

    Browsers say in Sec-Fetch-Site where a request was made; a form of another site never is one of ours.
    """

    def __init__(self, app: ASGIApp, *, encrypted: bool) -> None:
        self._app = app
        self._headers = dict(_HEADERS)
        if encrypted:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in self._headers.items()
                        if name.encode() not in given
                    ),
                ]
            await send(message)

        if scope["method"] in _UNSAFE and _is_of_another_site(scope):
            await send_with_headers(
                {
                    "type": "http.response.start",
                    "status": 403,
                    "headers": [(b"content-type", b"text/plain; charset=utf-8")],
                }
            )
            await send({"type": "http.response.body", "body": b"this was sent by a page of another site\n"})
            return
        await self._app(scope, receive, send_with_headers)


def _is_of_another_site(scope: Scope) -> bool:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none")
