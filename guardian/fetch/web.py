"""Fetches addresses that other people chose: behind the SSRF guard, politely, by robots.txt, bounded in every way.

httpx's requests and answers go over its transport seam, where aiohttp carries them: a tenth of the processor
time that httpx's own transport spends with many requests in flight. There is no client above the seam, so no
cookies, redirects, passwords or proxies that would have to be switched off.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch import robots
from guardian.fetch.bandwidth import Bandwidth
from guardian.fetch.credentials import Credentials
from guardian.fetch.decoding import CODINGS, Decoder, NotDecodable
from guardian.fetch.dns import LookUp, Resolver, system_look_up
from guardian.fetch.retry_after import parse_retry_after
from guardian.fetch.robots import Robots
from guardian.fetch.settings import FetchSettings
from guardian.fetch.ssrf_guard import MARK, guarded_socket
from guardian.fetch.throttle import LONGEST_PAUSE, Take, Throttle
from guardian.model import Remembered, Response, Retry, SkipReason
from guardian.urls.addresses import escape_unprintable, host_of, host_without_www, remove_dot_segments

Kind = Literal["page", "image", "document", "robots"]

_ACCEPT: Mapping[Kind, str] = {
    "page": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5",
    "image": "image/avif,image/webp,image/png,image/jpeg,image/*;q=0.9,*/*;q=0.5",
    "document": "application/xml,text/xml,application/feed+json,text/css,*/*;q=0.5",
    "robots": "text/plain,*/*;q=0.5",
}
_USUAL_PORTS = {"http": 80, "https": 443}
_NEVER: Mapping[Kind, tuple[str, ...]] = {
    "page": ("video/", "audio/", "font/", "application/zip", "application/pdf"),
    "image": ("video/", "audio/", "font/"),
    "document": ("video/", "audio/", "font/"),
    "robots": (),
}
"""Media types that servers do not state by mistake: such an answer is refused before its body is read."""

_NOT_OF_KIND: Mapping[Kind, SkipReason] = {
    "page": SkipReason.NOT_A_PAGE,
    "image": SkipReason.NOT_AN_IMAGE,
    "document": SkipReason.WRONG_TYPE,
    "robots": SkipReason.WRONG_TYPE,
}

_REDIRECTS = frozenset([301, 302, 303, 307, 308])
_TOO_BUSY = frozenset([429, 503])
_FAILED_BRIEFLY = frozenset([500, 502, 504])
_LONGEST_ADDRESS = 8000
_MOST_OF_AN_ERROR = 500
_ESCAPED_DOT = re.compile("%2e", re.IGNORECASE)
_LONGEST_HEADER, _MOST_HEADERS = 32 * 1024, 200
"""Bytes. Shops send security policies and preloads of some ten kilobytes; browsers allow 256."""

_connected_to: ContextVar[str | None] = ContextVar("connected_to", default=None)
"""The IP address that answers the request of this task. The transport has no other way to hand it on."""


class AskedBy(StrEnum):
    """Who waits for an answer: a scan, which obeys robots.txt and its host's pauses, or a person, as in a browser."""

    SCAN = "scan"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What holds for all requests of one scan or one check.

    A request for a person ignores robots.txt, working hours and the pause between requests. `credentials` are sent to
    their own origin only.
    """

    asked_by: AskedBy = AskedBy.SCAN
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True)
class _Extras:
    """What a request carries besides its URL. Whether it may is decided anew at each hop of a redirect."""

    known: Remembered | None = None
    credentials: Credentials | None = None


_FOR_A_SCAN = FetchPolicy()


class _Answer(aiohttp.ClientResponse):
    """Notes which IP address answers while the connection is still open; afterwards it is forgotten."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        _connected_to.set(str(peer[0]) if peer else None)
        return await super().start(connection)


class WebClient:
    """A client for addresses that came from anywhere. Use as an async context manager, one for a process.

    `clock` dates the answers, `look_up` finds the addresses of names, `take` counts the requests of a day (by
    default in memory). Cookies are not kept, environment proxies not used, certificates verified.
    """

    def __init__(
        self,
        settings: FetchSettings,
        clock: Callable[[], datetime],
        look_up: LookUp = system_look_up,
        take: Take | None = None,
    ) -> None:
        self._settings, self._clock, self._look_up = settings, clock, look_up
        self._throttle = Throttle(settings, clock, take)
        self._bandwidth = Bandwidth(settings.max_bandwidth)
        self._robots = Robots(self._read_robots, settings.robots_token, clock)
        self._transport: AiohttpTransport | None = None
        # The site is told who asks, and what can be decoded.
        self._headers = {
            "user-agent": settings.user_agent_header,
            "accept-encoding": "gzip, deflate",
            "accept-language": "en, *;q=0.5",
        }
        self._timeouts = {
            "connect": settings.connect_timeout.total_seconds(),
            "read": settings.read_timeout.total_seconds(),
        }

    async def __aenter__(self) -> Self:
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
        settings = self._settings
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                # No limit of its own: the throttle bounds the requests in flight.
                limit=0,
                ssl=context,
                socket_factory=guarded_socket(settings.networks),
                resolver=Resolver(self._look_up, settings.requests_at_once),
                keepalive_timeout=20,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            response_class=_Answer,
            skip_auto_headers=("accept", "accept-encoding", "user-agent"),
            # _exchange bounds the whole; waiting for bandwidth must not count.
            timeout=aiohttp.ClientTimeout(total=None),
            max_field_size=_LONGEST_HEADER,
            max_headers=_MOST_HEADERS,
        )
        self._transport = AiohttpTransport(client=session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    async def get(
        self,
        url: str,
        *,
        kind: Kind,
        policy: FetchPolicy = _FOR_A_SCAN,
        known: Remembered | None = None,
    ) -> Response:
        """Fetch a URL, following redirects, and return the answer with its whole body.

        `policy` says who asks. With `known` the request is conditional; the answer may then be `not_modified`, with an
        empty body.
        Raises FetchRefused (robots, robots_unreachable, not_a_page, not_an_image, wrong_type,
        address, scheme, bad_address, too_large, redirects, host_busy, budget) and FetchFailed (timeout,
        dns, connect, tls, broken, encoding, redirect_loop, status_N).
        """
        seen = set[str]()
        current = _fetchable(url)
        for _ in range(self._settings.max_redirects + 1):
            if current in seen:
                raise FetchFailed(SkipReason.REDIRECT_LOOP, url, f"redirects lead back to {current}")
            seen.add(current)
            # Each hop of a redirect may lie on another host, with a robots.txt and a pause of its own.
            delay = None if policy.asked_by is AskedBy.PERSON else await self._delay_for(current)
            response = await self._exchange_with_retries(current, kind, delay, _Extras(known, policy.credentials))
            target = _target(response, current)
            if target is None:
                return _accepted(response, url)
            current = target
        raise FetchRefused(SkipReason.REDIRECTS, url, f"more than {self._settings.max_redirects} redirects")

    async def is_forbidden(self, url: str) -> bool:
        """Return whether robots.txt keeps scans away from a URL; False when it cannot be fetched soon."""
        try:
            # A person waits: a host that is slow or busy is not asked twice for the sake of a note.
            async with asyncio.timeout(self._settings.read_timeout.total_seconds()):
                await self._robots.check(_fetchable(url))
        except FetchRefused as error:
            return error.reason is SkipReason.ROBOTS
        except TimeoutError:
            return False
        return False

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the sitemaps that a host's robots.txt names. Raises FetchRefused (address, host_busy, budget)."""
        await self._throttle.working_hours()
        return await self._robots.sitemaps(_fetchable(url))

    async def _delay_for(self, url: str) -> timedelta:
        """Return the delay that settings and robots.txt ask for. Raises FetchRefused when robots.txt forbids it."""
        await self._throttle.working_hours()
        wished = await self._robots.check(url)
        shortest = self._settings.delay_per_host
        return shortest if wished is None else max(shortest, min(wished, self._settings.max_delay))

    async def _read_robots(self, url: str) -> Response:
        """Fetch a robots.txt, following redirects, and return it whatever its status; the last of too many redirects.

        It is a request like others: it waits for its host's turn, is repeated when that may help, and counts.
        """
        current = _fetchable(url)
        for _ in range(max(self._settings.max_redirects, robots.LEAST_REDIRECTS) + 1):
            response = await self._exchange_with_retries(current, "robots", self._settings.delay_per_host, _Extras())
            target = _target(response, current)
            if target is None:
                break
            current = target
        return response

    async def _exchange_with_retries(self, url: str, kind: Kind, delay: timedelta | None, extras: _Extras) -> Response:
        """Make one exchange; repeat it where that may help: a broken answer at once, a busy host after its pause."""
        tries = 1 if delay is None else 1 + self._settings.retries
        for left in reversed(range(tries)):
            try:
                response = await self._exchange(url, kind, delay, extras)
            except FetchFailed as error:
                if not left or error.reason.retry is not Retry.AT_ONCE:
                    raise
                # What broke may be the 304 itself, which some servers send with a body.
                extras = replace(extras, known=None)
                continue

            if response.status in _TOO_BUSY:
                pause = parse_retry_after(response.header("retry-after"), self._clock())
                if pause is None:
                    pause = self._settings.busy_pause * 2 ** (tries - left - 1)
                self._throttle.slow_down(_host(url), min(pause, LONGEST_PAUSE))
            elif response.status not in _FAILED_BRIEFLY:
                self._throttle.speed_up(_host(url))
                return response
        return response

    async def _exchange(self, url: str, kind: Kind, delay: timedelta | None, extras: _Extras) -> Response:
        """Make one request and return its whole answer, whatever its status, in this host's turn."""
        async with self._throttle.turn(_host(url), url, delay):
            limit = self._settings.timeout.total_seconds()
            try:
                async with asyncio.timeout(limit) as deadline:
                    return await self._receive(url, kind, extras, deadline)
            except TimeoutError as error:
                raise FetchFailed(SkipReason.TIMEOUT, url, f"not complete within {limit:g} s") from error
            except (httpx.HTTPError, aiohttp.ClientError) as error:
                raise _as_fetch_error(url, error) from error
            except (httpx.InvalidURL, ValueError) as error:
                raise FetchRefused(SkipReason.BAD_ADDRESS, url, str(error)) from error

    async def _receive(self, url: str, kind: Kind, extras: _Extras, deadline: asyncio.Timeout) -> Response:
        """Send one request and return its answer; redirects and errors come without their body."""
        if self._transport is None:
            raise RuntimeError("WebClient is used before it was opened")

        conditions = _conditions(url, extras.known)
        credentials = extras.credentials.headers_for(url) if extras.credentials else {}
        headers = {**self._headers, "accept": _ACCEPT[kind], **conditions, **credentials}
        request = httpx.Request("GET", url, headers=headers, extensions={"timeout": self._timeouts})
        _connected_to.set(None)
        answer = await self._transport.handle_async_request(request)

        try:
            wanted = answer.status_code not in _REDIRECTS and answer.status_code < 400
            content = await self._body(answer, url, kind, deadline) if wanted else b""
        finally:
            await answer.aclose()
        return Response(
            url=url,
            final_url=url,
            status=answer.status_code,
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw),
            content=content,
            fetched_at=self._clock(),
            remote_address=_connected_to.get(),
            not_modified=answer.status_code == 304 and bool(conditions),
        )

    async def _body(self, answer: httpx.Response, url: str, kind: Kind, deadline: asyncio.Timeout) -> bytes:
        """Return the decoded body. Its size is checked while it comes, before and after decompression."""
        limit, stated = self._most_bytes(kind), answer.headers.get("content-length", "")
        if answer.headers.get("content-type", "").strip().lower().startswith(_NEVER[kind]):
            raise FetchRefused(_NOT_OF_KIND[kind], url, f"the site says it is {answer.headers['content-type'][:100]}")
        if kind != "robots" and stated.isdecimal() and int(stated[:18]) > limit:
            raise FetchRefused(SkipReason.TOO_LARGE, url, f"{stated} bytes, more than the limit of {limit}")

        decoder, body, received = Decoder(_coding(answer, url)), bytearray(), 0
        try:
            async for chunk in answer.aiter_raw():
                received += len(chunk)
                body += decoder.feed(chunk, limit - len(body))
                # Both sizes: endless padding decodes to nothing.
                if len(body) > limit or received > limit:
                    break
                waited = await self._bandwidth.take(len(chunk))
                if waited:
                    # Time that our own limit of bandwidth takes is not the site's slowness.
                    deadline.reschedule((deadline.when() or 0.0) + waited)
            else:
                decoder.finish()
        except NotDecodable as error:
            raise FetchFailed(SkipReason.ENCODING, url, str(error)) from error

        if kind != "robots" and (len(body) > limit or received > limit):
            raise FetchRefused(SkipReason.TOO_LARGE, url, f"more than the limit of {limit} bytes")
        return bytes(body[:limit])

    def _most_bytes(self, kind: Kind) -> int:
        """Return how many bytes of body an answer of this kind may have."""
        if kind == "robots":
            return robots.MAX_BYTES
        return self._settings.max_image_bytes if kind == "image" else self._settings.max_page_bytes


def _fetchable(url: str) -> str:
    """Return a URL as it is requested: http or https, without fragment, user name and password.

    Raises FetchRefused (scheme, bad_address).
    """
    address = url.strip()
    try:
        parts = urlsplit(address)
        # The throttle and robots.txt need the canonical host. Reading the port raises if it is not a number.
        host, port = host_of(address), parts.port
    except ValueError as error:
        raise FetchRefused(SkipReason.BAD_ADDRESS, url, str(error)) from error

    if parts.scheme.lower() not in ("http", "https"):
        raise FetchRefused(
            SkipReason.SCHEME, url, f"{parts.scheme or 'an address without scheme'} is not http or https"
        )
    # Parsers disagree about a backslash: which part is the host must not depend on who reads it.
    if not host or port == 0 or "\\" in parts.netloc or not parts.netloc.isprintable():
        raise FetchRefused(SkipReason.BAD_ADDRESS, url, "no host in it")
    if len(address) > _LONGEST_ADDRESS:
        raise FetchRefused(SkipReason.BAD_ADDRESS, url, f"longer than {_LONGEST_ADDRESS} characters")

    scheme = parts.scheme.lower()
    # With and without its default port a host is one host to the throttle.
    is_usual = port is None or port == _USUAL_PORTS[scheme]
    origin = (f"[{host}]" if ":" in host else host) + ("" if is_usual else f":{port}")
    # robots.txt is read for the path that is asked for: the transport would resolve what leads upwards only later.
    path = remove_dot_segments(_ESCAPED_DOT.sub(".", escape_unprintable(parts.path)))
    return urlunsplit((scheme, origin, path, escape_unprintable(parts.query), ""))


def _target(response: Response, current: str) -> str | None:
    """Return the URL to which a redirect leads; None when the answer is no redirect or names no target."""
    location = response.header("location") if response.status in _REDIRECTS else None
    if location is None:
        return None
    # Headers are read as Latin-1, but what servers write beyond ASCII is UTF-8.
    with suppress(UnicodeDecodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        return _fetchable(urljoin(current, location))
    except ValueError as error:
        raise FetchRefused(SkipReason.BAD_ADDRESS, location, str(error)) from error


def _coding(answer: httpx.Response, url: str) -> str:
    """Return the one content coding of an answer, "" for none. Raises FetchFailed for others, and for several."""
    stated = answer.headers.get("content-encoding", "").lower().split(",")
    codings = [coding for coding in (part.strip() for part in stated) if coding not in ("", "identity")]
    if len(codings) > 1 or not set(codings) <= CODINGS:
        raise FetchFailed(SkipReason.ENCODING, url, f"content-encoding {', '.join(codings)} was not asked for")
    return codings[0] if codings else ""


def _host(url: str) -> str:
    """Return the name under which the throttle counts a URL: its host without www and port, mostly one machine."""
    return host_without_www(url)


def _conditions(url: str, known: Remembered | None) -> dict[str, str]:
    """Return the header of a conditional request (RFC 9110, 13.1), at most one; none for another URL than `known`.

    The ETag alone where there is one: some servers answer 304 for an old date though the ETag has changed.
    """
    if known is None or _fetchable(known.url) != url:
        return {}
    validators = {"if-none-match": known.etag, "if-modified-since": known.last_modified}
    usable = [(name, value) for name, value in validators.items() if value and value.isascii() and value.isprintable()]
    return dict(usable[:1])


def _accepted(response: Response, url: str) -> Response:
    """Return an answer with the URL that was asked for. Raises FetchFailed (status_N) for anything but success."""
    if response.status != 200 and not response.not_modified:
        raise FetchFailed(SkipReason.HTTP_STATUS, url, f"the site answered {response.status}", response.status)
    return replace(response, url=url)


def _as_fetch_error(url: str, error: Exception) -> FetchFailed | FetchRefused:
    """Return the error of the transport as guardian's own, with its reason."""
    # The error of aiohttp, which is the cause, tells more kinds apart than that of httpx.
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    text = str(cause) or type(cause).__name__
    if MARK in text:
        return FetchRefused(SkipReason.PRIVATE_ADDRESS, url, text[text.index(MARK) :].rstrip("]"))

    # It may quote all that the site sent: a picture where no body may be becomes a text four times as long.
    text = text[:_MOST_OF_AN_ERROR]
    if isinstance(cause, (aiohttp.ServerTimeoutError, TimeoutError)):
        return FetchFailed(SkipReason.TIMEOUT, url, "the site was silent for too long")
    if isinstance(cause, (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)):
        return FetchFailed(SkipReason.TLS, url, text)
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return FetchFailed(SkipReason.DNS, url, text)
    if isinstance(cause, aiohttp.ClientConnectorError):
        return FetchFailed(SkipReason.CONNECT, url, text)
    return FetchFailed(SkipReason.BROKEN, url, text)
