"""The browser's way to the web: public addresses only, for who knows the secret, within bounds, bytes as they are."""

import asyncio
import base64
import re
import socket
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from guardian.fetch.guarded_proxy import GuardedProxy, ProxyBounds
from tests.websites import EndlessBody, Redirect, Site

PUBLIC = ip_network("127.0.0.9/32")
"""Stands for the whole public web: the one address that the proxy of these tests lets through."""

Talk = Callable[[GuardedProxy], Awaitable[Any]]


def look_up(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
    places = {
        "public.test": ["127.0.0.9"],
        "inside.test": ["10.0.0.1"],
        "mixed.test": ["127.0.0.1", "127.0.0.9"],
        "localhost": ["127.0.0.1"],
        "0x7f000001": ["127.0.0.1"],
    }
    if host not in places:
        raise socket.gaierror(socket.EAI_NONAME, "no such host")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in places[host]]


def through(talk: Talk, **bounds: Any) -> Any:
    async def go() -> Any:
        async with asyncio.timeout(10), GuardedProxy((PUBLIC,), ProxyBounds(**bounds), look_up) as proxy:
            return await talk(proxy)

    return asyncio.run(go())


async def said(proxy: GuardedProxy, request: str, password: str | None = None, then: bytes = b"") -> bytes:
    """All that the proxy answers to one request; lines are ended and the secret is added here."""
    pair = f"{proxy.username}:{proxy.password if password is None else password}".encode()
    lines = [*request.split("\n"), f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}", "", ""]
    reader, writer = await asyncio.open_connection(*proxy.address)
    writer.write("\r\n".join(lines).encode() + then)
    answer = b""
    # The site keeps its connections, as many do: the length says where an answer ends.
    while (some := await reader.read(65536)) and not _is_whole(answer := answer + some):
        pass
    writer.close()
    return answer


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return length is not None and len(body) == int(length[1])


def asked(request: str, **more: Any) -> bytes:
    answer: bytes = through(lambda proxy: said(proxy, request, **more))
    return answer


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site("127.0.0.9")
    yield made
    made.close()


def test_plain_requests_are_passed_on_without_the_secret_and_answers_come_as_they_are(site: Site) -> None:
    site.put("/a?b=c", "the page", x_odd="kept")

    answer = asked(f"GET http://public.test:{site.port}/a?b=c HTTP/1.1\nHost: public.test\nX-Own: 1\nConnection: close")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"x-odd: kept\r\n" in answer
    assert answer.endswith(b"\r\n\r\nthe page")
    assert site.asked[0].headers == {"host": "public.test", "x-own": "1", "connection": "close"}


def test_a_body_is_passed_on_and_nothing_behind_it(site: Site) -> None:
    site.put("/form", "thanks")
    request = f"POST http://public.test:{site.port}/form HTTP/1.1\nHost: public.test\nContent-Length: 3"

    assert asked(request, then=b"a=1").endswith(b"thanks")

    # A second request on the same connection might be for another host.
    asked(request, then=b"a=1GET http://public.test/secret HTTP/1.1\r\nHost: public.test\r\n\r\n")
    assert "/secret" not in site.paths()
    assert "http://public.test/secret" not in site.paths()


def test_tunnels_carry_bytes_both_ways(site: Site) -> None:
    site.put("/a", "through the tunnel")
    then = b"GET /a HTTP/1.1\r\nHost: public.test\r\n\r\n"

    async def talk(proxy: GuardedProxy) -> bytes:
        reader, writer = await asyncio.open_connection(*proxy.address)
        pair = base64.b64encode(f"{proxy.username}:{proxy.password}".encode())
        head = f"CONNECT public.test:{site.port} HTTP/1.1\r\nHost: public.test\r\nProxy-Authorization: Basic "
        writer.write(head.encode() + pair + b"\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.write(then)
        answer = await reader.readuntil(b"tunnel")
        writer.close()
        return answer

    assert b"through the tunnel" in through(talk)


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_who_does_not_know_the_secret_is_not_served(site: Site, secret: str) -> None:
    for request in (f"GET http://public.test:{site.port}/ HTTP/1.1", f"CONNECT public.test:{site.port} HTTP/1.1"):
        answer = asked(f"{request}\nHost: a", password=secret)
        assert answer.startswith(b"HTTP/1.1 407 ")
        assert b"proxy-authenticate: Basic" in answer
    assert site.asked == []


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("127.0.0.1", "this machine"),
        ("localhost", "this machine"),
        ("0x7f000001", "this machine"),
        ("169.254.169.254", "a cloud's metadata address"),
        ("168.63.129.16", "a cloud's metadata address"),
        ("[::1]", "this machine"),
        ("[::ffff:127.0.0.1]", "this machine"),
        ("[fe80::1]", "not a public address"),
        ("inside.test", "not a public address"),
    ],
)
@pytest.mark.parametrize("request_line", ["CONNECT {}:{} HTTP/1.1", "GET http://{}:{}/ HTTP/1.1"])
def test_addresses_inside_get_no_answer_and_are_named(host: str, reason: str, request_line: str) -> None:
    inside = Site("127.0.0.1")

    async def talk(proxy: GuardedProxy) -> tuple[bytes, Any]:
        answer = await said(proxy, request_line.format(host, inside.port) + "\nHost: a")
        return answer, proxy.refused

    try:
        answer, refused = through(talk)
        assert answer == b""
        assert [(one.host, one.port) for one in refused] == [(host.strip("[]"), inside.port)]
        assert refused[0].reason.startswith("blocked address ")
        assert refused[0].reason.partition(";")[0].endswith(f": {reason}")
        assert inside.connections == 0
    finally:
        inside.close()


def test_of_a_name_with_several_addresses_only_the_public_one_is_reached(site: Site) -> None:
    site.put("/", "from outside")
    inside = Site("127.0.0.1")
    try:
        assert asked(f"GET http://mixed.test:{site.port}/ HTTP/1.1\nHost: a").endswith(b"from outside")
        assert inside.connections == 0
    finally:
        inside.close()


def test_redirects_are_left_to_the_browser_which_comes_back_with_them(site: Site) -> None:
    site.put("/", Redirect("http://127.0.0.1/"))
    assert b"location: http://127.0.0.1/" in asked(f"GET http://public.test:{site.port}/ HTTP/1.1\nHost: a")


def test_a_name_that_changes_is_judged_at_each_connection(site: Site) -> None:
    site.put("/", "the page")
    answers = iter(["127.0.0.9", "127.0.0.1"])

    def rebinding(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    async def go() -> tuple[bytes, bytes, int]:
        async with GuardedProxy((PUBLIC,), look_up=rebinding) as proxy:
            request = f"GET http://rebinding.test:{site.port}/ HTTP/1.1\nHost: a"
            return await said(proxy, request), await said(proxy, request), len(proxy.refused)

    first, second, refused = asyncio.run(go())
    assert first.endswith(b"the page")
    assert (second, refused) == (b"", 1)


@pytest.mark.parametrize(
    "request_line",
    ["GET / HTTP/1.1", "GET ftp://public.test/ HTTP/1.1", "GET https://public.test/ HTTP/1.1", "CONNECT :1 HTTP/1.1",
     "CONNECT public.test:99999 HTTP/1.1", "GET http://[::1/ HTTP/1.1", "GET http://nowhere.test/ HTTP/1.1"],
)  # fmt: skip
def test_what_no_proxy_can_serve_gets_no_answer(request_line: str) -> None:
    assert asked(f"{request_line}\nHost: a") == b""


def test_what_is_no_http_gets_no_answer() -> None:
    async def talk(proxy: GuardedProxy) -> bytes:
        reader, writer = await asyncio.open_connection(*proxy.address)
        writer.write(b"\x16\x03\x01 nothing that h11 reads\r\n\r\n")
        return await reader.read()

    assert through(talk) == b""


def test_bytes_are_bounded_over_all_connections(site: Site) -> None:
    site.put("/endless", EndlessBody())

    async def talk(proxy: GuardedProxy) -> tuple[int, bytes, str | None]:
        request = f"GET http://public.test:{site.port}/endless HTTP/1.1\nHost: a"
        return len(await said(proxy, request)), await said(proxy, request), proxy.exceeded

    got, again, exceeded = through(talk, max_bytes=3 * 1024**2)
    assert 2 * 1024**2 < got <= 3 * 1024**2
    assert again == b""
    assert exceeded == "the page took more than 3 MiB"


def test_connections_are_bounded(site: Site) -> None:
    site.put("/", "page")

    async def talk(proxy: GuardedProxy) -> tuple[list[bytes], str | None]:
        request = f"GET http://public.test:{site.port}/ HTTP/1.1\nHost: a"
        return [(await said(proxy, request))[-4:] for _ in range(3)], proxy.exceeded

    assert through(talk, connections=2) == ([b"page", b"page", b""], "the page opened more than 2 connections")


def test_silence_is_bounded() -> None:
    """On either side: a browser that says nothing, a site that says nothing."""
    quiet = socket.create_server(("127.0.0.9", 0))

    async def talk(proxy: GuardedProxy) -> bytes:
        reader, _ = await asyncio.open_connection(*proxy.address)
        port = quiet.getsockname()[1]
        return await reader.read() + await said(proxy, f"GET http://public.test:{port}/ HTTP/1.1\nHost: a")

    with quiet:
        assert through(talk, silence=timedelta(milliseconds=200)) == b""
