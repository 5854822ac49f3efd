"""Where the bytes behind a sighting come from, and what is known without them."""

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from guardian.app import App
from guardian.config import Config
from guardian.errors import FetchFailed
from guardian.fetch.fetcher import Fetcher
from guardian.model import CacheStatus, Fetched, MatchReport, PageCapture, Response, Sighting, Unchanged
from guardian.scan.acquire import acquire, transfer, transfer_page
from guardian.scan.context import ScanContext, context_of_check
from tests.kept_workers import run_in_app
from tests.websites import GIF, Conditional, Says, Site

OTHER_GIF = GIF + b"more"
PAGE = b"<title>Cats</title>"


@pytest.fixture
def with_app(config: Config) -> Callable[[Callable[[App], Coroutine[Any, Any, None]]], None]:
    return partial(run_in_app, config)


def a_scan(app: App) -> ScanContext:
    """A scan that begins now."""
    return ScanContext("gallery", app.services.clock(), Fetcher.for_scan(app.services.web))


def sighting(app: App, url: str | None, *also_at: str, **more: Any) -> Sighting:
    return Sighting("gallery", url, None, app.services.clock(), also_at=also_at, **more)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def measured(app: App, content: bytes) -> MatchReport:
    """Remember that these bytes were matched, and nothing was found."""
    report = MatchReport(app.services.workers.report_recipe, (), 0, 0, width=1, height=1)
    with app.store.begin() as tx:
        tx.candidates.remember(digest(content), app.services.workers.report_recipe, report, app.services.clock())
    return report


def test_what_is_here_needs_no_site(with_app: Any, tmp_path: Path) -> None:
    (tmp_path / "1.gif").write_bytes(GIF)

    async def job(app: App) -> None:
        scan = a_scan(app)
        answer = Response("https://a.example/1", "https://a.example/1", 200, (), GIF, app.services.clock())
        inline = await acquire(app.services, scan, sighting(app, None, inline=GIF))
        assert isinstance(inline, Fetched)
        assert (inline.content, inline.sha256, inline.response) == (GIF, digest(GIF), None)
        assert inline.cache_status is CacheStatus.HERE
        file = await acquire(app.services, scan, sighting(app, (tmp_path / "1.gif").as_uri()))
        assert isinstance(file, Fetched)
        assert (file.content, file.cache_status) == (GIF, CacheStatus.HERE)
        found = await acquire(app.services, scan, sighting(app, answer.url, image=answer))
        assert isinstance(found, Fetched)
        assert (found.response, found.cache_status) == (answer, CacheStatus.FETCHED)

    with_app(job)


def test_an_unchanged_picture_has_no_bytes_and_a_report(with_app: Any, web: Site) -> None:
    url = web.put("/1.gif", Conditional(GIF, '"one"', content_type="image/gif"))

    async def job(app: App) -> None:
        first = await acquire(app.services, a_scan(app), sighting(app, url))
        assert isinstance(first, Fetched)
        assert (first.content, first.cache_status) == (GIF, CacheStatus.FETCHED)
        report = measured(app, GIF)
        again = await acquire(app.services, a_scan(app), sighting(app, url))
        assert isinstance(again, Unchanged)
        assert (again.sha256, again.report, again.cache_status) == (digest(GIF), report, CacheStatus.UNCHANGED)
        assert again.response is not None
        assert again.response.not_modified

    with_app(job)


def test_one_scan_asks_once_and_a_person_always(with_app: Any, web: Site) -> None:
    url = web.put("/1.gif", Says(GIF, content_type="image/gif"))

    async def job(app: App) -> None:
        scan = a_scan(app)
        await acquire(app.services, scan, sighting(app, url))
        measured(app, GIF)
        again = await acquire(app.services, scan, sighting(app, url))
        assert isinstance(again, Unchanged)
        assert (again.cache_status, again.response) == (CacheStatus.AGAIN, None)
        assert web.paths() == ["/1.gif"]
        asked = await acquire(app.services, context_of_check(app.services), sighting(app, url))
        assert isinstance(asked, Fetched)
        assert web.paths() == ["/1.gif", "/1.gif"]

    with_app(job)


def test_an_empty_answer_is_transferred_and_not_taken_for_unchanged(with_app: Any, web: Site) -> None:
    empty, small = web.put("/large.gif", ""), web.put("/small.gif", Says(GIF, content_type="image/gif"))

    async def job(app: App) -> None:
        alone = await acquire(app.services, a_scan(app), sighting(app, empty))
        assert isinstance(alone, Fetched)
        assert (alone.content, alone.sha256) == (b"", digest(b""))
        shown = await acquire(app.services, a_scan(app), sighting(app, empty, small))
        assert isinstance(shown, Fetched)
        assert (shown.content, shown.sighting.image_url) == (GIF, small), "the next address has a picture"

    with_app(job)


def test_bytes_come_from_the_vault_or_else_from_the_site(with_app: Any, web: Site) -> None:
    url = web.put("/1.gif", Says(OTHER_GIF, content_type="image/gif"))

    async def job(app: App) -> None:
        scan, report = a_scan(app), measured(app, GIF)
        unchanged = Unchanged(sighting(app, url), digest(GIF), report, CacheStatus.FRESH)
        asked = await transfer(app.services, scan, unchanged)
        assert (asked.content, asked.sha256) == (OTHER_GIF, digest(OTHER_GIF)), "it was replaced meanwhile"
        app.services.vault.keep(GIF)
        kept = await transfer(app.services, scan, unchanged)
        assert (kept.content, kept.sha256, kept.response) == (GIF, digest(GIF), None)
        assert web.paths() == ["/1.gif"]
        gone = Unchanged(sighting(app, f"{web.url}/gone.gif"), digest(OTHER_GIF), report, CacheStatus.FRESH)
        with pytest.raises(FetchFailed, match="404"):
            await transfer(app.services, scan, gone)

    with_app(job)


def test_the_bytes_of_an_unchanged_page_are_evidence_too(with_app: Any, web: Site) -> None:
    url = web.put("/", Conditional(PAGE, '"one"'))

    async def job(app: App) -> None:
        scan = a_scan(app)
        answer = Response(url, url, 304, (), b"", app.services.clock(), not_modified=True)
        page = PageCapture(answer, digest(PAGE))
        loaded = await transfer_page(app.services, scan, page)
        assert loaded is not None
        assert (loaded.response.content, loaded.is_unchanged) == (PAGE, False)
        app.services.vault.keep(PAGE)
        kept = await transfer_page(app.services, scan, page)
        assert kept is not None
        assert (kept.response.content, kept.sha256, kept.response.status) == (PAGE, digest(PAGE), 304)
        assert web.paths() == ["/"]
        gone = replace(answer, url=f"{url}gone", final_url=f"{url}gone")
        assert await transfer_page(app.services, scan, PageCapture(gone, digest(b"other"))) is None
        assert await transfer_page(app.services, scan, loaded) is loaded, "what is here need not be asked for"

    with_app(job)


def test_a_picture_that_stands_in_for_a_missing_one_does_not_hide_another(with_app: Any, web: Site) -> None:
    stand_in = web.put("/large.gif", Says(GIF, "404 Not Found", content_type="image/gif"))
    smaller = web.put("/small.gif", Says(OTHER_GIF, content_type="image/gif"))

    async def job(app: App) -> None:
        found = await acquire(app.services, a_scan(app), sighting(app, stand_in, smaller))
        assert isinstance(found, Fetched)
        assert (found.sighting.image_url, found.status) == (smaller, 200)
        # Where there is no other, it is what the page shows.
        for others in ((), (web.url + "/nothing.gif",), (web.put("/page", "a page"),)):
            alone = await acquire(app.services, a_scan(app), sighting(app, stand_in, *others))
            assert (alone.sighting.image_url, alone.status, alone.sha256) == (stand_in, 404, digest(GIF))

    with_app(job)


def test_the_page_of_a_picture_is_named_to_its_site(with_app: Any, web: Site) -> None:
    url = web.put("/1.gif", Says(GIF, content_type="image/gif"))

    async def job(app: App) -> None:
        for page in (f"{web.url}/page#part", "https://secure.example/", None):
            await acquire(app.services, a_scan(app), replace(sighting(app, url), page_url=page))

    with_app(job)
    told = [asked.headers.get("referer") for asked in web.asked if asked.path == "/1.gif"]
    assert told == [f"{web.url}/page", None, None]
