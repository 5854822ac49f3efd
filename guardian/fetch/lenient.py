"""Reads answers that break the rules of HTTP as browsers read them: a second way, for what the usual one refuses.

Each request has a connection of its own, which ends with the answer: what a server sends too much is never taken for
another answer. Exchanges that are recorded go this way too, since it knows which bytes belong to which request.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import h11
import httpx
from aiohappyeyeballs import start_connection

from guardian.fetch.dns import Resolver, places_of
from guardian.fetch.recording import Tape
from guardian.fetch.ssrf_guard import AddressInfo

Field = tuple[bytes, bytes]
"""Name and value of one header line."""

_LONGEST_HEAD = 256 * 1024
"""Bytes of status line and headers, as many as browsers allow."""

_MOST_FIELDS = 1_000
_MOST_INTERIM = 10
"""Answers with a status of 1xx before the final one."""

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"\s*[^\n]{0,4}?(?:http|icy)(?:/(\d+)(?:\.(\d+))?)?[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
"""Browsers take any case, a missing version, several blanks, and up to four bytes of rubbish before the name."""

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class NotHttp(ValueError):
    """The bytes cannot be read as the head of an HTTP answer, even by a lenient reader."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer. `fields` are as the site sent them.

    The body ends by chunks (`is_chunked`), else after `length` bytes, else (None) with the connection.
    """

    status: int
    fields: tuple[Field, ...]
    is_chunked: bool
    length: int | None


def read_head(head: bytes) -> Head:
    """Return the head of an answer, read as browsers read it. Raises NotHttp.

    Lines that are no header are passed over, blanks before a colon dropped, folded lines joined. Chunks count more
    than a length (RFC 9112, 6.3), which counts only if it is a number. Two different lengths are refused: nobody can
    say which bytes are the answer.
    """
    lines = [line.rstrip(b"\r") for line in head.lstrip(b"\r\n").split(b"\n")]
    status_line = _STATUS_LINE.match(lines[0])
    if status_line is None or b"\0" in head:
        raise NotHttp("the answer does not begin as HTTP does")

    fields: list[Field] = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t"):
            if fields:
                fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line.strip(b" \t"))
        elif colon and _NAME.fullmatch(name.rstrip(b" \t")):
            fields.append((name.rstrip(b" \t"), value.strip(b" \t")))
    if len(fields) > _MOST_FIELDS:
        raise NotHttp(f"more than {_MOST_FIELDS} headers")

    # Servers of HTTP/1.0 do not know chunks; browsers do not believe one that names them.
    is_old = status_line[1] is None or (status_line[1], status_line[2]) in ((b"1", b"0"), (b"0", b"9"))
    is_chunked = b"chunked" in _listed(fields, b"transfer-encoding") and not is_old
    lengths = {int(one[:18]) for one in _listed(fields, b"content-length") if one.isdigit()}
    if len(lengths) > 1 and not is_chunked:
        raise NotHttp("the answer states several lengths")
    return Head(int(status_line[3]), tuple(fields), is_chunked, None if is_chunked else next(iter(lengths), None))


class LenientTransport(httpx.AsyncBaseTransport):
    """Carries requests over httpx's transport seam, each on a connection of its own.

    A request with a Tape among its extensions ("tape") is recorded.

    `make_socket` applies the SSRF guard. Errors are those of httpx. The stream of an answer that was cut off yields
    what came, then raises httpx.RemoteProtocolError or httpx.ReadError.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        resolver: Resolver,
        make_socket: Callable[[AddressInfo], socket.socket],
        note_peer: Callable[[str], object],
    ) -> None:
        self._context, self._resolver = context, resolver
        self._make_socket, self._note_peer = make_socket, note_peer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a GET request and return its answer, whose body is still to be read."""
        connection = await self._connected(request)
        try:
            connection.send(request)
            head, rest = await connection.head()
            stream = _Body(connection, head, rest)
        except BaseException:
            connection.close()
            raise
        return httpx.Response(head.status, headers=list(head.fields), stream=stream, request=request)

    async def _connected(self, request: httpx.Request) -> "_Connection":
        url, timeouts = request.url, request.extensions["timeout"]
        tape: Tape | None = request.extensions.get("tape")
        # The name as it was written: in Unicode, Python's resolver would read faß.example as fass.example.
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        is_secure = url.scheme == "https"
        try:
            async with asyncio.timeout(timeouts["connect"]):
                places = await places_of(host, port, self._resolver)
                if tape is not None:
                    tape.note_resolved(dict.fromkeys(str(place[4][0]) for place in places if place[4][0] != host))
                made = await start_connection(places, socket_factory=self._make_socket, happy_eyeballs_delay=0.25)
                try:
                    reader, writer = await asyncio.open_connection(
                        sock=made,
                        ssl=self._context if is_secure else None,
                        server_hostname=host if is_secure else None,
                    )
                except BaseException:
                    made.close()
                    raise
        except TimeoutError as error:
            raise httpx.ConnectTimeout("the site took no connection in time") from error
        except OSError as error:
            # Also what a failed handshake of TLS raises.
            raise httpx.ConnectError(str(error)) from error

        peer = writer.get_extra_info("peername")
        self._note_peer(str(peer[0]))
        if tape is not None:
            tape.note_connected(str(peer[0]), int(peer[1]), writer.get_extra_info("ssl_object"))
        return _Connection(reader, writer, timeouts["read"], tape)


class _Connection:
    """One connection, for one request. `read_timeout` is how long the site may be silent, in seconds."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, read_timeout: float, tape: Tape | None
    ) -> None:
        self._reader, self._writer, self._read_timeout = reader, writer, read_timeout
        self._tape = tape
        self.framing = h11.Connection(h11.CLIENT)

    def send(self, request: httpx.Request) -> None:
        fields = [(name, value) for name, value in request.headers.raw if name.lower() != b"connection"]
        begin = h11.Request(
            method=request.method, target=request.url.raw_path, headers=[*fields, (b"connection", b"close")]
        )
        head = (self.framing.send(begin) or b"") + (self.framing.send(h11.EndOfMessage()) or b"")
        if self._tape is not None:
            self._tape.note_sent(head)
        self._writer.write(head)

    async def receive(self) -> bytes:
        """Return some bytes; none at the end of the connection. Raises httpx.ReadTimeout, httpx.ReadError."""
        try:
            async with asyncio.timeout(self._read_timeout):
                some = await self._reader.read(64 * 1024)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the site was silent for too long") from error
        except OSError as error:
            raise httpx.ReadError(error.strerror or str(error)) from error
        if self._tape is not None:
            self._tape.note_received(some)
        return some

    async def head(self) -> tuple[Head, bytes]:
        """Return the head of the final answer, and the bytes that came behind it.

        Raises httpx.RemoteProtocolError when there is none.
        """
        received = bytearray()
        for _ in range(_MOST_INTERIM + 1):
            searched = 0
            while (end := _END_OF_HEAD.search(received, searched)) is None:
                searched = max(0, len(received) - 2)
                if len(received) > _LONGEST_HEAD:
                    raise httpx.RemoteProtocolError(f"more than {_LONGEST_HEAD} bytes of headers")
                some = await self.receive()
                if not some:
                    raise httpx.RemoteProtocolError("the connection ended before the answer began")
                received += some

            try:
                head = read_head(bytes(received[: end.start()]))
            except NotHttp as error:
                raise httpx.RemoteProtocolError(str(error)) from error
            del received[: end.end()]
            if head.status >= 200 or head.status == 101:
                return head, bytes(received)
            if self._tape is not None:
                self._tape.begin_answer(bytes(received))
        raise httpx.RemoteProtocolError(f"more than {_MOST_INTERIM} interim answers")

    def close(self) -> None:
        self._writer.close()


class _Body(httpx.AsyncByteStream):
    """The body of an answer, for httpx to iterate over once."""

    def __init__(self, connection: _Connection, head: Head, rest: bytes) -> None:
        self._connection = connection
        # h11 reads the body by a head that is written anew, since it would refuse the one that came.
        framing = b"transfer-encoding: chunked\r\n" if head.is_chunked else b""
        if head.length is not None:
            framing = b"content-length: %d\r\n" % head.length
        status = 200 if head.status == 101 else head.status
        connection.framing.receive_data(b"HTTP/1.1 %d\r\n%s\r\n" % (status, framing) + rest)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        framing = self._connection.framing
        try:
            while True:
                event = framing.next_event()
                if event is h11.NEED_DATA:
                    framing.receive_data(await self._connection.receive())
                elif isinstance(event, h11.Data):
                    yield bytes(event.data)
                elif not isinstance(event, h11.Response):
                    return
        except h11.RemoteProtocolError as error:
            # The message of h11 is about its own buffers.
            raise httpx.RemoteProtocolError("what came is not in chunks, as its head says") from error

    async def aclose(self) -> None:
        self._connection.close()


def _listed(fields: list[Field], name: bytes) -> list[bytes]:
    """Return the parts of all lines of a header that is a list, in lower case."""
    values = [value for field, value in fields if field.lower() == name]
    return [part.strip().lower() for value in values for part in value.split(b",")]
