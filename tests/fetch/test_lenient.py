"""Answers that break the rules of HTTP, as browsers read them, and those that were cut off."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.dns import Resolver, system_look_up
from guardian.fetch.lenient import LenientTransport
from guardian.fetch.ssrf_guard import guarded_socket
from guardian.fetch.transport_errors import as_fetch_error
from guardian.fetch.web import AskedBy, FetchPolicy, WebClient
from guardian.model import Response
from tests import websites
from tests.websites import Raw, Says, Site

Get = Callable[..., Response]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
HASTE = {"timeout": timedelta(seconds=10), "read_timeout": timedelta(seconds=1.5)}
"""For answers whose end does not come."""

ODD: list[tuple[str, Says, bytes]] = [
    ("length_and_chunks", Raw(OK + b"content-length: 2\r\n" + CHUNKED), b"hello"),
    ("chunks_in_capitals", Raw(OK + b"Transfer-Encoding: Chunked\r\nX: y\r\n" + CHUNKED[28:]), b"hello"),
    ("length_twice_the_same", Raw(OK + b"content-length: 5\r\nContent-Length: 5\r\n\r\nhello"), b"hello"),
    ("length_twice_in_one", Raw(OK + b"content-length: 5, 5\r\n\r\nhello"), b"hello"),
    ("length_is_no_number", Raw(OK + b"content-length: banana\r\n\r\nhello"), b"hello"),
    ("length_is_negative", Raw(OK + b"content-length: -5\r\n\r\nhello"), b"hello"),
    ("length_is_empty", Raw(OK + b"content-length:\r\n\r\nhello"), b"hello"),
    ("identity_and_length", Raw(OK + b"transfer-encoding: identity\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("old_and_chunked", Raw(b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello"), b"hello"),
    ("more_after_close", Raw(OK + b"connection: close\r\ncontent-length: 5\r\n\r\nhello, smuggled"), b"hello"),
    ("blank_before_colon", Raw(OK + b"x-powered-by : x\r\ncontent-length : 5\r\n\r\nhello"), b"hello"),
    ("header_without_colon", Raw(OK + b"nonsense\r\n: x\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("folded_header", Raw(OK + b"x: a\r\n b\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("folded_odd_header", Raw(OK + b"x : a\r\n\tb\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("bare_newlines", Raw(b"HTTP/1.1 200 OK\ncontent-length: 5\n\nhello"), b"hello"),
    ("bare_newlines_and_odd", Raw(b"HTTP/1.1 200 OK\nx : y\ncontent-length: 5\n\nhello"), b"hello"),
    ("lower_case_protocol", Raw(b"http/1.1 200 ok\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("short_version", Raw(b"HTTP/2 200\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("no_version", Raw(b"HTTP 200 OK\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("two_blanks", Raw(b"HTTP/1.1  200  OK\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("rubbish_before", Raw(b"\r\n??HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("radio", Raw(b"ICY 200 OK\r\ncontent-length: 5\r\n\r\nhello"), b"hello"),
    ("odd_hint", Raw(b"HTTP/1.1 103 Hints\r\nx : y\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"), b"hi"),
]  # fmt: skip
"""How the site answers, and what browsers read."""


@pytest.mark.parametrize(("name", "way", "content"), ODD, ids=[name for name, _, _ in ODD])
def test_what_browsers_read_is_read(site: Site, get: Get, name: str, way: Says, content: bytes) -> None:
    response = get(site.put(f"/{name}", way))
    assert (response.content, response.incomplete) == (content, None)
    assert (response.status, response.remote_address) == (200, "127.0.0.1")


CUT_OFF: list[tuple[str, Says, bytes]] = [
    ("truncated_gzip", websites.TruncatedGzip(), bytes(range(256))),
    ("shorter_than_stated", websites.ShorterThanStated(), b"only this"),
    ("broken_chunks", websites.BrokenChunks(), b"hello"),
    ("unfinished_chunks", websites.UnfinishedChunks(), b"hello"),
    ("no_last_newline", Raw(OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"), b"hello"),
    ("reset_within_answer", websites.ResetWithinAnswer(), b"half"),
    ("length_is_no_number_and_no_end", Says(b"hello", content_length="banana"), b"hello"),
]
"""How the site breaks off, and what came."""


@pytest.mark.parametrize(("name", "way", "content"), CUT_OFF, ids=[name for name, _, _ in CUT_OFF])
def test_what_was_cut_off_is_taken_and_says_so(site: Site, get: Get, name: str, way: Says, content: bytes) -> None:
    response = get(site.put(f"/{name}", way), **HASTE)
    assert response.content.startswith(content)
    assert response.incomplete


def test_what_was_cut_off_once_is_asked_for_again_and_comes_whole(site: Site, get: Get) -> None:
    url = site.put("/", websites.Flaky(websites.ShorterThanStated(), Says(b"whole")))
    response = get(url)
    assert (response.content, response.incomplete) == (b"whole", None)
    assert len(site.paths()) == 2


def test_a_host_with_odd_answers_is_read_leniently_at_once(site: Site, settings: Callable[..., Any]) -> None:
    odd = Raw(OK + b"x : y\r\ncontent-length: 5\r\nX: \xe9\r\n\r\nhello")
    urls = [site.put(f"/{number}", odd) for number in range(3)]

    async def context() -> list[Response]:
        async with WebClient(settings(), clock=lambda: datetime.now(UTC)) as web:
            return [await web.get(url, kind="page") for url in urls]

    for response in asyncio.run(context()):
        assert (response.content, response.remote_address) == (b"hello", "127.0.0.1")
        assert response.headers == (("x", "y"), ("content-length", "5"), ("X", "\xe9"))
    assert site.paths() == ["/0", "/0", "/1", "/2"]
    assert len({(asked.headers["user-agent"], asked.headers["accept"]) for asked in site.asked[1:]}) == 1


@pytest.mark.parametrize("host", ["xn--fa-hia.example", "xn--ls8h.example"])
def test_an_international_name_is_looked_up_as_it_stands_in_the_address(
    site: Site, settings: Callable[..., Any], host: str
) -> None:
    asked = set[str]()

    def look_up(name: str, port: int, family: int) -> list[tuple[Any, ...]]:
        asked.add(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    site.put("/", Raw(OK + b"x : y\r\ncontent-length: 5\r\n\r\nhello"))

    async def context() -> Response:
        async with WebClient(settings(), clock=lambda: datetime.now(UTC), look_up=look_up) as web:
            return await web.get(f"http://{host}:{site.port}/", kind="page")

    # Python's own codec reads the first as fass.example, which is another site, and knows no name for the second.
    assert asyncio.run(context()).content == b"hello"
    assert asked == {host}
    assert {one.host for one in site.asked} == {f"{host}:{site.port}"}


def test_the_lenient_way_is_guarded_like_the_usual_one(site: Site, settings: Callable[..., Any]) -> None:
    asked = list[str]()

    def look_up(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
        # The name moves into a private network between the two requests.
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    site.put("/", Raw(OK + b"x : y\r\ncontent-length: 5\r\n\r\nhello"))

    async def context() -> None:
        async with WebClient(settings(), clock=lambda: datetime.now(UTC), look_up=look_up) as web:
            await web.get(f"http://moves.example:{site.port}/", kind="page", policy=FetchPolicy(AskedBy.PERSON))

    with pytest.raises(FetchRefused) as refused:
        asyncio.run(context())
    assert refused.value.reason == "address"


@pytest.mark.parametrize("status", ["203 Other", "206 Part", "404 Not Found", "403 Forbidden", "410 Gone", "500 Oops"])
def test_a_picture_is_one_whatever_its_status(site: Site, get: Get, status: str) -> None:
    picture = websites.GIF + bytes(50_000)
    response = get(site.put("/", Says(picture, status, content_type="image/gif")), kind="image")
    assert (response.content, response.status, response.incomplete) == (picture, int(status[:3]), None)


def test_a_part_of_a_picture_says_so_and_one_from_its_middle_is_none(site: Site, get: Get) -> None:
    part = Says(websites.GIF, "206 Part", content_range="bytes 0-41/999")
    assert "0 to 41 of 999" in str(get(site.put("/start", part), kind="image").incomplete)
    whole = Says(websites.GIF, "206 Part", content_range="bytes 0-41/42")
    assert get(site.put("/whole", whole), kind="page").incomplete is None
    with pytest.raises(FetchFailed) as failed:
        get(site.put("/middle", Says(b"middle", "206 Part", content_range="bytes 9-14/999")), kind="image")
    assert failed.value.status == 206


def test_what_only_claims_to_be_a_picture_keeps_its_status(site: Site, get: Get) -> None:
    page = Says(b"<html>we are sorry" + bytes(10_000_000), "404 Not Found", content_type="image/jpeg")
    with pytest.raises(FetchFailed) as failed:
        get(site.put("/", page), kind="image", max_image_bytes=1_000)
    assert failed.value.status == 404


def test_the_lenient_way_verifies_certificates(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)

    async def asked(url: str, context: ssl.SSLContext) -> bytes:
        resolver = Resolver(system_look_up, 1)
        transport = LenientTransport(context, resolver, guarded_socket([ip_network("127.0.0.0/8")]), lambda peer: None)
        request = httpx.Request("GET", url, extensions={"timeout": {"connect": 2.0, "read": 2.0}})
        answer = await transport.handle_async_request(request)
        try:
            return await answer.aread()
        finally:
            await answer.aclose()
            await resolver.close()

    for site in websites.running(context=served):
        url = site.put("/", Raw(OK + b"x : y\r\ncontent-length: 5\r\n\r\nhello"))
        assert asyncio.run(asked(url, ssl.create_default_context(cafile=str(certificate)))) == b"hello"
        with pytest.raises(httpx.ConnectError) as refused:
            asyncio.run(asked(url, ssl.create_default_context()))
        error = as_fetch_error(url, "127.0.0.1", refused.value)
        assert (error.reason, "is not valid: self-signed" in error.detail) == ("tls", True)
        assert site.paths() == ["/"]


def test_an_answer_without_its_chunks_is_said_in_words_of_ours(site: Site, get: Get) -> None:
    no_chunks = Raw(OK + b"transfer-encoding: chunked\r\n\r\n" + websites.GIF + bytes(40_000))
    with pytest.raises(FetchFailed, match="what came is not in chunks"):
        get(site.put("/", no_chunks), kind="image")
