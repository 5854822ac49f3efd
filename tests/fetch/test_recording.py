"""Exchanges are recorded as they went over the connection, failures too, without what signs guardian in."""

import asyncio
import socket
import ssl
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.credentials import CredentialSettings, read_credentials
from guardian.fetch.dns import Resolver, system_look_up
from guardian.fetch.lenient import LenientTransport
from guardian.fetch.recording import WITHHELD, Exchange, Tape
from guardian.fetch.ssrf_guard import guarded_socket
from guardian.fetch.web import AskedBy, FetchPolicy, WebClient
from tests.fetch.conftest import patient
from tests.websites import GIF, Raw, Redirect, Says, ShorterThanStated, Site

OK = b"HTTP/1.1 200 OK\r\n"


def recorded(url: str, kind: Any = "page", policy: FetchPolicy | None = None, **changed: Any) -> list[Exchange]:
    """Return the exchanges of one visit, whatever comes of it."""
    found: list[Exchange] = []
    policy = policy or FetchPolicy(AskedBy.PERSON)

    async def go() -> None:
        async with WebClient(patient(**changed), clock=lambda: datetime.now(UTC)) as web:
            told = FetchPolicy(policy.asked_by, policy.credentials, found.append)
            with suppress(FetchFailed, FetchRefused):
                await web.get(url, kind=kind, policy=told)

    asyncio.run(go())
    return found


def test_each_byte_of_an_exchange_is_recorded(site: Site) -> None:
    answer = OK + b"x : odd\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    (exchange,) = recorded(site.put("/page?a=1", Raw(answer)))
    assert exchange.response == answer
    assert exchange.request.startswith(b"GET /page?a=1 HTTP/1.1\r\n")
    assert exchange.request.endswith(b"\r\n\r\n")
    assert b"user-agent: guardian/" in exchange.request.lower()
    assert (exchange.remote_address, exchange.remote_port) == ("127.0.0.1", site.port)
    assert (exchange.resolved, exchange.tls, exchange.incomplete) == ((), None, None)
    assert exchange.began_at <= exchange.ended_at


def test_redirects_errors_with_their_bodies_and_what_was_cut_off_are_recorded(site: Site) -> None:
    site.put("/gone", Says(b"it was here", "404 Not Found"))
    first, second = recorded(site.put("/", Redirect("/gone")))
    assert [one.url.rpartition("/")[2] for one in (first, second)] == ["", "gone"]
    assert second.response.endswith(b"\r\n\r\nit was here")
    (picture,) = recorded(site.url + "/gone", kind="image")
    assert picture.response.endswith(b"it was here")

    (cut,) = recorded(site.put("/cut", ShorterThanStated()))
    assert cut.response.endswith(b"only this")
    assert "ended early" in str(cut.incomplete)

    (hint,) = recorded(site.put("/hint", Raw(b"HTTP/1.1 103 Hints\r\n\r\n" + OK + b"content-length: 2\r\n\r\nhi")))
    assert hint.response == OK + b"content-length: 2\r\n\r\nhi"


def test_what_is_too_large_or_never_comes_says_so(site: Site) -> None:
    (large,) = recorded(site.put("/large", Says(GIF + bytes(100_000))), kind="image", max_image_bytes=1_000)
    assert "limit of 1000" in str(large.incomplete)
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    (refused,) = recorded(f"http://127.0.0.1:{port}/")
    assert (refused.response, refused.remote_address) == (b"", None)
    assert refused.incomplete
    (blocked,) = recorded("http://10.0.0.1/")
    assert "10.0.0.1" in str(blocked.incomplete)


def test_credentials_are_sent_and_withheld_from_the_record(site: Site) -> None:
    site.put("/", Says(b"for members"))
    settings = CredentialSettings(origin=site.url, header="X-Access", secret_env="TOKEN")
    credentials = read_credentials(settings, {"TOKEN": "very-secret"})
    (exchange,) = recorded(site.url + "/", policy=FetchPolicy(AskedBy.PERSON, credentials))
    assert site.asked[-1].headers["x-access"] == "very-secret"
    assert b"very-secret" not in exchange.request
    assert b"x-access: " + WITHHELD in exchange.request.lower()
    assert exchange.withheld == ("x-access",)


def test_cookies_that_a_signed_in_visit_is_given_are_withheld_and_those_of_others_kept(site: Site) -> None:
    head = OK + b"Set-Cookie: session=live-key; Secure\r\nset-cookie : other=1\r\n folded-key\r\nX: y\r\n"
    answer = head + b"content-length: 26\r\n\r\nSet-Cookie: not=this\r\n\r\nhi"
    site.put("/", Raw(answer))
    settings = CredentialSettings(origin=site.url, header="X-Access", secret_env="TOKEN")
    credentials = read_credentials(settings, {"TOKEN": "very-secret"})
    (exchange,) = recorded(site.url + "/", policy=FetchPolicy(AskedBy.PERSON, credentials))
    assert b"key" not in exchange.response
    kept = (b"Set-Cookie: " + WITHHELD, b"set-cookie : " + WITHHELD, b" " + WITHHELD, b"X: y")
    assert exchange.response.split(b"\r\n")[1:5] == list(kept)
    assert exchange.response.endswith(b"\r\n\r\nSet-Cookie: not=this\r\n\r\nhi")
    assert exchange.withheld == ("set-cookie", "x-access")

    (stranger,) = recorded(site.url + "/")
    assert (stranger.response, stranger.withheld) == (answer, ())


def test_the_certificates_of_a_connection_are_recorded_up_to_the_root(tmp_path: Path) -> None:
    def openssl(*arguments: str | Path) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=tmp_path)

    (tmp_path / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *made, "-days", "2", "-subj", "/CN=root", "-keyout", "root.key", "-out", "root.pem")
    openssl("req", *made, "-subj", "/CN=localhost", "-keyout", "site.key", "-out", "site.csr")
    signed = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "site.csr", *signed, "-out", "site.pem")

    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "site.pem", tmp_path / "site.key")
    secure = Site(context=served)
    secure.put("/", Says(b"hello"))

    async def go() -> Exchange:
        resolver = Resolver(system_look_up, 1)
        trusting = ssl.create_default_context(cafile=str(tmp_path / "root.pem"))
        make_socket = guarded_socket(patient().networks)
        transport = LenientTransport(trusting, resolver, make_socket, lambda peer: None)
        url = f"https://localhost:{secure.port}/"
        tape = Tape(url, datetime.now(UTC), ())
        extensions = {"timeout": {"connect": 5.0, "read": 5.0}, "tape": tape}
        answer = await transport.handle_async_request(httpx.Request("GET", url, extensions=extensions))
        await answer.aread()
        await answer.aclose()
        await resolver.close()
        return tape.exchange(datetime.now(UTC), None)

    try:
        exchange = asyncio.run(go())
    finally:
        secure.close()
    assert exchange.tls is not None
    assert exchange.tls.version in ("TLSv1.2", "TLSv1.3")
    assert exchange.tls.cipher
    pems = [ssl.PEM_cert_to_DER_cert((tmp_path / name).read_text()) for name in ("site.pem", "root.pem")]
    assert list(exchange.tls.chain) == pems
    assert "127.0.0.1" in exchange.resolved
