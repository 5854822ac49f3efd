"""Turns the errors of the HTTP libraries into guardian's own, with a reason and words for people."""

import socket
import ssl
from collections.abc import Iterator

import aiohttp
import httpx

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.ssrf_guard import refusal_text
from guardian.model import SkipReason

_MOST_OF_AN_ERROR = 300


def as_fetch_error(url: str, host: str, error: Exception) -> FetchFailed | FetchRefused:
    """Return the error of a transport as guardian's own. `host` is that of the URL."""
    # The error of aiohttp or of the system, which is the cause, tells more kinds apart than that of httpx.
    cause = error.__cause__ if isinstance(error.__cause__, (aiohttp.ClientError, OSError)) else error
    text = str(cause) or type(cause).__name__
    refused = refusal_text(text)
    if refused is not None:
        return FetchRefused(SkipReason.PRIVATE_ADDRESS, url, refused)

    if isinstance(cause, (aiohttp.ServerTimeoutError, TimeoutError, httpx.TimeoutException)):
        return FetchFailed(SkipReason.TIMEOUT, url, "the site was silent for too long")
    if isinstance(cause, (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch, ssl.SSLError)):
        return FetchFailed(SkipReason.TLS, url, _tls_text(host, cause))
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return FetchFailed(SkipReason.DNS, url, f"there is no host named {host}, or no name server knows it now")
    if isinstance(cause, aiohttp.ClientConnectorError) or isinstance(error, httpx.ConnectError):
        return FetchFailed(SkipReason.CONNECT, url, f"{host} took no connection{_why(cause)}")
    return FetchFailed(SkipReason.BROKEN, url, _broken_text(cause))


def is_odd_http(error: BaseException | None) -> bool:
    """Return whether the usual HTTP parser refused an answer that a lenient one may read."""
    return isinstance(error, aiohttp.ClientResponseError)


def certificate_problem(error: BaseException) -> str | None:
    """Return why a certificate did not verify, in the words of OpenSSL; None when an error has another cause."""
    for one in _causes(error):
        # aiohttp's own error is of the same class and lacks the words.
        inner = getattr(one, "certificate_error", one)
        if isinstance(inner, ssl.SSLCertVerificationError):
            return inner.verify_message
    return None


def _tls_text(host: str, cause: BaseException) -> str:
    """Return what is wrong with a certificate, or that TLS failed in another way."""
    inner = getattr(cause, "certificate_error", None) or getattr(cause, "os_error", None) or cause
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not valid: {inner.verify_message}"
    return f"no secure connection to {host}{_why(inner)}"


def _why(cause: BaseException | None) -> str:
    """Return a colon and what the system says of an error; "" when it says nothing."""
    inner = getattr(cause, "os_error", None) or cause
    reason = getattr(inner, "reason", None) if isinstance(inner, ssl.SSLError) else getattr(inner, "strerror", None)
    # A system call's own words; libraries add addresses of theirs in brackets and quotes.
    words = str(reason or "").replace("_", " ").lower()
    if words.startswith(("connect call failed", "multiple exceptions")) or not words:
        refused = isinstance(inner, ConnectionRefusedError)
        return ": connection refused" if refused else ""
    return f": {words}"


def _broken_text(cause: BaseException) -> str:
    """Return in what way an answer broke, without what the site sent."""
    if isinstance(cause, aiohttp.ServerDisconnectedError):
        return "the connection ended before the answer began"
    if isinstance(cause, (aiohttp.ClientPayloadError, aiohttp.ClientOSError, ConnectionError, httpx.ReadError)):
        return "the connection ended in the middle of the answer"
    if isinstance(cause, aiohttp.ClientResponseError):
        # The first line names the fault; those behind it quote what the site sent.
        return f"the answer does not follow HTTP: {cause.message.splitlines()[0].rstrip(':')[:_MOST_OF_AN_ERROR]}"
    return (str(cause) or type(cause).__name__)[:_MOST_OF_AN_ERROR]


def as_trusted_error(url: str, host: str, error: Exception) -> FetchFailed:
    """Return the error of a request to an address that the operator configured, which httpx makes by itself."""
    # httpx gives one error for all of these; what the system said stands behind it.
    causes = list(_causes(error))
    certificate = next((one for one in causes if isinstance(one, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        detail = f"the certificate of {host} is not valid: {certificate.verify_message}"
        return FetchFailed(SkipReason.TLS, url, detail)
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return FetchFailed(SkipReason.TLS, url, f"no secure connection to {host}: the other side does not speak TLS")
    if any(isinstance(one, socket.gaierror) for one in causes):
        return FetchFailed(SkipReason.CONNECT, url, f"there is no host named {host}, or no name server knows it now")

    system = next((one for one in causes if isinstance(one, OSError) and one.strerror), None)
    if isinstance(error, httpx.ConnectError):
        return FetchFailed(SkipReason.CONNECT, url, f"{host} took no connection{_why(system)}")
    if isinstance(error, (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError)):
        return FetchFailed(SkipReason.BROKEN, url, "the connection ended, or broke, before a whole answer came")
    return FetchFailed(SkipReason.BROKEN, url, "the request could not be made: is the address right?")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and everything behind it, those of groups included."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from _causes(one)
        error = error.__cause__ or error.__context__
