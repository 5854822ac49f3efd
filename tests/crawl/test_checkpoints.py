"""How far a crawl has come is data: it travels between processes, and whoever has it may settle it."""

import json
import pickle
from collections.abc import Callable

from guardian.crawl.checkpoints import settle
from guardian.model import Checkpoint, CrawlKind, CrawlRequest, FrontierState, ScanCounts
from guardian.store import Store
from guardian.store.codec import from_json, to_json
from tests.websites import Redirect, Site

SOURCE = "source"
PAGE, OTHER = "https://a.example/", "https://a.example/other"


def claimed(store: Store) -> tuple[int, int]:
    """Two pages that are being visited; their rows."""
    with store.begin() as tx:
        tx.frontier.add(SOURCE, [CrawlRequest(PAGE), CrawlRequest(OTHER)])
        one, other = tx.frontier.claim(SOURCE, 2, CrawlKind.PAGE)
    return one.id, other.id


def counted(store: Store, state: FrontierState | None = None) -> int:
    with store.read() as tx:
        return tx.frontier.count(SOURCE, state)


def test_a_checkpoint_travels(store: Store) -> None:
    one, other = claimed(store)
    checkpoint = Checkpoint(SOURCE, ((one, "redirected"), (other, "fetched")), counts=ScanCounts(pages=1))
    assert pickle.loads(pickle.dumps(checkpoint)) == checkpoint
    written = json.dumps(to_json(checkpoint))
    assert from_json(Checkpoint, json.loads(written)) == checkpoint
    assert json.loads(written) == {
        "source": SOURCE,
        "visited": [[one, "redirected"], [other, "fetched"]],
        "is_finished": False,
        "begins_anew": False,
        "counts": {"pages": 1},
    }


def test_settling_notes_what_was_visited_and_nothing_else(store: Store) -> None:
    one, _ = claimed(store)
    assert counted(store, FrontierState.DONE) == 0
    with store.begin() as tx:
        settle(tx, Checkpoint(SOURCE, ((one, "fetched"),)))
    assert counted(store, FrontierState.DONE) == 1
    assert counted(store, FrontierState.IN_FLIGHT) == 1


def test_a_finished_crawl_begins_anew(store: Store) -> None:
    claimed(store)
    with store.begin() as tx:
        tx.frontier.add("another", [CrawlRequest(PAGE)])
        settle(tx, Checkpoint(SOURCE, is_finished=True))
        assert tx.frontier.count("another") == 1
    assert counted(store) == 0


def test_every_checkpoint_of_a_crawl_is_plain_data(web: Site, checkpoints: Callable[..., list[Checkpoint]]) -> None:
    web.put("/old", Redirect("/new"))
    web.put("/new", "<img src=a.jpg>")
    start = web.put("/", "<a href=/old>on</a><img src=b.jpg>")
    found = checkpoints(kind="site", url=start)
    assert [pickle.loads(pickle.dumps(one)) for one in found] == found
    assert [from_json(Checkpoint, json.loads(json.dumps(to_json(one)))) for one in found] == found
    assert [one.begins_anew for one in found] == [True, False, False, False]
    assert [len(one.visited) for one in found] == [0, 1, 2, 0], "an address that redirects, and where it leads"
    assert [one.is_finished for one in found] == [False, False, False, True]
    assert sum(one.counts.pages for one in found) == 2


def test_one_page_alone_has_a_checkpoint_with_its_counts(
    web: Site, checkpoints: Callable[..., list[Checkpoint]]
) -> None:
    start = web.put("/", "<img src=b.jpg>")
    assert checkpoints(kind="page", url=start) == [Checkpoint(SOURCE, counts=ScanCounts(pages=1))]
