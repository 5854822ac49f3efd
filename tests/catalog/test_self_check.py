"""Protected means findable: each new asset is searched for by copies of it, and a weak one is named."""

import io
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from guardian.app import App, opened_store
from guardian.catalog.results import Added, AddOutcome
from guardian.catalog.wanted import Wanted
from guardian.config import Config
from guardian.model import Answer, Asset, SkipReason, Weakness
from guardian.scan.pipeline import check
from tests.kept_workers import run_in_app


async def added(app: App, *paths: Path) -> list[Added]:
    return [result async for result in app.catalog.add([Wanted(path, "press") for path in paths])]


def assets(config: Config) -> dict[str, Asset]:
    with opened_store(config) as store, store.read() as tx:
        return {asset.title: asset for asset in tx.assets.list()}


def gradient(low: int, high: int) -> Image.Image:
    """Light grows from top to bottom: no corner anywhere."""
    return Image.fromarray(np.repeat(np.linspace(low, high, 300).astype(np.uint8)[:, None], 400, axis=1)).convert("RGB")


def pattern() -> Image.Image:
    """One tile of noise, again and again: any part looks like any other."""
    tile = np.random.default_rng(1).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    return Image.fromarray(np.tile(tile, (15, 20, 1)))


def test_each_new_asset_is_searched_for_and_weak_ones_are_named_with_the_reason(config: Config, mine: Path) -> None:
    gradient(20, 220).save(mine / "gradient.png")
    pattern().save(mine / "pattern.png")
    Image.open(mine / "coffee.png").resize((40, 30)).save(mine / "tiny.png")
    names = ("coffee", "gradient", "pattern", "tiny")

    async def job(app: App) -> None:
        results = await added(app, *(mine / f"{name}.png" for name in names))
        assert all(result.outcome is AddOutcome.PROTECTED for result in results)
        checks = {name: result.asset.self_check for name, result in zip(names, results, strict=True) if result.asset}
        assert all(found is not None for found in checks.values())
        assert {name: found.weakness for name, found in checks.items() if found} == {
            "coffee": None,
            "gradient": Weakness.FEW_DETAILS,
            "pattern": Weakness.UNCERTAIN,
            "tiny": Weakness.TOO_SMALL,
        }
        coffee, dull = checks["coffee"], checks["gradient"]
        assert coffee is not None
        assert dull is not None
        assert (coffee.probability or 0) > 0.9
        assert (dull.probability or 0) < config.catalog.found_from
        assert "0 keypoints" in dull.detail
        assert coffee.recipe == app.services.workers.report_recipe

        for name in names:
            (answer,) = [one async for one in check(app.services, [str(mine / f"{name}.png")])]
            assert isinstance(answer, Answer)
            first = answer.judged[0]
            assert (first.asset.title, first.comparison.probability) == (name, 1.0), "its own file is always found"
            assert first.comparison.description == "the whole image"

    run_in_app(config, job)
    assert assets(config)["gradient"].self_check is not None


def test_a_plain_picture_is_found_by_its_bytes_and_a_blank_one_stays_out(config: Config, mine: Path) -> None:
    gradient(225, 235).save(mine / "pale.png")
    Image.new("RGB", (400, 300), (250, 250, 250)).save(mine / "blank.png")

    async def job(app: App) -> None:
        pale, blank, coffee = await added(app, *(mine / f"{name}.png" for name in ("pale", "blank", "coffee")))
        assert blank.problem is not None
        assert blank.problem.reason is SkipReason.TOO_PLAIN
        assert pale.asset is not None
        assert pale.asset.by_bytes_only
        assert pale.asset.self_check is not None
        assert pale.asset.self_check.weakness is Weakness.TOO_PLAIN

        (answer,) = [one async for one in check(app.services, [str(mine / "pale.png")])]
        assert isinstance(answer, Answer)
        assert [(one.asset.id, one.comparison.probability) for one in answer.judged] == [(pale.asset.id, 1.0)]
        assert answer.outcome == "copy"

        # The index has nothing of it, and misses nothing.
        assert await app.catalog.repair() == 0
        assert await app.catalog.rebuild() == 1
        assert await app.catalog.follow()
        again = io.BytesIO()
        Image.open(mine / "coffee.png").save(again, "JPEG")
        (mine / "again.jpg").write_bytes(again.getvalue())
        (answer,) = [one async for one in check(app.services, [str(mine / "again.jpg")])]
        assert isinstance(answer, Answer)
        assert answer.report is not None
        assert not answer.report.partial
        assert [one.asset.id for one in answer.judged] == [coffee.asset.id if coffee.asset else ""]

        (known,) = await added(app, mine / "pale.png")
        assert known.was_known

    run_in_app(config, job)


def test_a_copy_that_is_found_as_another_asset_of_the_same_picture_is_found(config: Config, mine: Path) -> None:
    Image.open(mine / "coffee.png").resize((200, 150)).save(mine / "web.jpg", quality=70)

    async def job(app: App) -> None:
        for result in await added(app, mine / "coffee.png", mine / "web.jpg"):
            assert result.asset is not None
            assert result.asset.self_check is not None
            assert result.asset.self_check.weakness is None

    run_in_app(config, job)


@pytest.mark.parametrize("before", [None, "earlier recipe"])
def test_assets_that_were_not_searched_for_are_when_their_files_are_added_again(
    config: Config, mine: Path, before: str | None
) -> None:
    run_in_app(config, lambda app: added(app, mine / "coffee.png"))
    database = sqlite3.connect(config.data_dir / "guardian.db")
    with database:
        check = f'{{"recipe": "{before}", "probability": 0.1, "weakness": "shared"}}' if before else None
        database.execute("UPDATE assets SET self_check = ?", (check,))
    database.close()
    run_in_app(config, lambda app: added(app, mine / "coffee.png"))
    found = assets(config)["coffee"].self_check
    assert found is not None
    assert found.weakness is None
