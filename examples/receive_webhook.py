"""A receiver of guardian's webhooks: verifies the signature, drops repeats, answers quickly.

    export GUARDIAN_WEBHOOK_SECRET=whsec_...        # the same as guardian has
    python examples/receive_webhook.py --port 8900 --inbox inbox.db

Needs only the package `standardwebhooks`. What you do with a message goes where it says "your work".
"""

import argparse
import json
import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

LARGEST_BODY = 100_000


class Hook(BaseHTTPRequestHandler):
    """Answers 204 to what is genuine (new or repeated), 401 to what is not signed with our secret."""

    webhook: Webhook
    inbox: sqlite3.Connection
    timeout = 15  # seconds for a sender to say something, or a silent one would keep everybody else waiting

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if not 0 < length <= LARGEST_BODY:
            self._answer(413)
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            # Checks the bytes as they came, before anything looks into them, and that the time is within 5 minutes.
            event = self.webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError) as error:
            print(f"refused: {error}", flush=True)
            self._answer(401)
            return
        # guardian sends at least once: after a crash the same message comes again with the same webhook-id.
        with self.inbox:
            statement = "INSERT OR IGNORE INTO messages (id, type, body) VALUES (?, ?, ?)"
            is_new = self.inbox.execute(statement, (headers["webhook-id"], event["type"], body.decode())).rowcount == 1
        # Answer only now that the message is safe, and do slow work elsewhere: guardian waits 15 seconds.
        self._answer(204)
        if is_new:
            # Your work: open a ticket, write to a channel, ask a lawyer.
            print(f"{event['type']} {headers['webhook-id']}", flush=True)
            print(json.dumps(event["data"], indent=2, ensure_ascii=False), flush=True)
        else:
            print(f"repeated {headers['webhook-id']}", flush=True)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing about each request; what matters is printed above."""


def main() -> None:
    """Receive until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--inbox", default="inbox.db", help="SQLite file in which messages are kept")
    options = parser.parse_args()
    secret = os.environ.get("GUARDIAN_WEBHOOK_SECRET")
    if not secret:
        sys.exit("set GUARDIAN_WEBHOOK_SECRET to the whsec_ secret that guardian signs with")
    Hook.webhook = Webhook(secret)
    Hook.inbox = sqlite3.connect(options.inbox)
    Hook.inbox.execute("CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, type TEXT, body TEXT)")
    server = HTTPServer((options.host, options.port), Hook)
    print(f"receiving on http://{options.host}:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
