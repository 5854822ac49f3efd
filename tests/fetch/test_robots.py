"""robots.txt as RFC 9309 has it, over real answers."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.robots import Robots
from guardian.fetch.web import WebClient
from guardian.model import Response, SkipReason
from tests import websites
from tests.websites import Says, Site

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ORIGIN = "http://site.example"


class Origin:
    """A site's robots.txt as `Robots` reads it, and how often it was read."""

    def __init__(self, text: str | bytes = "", status: int = 200, error: Exception | None = None) -> None:
        self.content = text.encode() if isinstance(text, str) else text
        self.status, self.error, self.now = status, error, NOON
        self.read: list[str] = []

    async def __call__(self, url: str) -> Response:
        self.read.append(url)
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return Response(url, url, self.status, (), self.content, self.now)

    def robots(self, token: str = "guardian") -> Robots:
        return Robots(self, token, lambda: self.now)


def verdict(robots: Robots, url: str) -> str | timedelta | None:
    """The wished delay when an address may be visited, else guardian's word for why not."""
    try:
        return asyncio.run(robots.check(url))
    except (FetchFailed, FetchRefused) as error:
        return error.reason


def allowed(text: str | bytes, path: str, token: str = "guardian") -> bool:
    return verdict(Origin(text).robots(token), ORIGIN + path) is None


GROUPS = """
# a comment
User-agent: otherbot
Disallow: /

User-agent: Guardian   # ours, whatever its case
User-agent: thirdbot
Disallow: /ours
Allow: /ours/open

User-agent: *
Disallow: /all
"""


@pytest.mark.parametrize(
    ("path", "token", "expected"),
    [
        ("/ours", "guardian", False),
        ("/ours/deep", "guardian", False),
        ("/ours/open/page", "guardian", True),
        ("/all", "guardian", True),
        ("/", "otherbot", False),
        ("/ours", "thirdbot", False),
        ("/all", "unnamed", False),
        ("/ours", "unnamed", True),
        ("/ours", "guardianbot", True),
        ("/all", "guard", False),
        ("/all", "the-guardian", False),
    ],
)
def test_the_group_that_names_the_visitor_counts_alone(path: str, token: str, expected: bool) -> None:
    assert allowed(GROUPS, path, token) is expected


@pytest.mark.parametrize(
    ("name", "is_meant"),
    [
        *[(name, True) for name in ("guardian", "Guardian/2.0", "guardian bot", "*")],
        *[(name, False) for name in ("guardianbot", "guard", "dia", "a", "", "guardian-news")],
    ],
)
def test_a_part_of_our_name_is_not_our_name(name: str, is_meant: bool) -> None:
    assert allowed(f"User-agent: {name}\nDisallow: /\n", "/page") is not is_meant


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ("Disallow: /fish", "/fish.html", False),
        ("Disallow: /fish", "/Fish", True),
        ("Disallow: /fish/", "/fish", True),
        ("Disallow: /*.gif$", "/a/b.gif", False),
        ("Disallow: /*.gif$", "/a/b.gif?size=1", True),
        ("Disallow: /*?", "/page?a=b", False),
        ("Disallow: /*?", "/page", True),
        ("Disallow: /a*b/c", "/axxxb/c/d", False),
        ("Disallow: /page\nAllow: /page", "/page", True),
        ("Disallow: /page\nAllow: /pa", "/page", False),
        ("Allow: /page\nDisallow: /*.htm", "/page.htm", False),
        ("Disallow:", "/anything", True),
        ("Disallow: /", "/", False),
        ("Disallow: /\nAllow: /$", "/", True),
        ("Disallow: /\nAllow: /$", "/page", False),
        ("Disallow: /caf%C3%A9", "/café", False),
        ("Disallow: /café", "/caf%c3%a9/menu", False),
        ("Disallow: /a%2Fb", "/a/b", True),
        ("Disallow: /%7Euser", "/~user/", False),
        ("disallow : /odd", "/odd", False),
        ("Nonsense: /x\nDisallow: /y", "/y", False),
        ("Disallow: /z # with a comment", "/z", False),
    ],
)
def test_paths_match_as_the_standard_says(rules: str, path: str, expected: bool) -> None:
    assert allowed(f"User-agent: *\n{rules}\n", path) is expected


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lines_end_in_any_way_and_a_byte_order_mark_is_passed_over(ending: str, mark: str) -> None:
    text = mark + ending.join(["User-agent: *", "Disallow: /no", ""])
    assert not allowed(text, "/no")
    assert allowed(text, "/yes")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe\x80 garbage \xff" * 50,
        b"<!doctype html><h1>Not found</h1>",
        b"Disallow: /",
        b"a" * 3_000_000,
    ],
)
def test_a_file_that_says_nothing_forbids_nothing(content: bytes) -> None:
    assert allowed(content, "/page")


def test_what_stands_beyond_half_a_megabyte_is_not_read() -> None:
    padding = "# " + "x" * 100 + "\n"
    within = "User-agent: *\n" + padding * 4900 + "Disallow: /late\n"
    beyond = "User-agent: *\n" + padding * 5200 + "Disallow: /late\n"
    assert not allowed(within, "/late")
    assert allowed(beyond, "/late")


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [((204, 302, 400, 401, 403, 404, 410, 451), None), ((429, 500, 502, 503, 504, 599), "robots_unreachable")],
)
def test_statuses_mean_what_the_standard_says(statuses: tuple[int, ...], expected: str | None) -> None:
    for status in statuses:
        assert verdict(Origin("User-agent: *\nDisallow: /", status).robots(), ORIGIN + "/page") == expected


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (FetchFailed(SkipReason.TIMEOUT, ORIGIN), "robots_unreachable"),
        (FetchRefused(SkipReason.BAD_ADDRESS, ORIGIN), "robots_unreachable"),
        (FetchFailed(SkipReason.DNS, ORIGIN), "dns"),
        (FetchFailed(SkipReason.CONNECT, ORIGIN), "connect"),
        (FetchFailed(SkipReason.TLS, ORIGIN), "tls"),
    ],
)
def test_a_site_that_cannot_be_asked_forbids_all_for_a_while(error: Exception, word: str) -> None:
    origin = Origin(error=error)
    robots = origin.robots()
    assert verdict(robots, ORIGIN + "/page") == word
    origin.error = None
    assert verdict(robots, ORIGIN + "/page") == word
    assert asyncio.run(robots.sitemaps(ORIGIN + "/page")) == ()
    origin.now += timedelta(minutes=11)
    assert verdict(robots, ORIGIN + "/page") is None
    assert len(origin.read) == 2


def test_an_unread_file_says_why() -> None:
    with pytest.raises(FetchRefused, match="could not be read, which forbids all: the site answered 503"):
        asyncio.run(Origin(status=503).robots().check(ORIGIN + "/page"))


@pytest.mark.parametrize("reason", [SkipReason.BUDGET, SkipReason.HOST_BUSY])
def test_what_guardian_itself_puts_off_is_said_as_such_and_not_kept(reason: SkipReason) -> None:
    origin = Origin(error=FetchRefused(reason, f"{ORIGIN}/robots.txt"))
    robots = origin.robots()
    with pytest.raises(FetchRefused) as refused:
        asyncio.run(robots.check(ORIGIN + "/page"))
    assert (refused.value.reason, refused.value.url) == (reason, ORIGIN + "/page")
    origin.error = None
    assert verdict(robots, ORIGIN + "/page") is None


def test_a_blocked_address_is_said_as_such() -> None:
    origin = Origin(error=FetchRefused(SkipReason.PRIVATE_ADDRESS, ORIGIN))
    robots = origin.robots()
    assert [verdict(robots, f"{ORIGIN}/{number}") for number in range(3)] == ["address"] * 3
    assert len(origin.read) == 1, "a file that leads inside is asked for once, not for each page"
    with pytest.raises(FetchRefused):
        asyncio.run(robots.sitemaps(ORIGIN))


def test_a_file_is_kept_for_a_day_at_most_and_not_across_a_clock_turned_back() -> None:
    origin = Origin("User-agent: *\nDisallow: /")
    robots = origin.robots()
    for hours, reads in [(0, 1), (23, 1), (24, 2), (47, 2), (-3, 3)]:
        origin.now = NOON + timedelta(hours=hours)
        assert verdict(robots, ORIGIN + "/page") == "robots"
        assert len(origin.read) == reads


def test_each_origin_has_its_own_file() -> None:
    origin = Origin()
    robots = origin.robots()
    for url in ("http://a.example/x", "https://a.example/x", "http://a.example:8080/x", "http://b.example/x?y"):
        assert verdict(robots, url) is None
    assert origin.read == [
        "http://a.example/robots.txt",
        "https://a.example/robots.txt",
        "http://a.example:8080/robots.txt",
        "http://b.example/robots.txt",
    ]


def test_many_visits_at_once_read_the_file_once() -> None:
    origin = Origin("User-agent: *\nDisallow: /no")

    async def context() -> list[Any]:
        robots = origin.robots()
        paths = ["/yes", "/no"] * 20
        return await asyncio.gather(*(robots.check(ORIGIN + path) for path in paths), return_exceptions=True)

    results = asyncio.run(context())
    assert len(origin.read) == 1
    assert [result is None for result in results] == [True, False] * 20


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("-3", None),
        ("1e9", 86400.0),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_wished_delay_is_handed_on_within_reason(wish: str, expected: float | None) -> None:
    delay = verdict(Origin(f"User-agent: *\nCrawl-delay: {wish}\n").robots(), ORIGIN + "/page")
    assert delay == (None if expected is None else timedelta(seconds=expected))


def words(site: Site, settings: Any, *paths: str) -> list[str]:
    async def go() -> list[str]:
        said = []
        async with WebClient(settings, clock=lambda: datetime.now(UTC)) as web:
            for path in paths:
                try:
                    said.append((await web.get(site.url + path, kind="page")).content.decode())
                except (FetchRefused, FetchFailed) as error:
                    said.append(error.reason)
        return said

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (Says("User-agent: *\nDisallow: /page"), "robots"),
        (Says("User-agent: *\nDisallow: /other"), "hello"),
        (websites.Redirect("/elsewhere"), "robots"),
        (websites.Status("404 Not Found"), "hello"),
        (websites.Status("500 Internal Server Error"), "robots_unreachable"),
        (websites.Redirect("/robots.txt"), "hello"),
        (websites.RedirectNowhere(), "hello"),
        (websites.ResetBeforeAnswer(), "robots_unreachable"),
        (websites.Silent(), "robots_unreachable"),
        (websites.TruncatedGzip(), "robots_unreachable"),
        (websites.GzipBomb(), "hello"),
        (websites.EndlessBody(), "hello"),
        (websites.HangsUp(), "robots_unreachable"),
        (websites.Raw(b"hello"), "robots_unreachable"),
        (websites.Gzipped(b"User-agent: guardian\nDisallow: /"), "robots"),
    ],
)
def test_a_real_file_is_read_in_bounds(site: Site, settings: Callable[..., Any], way: Says, expected: str) -> None:
    site.put("/page", "hello")
    site.put("/elsewhere", "User-agent: *\nDisallow: /page")
    site.put("/robots.txt", way)
    patience = {"read_timeout": timedelta(seconds=0.3)} if isinstance(way, websites.Silent) else {}
    assert words(site, settings(**patience), "/page") == [expected]


def test_a_file_is_read_once_for_many_pages_and_under_our_name(site: Site, settings: Callable[..., Any]) -> None:
    site.put("/robots.txt", "User-agent: watcher\nDisallow: /private\n\nUser-agent: *\nDisallow: /\n")
    for path in ("/a", "/b", "/private"):
        site.put(path, "hello")
    named = settings(user_agent="Watcher/1.0 (+https://example.com)")
    assert words(site, named, "/a", "/b", "/private") == ["hello", "hello", "robots"]
    assert site.paths(but_robots=False) == ["/robots.txt", "/a", "/b"]


def test_the_crawl_delay_is_kept_up_to_the_users_limit(site: Site, settings: Callable[..., Any]) -> None:
    site.put("/robots.txt", "User-agent: *\nCrawl-delay: 3600\n")
    for path in ("/a", "/b", "/c"):
        site.put(path, "hello")
    words(site, settings(max_delay=timedelta(seconds=0.5)), "/a", "/b", "/c")
    times = [asked.at for asked in site.asked if asked.path != "/robots.txt"]
    assert 0.8 < times[2] - times[0] < 8


def test_a_file_takes_its_hosts_turn_like_any_other_request(site: Site, settings: Callable[..., Any]) -> None:
    site.put("/elsewhere", "User-agent: *\nAllow: /")
    site.put("/robots.txt", websites.Redirect("/elsewhere"))
    site.put("/page", "hello")
    assert words(site, settings(delay_per_host=timedelta(seconds=0.3)), "/page") == ["hello"]
    times = [asked.at for asked in site.asked]
    assert all(later - earlier > 0.15 for earlier, later in pairwise(times))
    assert words(site, settings(requests_per_host_and_day=2), "/page") == ["budget"]


def test_a_file_that_stumbles_once_is_asked_for_again(site: Site, settings: Callable[..., Any]) -> None:
    site.put("/page", "hello")
    site.put("/robots.txt", websites.Busy("0", "503 Service Unavailable"))
    assert words(site, settings(retries=1), "/page") == ["hello"]
    assert site.paths(but_robots=False) == ["/robots.txt", "/robots.txt", "/page"]


def test_five_redirects_of_a_file_are_followed_however_few_a_page_may_have(
    site: Site, settings: Callable[..., Any]
) -> None:
    site.put("/page", "hello")
    site.put("/robots.txt", websites.Redirect("/1"))
    for number in range(1, 5):
        site.put(f"/{number}", websites.Redirect(f"/{number + 1}"))
    site.put("/5", "User-agent: *\nDisallow: /page")
    assert words(site, settings(max_redirects=0), "/page") == ["robots"]


@pytest.mark.parametrize(
    "path", ["/public/../private/x", "/public/%2e%2E/private/x", "/./private/x", "/public/.%2e/private/x"]
)
def test_the_path_that_is_read_for_is_the_one_that_is_asked_for(
    site: Site, settings: Callable[..., Any], path: str
) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /private")
    site.put("/private/x", "hello")
    assert words(site, settings(), path) == ["robots"]


def test_sitemaps_are_not_asked_after_outside_the_hours(site: Site, settings: Callable[..., Any]) -> None:
    async def go() -> None:
        async with WebClient(settings(hours="22:00-06:00"), clock=lambda: NOON) as web:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(web.sitemaps(site.url), 0.2)

    asyncio.run(go())
    assert site.connections == 0


def test_a_person_does_not_wait_long_to_hear_what_a_file_forbids(site: Site, settings: Callable[..., Any]) -> None:
    site.put("/robots.txt", websites.Status("503 Service Unavailable", retry_after="60"))
    started = time.monotonic()

    async def go() -> bool:
        async with WebClient(settings(retries=2, read_timeout=timedelta(seconds=0.3)), lambda: NOON) as web:
            return await web.is_forbidden(site.url)

    assert not asyncio.run(go())
    assert time.monotonic() - started < 30
