"""A time-stamp authority on loopback: openssl's own, behind a web server that can be told to fail."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = placeholder
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """A time-stamp authority. `root` is its root certificate; the next `failures` answers are HTTP 503.

    `is_of_root`: whether the root vouches for it; one of which nobody does signs its certificate itself.
    """

    def __init__(self, folder: Path, *, is_of_root: bool = True) -> None:
        self.folder, self.root, self.failures, self.asked = folder, folder / "root.pem", 0, 0
        (folder / "openssl.cnf").write_text(_CONFIGURATION.format(folder=folder))
        (folder / "serial").write_text("01\n")
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
        common = ["openssl", "req", "-x509", "-config", "openssl.cnf", *ec]
        self._run(
            *common, "-subj", "/CN=Root of the test", "-extensions", "root", "-keyout", "root.key", "-out", "root.pem"
        )
        issuer = ["-CA", "root.pem", "-CAkey", "root.key"] if is_of_root else []
        signer = [*issuer, "-extensions", "signer"]
        self._run(*common, *signer, "-subj", "/CN=Clock of the test", "-keyout", "signer.key", "-out", "signer.pem")

    def answer(self, query: bytes) -> bytes:
        """Return the answer to a time-stamp query."""
        (self.folder / "query").write_bytes(query)
        self._run("openssl", "ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query", "-out", "answer")
        return (self.folder / "answer").read_bytes()

    def _run(self, *command: str) -> None:
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve it on loopback and give its address."""
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                authority.asked += 1
                query = self.rfile.read(int(self.headers["content-length"]))
                if authority.failures > 0:
                    authority.failures -= 1
                    self.send_response(503)
                    self.end_headers()
                    return
                content = authority.answer(query)
                self.send_response(200)
                self.send_header("content-type", "application/timestamp-reply")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsa"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
