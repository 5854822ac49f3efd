"""A crawl that is killed goes on where it was."""

import threading
from datetime import UTC, datetime, timedelta

from guardian.model import CrawlKind, CrawlRequest, FrontierState
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def leads(*paths: str, depth: int = 0) -> list[CrawlRequest]:
    return [CrawlRequest(f"https://site.example/{path}", depth=depth) for path in paths]


def claim(store: Store, limit: int = 1, source: str = "web", kind: str | None = None) -> list[str]:
    with store.begin() as tx:
        return [row.url.rpartition("/")[2] for row in tx.frontier.claim(source, limit, kind)]


def test_an_address_is_visited_once_however_it_is_spelled(store: Store) -> None:
    with store.begin() as tx:
        assert tx.frontier.add("web", [*leads("a", "b"), *leads("a")]) == 2
        assert tx.frontier.add("web", [CrawlRequest("http://SITE.example:80/a#top"), *leads("c")]) == 1
        assert tx.frontier.add("other", leads("a")) == 1
        assert tx.frontier.add("web", [CrawlRequest("https://site.example/big?utm_source=1")]) == 1
        assert tx.frontier.add("web", [CrawlRequest("http://site.example/big")]) == 0
        assert tx.frontier.count("web") == 4


def test_shallow_first_then_in_order(store: Store) -> None:
    with store.begin() as tx:
        tx.frontier.add("web", [*leads("deep", depth=2), *leads("z", "y"), *leads("middle", depth=1)])
        tx.frontier.add("web", [CrawlRequest("https://site.example/map.xml", kind=CrawlKind.SITEMAP)])
    assert claim(store, kind=CrawlKind.SITEMAP) == ["map.xml"]
    assert [claim(store, 2), claim(store, 2), claim(store, 2)] == [["z", "y"], ["middle", "deep"], []]


def test_done_addresses_are_not_visited_again_even_if_linked(store: Store) -> None:
    with store.begin() as tx:
        tx.frontier.add("web", leads("a"))
        (row,) = tx.frontier.claim("web", 5)
        assert (row.state, row.tries) == (FrontierState.IN_FLIGHT, 1)
        tx.frontier.add("web", leads("a", "b"))
        tx.frontier.done(row.id, "status_404")
        tx.frontier.add("web", leads("a"))
        assert tx.frontier.count("web", FrontierState.DONE) == 1
    assert claim(store, 5) == ["b"]


def test_after_a_crash_only_what_was_in_flight_is_visited_again(store: Store, database: str) -> None:
    with store.begin() as tx:
        assert tx.frontier.reopen("web") is False
        tx.frontier.add("web", leads("a", "b", "c", "d"))
        first, *_ = tx.frontier.claim("web", 3)
        tx.frontier.done(first.id)
    store.close()
    reopened = Store(database)
    with reopened.begin() as tx:
        assert tx.frontier.reopen("web") is True
        rows = tx.frontier.claim("web", 10)
    assert [(row.url[-1], row.tries) for row in rows] == [("b", 2), ("c", 2), ("d", 1)]
    reopened.close()


def test_clearing_a_frontier_leaves_those_of_other_sources(store: Store) -> None:
    with store.begin() as tx:
        tx.frontier.add("web", leads("a", "b"))
        tx.frontier.add("other", leads("a"))
        rows = tx.frontier.claim("web", 2)
        tx.frontier.done(rows[0].id)
        assert tx.frontier.count("web", FrontierState.IN_FLIGHT) == 1
        assert tx.frontier.count("web", kind=CrawlKind.PAGE) == 2
        tx.frontier.clear("web")
        assert (tx.frontier.count("web"), tx.frontier.count("other")) == (0, 1)
        assert tx.frontier.reopen("web") is False


def test_crawls_of_sources_that_are_watched_no_more_are_forgotten(store: Store) -> None:
    with store.begin() as tx:
        for source in ("web", "other", "third"):
            tx.frontier.add(source, leads("a", "b"))
        assert tx.frontier.clear_abandoned(["web", "new"], NOON) == 4
        assert [tx.frontier.count(source) for source in ("web", "other", "third")] == [2, 0, 0]
        assert tx.frontier.clear_abandoned([], NOON) == 2


def test_crawls_that_another_process_goes_on_with_are_kept(store: Store) -> None:
    with store.begin() as tx:
        for source in ("running", "recent", "old"):
            tx.frontier.add(source, leads("a", "b"))
        tx.scans.start("running", NOON - timedelta(days=40))
        tx.scans.end(
            tx.scans.start("recent", NOON - timedelta(days=2)).id, NOON - timedelta(days=1), "interrupted", None
        )
        tx.scans.end(
            tx.scans.start("old", NOON - timedelta(days=40)).id, NOON - timedelta(days=39), "interrupted", None
        )
        assert tx.frontier.clear_abandoned(["mine"], NOON - timedelta(days=30)) == 2
        assert [tx.frontier.count(source) for source in ("running", "recent", "old")] == [2, 2, 0]


def test_many_at_once_and_claimed_by_many(store: Store) -> None:
    with store.begin() as tx:
        assert tx.frontier.add("web", leads(*(str(number) for number in range(2000)))) == 2000
    claimed: list[str] = []

    def work() -> None:
        while found := claim(store, 50):
            claimed.extend(found)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed, key=int) == [str(number) for number in range(2000)]


def test_an_address_is_known_in_whatever_state(store: Store) -> None:
    with store.begin() as tx:
        tx.frontier.add("web", [*leads("a"), CrawlRequest("https://site.example/big?utm_source=1")])
        tx.frontier.claim("web", 1)
        assert tx.frontier.knows("web", CrawlRequest("http://SITE.example/a#top"))
        assert tx.frontier.knows("web", CrawlRequest("http://site.example/big"))
        assert not tx.frontier.knows("web", CrawlRequest("https://site.example/b"))
        assert not tx.frontier.knows("other", CrawlRequest("https://site.example/a"))


def test_where_a_redirect_led_is_taken_once_and_visited_again_after_a_crash(store: Store) -> None:
    [lead] = leads("target")
    with store.begin() as tx:
        tx.frontier.add("web", leads("a"))
        taken = tx.frontier.take("web", lead)
        assert taken is not None
        assert tx.frontier.take("web", lead) is None
    assert claim(store, 5) == ["a"]
    with store.begin() as tx:
        assert tx.frontier.reopen("web") is True
        assert [row.url.rpartition("/")[2] for row in tx.frontier.claim("web", 5)] == ["a", "target"]
        tx.frontier.done(taken)
        assert tx.frontier.count("web", FrontierState.DONE) == 1
