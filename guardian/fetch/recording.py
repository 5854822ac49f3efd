"""Records exchanges exactly as they went over the connection: what was sent, what came, from where and how secured."""

import ssl
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

WITHHELD = b"(withheld by guardian)"
"""Stands for the value of a header by which guardian signs in, or of a cookie that a site gave to it then."""

_COOKIE_GIVEN = b"set-cookie"


@dataclass(frozen=True, slots=True)
class TlsSession:
    """How a connection was secured: the protocol ("TLSv1.3"), the cipher suite, and the certificates.

    `chain` are the certificates in DER, the site's own first, up to the root that vouches for it. `problem`: why they
    did not verify, in the words of OpenSSL; nobody vouches for the other end then, and `chain` is what it sent.
    """

    version: str
    cipher: str
    chain: tuple[bytes, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, each byte as it went over the connection (below TLS).

    `request` has the values of credentials withheld, and `response` then those of cookies, by which anybody could go
    on in guardian's name; `withheld` are the names of these headers. `response` is empty when none came. `resolved`:
    the addresses that the name service gave for the host; empty for an IP address. `incomplete` says why the answer is
    not whole; None for one that is.
    """

    url: str
    began_at: datetime
    ended_at: datetime
    request: bytes = field(repr=False)
    response: bytes = field(repr=False)
    resolved: tuple[str, ...]
    remote_address: str | None
    remote_port: int | None
    tls: TlsSession | None
    incomplete: str | None
    withheld: tuple[str, ...] = ()


Recorder = Callable[[Exchange], None]
"""Called with each exchange when it has ended."""


class Tape:
    """Notes what happens on the connection of one request, until it is made an Exchange."""

    def __init__(
        self, url: str, began_at: datetime, secrets: Collection[str], certificate_problem: str | None = None
    ) -> None:
        self._url, self._began_at = url, began_at
        self._certificate_problem = certificate_problem
        self._secrets = frozenset(name.lower().encode("ascii") for name in secrets)
        self._request, self._response = b"", bytearray()
        self._resolved: tuple[str, ...] = ()
        self._peer: tuple[str, int] | None = None
        self._tls: TlsSession | None = None

    def note_resolved(self, addresses: Iterable[str]) -> None:
        """Note what the name service answered."""
        self._resolved = tuple(addresses)

    def note_connected(self, address: str, port: int, secured: ssl.SSLObject | None) -> None:
        """Note who answers, and how the connection is secured."""
        self._peer = (address, port)
        self._tls = None if secured is None else _session(secured, self._certificate_problem)

    def note_sent(self, request: bytes) -> None:
        """Note the head of the request as it is sent, without the values of credentials."""
        lines = request.split(b"\r\n")
        self._request = b"\r\n".join(self._shown(line) for line in lines)

    def begin_answer(self, some: bytes) -> None:
        """Note that what came until now was an interim answer (1xx), which is left out; `some` came behind it."""
        self._response = bytearray(some)

    def note_received(self, some: bytes) -> None:
        """Note bytes that came."""
        self._response += some

    def exchange(self, ended_at: datetime, incomplete: str | None) -> Exchange:
        """Return what happened."""
        address, port = self._peer or (None, None)
        response, withheld = bytes(self._response), set(self._secrets)
        if withheld:
            response, has_cookies = _without_cookies(response)
            withheld |= {_COOKIE_GIVEN} if has_cookies else set()
        return Exchange(
            url=self._url,
            began_at=self._began_at,
            ended_at=ended_at,
            request=self._request,
            response=response,
            resolved=self._resolved,
            remote_address=address,
            remote_port=port,
            tls=self._tls,
            incomplete=incomplete,
            withheld=tuple(sorted(name.decode("ascii") for name in withheld)),
        )

    def _shown(self, line: bytes) -> bytes:
        name, colon, _ = line.partition(b":")
        return name + colon + b" " + WITHHELD if colon and name.strip().lower() in self._secrets else line


def _without_cookies(response: bytes) -> tuple[bytes, bool]:
    """Return an answer with the values of its cookies withheld, and whether it gave any; all else is as it was."""
    ends = (place for mark in (b"\r\n\r\n", b"\n\n") if (place := response.find(mark)) >= 0)
    end = min(ends, default=len(response))
    lines, is_cookie, found = [], False, False
    for line in response[:end].split(b"\n"):
        name, colon, _ = line.partition(b":")
        # A line that begins with a blank goes on with the one before (obs-fold).
        is_cookie = (is_cookie and line[:1] in (b" ", b"\t")) or name.strip().lower() == _COOKIE_GIVEN
        found = found or is_cookie
        if is_cookie:
            kept = b"" if line[:1] in (b" ", b"\t") else name + colon
            line = kept + b" " + WITHHELD + line[len(line.rstrip(b"\r")) :]
        lines.append(line)
    return b"\n".join(lines) + response[end:], found


def _session(secured: ssl.SSLObject, problem: str | None) -> TlsSession:
    """Return how a connection is secured, after its handshake."""
    cipher = secured.cipher()
    chain = _chain(secured, "get_verified_chain" if problem is None else "get_unverified_chain")
    return TlsSession(secured.version() or "", cipher[0] if cipher else "", chain, problem)


def _chain(secured: ssl.SSLObject, call: str) -> tuple[bytes, ...]:
    """Return the certificates by which a connection was verified, or those that were sent, in DER.

    Only the site's own where no more is known. `call` names which; it is public from Python 3.13 on, before, the same
    call of OpenSSL is there without its public name.
    """
    if hasattr(secured, call):
        return tuple(bytes(one) for one in getattr(secured, call)())
    inner: Any = getattr(secured, "_sslobj", None)
    try:
        # ENCODING_DER of the module _ssl, which has no public name either.
        return tuple(bytes(one.public_bytes(2)) for one in getattr(inner, call)())
    except (AttributeError, TypeError, ValueError):
        own = secured.getpeercert(binary_form=True)
        return () if own is None else (own,)
