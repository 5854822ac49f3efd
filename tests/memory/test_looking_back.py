"""A work that is protected today is found in what was seen before: a site on loopback, a database, worker processes."""

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from guardian.app import App
from guardian.catalog.looking_back import LookBackConsumer
from guardian.catalog.wanted import Wanted
from guardian.config import Config, load_config
from guardian.matching.features.appearance_bytes import APPEARANCE_BYTES, BYTES_OF_VERSIONS
from guardian.matching.features.small import small_fingerprint
from guardian.matching.workers import Workers
from guardian.memory.reading import MemoryReader
from guardian.memory.rebuilding import Rebuilt, earlier_appearances, rebuild
from guardian.memory.remembering import Memory
from guardian.memory.shards import DERIVED
from guardian.model import EarlierUseState, SeenAddress, SeenPicture, TaskKind, TaskState
from guardian.scan.context import context_of_scan
from guardian.scan.pipeline import scan
from guardian.scan.recheck.earlier_uses import EarlierUseConsumer
from guardian.search.aspects import Aspect, exact_vectors_of
from guardian.shipped import rules_folder
from guardian.sources.kinds import open_source
from guardian.sources.settings import PageSettings, SitemapSettings, SourceSettings
from guardian.store import Transaction
from guardian.tasks.runner import Runner
from tests.cli.home import NO_CAPTURES
from tests.kept_workers import run_in_app
from tests.memory.made import met, picture


@pytest.fixture
def config(tmp_path: Path) -> Config:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    path = tmp_path / "config.yaml"
    path.write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        f"matching: {{workers: 1}}\n{NO_CAPTURES}\n"
    )
    return load_config(path)


async def scanned(app: App, url: str) -> None:
    await scanned_as(app, PageSettings(name="gallery", kind="page", url=url))


async def scanned_as(app: App, settings: SourceSettings) -> None:
    services = app.services
    async for _ in scan(services, context_of_scan(services, settings), open_source(settings)):
        pass


async def run_tasks(app: App, *sources: SourceSettings) -> None:
    consumers = {
        TaskKind.LOOK_BACK: LookBackConsumer(app.catalog.look_back, app.services.clock),
        TaskKind.RECHECK: EarlierUseConsumer(app.services, {one.name: one for one in sources}),
    }
    await Runner(app.store, "process_test", app.services.clock, consumers).run_due()


def uses_in(tx: Transaction) -> list[tuple[SeenPicture, SeenAddress]]:
    """Every place of every remembered picture."""
    pictures = tx.seen.pictures(tx.seen.numbers_above(0, 1000, datetime.min.replace(tzinfo=UTC))).values()
    return list(tx.seen.uses_of([one.sha256 for one in pictures]))


def cropped(image: Image.Image) -> bytes:
    width, height = image.size
    written = io.BytesIO()
    image.crop((width // 8, height // 8, width, height)).save(written, "JPEG", quality=70)
    return written.getvalue()


def test_what_was_seen_before_becomes_a_case_if_it_is_still_there_and_history_if_it_is_gone(
    config: Config, site: Any, tmp_path: Path, photographs: dict[str, Image.Image]
) -> None:
    (site.folder / "stays.jpg").write_bytes(cropped(photographs["coffee"]))
    photographs["coffee"].resize((200, 133)).save(site.folder / "goes.jpg")
    photographs["rocket"].save(site.folder / "stranger.jpg")
    stays = site.page("stays.html", "stays.jpg", "stranger.jpg")
    goes = site.page("goes.html", "goes.jpg")
    original = tmp_path / "coffee.png"
    photographs["coffee"].save(original)

    async def job(app: App) -> None:
        # Nothing is protected yet: all that was met is remembered, strangers too.
        await scanned(app, stays)
        await scanned(app, goes)
        with app.store.read() as tx:
            assert len(uses_in(tx)) == 3
            (first,) = (use for _, use in uses_in(tx) if use.page_url == stays and "stays" in str(use.image_url))
        (site.folder / "goes.html").write_text("<p>nothing here any more</p>")

        (added,) = [result async for result in app.catalog.add([Wanted(original, "portfolio")])]
        assert added.asset is not None
        assert {use.page_url for use in added.earlier} == {stays, goes}
        assert all(use.state is EarlierUseState.WAITING for use in added.earlier)

        await run_tasks(app)
        with app.store.read() as tx:
            uses = {use.page_url: use for use in tx.earlier_uses.of_asset(added.asset.id)}
            (case,) = tx.cases.list()
            (finding,) = tx.findings.list(case.id)
            states = [task.state for kind in (TaskKind.LOOK_BACK, TaskKind.RECHECK) for task in tx.tasks.list(kind)]
            assert states == [TaskState.DONE] * 3
        assert uses[stays].state is EarlierUseState.STILL_THERE
        assert (uses[goes].state, uses[goes].detail) == (EarlierUseState.GONE, "the page no longer shows it")
        assert (finding.page_url, finding.first_seen_at) == (stays, first.first_seen_at)
        assert "before the work was protected" in str(finding.evidence_note)

        # Asked again, nothing is new and nobody is told twice.
        assert await app.catalog.look_back(added.asset.id) == ()
        await run_tasks(app)
        with app.store.read() as tx:
            assert len(tx.cases.list()) == 1

    run_in_app(config, job)


def test_a_picture_that_only_a_sitemap_names_for_a_page_is_gone_when_the_sitemap_no_longer_names_it(
    config: Config, site: Any, tmp_path: Path, photographs: dict[str, Image.Image]
) -> None:
    pages = {name: site.page(f"{name}.html", title=f"{name} " * 20) for name in ("named", "left_out", "missing")}

    def write_sitemap(*names: str) -> None:
        listed = "".join(
            f"<url><loc>{pages[name]}</loc><image:image><image:loc>{site.url}/{name}.jpg</image:loc></image:image></url>"
            for name in names
        )
        (site.folder / "sitemap.xml").write_text(
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
            f'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">{listed}</urlset>'
        )

    for number, name in enumerate(pages):
        # Different bytes, so that each is a picture of its own.
        photographs["coffee"].resize((240 + 20 * number, 160 + 13 * number)).save(site.folder / f"{name}.jpg")
    write_sitemap(*pages)
    original = tmp_path / "coffee.png"
    photographs["coffee"].save(original)
    source = SitemapSettings(name="catalogue", kind="sitemap", url=f"{site.url}/sitemap.xml")

    async def job(app: App) -> None:
        await scanned_as(app, source)
        write_sitemap("named", "missing")
        (site.folder / "missing.jpg").unlink()
        (added,) = [result async for result in app.catalog.add([Wanted(original, "portfolio")])]
        assert added.asset is not None
        assert len(added.earlier) == 3

        await run_tasks(app, source)
        with app.store.read() as tx:
            uses = {use.page_url: use for use in tx.earlier_uses.of_asset(added.asset.id)}
            (finding,) = tx.findings.list(tx.cases.list()[0].id)
        assert uses[pages["named"]].state is EarlierUseState.STILL_THERE
        assert finding.page_url == pages["named"]
        gone = uses[pages["left_out"]], uses[pages["missing"]]
        assert [(use.state, use.detail) for use in gone] == [
            (EarlierUseState.GONE, "the page no longer shows it; no sitemap or feed names it"),
            (EarlierUseState.GONE, "the page no longer shows it; the picture's address answers 404"),
        ]

    run_in_app(config, job)


def test_an_interrupted_adding_looks_back_later(
    config: Config, site: Any, tmp_path: Path, photographs: dict[str, Image.Image]
) -> None:
    photographs["rocket"].save(site.folder / "rocket.jpg")
    page = site.page("page.html", "rocket.jpg")
    original = tmp_path / "rocket.png"
    photographs["rocket"].save(original)

    async def job(app: App) -> None:
        await scanned(app, page)
        (added,) = [result async for result in app.catalog.add([Wanted(original, "portfolio")])]
        assert added.asset is not None
        with app.store.begin() as tx:
            # As it is when the process ends between protecting and asking the memory.
            (task,) = tx.tasks.list(TaskKind.LOOK_BACK)
            tx.earlier_uses.forget_host("127.0.0.1")
            tx.tasks.bury(task.id, "interrupted")
            tx.tasks.revive(task.id, app.services.clock())
        await run_tasks(app)
        with app.store.read() as tx:
            (use,) = tx.earlier_uses.of_asset(added.asset.id)
        assert use.page_url == page

    run_in_app(config, job)


def test_after_a_change_of_recipe_what_is_left_is_made_anew(
    config: Config, site: Any, photographs: dict[str, Image.Image]
) -> None:
    (site.folder / "coffee.jpg").write_bytes(cropped(photographs["coffee"]))
    page = site.page("page.html", "coffee.jpg")

    async def job(app: App) -> None:
        services, memory = app.services, app.services.memory
        assert memory is not None
        await scanned(app, page)
        memory.write_waiting()
        assert memory.earlier_recipes() == []

        newer = Memory(app.store, memory.folder, "s2-none", memory.settings)
        assert newer.earlier_recipes() == [memory.recipe]
        # Evidence has the bytes, but its file is damaged.
        kept = services.vault.keep((site.folder / "coffee.jpg").read_bytes())
        services.vault.path_of(kept).write_bytes(b"damaged")
        made = await rebuild(app.store, newer, services.workers, services.vault)
        assert (made.whole, made.coarse, made.lost) == (0, 1, 0)
        with app.store.read() as tx:
            counts = tx.seen_counts.of_memory(newer.shard, newer.recipe)
            ((picture, _),) = uses_in(tx)
            assert newer.lacks(tx, picture.sha256), "it is made in full when it is next met"
        assert (counts.coarse, counts.bare) == (1, 0)
        assert not (memory.folder / memory.recipe).exists()

        reader = MemoryReader(newer.folder, newer.recipe)
        reader.refresh()
        (segment,) = reader.segments
        assert tuple(segment.sizes[0]) == (picture.width, picture.height)

        # Back again, as evidence has the bytes now.
        services.vault.keep((site.folder / "coffee.jpg").read_bytes())
        made = await rebuild(app.store, memory, services.workers, services.vault)
        assert (made.whole, made.coarse, made.lost) == (1, 0, 0)

    run_in_app(config, job)


def test_appearances_of_an_earlier_version_are_made_anew_of_the_previews(config: Config) -> None:
    now = [small_fingerprint(picture(seed)) for seed in range(3)]

    async def job(app: App) -> None:
        services, memory = app.services, app.services.memory
        assert memory is not None
        # Two of them as earlier versions remembered them.
        earlier = [
            replace(one, appearance=one.appearance[: BYTES_OF_VERSIONS[version]])
            for version, one in enumerate(now[:2], 1)
        ]
        memory.remember(app.store, [met(seed, fingerprint=one) for seed, one in enumerate([*earlier, now[2]])])
        memory.write_waiting()
        # Beside the recipes lies what a search has derived.
        (memory.folder / DERIVED).mkdir()
        assert (memory.earlier_recipes(), earlier_appearances(memory)) == ([], 2)

        assert await rebuild(app.store, memory, services.workers, services.vault) == Rebuilt(appearances=2)
        reader = MemoryReader(memory.folder, memory.recipe)
        reader.refresh()
        assert (len(reader), earlier_appearances(memory)) == (3, 0), "none answers twice"
        with app.store.read() as tx:
            pictures = {seed: tx.seen.get(f"{seed:064x}") for seed in range(3)}
            counts = tx.seen_counts.of_memory(memory.shard, memory.recipe)
        assert (counts.joined, counts.coarse, counts.bare) == (0, 0, 0)

        for seed, remembered in pictures.items():
            assert remembered is not None
            assert remembered.same_as is None
            place = reader.row_of(remembered.number)
            assert place is not None
            segment, row = place
            assert segment.appearance is not None
            assert segment.appearance.shape[1] == APPEARANCE_BYTES
            assert np.array_equal(segment.hashes[row], now[seed].hash)
            assert np.array_equal(segment.fingerprint(row).points.descriptors, now[seed].points.descriptors)

            exact = np.frombuffer(now[seed].appearance, np.uint8)
            kept = BYTES_OF_VERSIONS[seed + 1]
            assert np.array_equal(segment.appearance[row, :kept], exact[:kept]), "what was known stays"
            one, other = exact_vectors_of(np.stack([exact, segment.appearance[row]]), Aspect.LOOK)
            assert float(one @ other) > 0.7
        assert await rebuild(app.store, memory, services.workers, services.vault) == Rebuilt()

    run_in_app(config, job)


class WorkersBesideAScan:
    """Worker processes; before each job that they are given a scan has remembered something."""

    def __init__(self, workers: Workers, scan: Callable[[], None]) -> None:
        self._workers, self._scan = workers, scan

    async def run_with_matcher(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self._scan()
        return await self._workers.run_with_matcher(function, *arguments)


def test_segments_that_are_merged_while_others_are_made_anew_are_made_anew_too(config: Config) -> None:
    async def job(app: App) -> None:
        services, memory = app.services, app.services.memory
        assert memory is not None

        def remember(seed: int, *, appearance_bytes: int = APPEARANCE_BYTES) -> None:
            now = small_fingerprint(picture(seed))
            memory.remember(
                app.store, [met(seed, fingerprint=replace(now, appearance=now.appearance[:appearance_bytes]))]
            )
            memory.write_waiting()

        seeds = iter(range(100))
        for _ in range(3):
            remember(next(seeds), appearance_bytes=BYTES_OF_VERSIONS[2])

        def scan_twice() -> None:
            # The first segment more has all merged, and the second takes away the files of those that were.
            remember(next(seeds))
            remember(next(seeds))

        workers = cast(Workers, WorkersBesideAScan(services.workers, scan_twice))
        assert await rebuild(app.store, memory, workers, services.vault) == Rebuilt(appearances=3)
        assert earlier_appearances(memory) == 0

    run_in_app(config, job)
