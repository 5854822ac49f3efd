"""An added asset joins the work whose picture it shows; what a person decided stays so, whatever is made anew."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian import cases
from guardian.app import App, opened_app, opened_store
from guardian.catalog.results import Added
from guardian.catalog.wanted import Wanted
from guardian.config import Config
from guardian.errors import WorkersUnavailable
from guardian.matching.worker_pool import WorkerPool
from guardian.matching.worker_process import WorkerProcess
from guardian.matching.workers import Workers
from tests.kept_workers import run_in_app

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class NoProcesses(WorkerPool):
    """As on a machine that allows no further process."""

    async def take(self) -> WorkerProcess:
        raise WorkersUnavailable("no worker process can be started: Cannot allocate memory")


async def add(app: App, *paths: Path, again: bool = False) -> list[Added]:
    return [result async for result in app.catalog.add([Wanted(path, "press") for path in paths], again=again)]


def works(config: Config) -> set[frozenset[str]]:
    """The works as sets of file names."""
    with opened_store(config) as store, store.read() as tx:
        return {frozenset(Path(asset.path).name for asset in work.assets) for work in tx.works.all()}


def split(config: Config, name: str) -> None:
    with opened_store(config) as store, store.begin() as tx:
        (asset,) = (asset for asset in tx.assets.list() if asset.path.endswith(name))
        work = tx.works.of_asset(asset.id)
        assert work is not None
        cases.split_work(tx, work, [asset.id], by="ada", note=None, at=NOW)


@pytest.fixture
def versions(mine: Path) -> Path:
    """The photographs, and of the astronaut a web size, a mirrored file and a crop."""
    astronaut = Image.open(mine / "astronaut.png").convert("RGB")
    astronaut.resize((300, 225)).save(mine / "astronaut_web.jpg", quality=80)
    astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT).convert("CMYK").save(mine / "astronaut_print.tif")
    astronaut.crop((40, 30, 360, 270)).save(mine / "astronaut_crop.png")
    return mine


def test_versions_join_their_work_and_a_crop_does_not(config: Config, versions: Path) -> None:
    async def go(app: App) -> tuple[list[Added], list[Added]]:
        first = await add(app, versions / "astronaut_web.jpg", versions / "coffee.png", versions / "astronaut_crop.png")
        return first, await add(
            app, versions / "astronaut.png", versions / "astronaut_print.tif", versions / "rocket.png"
        )

    _, later = run_in_app(config, go)
    together = frozenset({"astronaut.png", "astronaut_web.jpg", "astronaut_print.tif"})
    alone = {frozenset({name}) for name in ("coffee.png", "rocket.png", "astronaut_crop.png")}
    assert works(config) == {together} | alone
    assert [{Path(one.path).name for one in result.versions} for result in later] == [
        {"astronaut_web.jpg", "astronaut_print.tif"},
        {"astronaut_web.jpg", "astronaut.png"},
        set(),
    ]


def test_a_split_outlives_another_look_removal_and_a_rebuilt_index(config: Config, versions: Path) -> None:
    pair = (versions / "astronaut.png", versions / "astronaut_web.jpg")
    apart = {frozenset({path.name}) for path in pair}

    async def go(app: App) -> None:
        await add(app, *pair)
        split(config, "astronaut_web.jpg")
        # As after an update whose rule is another one.
        with app.store.begin() as tx:
            tx.works.note_sought([asset.id for asset in tx.assets.list()], 0)
        await app.catalog.repair()
        assert works(config) == apart

        (taken,) = await app.catalog.withdraw([asset.id for asset in assets_of(app) if "web" in asset.path])
        await add(app, pair[1], again=True)
        assert works(config) == apart
        await app.catalog.rebuild()
        assert works(config) == apart
        assert taken.state.value == "protected"

    def assets_of(app: App) -> list[Any]:
        with app.store.read() as tx:
            return tx.assets.list()

    run_in_app(config, go)


def test_assets_of_an_earlier_version_are_grouped_and_their_cases_merged_when_the_catalogue_is_next_at_work(
    config: Config, versions: Path
) -> None:
    """The tables are as the migration leaves them: each asset a work of its own, and none looked at."""

    async def go(app: App) -> None:
        await add(app, versions / "astronaut.png", versions / "astronaut_web.jpg")

    run_in_app(config, go)
    with closing(sqlite3.connect(config.data_dir / "guardian.db")) as database, database:
        database.execute("UPDATE assets SET work_rule = NULL, work_id = 'work_' || substr(id, 7)")

    # While no worker can be started nothing is known of any pair, and nothing is noted.
    async def repair_without_workers() -> None:
        workers = Workers(config.matching, config.embedding, config.data_dir / "index", NoProcesses())
        async with opened_app(config, workers) as app:
            await app.catalog.repair()

    asyncio.run(repair_without_workers())
    assert works(config) == {frozenset({"astronaut.png"}), frozenset({"astronaut_web.jpg"})}

    async def repair(app: App) -> None:
        await app.catalog.repair()

    run_in_app(config, repair)
    assert works(config) == {frozenset({"astronaut.png", "astronaut_web.jpg"})}


def test_without_join_versions_only_a_person_makes_works_of_several_assets(config: Config, versions: Path) -> None:
    settings = config.catalog.model_copy(update={"join_versions": False})

    async def go(app: App) -> None:
        await add(app, versions / "astronaut.png", versions / "astronaut_web.jpg")

    run_in_app(config.model_copy(update={"catalog": settings}), go)
    assert works(config) == {frozenset({"astronaut.png"}), frozenset({"astronaut_web.jpg"})}
