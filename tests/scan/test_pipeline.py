"""The walk of one image with real rooms: a site on loopback, a database, an index, worker processes."""

import base64
import io
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.app import App
from guardian.catalog.wanted import Wanted
from guardian.config import Config
from guardian.evidence import Vault
from guardian.model import Action, Answer, AssetState, Checkpoint, Outcome, Skipped
from guardian.scan.context import context_of_scan
from guardian.scan.pipeline import check, scan
from guardian.scan.services import Services
from guardian.sources.kinds import open_source
from guardian.sources.settings import PageSettings
from tests.granting import grant_licence
from tests.kept_workers import run_in_app
from tests.websites import Asked, Raw, Says, Site, Wire, running

Job = Callable[[App], Coroutine[Any, Any, Any]]


@pytest.fixture
def mine(tmp_path: Path, photographs: dict[str, Image.Image]) -> Path:
    """Two photographs to protect."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("astronaut", "coffee"):
        photographs[name].save(folder / f"{name}.png", compress_level=1)
    return folder


async def protect(app: App, *paths: Path) -> list[str]:
    """Protect files; their asset ids."""
    added = [result async for result in app.catalog.add([Wanted(path, "portfolio") for path in paths])]
    return [result.asset.id for result in added if result.asset is not None]


def with_settings(services: Services, **changed: Any) -> Services:
    return replace(services, settings=replace(services.settings, **changed))


async def scanned(services: Services, url: str) -> list[Answer | Skipped]:
    settings = PageSettings(name="gallery", kind="page", url=url)
    results = scan(services, context_of_scan(services, settings), open_source(settings))
    return [result async for result in results if not isinstance(result, Checkpoint)]


async def checked(services: Services, *targets: str) -> list[Answer]:
    return [result async for result in check(services, targets) if isinstance(result, Answer)]


def edited(image: Image.Image) -> bytes:
    """A recompressed, mirrored and cropped copy."""
    width, height = image.size
    cut = image.crop((width // 10, 0, width, height * 9 // 10)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    written = io.BytesIO()
    cut.save(written, "JPEG", quality=60)
    return written.getvalue()


def test_a_page_is_scanned_and_its_copy_becomes_one_case(
    config: Config, mine: Path, site: Any, photographs: dict[str, Image.Image]
) -> None:
    copy = edited(photographs["astronaut"])
    for name in ("one.jpg", "two.jpg"):
        (site.folder / name).write_bytes(copy)
    photographs["rocket"].save(site.folder / "rocket.jpg")
    page = site.page("page.html", "one.jpg", "rocket.jpg", "two.jpg")

    async def job(app: App) -> None:
        (asset,) = await protect(app, mine / "astronaut.png")
        results = await scanned(app.services, page)
        first, second = results
        assert isinstance(first, Answer)
        assert isinstance(second, Answer)
        assert (first.outcome, second.outcome) == (Outcome.COPY, Outcome.CLEAR)
        assert first.also_at == (f"{site.url}/two.jpg",), "the same bytes are one answer with all addresses"
        assert second.report is not None
        assert second.report.assets_searched == 1
        with app.store.read() as tx:
            (case,) = tx.cases.list()
            (finding,) = tx.findings.list(case.id)
        assert case.asset_id == asset
        assert finding.context.caption == "one.jpg"
        vault = app.services.vault
        assert finding.image_sha256 is not None
        assert finding.page_sha256 is not None
        assert vault.get(finding.image_sha256) == copy
        assert b"rocket.jpg" in vault.get(finding.page_sha256)

    run_in_app(config, job)


def test_a_check_records_nothing(config: Config, mine: Path, site: Any) -> None:
    shutil.copy(mine / "coffee.png", site.folder / "coffee.png")

    async def job(app: App) -> None:
        await protect(app, mine / "coffee.png")
        (answer,) = await checked(app.services, f"{site.url}/coffee.png")
        assert answer.outcome is Outcome.COPY
        assert answer.target == f"{site.url}/coffee.png"
        with app.store.read() as tx:
            assert tx.cases.list() == []

    run_in_app(config, job)


def test_known_bytes_are_not_matched_again_but_new_assets_are_compared(
    config: Config, mine: Path, site: Any, photographs: dict[str, Image.Image]
) -> None:
    (site.folder / "copy.jpg").write_bytes(edited(photographs["coffee"]))
    page = site.page("page.html", "copy.jpg")

    async def job(app: App) -> None:
        await protect(app, mine / "astronaut.png")
        (before,) = await scanned(app.services, page)
        assert isinstance(before, Answer)
        assert before.outcome is Outcome.CLEAR
        await protect(app, mine / "coffee.png")
        (after,) = await scanned(app.services, page)
        assert isinstance(after, Answer)
        assert after.outcome is Outcome.COPY
        # No worker is there any more: only memory can answer.
        shutil.rmtree(app.services.workers.index_folder)
        (again,) = await scanned(app.services, page)
        assert isinstance(again, Answer)
        assert again.outcome is Outcome.COPY

    run_in_app(config, job)


def test_a_withdrawn_asset_disappears_at_once(config: Config, mine: Path) -> None:
    async def job(app: App) -> None:
        (asset,) = await protect(app, mine / "coffee.png")
        (before,) = await checked(app.services, str(mine / "coffee.png"))
        await app.catalog.withdraw([asset])
        (after,) = await checked(app.services, str(mine / "coffee.png"))
        assert (before.outcome, after.outcome) == (Outcome.COPY, Outcome.CLEAR)

    run_in_app(config, job)


def test_licensed_and_own_places_are_labelled_and_not_alarmed(config: Config, mine: Path, site: Any) -> None:
    shutil.copy(mine / "coffee.png", site.folder / "coffee.png")
    page = site.page("page.html", "coffee.png")

    async def job(app: App) -> None:
        await protect(app, mine / "coffee.png")
        (own,) = await scanned(with_settings(app.services, own_hosts=("127.0.0.1",)), page)
        assert isinstance(own, Answer)
        assert own.own
        assert own.outcome is Outcome.CLEAR
        with app.store.begin() as tx:
            grant_licence(
                tx, "127.0.0.1", at=app.services.clock(), collection="portfolio", dates=(date(2020, 1, 1), None)
            )
        (licensed,) = await scanned(app.services, page)
        assert isinstance(licensed, Answer)
        assert licensed.outcome is Outcome.LICENSED
        with app.store.read() as tx:
            assert tx.cases.list() == []

    run_in_app(config, job)


def test_a_full_vault_loses_no_finding(config: Config, mine: Path, site: Any, tmp_path: Path) -> None:
    shutil.copy(mine / "coffee.png", site.folder / "coffee.png")
    page = site.page("page.html", "coffee.png")

    async def job(app: App) -> None:
        await protect(app, mine / "coffee.png")
        (answer,) = await scanned(replace(app.services, vault=Vault(tmp_path / "small", 10)), page)
        assert isinstance(answer, Answer)
        assert answer.outcome is Outcome.COPY
        with app.store.read() as tx:
            (case,) = tx.cases.list()
            (finding,) = tx.findings.list(case.id)
        assert finding.image_sha256 is None
        assert "not kept" in (finding.evidence_note or "")

    run_in_app(config, job)


def test_an_index_that_lacks_assets_is_never_clear_without_saying_so(
    config: Config, mine: Path, tmp_path: Path
) -> None:
    async def job(app: App) -> None:
        await protect(app, mine / "coffee.png")
        shutil.rmtree(app.services.workers.index_folder)
        (answer,) = await checked(app.services, str(mine / "coffee.png"))
        assert answer.report is not None
        assert answer.report.partial
        assert await app.catalog.repair() == 1
        (mended,) = await checked(app.services, str(mine / "coffee.png"))
        assert mended.outcome is Outcome.COPY

    run_in_app(config, job)


def test_what_cannot_be_matched_is_named_and_remembered(config: Config, mine: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture at all")
    Image.new("RGB", (400, 300), "white").save(tmp_path / "white.png")
    targets = [str(tmp_path / name) for name in ("text.jpg", "white.png", "missing.png")]

    async def job(app: App) -> None:
        await protect(app, mine / "coffee.png")
        for _ in range(2):
            text, white, missing = await checked(app.services, *targets)
            assert (text.outcome, white.outcome, missing.outcome) == (
                Outcome.UNMATCHABLE,
                Outcome.UNMATCHABLE,
                Outcome.ERROR,
            )
            assert [answer.problem.word for answer in (text, white, missing) if answer.problem] == [
                "not_an_image",
                "too_plain",
                "missing",
            ]

    run_in_app(config, job)


def test_images_inside_the_page_and_lost_renditions(config: Config, mine: Path, site: Any) -> None:
    shutil.copy(mine / "coffee.png", site.folder / "small.png")
    inline = base64.b64encode((mine / "astronaut.png").read_bytes()).decode()
    (site.folder / "page.html").write_text(
        f'<img srcset="large.png 2000w, small.png 600w" src="small.png"><img src="data:image/png;base64,{inline}">'
    )

    async def job(app: App) -> None:
        await protect(app, mine / "coffee.png", mine / "astronaut.png")
        rendition, inside = await checked(app.services, f"{site.url}/page.html")
        assert (rendition.outcome, rendition.sighting.image_url) == (Outcome.COPY, f"{site.url}/small.png")
        assert (inside.outcome, inside.sighting.image_url) == (Outcome.COPY, None)

    run_in_app(config, job)


def test_decisions_are_recorded_with_the_rule_that_made_them(config: Config, mine: Path, site: Any) -> None:
    shutil.copy(mine / "coffee.png", site.folder / "coffee.png")

    async def job(app: App) -> None:
        await protect(app, mine / "coffee.png")
        await scanned(app.services, site.page("page.html", "coffee.png"))
        with app.store.read() as tx:
            (case,) = tx.cases.list()
            (finding,) = tx.findings.list(case.id)
            assert tx.assets.count(AssetState.PROTECTED) == 1
        assert finding.decision.action is Action.ALERT
        assert finding.decision.rule
        assert finding.comparison.probability > 0.97

    run_in_app(config, job)


class _Hotlinked(Says):
    """The picture for who comes from a page of this site; for others one that says so."""

    def __init__(self, picture: bytes, placeholder: bytes) -> None:
        super().__init__(picture, content_type="image/jpeg")
        self.placeholder = placeholder

    def say(self, asked: Asked, wire: Wire) -> None:
        own = f"http://{asked.host}/" in asked.headers.get("referer", "")
        wire.answer(self.content if own else self.placeholder, content_type="image/jpeg")


def test_pictures_are_seen_as_a_browser_shows_them_and_the_evidence_says_how_they_came(
    config: Config, mine: Path, photographs: dict[str, Image.Image]
) -> None:
    copy, stranger = edited(photographs["astronaut"]), edited(photographs["rocket"])
    head = b"HTTP/1.1 200 OK\r\ncontent-type: image/jpeg\r\ncontent-length: %d\r\n\r\n"

    async def job(app: App, web: Site) -> None:
        web.put("/hotlinked.jpg", _Hotlinked(copy + b"1", stranger))
        web.put("/missing.jpg", Says(copy + b"2", "404 Not Found", content_type="image/jpeg"))
        web.put("/cut.jpg", Raw(head % (2 * len(copy)) + copy))
        web.put("/stranger.jpg", Raw(head % (2 * len(stranger)) + stranger))
        names = ("hotlinked", "missing", "cut", "stranger")
        page = web.put("/page", "".join(f"<img src=/{name}.jpg>" for name in names))
        await protect(app, mine / "astronaut.png")

        answers = await checked(app.services, page)
        assert [one.outcome for one in answers] == [Outcome.COPY, Outcome.COPY, Outcome.COPY, Outcome.PARTIAL]
        assert [one.status for one in answers] == [200, 404, 200, 200]
        assert [one.incomplete is not None for one in answers] == [False, False, True, True]

        for _ in range(2):
            await scanned(app.services, page)
            with app.store.read() as tx:
                (case,) = tx.cases.list()
                findings = tx.findings.list(case_id=case.id)
            notes = {finding.image_url.rpartition("/")[2]: finding.evidence_note for finding in findings}
            assert notes.keys() == {"hotlinked.jpg", "missing.jpg", "cut.jpg"}
            assert notes["hotlinked.jpg"] is None
            assert notes["missing.jpg"] == "the site sent this picture with status 404"
            assert str(notes["cut.jpg"]).startswith("only a part of the picture is there: the connection ended early")

    for web in running():
        run_in_app(config, lambda app, web=web: job(app, web))
