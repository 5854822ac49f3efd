"""The account that is kept of a scan."""

import asyncio
import shutil
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guardian.app import App, at_work
from guardian.config import Config, load_config
from guardian.errors import FetchFailed
from guardian.model import Answer, ScanCounts, Sighting, Skipped, SkipReason
from guardian.scan.runs import scan_source
from guardian.shipped import rules_folder
from tests.kept_workers import run_in_app

SIGHTING = Sighting("gallery", "https://a.example/1.jpg", None, datetime(2026, 11, 24, tzinfo=UTC))


def test_every_result_is_counted_under_its_words() -> None:
    problem = Skipped("https://a.example/1.jpg", SkipReason.TIMEOUT)
    assert ScanCounts.of(Skipped("https://a.example/2.svg", SkipReason.VECTOR)).as_words() == {"left out: vector": 1}
    assert ScanCounts.of(Answer("t", SIGHTING, None, 1.0)).as_words() == {"clear": 1}
    failed = ScanCounts.of(Answer("t", SIGHTING, None, 1.0, problem=problem))
    assert failed.as_words() == {"error": 1, "problem: timeout": 1}


def test_a_scan_leaves_its_account(tmp_path: Path, site: Any) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    (site.folder / "text.jpg").write_text("no picture")
    page = site.page("page.html", "text.jpg", "missing.jpg", "drawing.svg")
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: a@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\nmatching: {workers: 1}\n"
        f"sources:\n  - {{name: good, kind: page, url: '{page}'}}\n"
        f"  - {{name: gone, kind: page, url: '{site.url}/gone.html'}}\n"
    )
    config = load_config(tmp_path / "config.yaml")
    heard: list[Answer | Skipped] = []

    async def go(app: App) -> None:
        async with at_work(app, "a test") as heartbeat:
            good, gone = config.sources
            scan = await scan_source(app.services, heartbeat, good, heard.append)
            assert (scan.outcome, scan.error) == ("completed", None)
            assert scan.counts.as_words() == {
                "pages": 1,
                "fetched": 1,
                "unmatchable": 1,
                "problem: not_an_image": 1,
                "error": 1,
                "problem: status_404": 1,
                "left out: vector": 1,
            }
            with pytest.raises(FetchFailed, match="404"):
                await scan_source(app.services, heartbeat, gone, heard.append)
            with app.store.read() as tx:
                last = tx.scans.last("gone")
            assert last is not None
            assert last.outcome == "failed"
            assert last.counts.as_words() == {"left out: status_404": 1}, "what was not seen is counted by its reason"
            assert "404" in (last.error or "")

    run_in_app(config, go)
    assert len(heard) == 3


def crawled(folder: Path, site: Any) -> Config:
    """A configuration with one source: four pages, three of which show drawings and a picture that is missing."""
    shutil.copytree(rules_folder(), folder / "rules")
    names = ("one", "two", "three")
    for name in names:
        site.page(f"{name}.html", f"{name}.svg", f"{name}.jpg", "more.svg")
    start = site.page("page.html", "drawing.svg")
    with (site.folder / "page.html").open("a") as page:
        page.write("".join(f"<a href='{name}.html'>x</a>" for name in names))
    (folder / "config.yaml").write_text(
        "fetch: {contact: a@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\nmatching: {workers: 1}\n"
        f"sources:\n  - {{name: crawl, kind: page, depth: 1, url: '{start}'}}\n"
    )
    return load_config(folder / "config.yaml")


def test_a_crawl_that_broke_off_between_two_pages_counts_nothing_twice(tmp_path: Path, site: Any) -> None:
    config = crawled(tmp_path, site)
    (source,) = config.sources

    async def go(app: App) -> None:
        async with at_work(app, "a test") as heartbeat:
            for patience in range(10):
                left = patience

                def lose_patience(_: Answer | Skipped) -> None:
                    nonlocal left
                    left -= 1
                    if left < 0:
                        raise RuntimeError("no more")

                with suppress(RuntimeError):
                    await scan_source(app.services, heartbeat, source, lose_patience)
                scan = await scan_source(app.services, heartbeat, source, lambda _: None)
                assert scan.counts.pages == 4
                assert scan.counts.skipped[SkipReason.VECTOR] == 7, f"broken off after {patience} answers"
                assert scan.counts.problems["status_404"] == 3

    run_in_app(config, go)


def test_a_crawl_from_another_start_counts_none_of_what_was_cut_off(tmp_path: Path, site: Any) -> None:
    config = crawled(tmp_path, site)
    (source,) = config.sources
    moved = source.model_copy(update={"url": site.page("moved.html", "one.svg")})

    async def go(app: App) -> None:
        async with at_work(app, "a test") as heartbeat:

            def stop_at_the_second_page(result: Answer | Skipped) -> None:
                if isinstance(result, Skipped) and "more.svg" in result.url:
                    raise RuntimeError("no more")

            with suppress(RuntimeError):
                await scan_source(app.services, heartbeat, source, stop_at_the_second_page)
            scan = await scan_source(app.services, heartbeat, moved, lambda _: None)
            assert (scan.counts.pages, scan.counts.skipped[SkipReason.VECTOR]) == (1, 1)

    run_in_app(config, go)


def test_a_crawl_that_is_stopped_while_a_page_is_noted_loses_no_count(tmp_path: Path, site: Any) -> None:
    config = crawled(tmp_path, site)
    (source,) = config.sources

    async def go(app: App) -> None:
        async with at_work(app, "a test") as heartbeat:
            held, free = threading.Event(), threading.Event()

            def hold_the_database() -> None:
                with app.store.begin():
                    held.set()
                    free.wait(20)

            holder = threading.Thread(target=hold_the_database)

            def stop_soon(_: Answer | Skipped) -> None:
                if not holder.is_alive():
                    holder.start()
                    held.wait(20)
                    # By then the page's own checkpoint waits for the database.
                    asyncio.get_running_loop().call_later(0.2, scanning.cancel)
                    threading.Timer(0.4, free.set).start()

            scanning = asyncio.create_task(scan_source(app.services, heartbeat, source, stop_soon))
            with pytest.raises(asyncio.CancelledError):
                await scanning
            holder.join()
            scan = await scan_source(app.services, heartbeat, source, lambda _: None)
            assert (scan.counts.pages, scan.counts.skipped[SkipReason.VECTOR]) == (4, 7)

    run_in_app(config, go)
