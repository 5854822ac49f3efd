"""Receives the alerts: a small web server in the place of the owner's ticket system.

It verifies each message with the `standardwebhooks` package, which guardian itself does not use.
"""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class Received:
    """One POST request as received. `refused` says why it was not accepted; None when it was genuine."""

    headers: dict[str, str]
    body: bytes
    event: dict[str, Any]
    refused: str | None


class Receiver:
    """Listens on a free port of loopback; `received` has the requests so far."""

    def __init__(self, secret: str) -> None:
        self.received: list[Received] = []
        self._webhook = Webhook(secret)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._hook())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/guardian"

    def close(self) -> None:
        """Stop listening and free the port."""
        self._server.shutdown()
        self._server.server_close()

    def verify(self, headers: dict[str, str], body: bytes) -> str | None:
        """Return why a message must not be accepted, or None for a genuine one."""
        try:
            self._webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError) as error:
            return str(error)
        return None

    def _hook(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Hook(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                refused = receiver.verify(headers, body)
                with receiver._lock:
                    event = {} if refused else json.loads(body)
                    receiver.received.append(Received(headers, body, event, refused))
                self.send_response(401 if refused else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing about each request."""

        return Hook
