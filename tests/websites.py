"""A web site on loopback that misbehaves as the web does: one small class for each way."""

import base64
import gzip
import random
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from socketserver import BaseRequestHandler, ThreadingTCPServer

GIF = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==")
"""One white pixel."""


@dataclass(frozen=True)
class Asked:
    """One request as it came in. `at` is the monotonic clock, in seconds."""

    path: str
    headers: dict[str, str]
    at: float
    count: int

    @property
    def host(self) -> str:
        return self.headers.get("host", "")


class Hung(Exception):
    """The connection is over, as the misbehaviour wants it."""


class Wire:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, closing: threading.Event) -> None:
        self._connection, self._closing = connection, closing

    def send(self, content: bytes) -> None:
        self._connection.sendall(content)

    def answer(self, content: bytes = b"", status: str = "200 OK", **headers: str) -> None:
        """A whole, well-formed answer."""
        named = {"content-type": "text/html; charset=utf-8", "content-length": str(len(content))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in named.items())]
        self.send("\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content)

    def drip(self, content: bytes, pause: float = 0.02) -> None:
        for byte in content:
            if self._closing.wait(pause):
                break
            self.send(bytes([byte]))

    def stay_silent(self) -> None:
        """Until the other side hangs up, or the site closes."""
        self._connection.settimeout(0.1)
        while not self._closing.is_set():
            with suppress(TimeoutError):
                if not self._connection.recv(4096):
                    break
        raise Hung

    def hang_up(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        raise Hung

    def reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()
        raise Hung


class Site:
    """Paths and how each answers; what is not `put` is a 404. Keeps connections alive where answers allow it."""

    def __init__(self, address: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self.connections = 0
        self._at_once = 0
        self._ways: dict[str, Says] = {}
        self._closing = threading.Event()
        self._changed = threading.Condition()
        site = self

        class Server(ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that goes away is what many tests are about."""

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError, Hung):
                    secure = context.wrap_socket(self.request, server_side=True) if context else self.request
                    site._converse(secure)

        self._server = Server((address, 0), Handler)
        self.port: int = self._server.server_address[1]
        shown = f"[{address}]" if ":" in address else address
        self.url = f"{'https' if context else 'http'}://{shown}:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def put(self, path: str, way: "Says | bytes | str", **headers: str) -> str:
        """Answer this path like that; returns its whole address. A text or bytes is a plain page."""
        self._ways[path] = way if isinstance(way, Says) else Says(way, **headers)
        return self.url + path

    def drop(self, path: str) -> None:
        del self._ways[path]

    def paths(self, but_robots: bool = True) -> list[str]:
        """What was asked for, in order."""
        with self._changed:
            return [one.path for one in self.asked if not (but_robots and one.path == "/robots.txt")]

    def wait_for(self, count: int, seconds: float = 60) -> None:
        """Until so many requests have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= count, seconds), f"only {self.paths(False)}"

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _converse(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Wire(connection, self._closing)
        head = b""
        with self._changed:
            self.connections += 1
        while not self._closing.is_set():
            while b"\r\n\r\n" not in head:
                received = connection.recv(65536)
                if not received:
                    return
                head += received
                if head.startswith(b"\x16"):
                    connection.sendall(b"HTTP/1.1 400 This is not TLS\r\n\r\n")
                    return
            text, _, head = head.partition(b"\r\n\r\n")
            lines = text.decode("latin-1").split("\r\n")
            path = lines[0].split(" ")[1]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            with self._changed:
                count = sum(one.path == path for one in self.asked)
                asked = Asked(path, headers, time.monotonic(), count)
                self.asked.append(asked)
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
                self._changed.notify_all()
            try:
                (self._ways.get(path) or self._ways.get("*") or Status("404 Not Found")).say(asked, wire)
            finally:
                with self._changed:
                    self._at_once -= 1


class Says:
    """A plain page. Headers are named with underscores: `content_type="image/png"`."""

    def __init__(self, content: bytes | str = b"hello", status: str = "200 OK", **headers: str) -> None:
        self.content = content.encode() if isinstance(content, str) else content
        self.status, self.headers = status, headers

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.answer(self.content, self.status, **self.headers)


class Varying(Says):
    """A page whose text differs each time: `{lot}` becomes words drawn by lot, `{token}` a token."""

    def say(self, asked: Asked, wire: Wire) -> None:
        lot = " ".join(_LOTS.choices(_LOT, k=_LOTS.randint(10, 15)))
        text = self.content.decode().replace("{lot}", lot).replace("{token}", f"{_LOTS.getrandbits(128):032x}")
        wire.answer(text.encode(), self.status, **self.headers)


_LOTS = random.Random(7)
_LOT = [f"{one}{two}" for one in ("ka", "lo", "mi", "ru", "te", "vu", "za") for two in ("ba", "do", "fe", "gu", "ny")]


class Status(Says):
    """An answer that is not a success, with a page of its own."""

    def __init__(self, status: str, **headers: str) -> None:
        super().__init__(b"<html><img src='/on-the-error-page.jpg'>", status, **headers)


class Redirect(Says):
    def __init__(self, to: str, status: str = "302 Found") -> None:
        super().__init__(b"", status, location=to)


class RedirectOnward(Says):
    """/chain/3 leads to /chain/2, and so on to /chain/0, which is a page."""

    def say(self, asked: Asked, wire: Wire) -> None:
        start, _, left = asked.path.rpartition("/")
        if int(left):
            wire.answer(b"", "301 Moved Permanently", location=f"{start}/{int(left) - 1}")
        else:
            wire.answer(b"arrived")


class RedirectWithBody(Says):
    """A redirect whose own body never ends: it is of no use and must not be read."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 302 Found\r\nlocation: /there\r\ncontent-length: 999999999\r\n\r\n" + b"x" * 1000)
        wire.stay_silent()


class RedirectNowhere(Says):
    """A redirect without Location."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.answer(b"", "302 Found")


class RawLocation(Says):
    """A Location header in raw bytes, as servers write file names."""

    def __init__(self, location: bytes) -> None:
        super().__init__()
        self.location = location

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: " + self.location + b"\r\n\r\n")


class Raw(Says):
    """These bytes and no others; then the connection ends."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(self.content)
        wire.hang_up()


class Silent(Says):
    """Takes the request and never answers."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.stay_silent()


class SilentWithinBody(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
        wire.stay_silent()


class SlowHead(Says):
    """A header that comes a letter at a time: never silent, never done."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.drip(b"HTTP/1.1 200 OK\r\nx-slow: " + b"z" * 5000)
        wire.hang_up()


class DripBody(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")
        wire.drip(b"d" * 5000)
        wire.hang_up()


class EndlessBody(Says):
    """No length, and no end."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
        while True:
            wire.send(b"endless " * 8192)


class EndlessChunks(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            wire.send(b"10000\r\n" + b"c" * 0x10000 + b"\r\n")


class EndlessHeaders(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000_000):
            wire.send(b"x-%d: %s\r\n" % (number, b"h" * 1000))


class ManyHeaders(Says):
    """A hundred thousand small headers, then a page."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: 1\r\n" % n for n in range(100_000)))
        wire.send(b"content-length: 2\r\n\r\nhi")


class HugeHeader(Says):
    """One header of ten megabytes."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nx-huge: " + b"h" * 10_000_000 + b"\r\ncontent-length: 2\r\n\r\nhi")


class EndlessHints(Says):
    """Interim answers (103) for ever."""

    def say(self, asked: Asked, wire: Wire) -> None:
        while True:
            wire.send(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n" * 100)


class EarlyHints(Says):
    """One interim answer, then the page: as it should be."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n")
        wire.answer(b"after the hint")


class ShorterThanStated(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this")
        wire.hang_up()


class LongerThanStated(Says):
    """More than Content-Length says, shaped like a second answer."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nthis")
        with suppress(OSError):
            wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled")


class StatesTooMuch(Says):
    """Says a size beyond every limit and sends nothing."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n")
        wire.stay_silent()


class ClosesAtTheEnd(Says):
    """No length: the end of the connection is the end of the body (HTTP/1.0)."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.0 200 OK\r\ncontent-type: text/html\r\n\r\n" + self.content)
        wire.hang_up()


class BrokenChunks(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n?")
        wire.hang_up()


class UnfinishedChunks(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
        wire.hang_up()


class Trailers(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-after: 1\r\n\r\n")


class ResetBeforeAnswer(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.reset()


class ResetWithinAnswer(Says):
    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
        wire.reset()


class HangsUp(Says):
    """Closes without a word."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.hang_up()


class Flaky(Says):
    """Misbehaves for the first so many requests, then answers as it should."""

    def __init__(self, first: Says, then: Says, times: int = 1) -> None:
        super().__init__()
        self.first, self.then, self.times = first, then, times

    def say(self, asked: Asked, wire: Wire) -> None:
        (self.first if asked.count < self.times else self.then).say(asked, wire)


class Busy(Flaky):
    """429 or 503, with the pause it wishes, and then a page."""

    def __init__(self, retry_after: str | None = None, status: str = "429 Too Many Requests", times: int = 1) -> None:
        wish = {} if retry_after is None else {"retry_after": retry_after}
        super().__init__(Status(status, **wish), Says(b"fine again"), times)


class Gzipped(Says):
    def __init__(self, content: bytes, times: int = 1, coding: str = "gzip") -> None:
        for _ in range(times):
            content = gzip.compress(content)
        super().__init__(content, content_encoding=coding)


def _gzipped_zeros(mebibytes: int) -> bytes:
    """Zeros, each mebibyte compressed by itself and so like the one before: two gigabytes at a stretch take seconds."""
    packer = zlib.compressobj(9, wbits=31)
    header = packer.flush(zlib.Z_SYNC_FLUSH)
    one = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    # An empty last block. The checksum behind it is wrong, but nobody should read as far as that.
    end = b"\x03\x00" + struct.pack("<II", 0, (mebibytes << 20) % (1 << 32))
    return header + one * mebibytes + end


class GzipBomb(Says):
    """Two megabytes that become two gigabytes."""

    def __init__(self) -> None:
        super().__init__(_gzipped_zeros(2048), content_encoding="gzip")


class NestedGzipBomb(Says):
    """Compressed twice: a gigabyte in a few kilobytes."""

    def __init__(self) -> None:
        super().__init__(gzip.compress(_gzipped_zeros(1024)), content_encoding="gzip, gzip")


class Deflated(Says):
    """`deflate`, with the zlib wrapping that the specification asks for or, as many servers do it, without."""

    def __init__(self, content: bytes, raw: bool) -> None:
        packer = zlib.compressobj(wbits=-15 if raw else 15)
        super().__init__(packer.compress(content) + packer.flush(), content_encoding="deflate")


class TruncatedGzip(Says):
    def __init__(self) -> None:
        super().__init__(gzip.compress(bytes(range(256)) * 40)[:-20], content_encoding="gzip")


class Conditional(Says):
    """Answers 304 to who knows the tag or the date already."""

    def __init__(self, content: bytes | str, etag: str = '"one"', **headers: str) -> None:
        super().__init__(content, etag=etag, last_modified="Tue, 24 Nov 2026 08:00:00 GMT", **headers)

    def say(self, asked: Asked, wire: Wire) -> None:
        known = asked.headers.get("if-none-match") == self.headers["etag"]
        if known or asked.headers.get("if-modified-since") == self.headers["last_modified"]:
            wire.send(f"HTTP/1.1 304 Not Modified\r\netag: {self.headers['etag']}\r\n\r\n".encode())
        else:
            super().say(asked, wire)


class CalendarTrap(Says):
    """Every page links to the day before, for ever."""

    def say(self, asked: Asked, wire: Wire) -> None:
        here, _, day = asked.path.rpartition("/")
        before = date.fromisoformat(day) - timedelta(days=1)
        wire.answer(f"<a href='{here}/{before}'>the day before</a><img src='/day-{day}.jpg'>".encode())


class WheelTrap(Says):
    """Three pages that link in a circle, each time under another tracking parameter."""

    def say(self, asked: Asked, wire: Wire) -> None:
        number = int(asked.path.partition("?")[0].rpartition("/")[2])
        wire.answer(f"<a href='/wheel/{number % 3 + 1}?utm_source={asked.at}#{asked.at}'>on</a>".encode())


class MirrorTrap(Says):
    """Every page links to itself below a name of its own length: a path that grows without repeating itself."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.answer(f"<a href='{asked.path}{len(asked.path)}/'>on</a>".encode())


class EndlessFilm(Says):
    """A film where a page was expected."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\n\r\n")
        while True:
            wire.send(b"film " * 8192)


class SessionTrap(Says):
    """Every answer links to itself under a new session id."""

    def say(self, asked: Asked, wire: Wire) -> None:
        path = asked.path.partition("?")[0]
        wire.answer(f"<a href='{path}?sid={time.monotonic_ns():032x}'>here</a><img src='/one.jpg'>".encode())


class DeeperTrap(Says):
    """A relative link that adds one more segment on each visit."""

    def say(self, asked: Asked, wire: Wire) -> None:
        wire.answer(f"<a href='{asked.path.rstrip('/')}/more/'>deeper</a>".encode())


class FacetTrap(Says):
    """A shop whose filters combine without end."""

    def say(self, asked: Asked, wire: Wire) -> None:
        path, _, query = asked.path.partition("?")
        links = [f"<a href='{path}?{query}&amp;f{number}={len(query)}'>filter</a>" for number in range(8)]
        wire.answer("".join(links).encode())


@dataclass
class Gate(Says):
    """Answers only when it is opened, so that a test decides what is in flight."""

    content: bytes = b"through the gate"
    opened: threading.Event = field(default_factory=threading.Event)
    headers: dict[str, str] = field(default_factory=dict)

    def say(self, asked: Asked, wire: Wire) -> None:
        self.opened.wait(60)
        wire.answer(self.content)


def running(address: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> Iterator[Site]:
    """A site for a fixture to yield."""
    site = Site(address, context)
    yield site
    site.close()
