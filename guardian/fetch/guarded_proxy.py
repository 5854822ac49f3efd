"""A proxy on loopback through which a browser reaches the web: only public addresses, within bounds, for one capture.

It looks names up itself and connects to the very address that the SSRF guard has checked, so redirects, names that
change and everything that scripts ask for end at the guard. It changes no byte of an answer and reads no secure one.
"""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import h11
from aiohappyeyeballs import start_connection

from guardian.concurrency import cancel_all
from guardian.fetch.dns import LookUp, Resolver, places_of, system_look_up
from guardian.fetch.ssrf_guard import Network, guarded_socket, refusal_text

_USER = "guardian"
_LONGEST_HEAD = 256 * 1024
_MOST_REFUSALS = 100
"""Refused targets that are named; a page that tries more is told by them already."""

_PIECE = 64 * 1024
_NOT_PASSED_ON = frozenset([b"proxy-authorization", b"proxy-connection", b"connection", b"keep-alive"])


@dataclass(frozen=True, slots=True)
class ProxyBounds:
    """What one capture may take: bytes in both directions, connections in all and at once, silence of a connection."""

    max_bytes: int = 200 * 1024**2
    connections: int = 2_000
    at_once: int = 64
    connect_timeout: timedelta = timedelta(seconds=10)
    silence: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class RefusedTarget:
    """A host that the browser asked for and was not led to; `reason` says why in words."""

    host: str
    port: int
    reason: str


class GuardedProxy:
    """A proxy for one browser, as an async context manager. It listens on loopback, on a port of its own.

    `allowed` networks are let through besides public addresses. `username` and `password` keep other programs of this
    machine out. Targets that are refused or cannot be reached get no answer, so none can be taken for a site's.
    """

    def __init__(
        self, allowed: Sequence[Network], bounds: ProxyBounds | None = None, look_up: LookUp = system_look_up
    ) -> None:
        self._bounds = bounds or ProxyBounds()
        self._make_socket = guarded_socket(allowed)
        self._resolver = Resolver(look_up, self._bounds.at_once)
        self._slots = asyncio.Semaphore(self._bounds.at_once)
        self.username, self.password = _USER, secrets.token_urlsafe(32)
        pair = f"{self.username}:{self.password}".encode()
        self._authorization = b"Basic " + base64.b64encode(pair)
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Future[None]] = set()
        self._refused: dict[tuple[str, int], RefusedTarget] = {}
        self._connections = self._bytes = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0, limit=_LONGEST_HEAD)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        await cancel_all(self._conversations)
        await self._resolver.close()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port at which the proxy listens."""
        if self._server is None:
            raise RuntimeError("GuardedProxy is used before it was opened")
        host, port = self._server.sockets[0].getsockname()
        return str(host), int(port)

    @property
    def refused(self) -> tuple[RefusedTarget, ...]:
        """What the guard kept the browser from, each host and port once, in the order in which it was asked for."""
        return tuple(self._refused.values())

    @property
    def exceeded(self) -> str | None:
        """Which bound was reached, in words; None while all is within bounds."""
        if self._bytes > self._bounds.max_bytes:
            return f"the page took more than {self._bounds.max_bytes >> 20} MiB"
        if self._connections > self._bounds.connections:
            return f"the page opened more than {self._bounds.connections} connections"
        return None

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.ensure_future(self._serve(reader, writer))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the browser, which carries one request."""
        try:
            async with self._slots:
                # What breaks here, breaks for the page; the browser says how.
                with suppress(OSError, TimeoutError, h11.ProtocolError, asyncio.IncompleteReadError):
                    await self._converse(_Browser(reader, writer))
        finally:
            writer.close()

    async def _converse(self, browser: "_Browser") -> None:
        async with asyncio.timeout(self._bounds.silence.total_seconds()):
            request = await browser.request()
        if not secrets.compare_digest(_field(request, b"proxy-authorization") or b"", self._authorization):
            await browser.answer(407, [(b"proxy-authenticate", b'Basic realm="guardian"')])
            return

        self._connections += 1
        target = _target(request)
        if target is None or self.exceeded is not None:
            return
        reader, writer = await self._connected(*target)
        try:
            if request.method == b"CONNECT":
                await browser.answer(200, [])
                await self._tunnel(browser, reader, writer)
            else:
                await self._forward(request, browser, reader, writer)
        finally:
            writer.close()

    async def _connected(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to an address of a host that the guard lets through. Raises OSError, TimeoutError."""
        try:
            async with asyncio.timeout(self._bounds.connect_timeout.total_seconds()):
                places = await places_of(host, port, self._resolver)
                made = await start_connection(places, socket_factory=self._make_socket, happy_eyeballs_delay=0.25)
        except OSError as error:
            # Several addresses that fail are one error, whose text holds those of all.
            reason = refusal_text(str(error))
            if reason is not None and len(self._refused) < _MOST_REFUSALS:
                self._refused.setdefault((host, port), RefusedTarget(host, port, reason))
            raise
        return await asyncio.open_connection(sock=made)

    async def _tunnel(self, browser: "_Browser", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes both ways until either side ends."""
        writer.write(browser.behind_request)
        ways = {
            asyncio.ensure_future(self._pump(browser.reader, writer)),
            asyncio.ensure_future(self._pump(reader, browser.writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_all(ways)

    async def _forward(
        self,
        request: h11.Request,
        browser: "_Browser",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Pass one request on without what is meant for the proxy, and its answer back as it is.

        The connection ends with the answer. What the browser might send after its request goes nowhere: the next
        request may be for another host, and would carry the proxy's password.
        """
        url = urlsplit(request.target)
        path = (url.path or b"/") + (b"?" + url.query if url.query else b"")
        fields = [(name, value) for name, value in request.headers.raw_items() if name.lower() not in _NOT_PASSED_ON]
        site = h11.Connection(h11.CLIENT)
        passed_on = h11.Request(method=request.method, target=path, headers=[*fields, (b"Connection", b"close")])
        writer.write(site.send(passed_on) or b"")
        async for event in browser.body():
            self._count(len(event.data) if isinstance(event, h11.Data) else 0)
            writer.write(site.send(event) or b"")
            await writer.drain()

        answer = asyncio.ensure_future(self._pump(reader, browser.writer))
        more = asyncio.ensure_future(browser.sends_more())
        try:
            await asyncio.wait({answer, more}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_all({answer, more})

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes one way until the end, a long silence, or a bound. Raises OSError, TimeoutError."""
        while True:
            async with asyncio.timeout(self._bounds.silence.total_seconds()):
                some = await reader.read(_PIECE)
                if not some:
                    return
                self._count(len(some))
                writer.write(some)
                await writer.drain()

    def _count(self, size: int) -> None:
        """Count bytes. Raises OSError when a bound is reached, which ends the connection."""
        self._bytes += size
        if self.exceeded is not None:
            raise OSError(self.exceeded)


class _Browser:
    """The browser's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._framing = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)

    async def request(self) -> h11.Request:
        """Return the head of the request. Raises IncompleteReadError, h11.RemoteProtocolError."""
        event = await self._next()
        if not isinstance(event, h11.Request):
            raise asyncio.IncompleteReadError(b"", None)
        return event

    async def body(self) -> AsyncIterator[h11.Data | h11.EndOfMessage]:
        """Yield the parts of the request's body, its end the last."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Data):
                yield event
            elif isinstance(event, h11.EndOfMessage):
                yield event
                return
            else:
                raise asyncio.IncompleteReadError(b"", None)

    async def sends_more(self) -> None:
        """Return when the browser sends anything, or goes away."""
        await self.reader.read(1)

    @property
    def behind_request(self) -> bytes:
        """What the browser sent after a CONNECT without waiting for its answer."""
        return self._framing.trailing_data[0]

    async def answer(self, status: int, fields: list[tuple[bytes, bytes]]) -> None:
        """Answer in the proxy's own name, without a body."""
        lines = [b"HTTP/1.1 %d guardian" % status, *(b"%s: %s" % field for field in fields)]
        if status != 200:
            lines += [b"Content-Length: 0", b"Connection: close"]
        self.writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        await self.writer.drain()

    async def _next(self) -> object:
        while (event := self._framing.next_event()) is h11.NEED_DATA:
            self._framing.receive_data(await self.reader.read(_PIECE))
        return event


def _target(request: h11.Request) -> tuple[str, int] | None:
    """Return host and port that a request is for; None for one that no proxy can serve."""
    is_tunnel = request.method == b"CONNECT"
    text = request.target.decode("ascii")
    try:
        url = urlsplit(f"//{text}" if is_tunnel else text)
        port = url.port or 80
    except ValueError:
        return None
    is_plain = url.scheme == "http"
    return (url.hostname, port) if url.hostname and (is_tunnel or is_plain) else None


def _field(request: h11.Request, wanted: bytes) -> bytes | None:
    return next((value for name, value in request.headers if name == wanted), None)
