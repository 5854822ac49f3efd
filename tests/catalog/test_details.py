"""What owners state anew counts: title, collection, tags and rights of assets that are protected already."""

from datetime import UTC, datetime
from pathlib import Path

from guardian.app import App
from guardian.catalog.details import ChangedDetail, Correction, changes, corrected, edited
from guardian.catalog.results import Added, AddOutcome
from guardian.catalog.spreadsheet import read_spreadsheet
from guardian.catalog.wanted import Wanted
from guardian.config import Config
from guardian.model import Asset, Rights
from tests.kept_workers import run_in_app

ASSET = Asset(
    id="asset_1",
    number=1,
    title="Dune",
    collection="shop",
    path="/own/dune.jpg",
    sha256="ab" * 32,
    width=80,
    height=60,
    added_at=datetime(2026, 11, 24, tzinfo=UTC),
    work_id="work_1",
    tags=("sea",),
    rights=Rights(creator="Ann", copyright_notice="(c) Ann"),
)


def test_what_is_stated_replaces_and_what_is_left_out_stays() -> None:
    stated = Wanted(Path("/own/dune.jpg"), "press", "Dunes", ("sand", "sea"), Rights(licensor="Agency", creator="Bea"))
    after = corrected(ASSET, stated)
    assert (after.title, after.collection, after.tags) == ("Dunes", "press", ("sand", "sea"))
    assert after.rights == Rights(creator="Bea", copyright_notice="(c) Ann", licensor="Agency")
    assert changes(ASSET, after) == (
        ChangedDetail("title", "Dune", "Dunes"),
        ChangedDetail("collection", "shop", "press"),
        ChangedDetail("tags", "sea", "sand; sea"),
        ChangedDetail("creator", "Ann", "Bea"),
        ChangedDetail("licensor", "", "Agency"),
    )
    assert corrected(ASSET, Wanted(Path("/own/dune.jpg"), "shop")) == ASSET


def test_a_copy_in_the_folder_of_another_collection_moves_nothing_unless_a_row_says_so() -> None:
    copy = Path("/web/dune.jpg")
    assert corrected(ASSET, Wanted(copy, "web")).collection == "shop"
    assert corrected(ASSET, Wanted(copy, "web", names_collection=True)).collection == "web"


def test_what_is_edited_by_hand_can_be_taken_away() -> None:
    after = edited(ASSET, Correction(tags=(), rights={"creator": "", "registration": "VA 1"}))
    assert after.tags == ()
    assert after.rights == Rights(copyright_notice="(c) Ann", registration="VA 1")
    assert edited(ASSET, Correction()) == ASSET


def test_adding_a_list_again_corrects_and_tells_and_settles(config: Config, mine: Path) -> None:
    """The first of two rows with the same bytes counts, so that a second run changes nothing."""
    (mine / "twin.png").write_bytes((mine / "coffee.png").read_bytes())
    listed = mine / "list.csv"

    async def add(app: App, text: str) -> list[Added]:
        listed.write_text(text)
        return [result async for result in app.catalog.add(read_spreadsheet(listed, "press"))]

    async def job(app: App) -> None:
        await add(app, "path,creator\ncoffee.png,Anne\nrocket.png,Bob\n")
        corrected = "path,creator,collection,title\ncoffee.png,Ann,shop,Cup\ntwin.png,Eve,web,Twin\nrocket.png,,,\n"
        cup, twin, rocket = await add(app, corrected)
        assert cup.outcome is AddOutcome.CHANGED
        assert [change.name for change in cup.changes] == ["title", "collection", "creator"]
        assert cup.asset is not None
        assert (cup.asset.title, cup.asset.collection, cup.asset.rights.creator) == ("Cup", "shop", "Ann")
        assert (twin.outcome, rocket.outcome) == (AddOutcome.KNOWN, AddOutcome.KNOWN)
        assert rocket.asset is not None
        assert rocket.asset.rights.creator == "Bob", "an empty cell states nothing"

        outcomes = [result.outcome for result in await add(app, corrected)]
        assert outcomes == [AddOutcome.KNOWN] * 3

    run_in_app(config, job)
