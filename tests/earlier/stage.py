"""The loopback web on which the data of earlier versions was made: sites, a webhook receiver, and the old command.

All ports are fixed: they are part of addresses, and thereby of the ids that the earlier versions gave.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.earlier.loading import SECRET

RECEIVER_PORT = 59_998
CLOSED_PORT = 59_997

Respond = Callable[[BaseHTTPRequestHandler], None]


def _serve(host: str, port: int, respond: Respond) -> ThreadingHTTPServer:
    """Answer every GET and POST on one address until `shutdown`."""

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with suppress(ConnectionError):
                respond(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: a client that was killed resets its connections."""

    server = Server((host, port), Connection)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


class Web:
    """Sites on several loopback addresses; an operator is told by its address, so each is an operator of its own.

    `hold_after`: a site stops answering after so many requests, as a crawl is to be cut off in its middle.
    """

    def __init__(self, hosts: Sequence[str], port: int) -> None:
        """Begin to serve at this port of every host; 0: at any that is free on all of them."""
        self.hold_after: dict[str, int] = {}
        self.stalled = threading.Event()
        self._content: dict[tuple[str, str], tuple[bytes, str]] = {}
        self._asked: dict[str, int] = {}
        self._closing = threading.Event()
        self._lock = threading.Lock()
        first = _serve(hosts[0], port, self._respond)
        self.port = first.server_port
        self._servers = [first, *(_serve(host, self.port, self._respond) for host in hosts[1:])]

    def url(self, host: str, path: str) -> str:
        return f"http://{host}:{self.port}{path}"

    def picture(self, host: str, path: str, content: bytes) -> None:
        self._content[host, path] = content, "image/jpeg"

    def page(self, host: str, path: str, *images: str, links: Iterable[str] = ()) -> None:
        shown = "".join(f'<figure><img src="{image}"><figcaption>A picture</figcaption></figure>' for image in images)
        led = "".join(f'<p><a href="{link}">{link}</a></p>' for link in links)
        html = f"<!doctype html><title>Page {path}</title><body>{shown}{led}</body>"
        self._content[host, path] = html.encode(), "text/html; charset=utf-8"

    def close(self) -> None:
        self._closing.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _respond(self, request: BaseHTTPRequestHandler) -> None:
        host = request.headers["host"].partition(":")[0]
        if self._is_held(host):
            self.stalled.set()
            self._closing.wait()
            request.close_connection = True
            return

        content, kind = self._content.get((host, request.path), (b"nothing here", ""))
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        is_known = bool(kind) and request.headers.get("if-none-match") == etag
        request.send_response(304 if is_known else 200 if kind else 404)
        request.send_header("etag", etag)
        request.send_header("content-type", kind or "text/plain")
        request.send_header("content-length", "0" if is_known else str(len(content)))
        request.end_headers()
        request.wfile.write(b"" if is_known else content)

    def _is_held(self, host: str) -> bool:
        with self._lock:
            self._asked[host] = self._asked.get(host, 0) + 1
            return self._asked[host] > self.hold_after.get(host, 1_000_000)


class Receiver:
    """Takes in messages, each destination under its own path, and keeps what came.

    legal: accepts, but for the one after `hang_after` more, which it never answers; press: 503 until 2100; mirror: 410.
    """

    def __init__(self) -> None:
        self.hang_after: int | None = None
        self.hung = threading.Event()
        self.received: list[dict[str, Any]] = []
        self._closing = threading.Event()
        self._server = _serve("127.0.0.1", RECEIVER_PORT, self._respond)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _respond(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        destination = request.path.strip("/")
        status = {"press": 503, "mirror": 410}.get(destination, 204)
        if destination == "legal" and self.hang_after is not None:
            self.hang_after -= 1
            status = 0 if self.hang_after < 0 else status
        self.received.append(
            {"destination": destination, "webhook_id": request.headers["webhook-id"], "answered": status or None}
            | said_in(body)
        )
        if not status:
            self.hung.set()
            self._closing.wait()
            request.close_connection = True
            return

        request.send_response(status)
        if status == 503:
            request.send_header("retry-after", "Fri, 01 Jan 2100 00:00:00 GMT")
        request.send_header("content-length", "0")
        request.end_headers()


def said_in(body: bytes) -> dict[str, Any]:
    """What identifies a message apart from its id."""
    message = json.loads(body)
    return {
        "type": message["type"],
        "case": message["data"].get("case", {}).get("id"),
        "finding": message["data"].get("finding", {}).get("id"),
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }


@dataclass(frozen=True)
class Command:
    """The `guardian` of one checkout, at work on one folder."""

    checkout: Path
    home: Path

    def run(self, *words: str, codes: Iterable[int] = (0,)) -> str:
        """Run a command to its end and return what it printed; it must end with one of these exit codes."""
        done = subprocess.run(self._line(*words), capture_output=True, text=True, check=False, **self._where())
        assert done.returncode in tuple(codes), f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def lines(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*words, "--json").splitlines()]

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self._line(*words), stdout=quiet, stderr=quiet, **self._where())

    def python(self, code: str, given: str = "") -> str:
        """Run code over the package of the checkout and return what it printed."""
        line = [sys.executable, "-c", code]
        return subprocess.run(line, input=given, capture_output=True, text=True, check=True, **self._where()).stdout

    def check(self) -> None:
        """Make sure that it is the checkout's package that runs, and no installed one."""
        found = self.python("import guardian; print(guardian.__file__)").strip()
        assert Path(found).is_relative_to(self.checkout), f"{found} is not of {self.checkout}"

    def _line(self, *words: str) -> list[str]:
        line = [sys.executable, "-m", "guardian", *words]
        return line if words[0] == "init" else [*line, "--config", str(self.home / "config.yaml")]

    def _where(self) -> dict[str, Any]:
        environment = os.environ | {"PYTHONPATH": str(self.checkout), "GUARDIAN_SECRET": SECRET}
        return {"env": environment, "cwd": self.home.parent}
