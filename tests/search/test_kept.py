"""Searches under a name on either database: kept by several people at once, watched, and their pictures."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from guardian.cli.acting import this_user
from guardian.errors import UsageError
from guardian.evidence.vaults import search_pictures_in
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.model import Severity
from guardian.search.asking import SearchSpec
from guardian.search.kept import KeptSearches, begin_watch, end_watch, remove_search, why_not_asked
from guardian.search.search import Search
from guardian.store import Store
from tests.memory.made import NOW

DUNES = SearchSpec(text="dunes", colours=("#c03",))


@pytest.fixture
def kept(database: str, tmp_path: Path) -> Iterator[KeptSearches]:
    store = Store(database)
    # No worker process is started by what keeps a search.
    workers = Workers(MatchingSettings(workers=1), EmbeddingSettings(), tmp_path / "index")
    yield KeptSearches(store, Search(store, workers, tmp_path), search_pictures_in(tmp_path))
    store.close()


def test_of_several_who_keep_a_search_under_one_name_at_once_one_does(kept: KeptSearches) -> None:
    start = threading.Barrier(4, timeout=60)

    def keep(number: int) -> str:
        start.wait()
        try:
            kept.keep("style", SearchSpec(text=f"dunes {number}"), None, this_user(), NOW, replaces=False)
        except UsageError as error:
            return str(error)
        return "kept"

    refused = "there is a search 'style' already; choose another name, or remove it first"
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(keep, range(4))) == ["kept", *[refused] * 3]
    with kept.store.read() as tx:
        assert len(list(tx.audit.lines(subject="style"))) == 1
    kept.keep("style", DUNES, None, this_user(), NOW, replaces=True)


def test_a_watch_that_is_changed_goes_on_from_where_it_was(kept: KeptSearches) -> None:
    colours = SearchSpec(colours=("#c03",))
    kept.keep("style", colours, None, this_user(), NOW, replaces=False)
    with kept.store.begin() as tx:
        begin_watch(tx, "style", 0.7, Severity.LOW, this_user(), NOW)
        # As if more had been remembered since: where there is nothing the newest number is 0.
        tx.named_searches.note_watched("style", 7, [], NOW)
        begin_watch(tx, "style", 0.6, Severity.HIGH, this_user(), NOW)
        changed = tx.named_searches.get("style")
        assert end_watch(tx, "style", this_user(), NOW)
        assert not end_watch(tx, "style", this_user(), NOW)
        begin_watch(tx, "style", 0.6, Severity.HIGH, this_user(), NOW)
        anew = tx.named_searches.get("style")
    watches = [one.watch for one in (changed, anew) if one is not None]
    assert [(one.above, one.severity, one.watched_to) for one in watches if one is not None] == [
        (0.6, Severity.HIGH, 7),
        (0.6, Severity.HIGH, 0),
    ]


def test_a_picture_stays_as_long_as_a_search_asks_with_it(kept: KeptSearches) -> None:
    for name in ("first", "second"):
        kept.keep(name, SearchSpec(), b"a picture", this_user(), NOW, replaces=False)
    (path,) = [one for one in kept.pictures.folder.rglob("*") if one.is_file()]
    remove_search(kept.store, kept.pictures, "first", this_user(), NOW)
    assert path.exists()
    kept.keep("second", DUNES, None, this_user(), NOW, replaces=True)
    assert not path.exists()


def test_a_search_says_that_what_it_asks_with_is_gone(kept: KeptSearches) -> None:
    digest = kept.pictures.keep(b"a picture")
    with kept.store.read() as tx:
        assert why_not_asked(tx, kept.pictures, SearchSpec(picture=digest)) is None
        kept.pictures.remove(digest)
        assert (
            why_not_asked(tx, kept.pictures, SearchSpec(picture=digest)) == "its picture is gone from the data folder"
        )
        assert "no picture that was seen" in (why_not_asked(tx, kept.pictures, SearchSpec(like=("seen_1",))) or "")
        assert "no asset" in (why_not_asked(tx, kept.pictures, SearchSpec(own="asset_1")) or "")
