"""Crawls over a real site: what is reached, what is left out, and going on after a kill."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from typing import Any
from urllib.parse import quote

import pytest

from guardian.crawl.checkpoints import settle
from guardian.crawl.context import CrawlContext
from guardian.errors import FetchFailed, FetchRefused, StoreUnusable
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from guardian.model import Checkpoint, Sighting, Skipped
from guardian.sources.kinds import open_source
from guardian.store import Store, Transaction
from tests.crawling import LOOPBACK, NOON


@dataclass
class Pages:
    """A site made of a function from path to answer; `asked` are the paths in the order they were asked for."""

    answer: Callable[[str], tuple[int, dict[str, str], str]]
    asked: list[str] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)
    url: str = ""

    def pages(self) -> list[str]:
        return [path for path in self.asked if path != "/robots.txt"]

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.pages()) >= count, 60), f"only {self.asked}"


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str], tuple[int, dict[str, str], str]]], Pages]]:
    servers = []

    def start(answer: Callable[[str], tuple[int, dict[str, str], str]]) -> Pages:
        site = Pages(answer)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with site.changed:
                    site.asked.append(self.path)
                    site.changed.notify_all()
                status, headers, text = site.answer(self.path)
                self.send_response(status)
                for name, value in ({"content-type": "text/html"} | headers).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        site.url = f"http://127.0.0.1:{server.server_port}"
        return site

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def tree(path: str) -> tuple[int, dict[str, str], str]:
    """/ links to /1 ... /9, each /n to /n0 ... /n9; every page shows one picture of its own. Two levels below /."""
    name = path.strip("/")
    if path == "/robots.txt" or not (name.isdigit() or not name) or len(name) > 2:
        return 404, {}, ""
    digits = range(1 if not name else 0, 10 if len(name) < 2 else 0)
    links = "".join(f'<a href="/{name}{digit}">x</a>' for digit in digits)
    return 200, {}, f'<title>{name}</title><img src="/pictures/{name or "home"}.jpg">{links}<a href="/">home</a>'


def shown(seen: list[Any]) -> list[str]:
    return [one.image_url.rpartition("/")[2].removesuffix(".jpg") for one in seen if isinstance(one, Sighting)]


def reasons(seen: list[Any]) -> Counter[str]:
    return Counter(one.word for one in seen if isinstance(one, Skipped))


def details(seen: list[Any], reason: str) -> list[str]:
    return [one.detail for one in seen if isinstance(one, Skipped) and one.reason == reason]


def test_a_page_alone(serve: Any, discovered: Any) -> None:
    site = serve(tree)
    assert shown(discovered(kind="page", url=site.url + "/")) == ["home"]
    assert site.pages() == ["/"]


def test_a_page_and_those_it_links_to(serve: Any, discovered: Any) -> None:
    site = serve(tree)
    assert shown(discovered(kind="page", url=site.url + "/", depth=1)) == ["home", *"123456789"]
    assert Counter(site.pages()).most_common(1)[0][1] == 1, "each page is asked for once"


def test_a_site_breadth_first_within_its_budget(serve: Any, discovered: Any, store: Store) -> None:
    site = serve(tree)
    seen = discovered(kind="site", url=site.url + "/", max_pages=30)
    assert shown(seen)[:10] == ["home", *"123456789"]
    assert len(shown(seen)) == 30
    assert [one.detail for one in seen if isinstance(one, Skipped)] == ["max_pages: 30 leaves 70 more pages unvisited"]
    with store.read() as tx:
        assert tx.frontier.count("source") == 0, "a crawl that ended leaves nothing to visit"
    seen = discovered(kind="site", url=site.url + "/", max_pages=99)
    assert details(seen, "budget") == ["max_pages: 99 leaves 1 more page unvisited"]
    whole = discovered(kind="site", url=site.url + "/")
    assert len(shown(whole)) == 100
    assert not reasons(whole)


def test_a_database_that_is_away_for_a_moment_costs_no_page(serve: Any, settings_of: Any, store: Store) -> None:
    is_away = False

    def answer(path: str) -> tuple[int, dict[str, str], str]:
        nonlocal is_away
        is_away = is_away or path == "/5"
        return tree(path)

    def refuse_while_away(_: Transaction) -> None:
        if is_away:
            raise StoreUnusable("the server was restarted")

    async def crawl() -> list[Any]:
        seen: list[Any] = []
        async with WebClient(LOOPBACK, clock=lambda: NOON) as web:
            context = CrawlContext(Fetcher.for_scan(web), store.under(refuse_while_away), lambda: NOON)
            async for item in open_source(settings_of(kind="site", url=site.url + "/")).discover(context):
                if isinstance(item, Checkpoint):
                    with store.begin() as tx:
                        settle(tx, item)
                seen.append(item)
        return seen

    site = serve(answer)
    with pytest.raises(StoreUnusable):
        asyncio.run(crawl())
    is_away, site.answer = False, tree
    seen = asyncio.run(crawl())
    assert "5" in shown(seen), "the page is visited again, and not left out as a fault of its own"
    assert not reasons(seen)


def test_a_part_of_a_site(serve: Any, discovered: Any) -> None:
    site = serve(tree)
    seen = discovered(kind="site", url=site.url + "/", below="/3", max_depth=2)
    assert shown(seen) == ["home", "3", *(f"3{digit}" for digit in range(10))]


def test_a_start_that_is_gone_fails_the_scan(serve: Any, discovered: Any, store: Store) -> None:
    site = serve(tree)
    for values in (
        {"kind": "site"},
        {"kind": "page", "depth": 1},
        {"kind": "page"},
        {"kind": "sitemap"},
        {"kind": "feed"},
    ):
        with pytest.raises(FetchFailed, match="404"):
            discovered(url=site.url + "/none", **values)
    with store.read() as tx:
        assert tx.frontier.count("source") == 0


@pytest.mark.parametrize("listed", ["", "/7"])
def test_a_site_fails_when_neither_its_start_nor_its_sitemaps_lead_anywhere(
    serve: Any, discovered: Any, store: Store, listed: str
) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        if path == "/robots.txt":
            return 200, {"content-type": "text/plain"}, "Sitemap: /map.xml\n"
        if path == "/map.xml" and listed:
            return 200, {"content-type": "text/plain"}, site.url + listed
        return tree(path) if path == listed else (403, {}, "closed")

    site = serve(answer)
    if listed:
        seen = discovered(kind="site", url=site.url + "/", max_depth=0)
        assert (shown(seen), reasons(seen)["status_403"]) == (["7"], 1)
    else:
        with pytest.raises(FetchFailed, match="403"):
            discovered(kind="site", url=site.url + "/")
    with store.read() as tx:
        assert tx.frontier.count("source") == 0


def test_robots_are_obeyed_and_sitemaps_found(serve: Any, discovered: Any) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        if path == "/robots.txt":
            text = f"User-agent: *\nDisallow: /2\nSitemap: /map.xml\nSitemap: {site.url}/gone.xml\n"
            return 200, {"content-type": "text/plain"}, text
        if path == "/map.xml":
            listed = "".join(f"<url><loc>{site.url}/{name}</loc></url>" for name in ("77", "2"))
            return 200, {"content-type": "text/xml"}, f"<urlset>{listed}</urlset>"
        return tree(path)

    site = serve(answer)
    seen = discovered(kind="site", url=site.url + "/", max_depth=0)
    assert shown(seen) == ["home", "77"]
    assert reasons(seen) == Counter(robots=1, status_404=1, budget=1)
    with pytest.raises(FetchRefused, match="robots"):
        discovered(kind="page", url=site.url + "/2")


def test_links_that_lead_elsewhere(serve: Any, discovered: Any) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        if path == "/":
            return 200, {}, '<a href="/moved">a</a><a href="/out">b</a><a href="http://other.example/">c</a>'
        if path == "/moved":
            return 301, {"location": "/5"}, ""
        if path == "/out":
            return 302, {"location": f"{other.url}/7"}, ""
        return tree(path)

    other = serve(tree)
    site = serve(answer)
    other.url = other.url.replace("127.0.0.1", "localhost")
    seen = discovered(kind="site", url=site.url + "/", max_depth=1)
    assert shown(seen) == ["5"]
    assert reasons(seen) == Counter(elsewhere=1, budget=1)
    assert details(seen, "budget") == ["max_depth: 1 leaves 10 more pages unvisited"]
    assert Counter(site.pages())["/5"] == 1, "what a redirect led to is not asked for again"


def test_what_a_redirect_and_a_link_name_is_seen_once(serve: Any, discovered: Any) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        if path in ("/", "/old"):
            return 301, {"location": "/home"}, ""
        return 200, {}, '<img src="/pictures/home.jpg"><a href="/home">a</a><a href="/old">b</a>'

    site = serve(answer)
    seen = discovered(kind="site", url=site.url + "/")
    assert (shown(seen), reasons(seen)) == (["home"], Counter())


def test_a_redirect_that_only_adds_a_session_id_is_the_page_itself(serve: Any, discovered: Any) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        if path == "/robots.txt":
            return 404, {}, ""
        if "PHPSESSID" not in path:
            return 302, {"location": f"{path}?PHPSESSID={len(path)}"}, ""
        return tree(path.partition("?")[0])

    site = serve(answer)
    assert shown(discovered(kind="site", url=site.url + "/", max_depth=1)) == ["home", *"123456789"]


@pytest.mark.parametrize("location", ["/login", "/login?next={}", "/login?to=http%3A%2F%2Fa.example{}&lang=en"])
def test_pages_that_all_lead_to_a_login_are_named(serve: Any, discovered: Any, location: str) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        if path == "/":
            return 200, {}, "".join(f"<a href=/{n}/a>x</a>" for n in range(12))
        if path.startswith(("/login", "/robots.txt")):
            return 200, {}, "<img src=/pictures/door.jpg>"
        return 302, {"location": location.format(quote(path, safe=""))}, ""

    site = serve(answer)
    seen = discovered(kind="site", url=site.url + "/")
    assert shown(seen) == ["door"]
    assert details(seen, "redirected") == ["12 addresses lead to this one page: a login?"]


def test_what_lies_behind_a_login_was_not_read(serve: Any, checkpoints: Any) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        if path == "/":
            return 200, {}, "<a href=/1>x</a><a href=/2>x</a><a href=/cut>x</a>"
        if path == "/login":
            return 200, {}, "<img src=/pictures/door.jpg><form><input type=password></form>"
        return 302, {"location": "/login"}, ""

    site = serve(answer)
    visited = [outcome for one in checkpoints(kind="site", url=site.url + "/") for _, outcome in one.visited]
    assert Counter(visited) == {"fetched": 1, "wall": 4}


def test_a_site_that_moved_says_so(serve: Any, discovered: Any) -> None:
    other = serve(tree)
    other.url = other.url.replace("127.0.0.1", "localhost")
    site = serve(lambda path: (301, {"location": f"{other.url}/"}, ""))
    seen = discovered(kind="site", url=site.url + "/")
    assert shown(seen) == ["home"]
    assert details(seen, "elsewhere") == [f"leads out of this source, to {other.url}/"]


def test_listed_pages_that_redirect(serve: Any, discovered: Any) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        if path == "/map.xml":
            listed = "".join(f"<url><loc>{site.url}/{name}</loc></url>" for name in ("out", "moved", "5"))
            return 200, {"content-type": "text/xml"}, f"<urlset>{listed}</urlset>"
        if path == "/out":
            return 302, {"location": f"{other.url}/7"}, ""
        return (301, {"location": "/5"}, "") if path == "/moved" else tree(path)

    other = serve(tree)
    site = serve(answer)
    other.url = other.url.replace("127.0.0.1", "localhost")
    seen = discovered(kind="sitemap", url=site.url + "/map.xml")
    assert (shown(seen), reasons(seen)) == (["5"], Counter(elsewhere=1))


def test_sitemaps_without_end(serve: Any, discovered: Any) -> None:
    def index(path: str) -> tuple[int, dict[str, str], str]:
        if path == "/robots.txt":
            return 404, {}, ""
        wide = path == "/wide"
        named = range(200) if wide else (f"{path.strip('/')}{digit}" for digit in range(2))
        return (
            200,
            {},
            "".join(["<sitemapindex>", *(f"<sitemap><loc>{site.url}/{n}</loc></sitemap>" for n in named)])
            + ("</sitemapindex>"),
        )

    site = serve(index)
    seen = discovered(kind="sitemap", url=site.url + "/wide", max_pages=3)
    assert len(site.pages()) == 50
    assert details(seen, "budget")[-1].startswith("one scan reads 50 sitemaps, which leaves ")
    site.asked.clear()
    seen = discovered(kind="sitemap", url=site.url + "/0", max_pages=1_000)
    assert len(site.pages()) == 1 + 2 + 4 + 8
    assert details(seen, "budget") == ["2 sitemaps deeper than 3 sitemaps within each other"] * 8


def test_sites_without_end(serve: Any, discovered: Any) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        links = [f"/cal/{year}/01" for year in range(2020, 2100)]
        links += [
            path.partition("?")[0].rstrip("/") + "/deeper/",
            f"/page?sid={len(site.asked):032x}",
            f"/f?a={len(site.asked)}",
        ]
        return (
            (404, {}, "") if path == "/robots.txt" else (200, {}, "".join(f'<a href="{link}">x</a>' for link in links))
        )

    site = serve(answer)
    seen = discovered(kind="site", url=site.url + "/", max_pages=500, max_depth=50)
    told = " ".join(one.detail for one in seen if isinstance(one, Skipped))
    assert "a calendar without end" in told
    assert "the same part more than" in told
    assert sum(path.startswith("/page?sid=") for path in site.asked) == 1, "session ids name no new page"
    assert len(site.pages()) < 500


def test_a_source_that_now_begins_elsewhere_begins_anew(serve: Any, discovered: Any, store: Store) -> None:
    site, other = serve(tree), serve(tree)
    discovered(kind="site", url=site.url + "/", stop_after=3)
    with store.read() as tx:
        assert tx.frontier.count("source") > 0
    site.asked.clear()
    assert len(shown(discovered(kind="site", url=other.url + "/"))) == 100
    assert site.asked == []


def test_a_page_that_cuts_every_scan_off_is_left_out(serve: Any, discovered: Any, store: Store) -> None:
    site = serve(tree)
    discovered(kind="site", url=site.url + "/", stop_after=1)
    with store.begin() as tx:
        # Interrupted again and again, each time while these were in flight.
        tx.frontier.reopen("source")
        for _ in range(4):
            tx.frontier.claim("source", 3)
            tx.frontier.reopen("source")
    seen = discovered(kind="site", url=site.url + "/")
    assert reasons(seen) == Counter(crashed=3)


def test_links_beyond_what_is_kept_are_counted(serve: Any, discovered: Any) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        number = path.strip("/") or "0"
        if not number.isdigit() or path == "/robots.txt":
            return 404, {}, ""
        return 200, {}, "".join(f'<a href="/{int(number) * 4_000 + n + 1}">x</a>' for n in range(4_000))

    seen = discovered(kind="site", url=serve(answer).url + "/", max_pages=8)
    (kept,) = [one.detail for one in seen if isinstance(one, Skipped) and "that are kept" in one.detail]
    assert kept.endswith(" links beyond the 20000 that are kept")


CRAWL = """
import asyncio, sys
from pathlib import Path
from guardian.crawl.checkpoints import settle
from guardian.crawl.context import CrawlContext
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from guardian.model import Checkpoint
from guardian.sources.kinds import open_source
from guardian.store import StoreSettings, open_store
from tests.crawling import LOOPBACK, NOON
from guardian.sources.settings import SiteSettings

async def main():
    store = open_store(StoreSettings(), Path(sys.argv[2]))
    async with WebClient(LOOPBACK, clock=lambda: NOON) as web:
        settings = SiteSettings(name="source", kind="site", url=sys.argv[1])
        async for item in open_source(settings).discover(CrawlContext(Fetcher.for_scan(web), store, lambda: NOON)):
            if isinstance(item, Checkpoint):
                with store.begin() as tx:
                    settle(tx, item)
            elif hasattr(item, "image_url"):
                print(item.image_url, flush=True)

asyncio.run(main())
"""


def test_a_crawl_that_was_cut_off_at_its_very_end_visits_nothing_again(
    serve: Any, store: Store, settings_of: Any, discovered: Any
) -> None:
    site = serve(tree)

    async def all_but_the_end() -> None:
        async with WebClient(LOOPBACK, clock=lambda: NOON) as web:
            source = open_source(settings_of(kind="site", url=site.url + "/"))
            async for item in source.discover(CrawlContext(Fetcher.for_scan(web), store, lambda: NOON)):
                if isinstance(item, Checkpoint) and not item.is_finished:
                    with store.begin() as tx:
                        settle(tx, item)

    asyncio.run(all_but_the_end())
    assert site.pages()
    site.asked.clear()
    assert discovered(kind="site", url=site.url + "/") == []
    assert site.pages() == []
    with store.read() as tx:
        assert tx.frontier.count("source") == 0


def test_a_killed_crawl_goes_on_and_repeats_only_what_was_in_flight(
    serve: Any, discovered: Any, tmp_path: Path
) -> None:
    site = serve(tree)
    root = Path(__file__).resolve().parents[2]
    crawl = subprocess.Popen(
        [sys.executable, "-c", CRAWL, site.url + "/", str(tmp_path)],
        stdout=subprocess.PIPE, text=True, cwd=root, env=os.environ | {"PYTHONPATH": str(root)},
    )  # fmt: skip
    site.wait_for(41)
    crawl.send_signal(signal.SIGKILL)
    before = crawl.communicate()[0].split()
    asked_before = set(site.pages())
    site.asked.clear()
    after = shown(discovered(kind="site", url=site.url + "/"))
    repeated = [path for path in site.pages() if path in asked_before]
    assert len(repeated) <= 16, "no more than what was in flight or not yet settled"
    names = {url.rpartition("/")[2].removesuffix(".jpg") for url in before} | set(after)
    assert len(names) == 100, "nothing is lost"
    assert Counter(after).most_common(1)[0][1] == 1
