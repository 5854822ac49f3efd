"""Two data folders, as on two machines, with one database: each index follows what the other added or took out."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from guardian.app import App
from guardian.catalog.wanted import Wanted
from guardian.config import Config
from guardian.matching.index import reader
from guardian.model import Asset, AssetState
from guardian.store import StoreSettings, hold
from tests.kept_workers import run_in_apps

RECIPE = "v5-none"


@pytest.fixture
def machines(config: Config, database: str) -> tuple[Config, Config]:
    """The same configuration on two machines."""
    shared = config.model_copy(update={"store": StoreSettings(url=database)})
    return shared, shared.model_copy(update={"data_dir": config.data_dir.parent / "elsewhere"})


def on_both(machines: tuple[Config, Config], job: Callable[[App, App], Awaitable[Any]]) -> None:
    run_in_apps(machines, job)


async def add(app: App, path: Path) -> Asset:
    (added,) = [result async for result in app.catalog.add([Wanted(path, "press")])]
    assert added.asset is not None
    return added.asset


def indexed(app: App) -> set[str]:
    return set(reader.contents(app.config.data_dir / "index" / RECIPE, RECIPE, every_byte=False).ids)


def test_what_one_adds_or_takes_out_the_other_follows(machines: tuple[Config, Config], mine: Path) -> None:
    async def job(here: App, there: App) -> None:
        coffee, rocket = await add(here, mine / "coffee.png"), await add(here, mine / "rocket.png")
        assert indexed(there) == set()
        assert await there.catalog.follow()
        assert indexed(there) == {coffee.id, rocket.id}
        (mine / "coffee.png").unlink()
        await here.catalog.withdraw([rocket.id])
        assert await there.catalog.follow()
        assert indexed(there) == {coffee.id}
        assert await there.catalog.rebuild() == 1, "the original is kept there now"

    on_both(machines, job)


def test_following_needs_no_turn_when_the_index_is_up_to_date(machines: tuple[Config, Config], mine: Path) -> None:
    async def job(here: App, there: App) -> None:
        await add(here, mine / "coffee.png")
        with hold(here.config.data_dir, "catalog"), hold(there.config.data_dir, "catalog"):
            assert await here.catalog.follow()
            assert not await there.catalog.follow(), "somebody adds there: later"

    on_both(machines, job)


def test_what_is_out_of_reach_makes_answers_partial_until_it_is_there(
    machines: tuple[Config, Config], mine: Path
) -> None:
    async def job(here: App, there: App) -> None:
        coffee = await add(here, mine / "coffee.png")
        whole = (mine / "coffee.png").read_bytes()
        (mine / "coffee.png").write_bytes(b"something else")
        assert await there.catalog.follow()
        assert indexed(there) == set()
        report = await there.services.workers.match(whole)
        assert (report.assets_searched, report.up_to_number) == (0, 0), "fewer, and none so new, as the store knows"
        (mine / "coffee.png").write_bytes(whole)
        assert await there.catalog.follow()
        assert indexed(there) == {coffee.id}

    on_both(machines, job)


def test_an_asset_that_a_later_one_overtook_gets_a_number_of_its_own(
    machines: tuple[Config, Config], mine: Path
) -> None:
    async def job(here: App, there: App) -> None:
        coffee = await add(here, mine / "coffee.png")
        with here.store.begin() as tx:
            # As if `here` had been adding it while `there` added another: published, and not yet protected.
            tx.assets.withdraw(coffee.id, here.services.clock())
            slow = tx.assets.reserve(
                coffee.sha256,
                title="Coffee",
                collection="press",
                path=coffee.path,
                size=(coffee.width, coffee.height),
                at=here.services.clock(),
            )
        rocket = await add(there, mine / "rocket.png")
        assert rocket.number > slow.number
        with there.store.read() as tx:
            assert [asset.state for asset in tx.assets.list()] == [AssetState.ADDING, AssetState.PROTECTED]
        assert indexed(there) == {rocket.id}, "what another is adding is left to it"
        await here.catalog.repair()
        with here.store.read() as tx:
            last = tx.assets.get(coffee.id)
        assert last is not None
        assert last.state is AssetState.PROTECTED
        assert last.number > rocket.number, "what was compared up to the rocket is compared with it still"
        assert indexed(here) == {coffee.id, rocket.id}

    on_both(machines, job)
