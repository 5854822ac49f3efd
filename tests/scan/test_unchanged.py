"""What a site says is unchanged costs a 304, no bytes and no decoding, and is judged all the same."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.app import App
from guardian.catalog.wanted import Wanted
from guardian.config import Config
from guardian.evidence import Vault
from guardian.model import Answer, CacheStatus, Outcome
from guardian.scan.context import context_of_scan
from guardian.scan.pipeline import check, scan
from guardian.scan.services import Services
from guardian.sources.kinds import open_source
from guardian.sources.settings import PageSettings
from tests.kept_workers import run_in_app
from tests.websites import Asked, Conditional, Redirect, Site, Wire


class Counted(Conditional):
    """Notes how each request was answered."""

    def __init__(self, content: bytes, etag: str = '"one"', **headers: str) -> None:
        super().__init__(content, etag, content_type="image/jpeg", **headers)
        self.conditional: list[bool] = []

    def say(self, asked: Asked, wire: Wire) -> None:
        self.conditional.append("if-none-match" in asked.headers)
        super().say(asked, wire)


@pytest.fixture
def pictures(tmp_path: Path, photographs: dict[str, Image.Image]) -> dict[str, Path]:
    """Photographs as files, by name."""
    paths = {name: tmp_path / f"{name}.jpg" for name in ("coffee", "rocket", "astronaut")}
    for name, path in paths.items():
        photographs[name].save(path)
    return paths


async def protect(app: App, path: Path) -> None:
    async for result in app.catalog.add([Wanted(path, "portfolio")]):
        assert result.asset is not None


def with_settings(services: Services, **changed: Any) -> Services:
    return replace(services, settings=replace(services.settings, **changed))


async def seen(services: Services, url: str) -> list[tuple[Outcome, CacheStatus | None]]:
    settings = PageSettings(name="gallery", kind="page", url=url)
    results = [result async for result in scan(services, context_of_scan(services, settings), open_source(settings))]
    return [(result.outcome, result.cache_status) for result in results if isinstance(result, Answer)]


def test_unchanged_pictures_are_judged_from_memory(config: Config, pictures: dict[str, Path], web: Site) -> None:
    copy, other = Counted(pictures["coffee"].read_bytes()), Counted(pictures["rocket"].read_bytes(), '"two"')
    web.put("/copy.jpg", copy)
    web.put("/other.jpg", other)
    page = web.put("/", "<img src=/copy.jpg><img src=/other.jpg>")

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        assert await seen(app.services, page) == [
            (Outcome.COPY, CacheStatus.FETCHED),
            (Outcome.CLEAR, CacheStatus.FETCHED),
        ]
        # No worker could match anything now.
        shutil.rmtree(app.services.workers.index_folder)
        assert await seen(app.services, page) == [
            (Outcome.COPY, CacheStatus.UNCHANGED),
            (Outcome.CLEAR, CacheStatus.UNCHANGED),
        ]
        assert (copy.conditional, other.conditional) == ([False, True], [False, True])
        with app.store.read() as tx:
            (case,) = tx.cases.list()
            (finding,) = tx.findings.list(case.id)
        assert finding.last_seen_at > finding.first_seen_at
        assert app.services.vault.get(finding.image_sha256 or "") == copy.content

    run_in_app(config, job)


def test_a_new_asset_needs_the_bytes_again(config: Config, pictures: dict[str, Path], web: Site) -> None:
    picture = Counted(pictures["coffee"].read_bytes())
    web.put("/copy.jpg", picture)
    page = web.put("/", "<img src=/copy.jpg>")

    async def job(app: App) -> None:
        await protect(app, pictures["astronaut"])
        assert await seen(app.services, page) == [(Outcome.CLEAR, CacheStatus.FETCHED)]
        await protect(app, pictures["coffee"])
        assert await seen(app.services, page) == [(Outcome.COPY, CacheStatus.FETCHED)]
        assert picture.conditional == [False, False]

    run_in_app(config, job)


def test_evidence_that_was_never_kept_is_fetched_whole(
    config: Config, pictures: dict[str, Path], web: Site, tmp_path: Path
) -> None:
    picture = Counted(pictures["coffee"].read_bytes())
    web.put("/copy.jpg", picture)
    page = web.put("/", "<img src=/copy.jpg>")

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        # On an own host nothing is kept; the rules change their mind when the host is no longer ours.
        assert await seen(with_settings(app.services, own_hosts=("127.0.0.1",)), page) == [
            (Outcome.CLEAR, CacheStatus.FETCHED)
        ]
        services = replace(app.services, vault=Vault(tmp_path / "vault", 10**9))
        assert await seen(services, page) == [(Outcome.COPY, CacheStatus.UNCHANGED)]
        assert picture.conditional == [False, True, False]
        with app.store.read() as tx:
            (case,) = tx.cases.list()
            (finding,) = tx.findings.list(case.id)
        assert services.vault.get(finding.image_sha256 or "") == picture.content

    run_in_app(config, job)


def test_a_changed_picture_is_matched(config: Config, pictures: dict[str, Path], web: Site) -> None:
    web.put("/1.jpg", Counted(pictures["rocket"].read_bytes()))
    page = web.put("/", "<img src=/1.jpg>")

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        assert await seen(app.services, page) == [(Outcome.CLEAR, CacheStatus.FETCHED)]
        web.put("/1.jpg", Counted(pictures["coffee"].read_bytes(), '"two"'))
        assert await seen(app.services, page) == [(Outcome.COPY, CacheStatus.FETCHED)]

    run_in_app(config, job)


def test_known_bytes_at_a_new_address_are_judged_there(config: Config, pictures: dict[str, Path], web: Site) -> None:
    web.put("/1.jpg", Counted(pictures["coffee"].read_bytes()))
    page = web.put("/", "<img src=/1.jpg>")
    other_page = web.put("/other", "<img src=/1.jpg>")

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        await seen(app.services, page)
        assert await seen(app.services, other_page) == [(Outcome.COPY, CacheStatus.UNCHANGED)]
        with app.store.read() as tx:
            (case,) = tx.cases.list()
            assert {finding.page_url for finding in tx.findings.list(case.id)} == {page, other_page}

    run_in_app(config, job)


def test_fresh_pictures_are_not_asked_for_but_a_person_always_asks(
    config: Config, pictures: dict[str, Path], web: Site
) -> None:
    picture = Counted(pictures["rocket"].read_bytes(), cache_control="max-age=3600")
    url = web.put("/1.jpg", picture)
    page = web.put("/", "<img src=/1.jpg>")

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        assert await seen(app.services, page) == [(Outcome.CLEAR, CacheStatus.FETCHED)]
        assert await seen(app.services, page) == [(Outcome.CLEAR, CacheStatus.FRESH)]
        assert await seen(with_settings(app.services, longest_freshness=timedelta()), page) == [
            (Outcome.CLEAR, CacheStatus.UNCHANGED)
        ]
        assert picture.conditional == [False, True]
        async for result in check(app.services, [url]):
            assert isinstance(result, Answer)
            assert result.outcome is Outcome.CLEAR
        assert picture.conditional == [False, True, False]

    run_in_app(config, job)


def test_what_cannot_be_matched_stays_so_without_its_bytes(
    config: Config, pictures: dict[str, Path], web: Site
) -> None:
    web.put("/1.jpg", Counted(b"no picture at all"))
    page = web.put("/", "<img src=/1.jpg>")

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        assert await seen(app.services, page) == [(Outcome.UNMATCHABLE, CacheStatus.FETCHED)]
        assert await seen(app.services, page) == [(Outcome.UNMATCHABLE, CacheStatus.UNCHANGED)]

    run_in_app(config, job)


def test_a_redirected_picture_costs_a_304_where_it_lies(config: Config, pictures: dict[str, Path], web: Site) -> None:
    picture = Counted(pictures["rocket"].read_bytes())
    web.put("/there.jpg", picture)
    web.put("/1.jpg", Redirect("/there.jpg"))
    page = web.put("/", "<img src=/1.jpg>")

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        await seen(app.services, page)
        assert await seen(app.services, page) == [(Outcome.CLEAR, CacheStatus.UNCHANGED)]
        assert picture.conditional == [False, True]

    run_in_app(config, job)


def test_what_a_site_says_about_a_pictures_use_is_kept(config: Config, pictures: dict[str, Path], web: Site) -> None:
    web.put("/1.jpg", Counted(pictures["coffee"].read_bytes(), x_robots_tag="noimageindex, noai"))
    page = web.put("/", "<img src=/1.jpg>")

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        await seen(app.services, page)
        with app.store.read() as tx:
            (case,) = tx.cases.list()
            (finding,) = tx.findings.list(case.id)
        assert "X-Robots-Tag: noimageindex, noai" in (finding.context.claims or "")

    run_in_app(config, job)


def test_an_unchanged_page_is_evidence_from_the_vault_or_asked_for_anew(
    config: Config, pictures: dict[str, Path], web: Site, tmp_path: Path
) -> None:
    web.put("/copy.jpg", Counted(pictures["coffee"].read_bytes()))
    shown = Conditional('<title>Ours now</title><img src="/copy.jpg">')
    page = web.put("/", shown)

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        await seen(app.services, page)
        assert await seen(app.services, page) == [(Outcome.COPY, CacheStatus.UNCHANGED)]
        assert web.paths().count("/") == 2
        empty = replace(app.services, vault=Vault(tmp_path / "vault", 10**9))
        assert await seen(empty, page) == [(Outcome.COPY, CacheStatus.UNCHANGED)]
        assert web.paths().count("/") == 4, "one 304, and the whole page since its bytes were nowhere"
        with app.store.read() as tx:
            (case,) = tx.cases.list()
            (finding,) = tx.findings.list(case.id)
        for services in (app.services, empty):
            assert services.vault.get(finding.page_sha256 or "") == shown.content

    run_in_app(config, job)


def test_the_next_rendition_is_seen_where_the_largest_cannot_be(
    config: Config, pictures: dict[str, Path], web: Site
) -> None:
    small = Counted(pictures["coffee"].read_bytes())
    web.put("/robots.txt", "User-agent: *\nDisallow: /originals/")
    for path, largest in (("/forbidden", "/originals/1.jpg"), ("/html", "/html.jpg"), ("/film", "/film.jpg")):
        web.put(path, f'<img src="/small.jpg" srcset="{largest} 2000w, /small.jpg 300w">')
    web.put("/down", '<img src="/small.jpg" srcset="http://127.0.0.1:1/large.jpg 2000w, /small.jpg 300w">')
    web.put("/html.jpg", "<html><body>Please visit our gallery</body></html>")
    web.put("/film.jpg", "x", content_type="video/mp4")
    web.put("/small.jpg", small)

    async def job(app: App) -> None:
        await protect(app, pictures["coffee"])
        for path in ("/forbidden", "/html", "/film", "/down"):
            assert [outcome for outcome, _ in await seen(app.services, web.url + path)] == [Outcome.COPY], path
        # It is remembered under its own address.
        assert await seen(app.services, web.url + "/html") == [(Outcome.COPY, CacheStatus.UNCHANGED)]

    run_in_app(config, job)
    assert small.conditional == [False, True, True, True, True]
