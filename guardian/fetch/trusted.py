"""Sends requests to addresses that the operator chose (destinations, authorities): no guard, no redirects, no proxy.

Addresses from other people's pages never come here; they go through `web`.
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from guardian import __version__
from guardian.errors import FetchFailed, UsageError
from guardian.fetch.request_url import bad_address_text
from guardian.fetch.tls import new_verifying_context
from guardian.fetch.transport_errors import as_trusted_error
from guardian.model import SkipReason
from guardian.urls.addresses import with_ascii_host

BODY_BYTES = 2048
"""Bytes of an answer's body that are kept, for people to read when a delivery fails."""

BODY_PATIENCE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class TrustedResponse:
    """The answer to a request. `headers` keep wire order; `body_start` is at most 2048 undecoded bytes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body_start: bytes

    def header(self, name: str) -> str | None:
        """Return the first value of a header; its name is compared without case. None when it is missing."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class TrustedBody:
    """The whole answer to a request: its status and its body."""

    status: int
    body: bytes


class TrustedClient:
    """A client for addresses of the operator's choice; loopback and private addresses are allowed.

    Use as an async context manager. `ca_file` holds certificate authorities (PEM) to trust besides the
    usual ones. Certificates are always verified; environment proxies are never used.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        context = new_verifying_context()
        if self._ca_file is not None:
            try:
                context.load_verify_locations(self._ca_file)
            except ssl.SSLError as error:
                detail = "it holds no certificate in PEM form"
                raise UsageError(f"cannot read certificate authorities from {self._ca_file}: {detail}") from error
            except OSError as error:
                detail = error.strerror or "it is no file"
                raise UsageError(f"cannot read certificate authorities from {self._ca_file}: {detail}") from error
        self._client = httpx.AsyncClient(
            verify=context,
            follow_redirects=False,
            trust_env=False,
            timeout=None,  # noqa: S113 - each request has one limit for all of it, below
            # A kept connection may be dead by the next message, which would look like a failed delivery.
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"user-agent": f"guardian/{__version__}", "accept": "*/*", "accept-encoding": "identity"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def fetch(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        *,
        timeout: timedelta,
        max_bytes: int,
    ) -> "TrustedBody":
        """Send a request and return the answer with its whole body, whatever its status; no redirects.

        `timeout` covers all of it. Raises FetchFailed, also for a body of more than `max_bytes`.
        """
        client, request = self._request(method, url, headers, content)
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                response = await client.send(request, stream=True)
                body = await _whole_body(response, url, max_bytes)
        except TimeoutError as error:
            raise FetchFailed(SkipReason.TIMEOUT, url, f"no answer within {timeout.total_seconds():g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise as_trusted_error(url, request.url.raw_host.decode("ascii"), error) from error
        return TrustedBody(response.status_code, body)

    async def post(self, url: str, headers: Mapping[str, str], content: bytes, timeout: timedelta) -> TrustedResponse:
        """POST `content` and return the answer, whatever its status; redirects are not followed.

        `timeout` covers everything up to the answer's headers. After that the body is read for at most 2 seconds and
        2048 bytes, and its failing changes nothing. Raises FetchFailed (timeout, connect, tls, broken) when there was
        no answer.
        """
        client, request = self._request("POST", url, headers, content)
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                response = await client.send(request, stream=True)
        except TimeoutError as error:
            raise FetchFailed(SkipReason.TIMEOUT, url, f"no answer within {timeout.total_seconds():g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise as_trusted_error(url, request.url.raw_host.decode("ascii"), error) from error

        try:
            body_start = await _body_start(response)
        finally:
            with suppress(httpx.HTTPError):
                await response.aclose()
        return TrustedResponse(response.status_code, tuple(response.headers.multi_items()), body_start)

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[httpx.AsyncClient, httpx.Request]:
        """Return the opened client and a request for it. Raises FetchFailed when the address cannot be read."""
        if self._client is None:
            raise RuntimeError("TrustedClient is used before it was opened")
        try:
            if urlsplit(url).port == 0:
                raise ValueError("port 0")
            address = httpx.URL(with_ascii_host(url))
            # Stated here, since httpx would read the name, and refuses some that exist (xn--53h).
            host = {"host": address.netloc.decode("ascii")}
            return self._client, self._client.build_request(
                method, address, headers={**host, **headers}, content=content
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise FetchFailed(SkipReason.BROKEN, url, bad_address_text(error)) from error


async def _whole_body(response: httpx.Response, url: str, max_bytes: int) -> bytes:
    """Return the body of an answer, and close it. Raises FetchFailed (broken) for one of more than `max_bytes`."""
    body = bytearray()
    try:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > max_bytes:
                raise FetchFailed(SkipReason.BROKEN, url, f"the answer has more than {max_bytes:,} bytes")
    finally:
        await response.aclose()
    return bytes(body)


async def _body_start(response: httpx.Response) -> bytes:
    """Return the first bytes of a body, as far as they come in time. The answer is valid without them."""
    body = bytearray()
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(BODY_PATIENCE.total_seconds()):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) >= BODY_BYTES:
                    break
    return bytes(body[:BODY_BYTES])
