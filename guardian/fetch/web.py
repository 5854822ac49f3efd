"""Fetches addresses that other people chose: behind the SSRF guard, politely, by robots.txt, bounded in every way.

httpx's requests and answers go over its transport seam, where aiohttp carries them: a tenth of the processor
time that httpx's own transport spends with many requests in flight. There is no client above the seam, so no
cookies, redirects, passwords or proxies that would have to be switched off.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch import robots
from guardian.fetch.bandwidth import Bandwidth
from guardian.fetch.bodies import BodyReader, Kind, Received, missing_of_range
from guardian.fetch.credentials import Credentials
from guardian.fetch.dns import LookUp, Resolver, system_look_up
from guardian.fetch.lenient import LenientTransport
from guardian.fetch.recording import Recorder, Tape
from guardian.fetch.referrer import referer
from guardian.fetch.request_url import REDIRECTS, bad_address_text, redirect_target, requested_url
from guardian.fetch.retry_after import parse_retry_after
from guardian.fetch.robots import Robots
from guardian.fetch.settings import FetchSettings
from guardian.fetch.ssrf_guard import guarded_socket
from guardian.fetch.throttle import LONGEST_PAUSE, Take, Throttle
from guardian.fetch.tls import trusting_context, verifying_context
from guardian.fetch.transport_errors import as_fetch_error, certificate_problem, is_odd_http
from guardian.media.sniff import begins_as_picture
from guardian.model import Referrer, Remembered, Response, Retry, SkipReason
from guardian.urls.addresses import host_of, host_without_www

_ACCEPT: Mapping[Kind, str] = {
    "page": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5",
    "image": "image/avif,image/webp,image/png,image/jpeg,image/*;q=0.9,*/*;q=0.5",
    "document": "application/xml,text/xml,application/feed+json,text/css,*/*;q=0.5",
    "robots": "text/plain,*/*;q=0.5",
}
_TOO_BUSY = frozenset([429, 503])
_FAILED_BRIEFLY = frozenset([500, 502, 504])
_SUCCESS = frozenset([200, 203, 206])
_ODD_HOSTS_REMEMBERED = 1_000
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
    their own origin only. `recorder` is told of each exchange byte by byte, those of redirects and failures too; only
    reading robots.txt is not recorded. `any_certificate`: a site whose certificate does not verify is asked again over
    a connection whose other end nobody vouches for, without credentials.
    """

    asked_by: AskedBy = AskedBy.SCAN
    credentials: Credentials | None = None
    recorder: Recorder | None = None
    any_certificate: bool = False


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One request as it is made: for what and for whom, and how the connection is made and read.

    `delay` is the pause of its host; None where a person waits. What goes along with the request (credentials,
    referrer, validators) is decided anew at each hop of a redirect. `leniently`: the answer may break the rules of
    HTTP. `unverified`: why the certificate did not verify of a site that is asked all the same; None for all others.
    """

    url: str
    kind: Kind
    delay: timedelta | None
    policy: FetchPolicy
    known: Remembered | None = None
    referrer: Referrer | None = None
    leniently: bool = False
    unverified: str | None = None

    @property
    def credentials(self) -> Credentials | None:
        """What guardian signs in with; None where nobody vouches for who answers."""
        return self.policy.credentials if self.unverified is None else None


_FOR_A_SCAN = FetchPolicy()
_FOR_ROBOTS = FetchPolicy(any_certificate=True)
"""What a file says that anybody may have written can only hold guardian back: nothing secret goes there."""


class _Answer(aiohttp.ClientResponse):
    """Notes which IP address answers while the connection is still open; afterwards it is forgotten."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        _connected_to.set(str(peer[0]) if peer else None)
        return await super().start(connection)


class WebClient:
    """A client for addresses that came from anywhere. Use as an async context manager, one for a process.

    `clock` dates the answers, `look_up` finds the addresses of names, `take` counts the requests of a day (by
    default in memory). Cookies are not kept, environment proxies not used, certificates verified but for policies of
    `any_certificate`.
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
        self._bodies = BodyReader(settings, Bandwidth(settings.max_bandwidth))
        self._robots = Robots(self._read_robots, settings.robots_token, clock)
        self._transport: AiohttpTransport | None = None
        self._lenient: LenientTransport | None = None
        self._unverified: LenientTransport | None = None
        # Hosts whose answers the usual parser refused, the latest last: they are read leniently at once.
        self._odd_hosts: OrderedDict[str, None] = OrderedDict()
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
        context = verifying_context()
        settings = self._settings
        make_socket = guarded_socket(settings.networks)
        resolver = Resolver(self._look_up, settings.requests_at_once)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                # No limit of its own: the throttle bounds the requests in flight.
                limit=0,
                ssl=context,
                socket_factory=make_socket,
                resolver=resolver,
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
        self._transport = AiohttpTransport(verify=context, client=session)
        self._lenient = LenientTransport(context, resolver, make_socket, _connected_to.set)
        self._unverified = LenientTransport(trusting_context(), resolver, make_socket, _connected_to.set)
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
        referrer: Referrer | None = None,
    ) -> Response:
        """Fetch a URL, following redirects, and return the answer with its whole body.

        `policy` says who asks, and `referrer` for the sake of which page. With `known` the request is conditional; the
        answer may then be `not_modified`, with an empty body. Of kind "image" a picture is an answer whatever its
        status, as in a browser, and so is a part of one. What a connection that was cut off brought is an answer that
        says so (`incomplete`).
        Raises FetchRefused (robots, robots_unreachable, not_a_page, not_an_image, wrong_type,
        address, scheme, bad_address, too_large, redirects, host_busy, budget) and FetchFailed (timeout,
        dns, connect, tls, broken, encoding, redirect_loop, status_N).
        """
        seen = set[str]()
        current = requested_url(url)
        for _ in range(self._settings.max_redirects + 1):
            if current in seen:
                raise FetchFailed(SkipReason.REDIRECT_LOOP, url, f"redirects lead back to {current}")
            seen.add(current)
            # Each hop of a redirect may lie on another host, with a robots.txt and a pause of its own.
            delay = None if policy.asked_by is AskedBy.PERSON else await self._delay_for(current)
            response = await self._exchange_with_retries(_Attempt(current, kind, delay, policy, known, referrer))
            target = redirect_target(response, current)
            if target is None:
                return _accepted(response, url, kind)
            current = target
        raise FetchRefused(SkipReason.REDIRECTS, url, f"more than {self._settings.max_redirects} redirects")

    async def is_forbidden(self, url: str) -> bool:
        """Return whether robots.txt keeps scans away from a URL; False when it cannot be fetched soon."""
        try:
            # A person waits: a host that is slow or busy is not asked twice for the sake of a note.
            async with asyncio.timeout(self._settings.read_timeout.total_seconds()):
                await self._robots.check(requested_url(url))
        except FetchRefused as error:
            return error.reason is SkipReason.ROBOTS
        except (FetchFailed, TimeoutError):
            return False
        return False

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the sitemaps that a host's robots.txt names. Raises FetchRefused (address, host_busy, budget)."""
        await self._throttle.working_hours()
        return await self._robots.sitemaps(requested_url(url))

    async def _delay_for(self, url: str) -> timedelta:
        """Return the delay that settings and robots.txt ask for. Raises FetchRefused when robots.txt forbids it."""
        await self._throttle.working_hours()
        wished = await self._robots.check(url)
        shortest = self._settings.delay_per_host
        return shortest if wished is None else max(shortest, min(wished, self._settings.max_delay))

    async def _read_robots(self, url: str) -> Response:
        """Fetch a robots.txt, following redirects, and return it whatever its status; the last of too many redirects.

        It is a request like others: it waits for its host's turn, is repeated when that may help, and counts.
        Raises FetchFailed (broken) for one that was cut off, since the missing lines may forbid something.
        """
        current = requested_url(url)
        for _ in range(max(self._settings.max_redirects, robots.LEAST_REDIRECTS) + 1):
            attempt = _Attempt(current, "robots", self._settings.delay_per_host, _FOR_ROBOTS)
            response = await self._exchange_with_retries(attempt)
            target = redirect_target(response, current)
            if target is None:
                break
            current = target
        if response.incomplete is not None:
            raise FetchFailed(SkipReason.BROKEN, current, response.incomplete)
        return response

    async def _exchange_with_retries(self, attempt: _Attempt) -> Response:
        """Make one exchange; repeat it where that may help: a broken answer at once, a busy host after its pause.

        What does not follow HTTP, or was cut off, is asked for once more in any case, and then read leniently.
        """
        host = _host(attempt.url)
        tries = 1 if attempt.delay is None else 1 + self._settings.retries
        left = tries
        while left > 0:
            left -= 1
            leniently = attempt.leniently or host in self._odd_hosts
            try:
                response = await self._exchange(replace(attempt, leniently=leniently))
            except FetchFailed as error:
                problem = certificate_problem(error) if attempt.policy.any_certificate else None
                if problem is not None and attempt.unverified is None:
                    attempt, left = replace(attempt, unverified=problem, known=None), left + 1
                    continue
                breaks_rules = error.reason is SkipReason.BROKEN and not leniently
                if error.reason.retry is not Retry.AT_ONCE or not (left or breaks_rules):
                    raise
                left = max(left, 1)
                # What broke may be the 304 itself, which some servers send with a body.
                attempt = replace(attempt, known=None, leniently=leniently or breaks_rules)
                continue

            if response.status in _TOO_BUSY:
                pause = parse_retry_after(response.header("retry-after"), self._clock())
                if pause is None:
                    pause = self._settings.busy_pause * 2 ** (tries - left - 1)
                self._throttle.slow_down(host, min(pause, LONGEST_PAUSE))
            elif response.status not in _FAILED_BRIEFLY:
                self._throttle.speed_up(host)
                return response
        return response

    async def _exchange(self, attempt: _Attempt) -> Response:
        """Make one request and return its whole answer, whatever its status, in this host's turn."""
        url = attempt.url
        async with self._throttle.turn(_host(url), url, attempt.delay):
            limit = self._settings.timeout.total_seconds()
            try:
                async with asyncio.timeout(limit) as deadline:
                    if attempt.policy.recorder is None:
                        return await self._receive(attempt, deadline)
                    return await self._receive_recorded(attempt, attempt.policy.recorder, deadline)
            except TimeoutError as error:
                raise FetchFailed(SkipReason.TIMEOUT, url, f"not complete within {limit:g} s") from error
            except (httpx.HTTPError, aiohttp.ClientError) as error:
                if is_odd_http(error.__cause__) or is_odd_http(error):
                    self._note_odd_host(_host(url))
                raise as_fetch_error(url, host_of(url), error) from error
            except (httpx.InvalidURL, ValueError) as error:
                raise FetchRefused(SkipReason.BAD_ADDRESS, url, bad_address_text(error)) from error

    async def _receive_recorded(self, attempt: _Attempt, recorder: Recorder, deadline: asyncio.Timeout) -> Response:
        """Send one request as `_receive` does, and tell the recorder of the exchange, also of one that failed."""
        secrets = attempt.credentials.headers_for(attempt.url) if attempt.credentials else ()
        tape = Tape(attempt.url, self._clock(), secrets, attempt.unverified)
        incomplete: str | None = "cut off"
        try:
            response = await self._receive(attempt, deadline, tape)
            incomplete = response.incomplete
            return response
        except asyncio.CancelledError:
            incomplete = f"not complete within {self._settings.timeout.total_seconds():g} s"
            raise
        except (FetchRefused, FetchFailed) as error:
            incomplete = error.detail
            raise
        except (httpx.HTTPError, aiohttp.ClientError, ValueError) as error:
            problem = certificate_problem(error)
            incomplete = str(error) or type(error).__name__
            if problem is not None:
                incomplete = f"its certificate did not verify: {problem}"
            raise
        finally:
            recorder(tape.exchange(self._clock(), incomplete))

    async def _receive(self, attempt: _Attempt, deadline: asyncio.Timeout, tape: Tape | None = None) -> Response:
        """Send one request and return its answer; redirects and errors come without their body.

        Only a picture that was asked for comes whatever its status is; and of what goes on a tape, all bodies do.
        """
        url, kind = attempt.url, attempt.kind
        extensions = {"timeout": self._timeouts, "tape": tape}
        request = httpx.Request("GET", url, headers=self._headers_of(attempt), extensions=extensions)
        _connected_to.set(None)
        answer = await self._transport_of(attempt, tape).handle_async_request(request)

        try:
            received = Received()
            if answer.status_code < 400 and answer.status_code not in REDIRECTS:
                keep_part = attempt.leniently or tape is not None
                received = await self._bodies.read(answer, url, kind, deadline, keep_part=keep_part)
            elif tape is not None:
                received = await self._bodies.of_error(answer, url, kind, deadline)
            elif answer.status_code >= 400 and kind == "image":
                received = await self._bodies.picture_of_error(answer, url, deadline)
        finally:
            await answer.aclose()
        return Response(
            url=url,
            final_url=url,
            status=answer.status_code,
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw),
            content=received.content,
            fetched_at=self._clock(),
            remote_address=_connected_to.get(),
            not_modified=answer.status_code == 304 and bool(_conditions(url, attempt.known)),
            incomplete=received.incomplete or missing_of_range(answer),
        )

    def _transport_of(self, attempt: _Attempt, tape: Tape | None) -> httpx.AsyncBaseTransport:
        """Return what carries a request. Only lenient transports record; only one of them trusts any certificate."""
        transport = self._lenient if attempt.leniently or tape is not None else self._transport
        if attempt.unverified is not None:
            transport = self._unverified
        if transport is None:
            raise RuntimeError("WebClient is used before it was opened")
        return transport

    def _headers_of(self, attempt: _Attempt) -> dict[str, str]:
        url = attempt.url
        named = referer(attempt.referrer, url)
        return {
            # Stated here, since httpx would read the name, and refuses some that exist (xn--ls8h).
            "host": httpx.URL(url).netloc.decode("ascii"),
            **self._headers,
            "accept": _ACCEPT[attempt.kind],
            **({"referer": named} if named is not None else {}),
            **_conditions(url, attempt.known),
            **(attempt.credentials.headers_for(url) if attempt.credentials else {}),
        }

    def _note_odd_host(self, host: str) -> None:
        self._odd_hosts[host] = None
        self._odd_hosts.move_to_end(host)
        if len(self._odd_hosts) > _ODD_HOSTS_REMEMBERED:
            self._odd_hosts.popitem(last=False)


def _host(url: str) -> str:
    """Return the name under which the throttle counts a URL: its host without www and port, mostly one machine."""
    return host_without_www(url)


def _conditions(url: str, known: Remembered | None) -> dict[str, str]:
    """Return the header of a conditional request (RFC 9110, 13.1), at most one; none for another URL than `known`.

    The ETag alone where there is one: some servers answer 304 for an old date though the ETag has changed.
    """
    if known is None or requested_url(known.url) != url:
        return {}
    validators = {"if-none-match": known.etag, "if-modified-since": known.last_modified}
    usable = [(name, value) for name, value in validators.items() if value and value.isascii() and value.isprintable()]
    return dict(usable[:1])


def _accepted(response: Response, url: str, kind: Kind) -> Response:
    """Return an answer with the URL that was asked for. Raises FetchFailed (status_N) for anything but success.

    Browsers show a picture whatever its status, so a picture is a success; but a part of a page is not a page.
    """
    is_success = response.not_modified or (
        response.status in _SUCCESS and (response.status != 206 or response.incomplete is None)
    )
    is_shown = kind == "image" and begins_as_picture(response.content)
    if not (is_success or is_shown):
        raise FetchFailed(SkipReason.HTTP_STATUS, url, f"the site answered {response.status}", response.status)
    return replace(response, url=url)
