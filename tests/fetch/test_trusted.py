"""The operator's own client against a real server that misbehaves."""

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from guardian.errors import FetchFailed, UsageError
from guardian.fetch.trusted import TrustedClient, TrustedResponse

SECONDS = timedelta(seconds=1)


def post(url: str, timeout: timedelta = 10 * SECONDS, ca_file: Path | None = None) -> TrustedResponse:
    async def go() -> TrustedResponse:
        async with TrustedClient(ca_file) as operator:
            return await operator.post(url, {"content-type": "text/plain", "x-one": "1"}, b"hello", timeout)

    return asyncio.run(go())


def test_posts_to_loopback_and_returns_the_answer(receiver: Any, answer: Any) -> None:
    receiver.then(answer(202, {"X-Told": "yes"}, b"thanks"))
    told = post(receiver.url)
    assert (told.status, told.header("x-told"), told.body_start) == (202, "yes", b"thanks")
    (cache_status,) = receiver.posts
    assert cache_status.body == b"hello"
    assert cache_status.headers["x-one"] == "1"
    assert cache_status.headers["user-agent"].startswith("guardian/")


def test_hosts_are_written_as_the_dns_holds_them(receiver: Any) -> None:
    assert post(receiver.url.replace("127", "１２７")).status == 204
    with pytest.raises(FetchFailed, match=r"no host named xn--53h\.invalid") as failed:
        post("https://☕.invalid/hook")
    assert failed.value.reason == "connect"
    with pytest.raises(FetchFailed, match="port is not a number"):
        post("http://127.0.0.1:99999/hook")


def test_redirects_are_not_followed(receiver: Any, answer: Any) -> None:
    receiver.then(answer(307, {"Location": receiver.url}))
    assert post(receiver.url).status == 307
    assert len(receiver.posts) == 1


def test_proxies_of_the_environment_are_not_used(receiver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert post(receiver.url).status == 204


@pytest.mark.parametrize("way", ["hang", "drip_head"])
def test_an_answer_that_does_not_come_is_a_timeout(receiver: Any, answer: Any, way: str) -> None:
    receiver.then(answer(way=way))
    started = time.monotonic()
    with pytest.raises(FetchFailed, match=r"no answer within 0\.4 s") as failed:
        post(receiver.url, timeout=0.4 * SECONDS)
    assert failed.value.reason == "timeout"
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("way", ["drip_body", "endless_body"])
def test_a_body_without_end_does_not_spoil_the_answer(receiver: Any, answer: Any, way: str) -> None:
    receiver.then(answer(200, way=way))
    started = time.monotonic()
    told = post(receiver.url)
    assert told.status == 200
    assert 0 < len(told.body_start) <= 2048
    assert time.monotonic() - started < 30


def test_a_reset_and_a_closed_port_have_their_reasons(receiver: Any, answer: Any) -> None:
    receiver.then(answer(way="reset"))
    with pytest.raises(FetchFailed) as broken:
        post(receiver.url)
    assert broken.value.reason == "broken"
    assert broken.value.detail == "the connection ended, or broke, before a whole answer came"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FetchFailed) as refused:
        post(f"http://127.0.0.1:{port}/")
    assert refused.value.reason == "connect"
    assert refused.value.detail == "127.0.0.1 took no connection: connection refused"
    with pytest.raises(FetchFailed, match=r"there is no host named nobody\.invalid"):
        post("http://nobody.invalid/")


def test_a_receiver_without_tls_is_named_as_such(receiver: Any) -> None:
    with pytest.raises(FetchFailed) as plain:
        post(receiver.url.replace("http:", "https:"))
    assert plain.value.reason == "tls"
    assert plain.value.detail == "no secure connection to 127.0.0.1: the other side does not speak TLS"


def test_certificates_are_verified_and_an_own_authority_can_be_named(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/hook"

        def answer_twice() -> None:
            for _ in range(2):
                plain, _address = server.accept()
                try:
                    with context.wrap_socket(plain, server_side=True) as secure:
                        request = b""
                        while not request.endswith(b"hello"):
                            request += secure.recv(65536)
                        secure.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                except ssl.SSLError:
                    plain.close()

        thread = threading.Thread(target=answer_twice)
        thread.start()
        with pytest.raises(FetchFailed) as untrusted:
            post(url)
        assert untrusted.value.reason == "tls"
        assert untrusted.value.detail == "the certificate of 127.0.0.1 is not valid: self-signed certificate"
        assert post(url, ca_file=certificate).status == 200
        thread.join(60)


def test_a_missing_authority_file_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.pem"):
        post("https://127.0.0.1/", ca_file=tmp_path / "nowhere.pem")
    (tmp_path / "other.pem").write_text("no certificate")
    with pytest.raises(UsageError, match=r"other\.pem: it holds no certificate in PEM form"):
        post("https://127.0.0.1/", ca_file=tmp_path / "other.pem")
