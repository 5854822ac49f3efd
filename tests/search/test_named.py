"""Searches under a name on either database: saved by several people at once, watched, and their pictures."""

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
from guardian.search.named import NamedSearches, begin_watch, end_watch, remove_search, why_not_asked
from guardian.search.search import Search
from guardian.store import Store
from tests.memory.made import NOW

DUNES = SearchSpec(text="dunes", colours=("#c03",))


@pytest.fixture
def searches(database: str, tmp_path: Path) -> Iterator[NamedSearches]:
    store = Store(database)
    # No worker process is started by what saves a search.
    workers = Workers(MatchingSettings(workers=1), EmbeddingSettings(), tmp_path / "index")
    yield NamedSearches(store, Search(store, workers, tmp_path), search_pictures_in(tmp_path))
    store.close()


def test_of_several_who_save_a_search_under_one_name_at_once_one_does(searches: NamedSearches) -> None:
    start = threading.Barrier(4, timeout=60)

    def save(number: int) -> str:
        start.wait()
        try:
            searches.save("style", SearchSpec(text=f"dunes {number}"), None, this_user(), NOW, replaces=False)
        except UsageError as error:
            return str(error)
        return "saved"

    refused = "there is a search 'style' already; choose another name, or remove it first"
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(save, range(4))) == ["saved", *[refused] * 3]
    with searches.store.read() as tx:
        assert len(list(tx.audit.lines(subject="style"))) == 1
    searches.save("style", DUNES, None, this_user(), NOW, replaces=True)


def test_a_watch_that_is_changed_goes_on_from_where_it_was(searches: NamedSearches) -> None:
    colours = SearchSpec(colours=("#c03",))
    searches.save("style", colours, None, this_user(), NOW, replaces=False)
    with searches.store.begin() as tx:
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


def test_a_picture_stays_as_long_as_a_search_asks_with_it(searches: NamedSearches) -> None:
    for name in ("first", "second"):
        searches.save(name, SearchSpec(), b"a picture", this_user(), NOW, replaces=False)
    (path,) = [one for one in searches.pictures.folder.rglob("*") if one.is_file()]
    remove_search(searches.store, searches.pictures, "first", this_user(), NOW)
    assert path.exists()
    searches.save("second", DUNES, None, this_user(), NOW, replaces=True)
    assert not path.exists()


def test_a_search_says_that_what_it_asks_with_is_gone(searches: NamedSearches) -> None:
    digest = searches.pictures.keep(b"a picture")
    with searches.store.read() as tx:
        assert why_not_asked(tx, searches.pictures, SearchSpec(picture=digest)) is None
        searches.pictures.remove(digest)
        assert (
            why_not_asked(tx, searches.pictures, SearchSpec(picture=digest))
            == "its picture is gone from the data folder"
        )
        assert "no picture that was seen" in (why_not_asked(tx, searches.pictures, SearchSpec(like=("seen_1",))) or "")
        assert "no asset" in (why_not_asked(tx, searches.pictures, SearchSpec(own="asset_1")) or "")
