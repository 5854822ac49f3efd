"""Visits to a web site that misbehaves in every way we know of."""

import asyncio
import base64
import gzip
import itertools
import resource
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.web import AskedBy, FetchPolicy, WebClient
from guardian.model import Remembered, Response
from tests import websites
from tests.websites import Raw, Says, Site, running

Get = Callable[..., Response]
OK = b"HTTP/1.1 200 OK\r\n"
TOO_SMALL_A_PATIENCE = {"timeout": timedelta(seconds=0.6), "read_timeout": timedelta(seconds=0.3)}
"""For answers that never end. The others have the usual time, since a busy machine may be slow."""

MISBEHAVIOURS: list[tuple[str, Says, str]] = [
    ("silent", websites.Silent(), "timeout"),
    ("silent_within_body", websites.SilentWithinBody(), "timeout"),
    ("slow_head", websites.SlowHead(), "timeout"),
    ("drip_body", websites.DripBody(), "timeout"),
    ("endless_headers", websites.EndlessHeaders(), "broken"),
    ("many_headers", websites.ManyHeaders(), "broken"),
    ("huge_header", websites.HugeHeader(), "broken"),
    ("endless_hints", websites.EndlessHints(), "timeout"),
    ("endless_body", websites.EndlessBody(), "too_large"),
    ("endless_chunks", websites.EndlessChunks(), "too_large"),
    ("states_too_much", websites.StatesTooMuch(), "too_large"),
    ("gzip_bomb", websites.GzipBomb(), "too_large"),
    ("nested_gzip_bomb", websites.NestedGzipBomb(), "encoding"),
    ("twice_gzipped", websites.Gzipped(b"plain", times=2, coding="gzip, gzip"), "encoding"),
    ("not_gzip_at_all", Says(b"plain", content_encoding="gzip"), "encoding"),
    ("brotli_uninvited", Says(b"plain", content_encoding="br"), "encoding"),
    ("not_deflate", Says(b"\xff\xfe plain", content_encoding="deflate"), "encoding"),
    ("two_lengths", Raw(OK + b"content-length: 5\r\ncontent-length: 3\r\n\r\nhello"), "broken"),
    ("reset_before_answer", websites.ResetBeforeAnswer(), "broken"),
    ("hangs_up", websites.HangsUp(), "broken"),
    ("http_09", Raw(b"<html>hello, this is 1991</html>"), "broken"),
    ("garbage", Raw(bytes(range(256)) * 20), "broken"),
    ("not_http", Raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "broken"),
    ("status_of_four_digits", Raw(b"HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n"), "broken"),
    ("bare_newline_in_header", Raw(OK + b"x: a\rb\x00\r\ncontent-length: 2\r\n\r\nhi"), "broken"),
    ("upgrade", Raw(b"HTTP/1.1 101 Switch\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"), "status_101"),
    ("no_content", Raw(b"HTTP/1.1 204 No Content\r\n\r\n"), "status_204"),
    ("partial", Says(b"half", "206 Partial Content", content_range="bytes 0-3/8"), "status_206"),
    ("not_modified_uninvited", Raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "status_304"),
    ("password", websites.Status("401 Unauthorized", www_authenticate='Basic realm="x"'), "status_401"),
    ("forbidden", websites.Status("403 Forbidden"), "status_403"),
    ("missing", websites.Status("404 Not Found"), "status_404"),
    ("gone", websites.Status("410 Gone"), "status_410"),
    ("legal_reasons", websites.Status("451 Unavailable For Legal Reasons"), "status_451"),
    ("broken_server", websites.Status("500 Internal Server Error"), "status_500"),
    ("status_999", websites.Status("999 Request denied"), "status_999"),
    ("busy", websites.Status("429 Too Many Requests"), "status_429"),
    ("unavailable", websites.Status("503 Service Unavailable"), "status_503"),
    ("redirect_nowhere", websites.RedirectNowhere(), "status_302"),
    ("redirect_to_itself", websites.Redirect("/redirect_to_itself"), "redirect_loop"),
    ("redirect_to_file", websites.Redirect("file:///etc/passwd"), "scheme"),
    ("redirect_to_data", websites.Redirect("data:text/html,hello"), "scheme"),
    ("redirect_to_script", websites.Redirect("javascript:alert(1)"), "scheme"),
    ("redirect_to_ftp", websites.Redirect("ftp://127.0.0.1/x"), "scheme"),
    ("redirect_to_no_port", websites.Redirect("http://127.0.0.1:99999/"), "bad_address"),
    ("redirect_to_no_host", websites.Redirect("http://:80/nowhere"), "bad_address"),
    ("redirect_to_broken_brackets", websites.Redirect("http://[::1/"), "bad_address"),
    ("redirect_too_long", websites.Redirect("/" + "a" * 7990), "bad_address"),
    ("redirect_to_metadata", websites.Redirect("http://169.254.169.254/latest/meta-data/"), "address"),
    ("redirect_to_private", websites.Redirect("http://10.0.0.1:8080/"), "address"),
    ("redirect_to_mapped", websites.Redirect("http://[::ffff:169.254.169.254]/"), "address"),
    ("redirect_to_decimal", websites.Redirect("http://2852039166/"), "address"),
]  # fmt: skip
"""How the site answers, and guardian's word for it."""


def test_a_picture_where_no_body_may_be_is_not_quoted_whole(site: Site, get: Get) -> None:
    head = b"HTTP/1.1 304 Not Modified\r\ncontent-length: 40000\r\n\r\n"
    url = site.put("/picture", Raw(head + bytes(range(128, 256)) * 300))
    with pytest.raises(FetchFailed) as said:
        get(url)
    assert said.value.skipped.word in ("broken", "status_304")
    assert len(str(said.value)) < 1000


@pytest.mark.parametrize(("name", "way", "reason"), MISBEHAVIOURS, ids=[name for name, _, _ in MISBEHAVIOURS])
def test_each_misbehaviour_has_its_reason_in_bounded_time_and_memory(
    site: Site, get: Get, name: str, way: Says, reason: str
) -> None:
    url = site.put(f"/{name}", way)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises((FetchFailed, FetchRefused)) as said:
        get(url, max_page_bytes=200_000, **(TOO_SMALL_A_PATIENCE if reason == "timeout" else {}))
    assert (said.value.skipped.word, bool(str(said.value))) == (reason, True)
    assert time.monotonic() - started < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000, "kilobytes"


def test_forty_misbehaviours_at_least_are_known() -> None:
    assert len({name for name, _, _ in MISBEHAVIOURS}) >= 40


WELL_ENOUGH: list[tuple[str, Says, bytes]] = [
    ("plain", Says(b"hello"), b"hello"),
    ("empty", Says(b""), b""),
    ("no_length", websites.ClosesAtTheEnd(b"until the end"), b"until the end"),
    ("trailers", websites.Trailers(), b"hello"),
    ("early_hints", websites.EarlyHints(), b"after the hint"),
    ("long_policy", Says(b"shop", content_security_policy="img-src " + "https://cdn.example " * 1_000), b"shop"),
    ("longer_than_stated", websites.LongerThanStated(), b"this"),
    ("gzip", websites.Gzipped(b"packed" * 99), b"packed" * 99),
    ("x_gzip", websites.Gzipped(b"packed", coding="x-gzip"), b"packed"),
    ("two_members", Says(gzip.compress(b"one ") + gzip.compress(b"two"), content_encoding="gzip"), b"one two"),
    ("padded_gzip", Says(gzip.compress(b"packed") + b"\0\0\0", content_encoding="gzip"), b"packed"),
    ("identity", Says(b"plain", content_encoding="identity"), b"plain"),
    ("empty_gzip", Says(b"", content_encoding="gzip"), b""),
    ("deflate", websites.Deflated(b"packed" * 99, raw=False), b"packed" * 99),
    ("raw_deflate", websites.Deflated(b"packed" * 99, raw=True), b"packed" * 99),
    ("wrong_type", Says(websites.GIF, content_type="text/plain"), websites.GIF),
    ("redirect_with_body", websites.RedirectWithBody(), b"there"),
    ("unknown_coding", Says(b"plain", content_encoding="rot13"), b"plain"),
    ("charset_as_coding", Says(b"plain", content_encoding="UTF-8"), b"plain"),
    ("no_coding", Says(b"plain", content_encoding="none"), b"plain"),
    ("coding_and_none", Says(gzip.compress(b"packed"), content_encoding="gzip,aws-chunked"), b"packed"),
    ("gzip_without_trailer", Says(gzip.compress(b"packed")[:-8], content_encoding="gzip"), b"packed"),
    ("non_ascii_redirect", websites.RawLocation("/gr\u00fc\u00df".encode()), b"gruess"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "way", "content"), WELL_ENOUGH, ids=[name for name, _, _ in WELL_ENOUGH])
def test_what_is_odd_but_complete_is_taken(site: Site, get: Get, name: str, way: Says, content: bytes) -> None:
    site.put("/there", "there")
    site.put("/gr%C3%BC%C3%9F", "gruess")
    response = get(site.put(f"/{name}", way), timeout=timedelta(seconds=10))
    assert (response.content, response.incomplete) == (content, None)
    assert (response.status, response.remote_address) == (200, "127.0.0.1")


def test_redirects_are_followed_and_both_addresses_kept(site: Site, get: Get) -> None:
    site.put("/end?a=b", "the end", x_odd="yes")
    url = site.put("/start", websites.Redirect("/end?a=b#fragment"))
    before = datetime.now(UTC)
    response = get(url + "#top")
    assert (response.url, response.final_url) == (url + "#top", site.url + "/end?a=b")
    assert response.header("X-Odd") == "yes"
    assert before <= response.fetched_at <= datetime.now(UTC)
    assert site.paths() == ["/start", "/end?a=b"]


@pytest.mark.parametrize(("length", "reason"), [(5, None), (6, "redirects"), (60, "redirects")])
def test_chains_of_redirects_end(site: Site, get: Get, length: int, reason: str | None) -> None:
    for left in range(length + 1):
        site.put(f"/chain/{left}", websites.RedirectOnward())
    if reason is None:
        assert get(f"{site.url}/chain/{length}").content == b"arrived"
        return
    with pytest.raises(FetchRefused) as refused:
        get(f"{site.url}/chain/{length}")
    assert refused.value.reason == reason
    assert len(site.paths()) == 6


def test_passwords_of_an_address_are_sent_nowhere(site: Site, get: Get) -> None:
    url = site.put("/", websites.Redirect(f"http://user:secret@127.0.0.1:{site.port}/next"))
    site.put("/next", "fine")
    assert get(url.replace("//", "//me:hidden@")).final_url == site.url + "/next"
    secrets = ("me:hidden", "user:secret", *(base64.b64encode(one).decode() for one in (b"me:hidden", b"user:secret")))
    for asked in site.asked:
        assert "authorization" not in asked.headers
        assert not any(secret in value for secret in secrets for value in asked.headers.values())


def test_cookies_are_forgotten(site: Site, get: Get, settings: Callable[..., Any]) -> None:
    url = site.put("/", "cookies", set_cookie="id=tracked; Path=/")

    async def twice() -> None:
        async with WebClient(settings(), clock=lambda: datetime.now(UTC)) as web:
            await web.get(url, kind="page")
            await web.get(url + "?again", kind="page")

    site.put("/?again", "cookies")
    asyncio.run(twice())
    assert len(site.paths()) == 2
    assert not any("cookie" in asked.headers for asked in site.asked)


def test_a_site_is_told_who_asks(site: Site, get: Get) -> None:
    url = site.put("/", "hello")
    get(url, kind="image")
    get(url, user_agent="Watcher/2 (+https://example.com)")
    first, second = [asked.headers for asked in site.asked if asked.path == "/"]
    assert first["user-agent"].startswith("guardian/")
    assert first["user-agent"].endswith("(+tests@example.com)")
    assert first["accept"].startswith("image/")
    assert first["accept-encoding"] == "gzip, deflate"
    assert second["user-agent"] == "Watcher/2 (+https://example.com)"
    assert second["accept"].startswith("text/html")
    assert set(first) <= {"host", "accept", "accept-encoding", "accept-language", "connection", "user-agent"}


def test_proxies_and_passwords_of_the_environment_are_not_used(
    site: Site, get: Get, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hidden\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert get(site.put("/", "direct")).content == b"direct"
    assert "authorization" not in site.asked[-1].headers


@pytest.mark.parametrize("wish", ["0", "-5", "soon", "", "1e3", None])
def test_a_busy_site_is_asked_again_after_the_usual_pause_when_it_does_not_say(
    site: Site, get: Get, wish: str | None
) -> None:
    url = site.put("/", websites.Busy(wish))
    assert get(url, retries=1).content == b"fine again"
    assert site.paths() == ["/", "/"]


@pytest.mark.parametrize("as_date", [False, True])
def test_a_busy_site_is_given_the_pause_it_wishes(site: Site, get: Get, as_date: bool) -> None:
    # A date has whole seconds, of which a busy machine takes its time to come to the first request.
    wish = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True) if as_date else "1"
    url = site.put("/", websites.Busy(wish, status="503 Service Unavailable"))
    assert get(url, retries=1).content == b"fine again"
    first, second = [asked.at for asked in site.asked if asked.path == "/"]
    assert 0.9 < second - first < 30


def test_a_site_that_wishes_for_hours_is_left_alone_for_this_scan(site: Site, settings: Callable[..., Any]) -> None:
    urls = [site.put("/", websites.Status("429 Too Many Requests", retry_after="7200")), site.put("/other", "hello")]

    async def context() -> list[str]:
        reasons = []
        async with WebClient(settings(retries=3), clock=lambda: datetime.now(UTC)) as web:
            for url in urls:
                with pytest.raises(FetchRefused) as refused:
                    await web.get(url, kind="page")
                reasons.append(refused.value.reason)
        return reasons

    assert asyncio.run(context()) == ["host_busy", "host_busy"]
    assert site.paths() == ["/"]


@pytest.mark.parametrize(
    ("way", "tries"),
    [
        (websites.ResetBeforeAnswer(), 2),
        (websites.SilentWithinBody(), 2),
        (websites.Status("502 Bad Gateway"), 2),
        (websites.Status("500 Internal Server Error"), 2),
        (websites.Status("404 Not Found"), 1),
    ],
)
def test_only_what_may_pass_is_asked_for_again(site: Site, get: Get, way: Says, tries: int) -> None:
    url = site.put("/", websites.Flaky(way, Says(b"recovered")))
    if tries == 2:
        assert get(url, retries=2, read_timeout=timedelta(seconds=1.5)).content == b"recovered"
    else:
        with pytest.raises(FetchFailed):
            get(url, retries=2)
    assert len(site.paths()) == tries


def test_requests_to_one_host_keep_their_distance_and_their_number(site: Site, settings: Callable[..., Any]) -> None:
    urls = [site.put(f"/{number}", "hello") for number in range(4)]

    async def context() -> None:
        calm = settings(delay_per_host=timedelta(seconds=0.6), requests_per_host=2)
        async with WebClient(calm, clock=lambda: datetime.now(UTC)) as web:
            await asyncio.gather(*(web.get(url, kind="image") for url in urls))

    asyncio.run(context())
    times = sorted(asked.at for asked in site.asked if asked.path != "/robots.txt")
    assert len(times) == 4
    # The site notes a request a little late when the machine is busy.
    assert all(later - earlier > 0.15 for earlier, later in itertools.pairwise(times))
    assert site.most_at_once <= 2


def test_ports_and_www_are_the_same_host_to_be_polite_to(site: Site, settings: Callable[..., Any]) -> None:
    def look_up(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    calm = settings(delay_per_host=timedelta(seconds=0.4))
    for other in running():
        hosts = [f"{name}:{one.port}" for one in (site, other) for name in ("site.example", "www.site.example")]

        async def context(hosts: list[str] = hosts) -> None:
            async with WebClient(calm, clock=lambda: datetime.now(UTC), look_up=look_up) as web:
                visits = (web.get(f"http://{host}/", kind="image") for host in hosts)
                await asyncio.gather(*visits, return_exceptions=True)

        asyncio.run(context())
        times = sorted(asked.at for asked in (*site.asked, *other.asked))
        assert len(times) == 8, "each with a robots.txt of its own"
        assert all(later - earlier > 0.12 for earlier, later in itertools.pairwise(times))


def test_no_more_than_so_many_requests_to_one_host_are_in_flight(site: Site, settings: Callable[..., Any]) -> None:
    gate = websites.Gate()
    urls = [site.put(f"/{number}", gate) for number in range(9)]

    async def context() -> None:
        async with WebClient(settings(requests_per_host=3), clock=lambda: datetime.now(UTC)) as web:
            visits = [asyncio.ensure_future(web.get(url, kind="image")) for url in urls]
            await asyncio.to_thread(site.wait_for, 4)
            gate.opened.set()
            await asyncio.gather(*visits)

    asyncio.run(context())
    assert site.most_at_once == 3
    assert len(site.paths()) == 9


def test_connections_are_kept_for_the_next_request(site: Site, settings: Callable[..., Any]) -> None:
    urls = [site.put(f"/{number}", "hello") for number in range(20)]

    async def context() -> None:
        async with WebClient(settings(), clock=lambda: datetime.now(UTC)) as web:
            for url in urls:
                await web.get(url, kind="image")

    asyncio.run(context())
    assert len(site.paths()) == 20
    assert site.connections == 1


def test_a_person_is_not_held_up_by_robots_or_pauses(site: Site, get: Get) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /\n", content_type="text/plain")
    url = site.put("/", "hello")
    with pytest.raises(FetchRefused) as refused:
        get(url)
    assert refused.value.reason == "robots"
    started = time.monotonic()
    assert get(url, asked_by_person=True, delay_per_host=timedelta(seconds=60)).content == b"hello"
    assert time.monotonic() - started < 30
    assert site.paths(but_robots=False) == ["/robots.txt", "/"]


def test_the_address_that_a_redirect_leads_to_must_be_allowed_too(site: Site, get: Get) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /secret\n", content_type="text/plain")
    site.put("/secret/page", "secret")
    with pytest.raises(FetchRefused) as refused:
        get(site.put("/open", websites.Redirect("/secret/page")))
    assert refused.value.reason == "robots"
    assert site.paths() == ["/open"]


def remembered(url: str, etag: str | None = '"one"', last_modified: str | None = None) -> Remembered:
    now = datetime.now(UTC)
    return Remembered(url, etag, last_modified, sha256="0" * 64, fetched_at=now, checked_at=now)


@pytest.mark.parametrize(
    ("etag", "last_modified"), [('"one"', None), (None, "Tue, 24 Nov 2026 08:00:00 GMT"), ('"one"', "whenever")]
)
def test_what_has_not_changed_costs_a_304(site: Site, get: Get, etag: str | None, last_modified: str | None) -> None:
    url = site.put("/", websites.Conditional("a page"))
    response = get(url, known=remembered(url, etag, last_modified))
    assert (response.status, response.not_modified, response.content) == (304, True, b"")


def test_a_304_may_state_a_length_but_one_with_a_body_is_asked_for_whole(site: Site, get: Get) -> None:
    unchanged = b"HTTP/1.1 304 Not Modified\r\ncontent-length: 20\r\n\r\n"
    url = site.put("/", Raw(unchanged))
    assert get(url, known=remembered(url)).not_modified
    url = site.put("/body", websites.Flaky(Raw(unchanged + b"x" * 20), Says("whole")))
    assert get(url, known=remembered(url), retries=1).content == b"whole"
    assert ["if-none-match" in asked.headers for asked in site.asked if asked.path == "/body"] == [True, False]


def test_what_has_changed_comes_whole(site: Site, get: Get) -> None:
    url = site.put("/", websites.Conditional("a page"))
    response = get(url, known=remembered(url, '"another"'))
    assert (response.status, response.not_modified, response.content) == (200, False, b"a page")


def test_validators_that_cannot_be_headers_are_left_out(site: Site, get: Get) -> None:
    url = site.put("/", websites.Conditional("a page"))
    response = get(url, known=remembered(url, '"x"\r\nx-smuggled: 1', "gr\u00fc\u00df\n"))
    assert response.content == b"a page"
    assert not {"x-smuggled", "if-none-match", "if-modified-since"} & set(site.asked[-1].headers)


def test_validators_go_to_their_own_address_only(site: Site, get: Get) -> None:
    site.put("/new", websites.Conditional("moved here"))
    url = site.put("/old", websites.Redirect("/new"))
    assert get(url, known=remembered(url)).content == b"moved here"
    assert "if-none-match" not in site.asked[-1].headers


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "scheme"),
        ("page.html", "scheme"),
        ("//127.0.0.1/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://127.0.0.1/", "scheme"),
        ("data:text/plain,hi", "scheme"),
        ("http://", "bad_address"),
        ("http:///path", "bad_address"),
        ("http://:80/", "bad_address"),
        ("http://127.0.0.1:port/", "bad_address"),
        ("http://127.0.0.1:70000/", "bad_address"),
        ("http://[::1", "bad_address"),
        ("http://[zz]/", "bad_address"),
        ("http://a\x00b/", "bad_address"),
        ("http://exa mple/", "bad_address"),
        ("http://127.0.0.1/" + "a" * 9000, "bad_address"),
        ("http://\ud800.example/", "bad_address"),
        ("http://127.0.0.1\\@example.invalid/", "bad_address"),
    ],
)
def test_addresses_that_are_none_are_refused(get: Get, address: str, reason: str) -> None:
    with pytest.raises(FetchRefused) as refused:
        get(address, asked_by_person=True)
    assert refused.value.reason == reason
    assert refused.value.url == address


def test_a_closed_port_and_an_unknown_name_have_their_words(get: Get) -> None:
    with pytest.raises(FetchFailed) as closed:
        get("http://127.0.0.1:1/", asked_by_person=True)
    assert closed.value.reason == "connect"
    assert closed.value.detail == "127.0.0.1 took no connection: connection refused"
    for host in ("no-such-host.invalid", "a" * 300 + ".invalid", "a..b.invalid"):
        with pytest.raises(FetchFailed) as unknown:
            get(f"http://{host}/", asked_by_person=True)
        assert unknown.value.reason == "dns"
        assert unknown.value.detail.startswith(f"there is no host named {host}")


def test_a_name_server_that_hangs_holds_up_nobody_else(site: Site, settings: Callable[..., Any]) -> None:
    url, hanging = site.put("/", "hello").replace("127.0.0.1", "site.example"), threading.Event()

    def look_up(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
        if host.startswith("stuck"):
            hanging.wait(20)
            raise OSError("gave up")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def context() -> bytes:
        # Long enough for the page on a busy machine, short enough to wait for.
        fast = settings(timeout=timedelta(seconds=4))
        async with WebClient(fast, clock=lambda: datetime.now(UTC), look_up=look_up) as web:
            stuck = [
                asyncio.ensure_future(
                    web.get(f"http://stuck{number}.example/", kind="image", policy=FetchPolicy(AskedBy.PERSON))
                )
                for number in range(40)
            ]
            await asyncio.sleep(0)
            content = (await web.get(url, kind="page")).content
            # Other rooms work on the loop's own threads.
            assert await asyncio.to_thread(lambda: "free") == "free"
            for one in stuck:
                with pytest.raises(FetchFailed, match=r"\b4 s") as failed:
                    await one
                assert failed.value.reason == "timeout"
        hanging.set()
        return content

    assert asyncio.run(context()) == b"hello"


def test_certificates_are_verified(tmp_path: Path, get: Get) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    for site in websites.running(context=context):
        url = site.put("/", "secure")
        with pytest.raises(FetchFailed) as untrusted:
            get(url, asked_by_person=True)
        assert untrusted.value.reason == "tls"
        assert "certificate of 127.0.0.1 is not valid: self-signed certificate" in untrusted.value.detail
        assert site.asked == []


def test_a_plain_server_asked_for_tls_has_its_word(site: Site, get: Get) -> None:
    with pytest.raises(FetchFailed) as failed:
        get(site.url.replace("http:", "https:"), asked_by_person=True)
    assert failed.value.reason == "tls"


def test_pictures_and_pages_have_limits_of_their_own(site: Site, get: Get) -> None:
    url = site.put("/", b"x" * 5000)
    limits = {"max_page_bytes": 4999, "max_image_bytes": 5000}
    assert len(get(url, kind="image", **limits).content) == 5000
    with pytest.raises(FetchRefused) as refused:
        get(url, kind="page", **limits)
    assert (refused.value.reason, "4999" in refused.value.detail) == ("too_large", True)


def test_a_stranger_must_be_opened(settings: Callable[..., Any]) -> None:
    web = WebClient(settings(), clock=lambda: datetime.now(UTC))
    with pytest.raises(RuntimeError, match="before it was opened"):
        asyncio.run(web.get("http://127.0.0.1/", kind="page", policy=FetchPolicy(AskedBy.PERSON)))
