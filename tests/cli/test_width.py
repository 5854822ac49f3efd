"""Every list and report fits a terminal of 80 columns, whatever owners and sites write; in a pipe nothing is cut."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from guardian.cases import Kept, RecordedUse, record
from guardian.model import (
    Action,
    Asset,
    Audience,
    Comparison,
    Context,
    Decision,
    LicenceStatus,
    ScanCounts,
    ScanOutcome,
    Severity,
    Sighting,
)
from guardian.store import Store
from tests.cli.home import Home
from tests.databases import store_in
from tests.granting import grant_licence

NOW = datetime.now(UTC) - timedelta(hours=3, minutes=1)
TITLES = (
    "Harbour at dawn, seen from the old lighthouse on the northern pier before the boats leave",
    "夜明けの港" * 12,
)
LONG_PATH = (
    "/home/anna/Pictures/portfolio/2024/harbour series/originals of the first week/" + "harbour-" * 9 + "0042.tif"
)
LONG_URL = "https://" + "a" * 50 + ".shop.example/gallery/" + "harbour-at-dawn-" * 6 + "1024x683.jpg"
COLLECTION = "the portfolio of the first ten years of work by the sea"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("width")
    (folder / "config.yaml").write_text(
        "fetch: {contact: test@example.com}\n"
        "sources:\n"
        f"  - {{name: gallery, kind: page, url: '{LONG_URL}', cron: '*/20 7-19 1,15 * mon-fri', jitter: 5m}}\n"
        "  - {name: a source whose name is as long as names may be, kind: folder, path: in}\n"
        "destinations:\n"
        f"  - {{name: legal, url: '{LONG_URL}', secret_env: HOOK}}\n"
    )
    shutil.copytree(Path(__file__).resolve().parent.parent.parent / "rules", folder / "rules")
    store = store_in(folder / "data")
    fill(store)
    store.close()
    return Home(folder)


def fill(store: Store) -> None:
    counts = ScanCounts.from_words(
        {"pages": 1204, "copy": 2, "clear": 380, "left out: needs_browser": 14, "fetched": 7}
    )
    with store.begin() as tx:
        for number, title in enumerate(TITLES):
            asset = tx.assets.reserve(
                f"{number}" * 64, title=title, collection=COLLECTION, path=LONG_PATH, size=(12_000, 8_000), at=NOW
            )
            tx.assets.protect([asset.number])
            record(tx, use_of(asset), Audience(("legal",)))
        grant_licence(
            tx,
            "customer.example",
            at=NOW,
            asset_id=None,
            collection=COLLECTION,
            dates=(date(2020, 1, 1), date(2030, 12, 31)),
            territory="Germany, Austria and Switzerland",
            proof_file=LONG_PATH.replace(" ", "-"),
        )
        tx.scans.end(tx.scans.start("gallery", NOW).id, NOW, ScanOutcome.COMPLETED, counts)
        error = f"{LONG_URL} did not answer within 10 seconds, and neither did any of its other addresses"
        tx.scans.end(tx.scans.start("gallery", NOW).id, NOW, ScanOutcome.FAILED, ScanCounts(), error)
        tx.scans.start("gallery", NOW)
        tx.tasks.postpone(1, NOW + timedelta(days=1), f"{LONG_URL} answered 500: the receiver is out of order")
        tx.destinations.disable("legal", NOW, "it answered 410 Gone: it wants no more messages of any kind")


def use_of(asset: Asset) -> RecordedUse:
    context = Context(alt="Boats in the harbour " * 6, caption="夜明けの港" * 20)
    return RecordedUse(
        sighting=Sighting("gallery", LONG_URL, LONG_URL.replace(".jpg", ".html"), NOW, context),
        candidate_sha256="c" * 64,
        asset=asset,
        comparison=Comparison(0.98765, description="crop of 41 % of the image, turned by 7.5°, with text laid over it"),
        licence_status=LicenceStatus.NONE,
        decision=Decision(Action.ALERT, "certain-copy", Severity.CRITICAL, ("legal",), record=True),
        at=NOW,
        kept=Kept("1" * 64, "2" * 64, "the page was kept without its style sheets since they could not be had"),
        perceptual_hash="d1c49b8e3f20a657",
    )


LISTS = [
    ("asset", "list"),
    ("case", "list"),
    ("delivery", "list"),
    ("destination", "list"),
    ("licence", "list"),
    ("source", "list"),
    ("coverage",),
    ("index", "status"),
]
# What is there to be copied stays whole: an address or digest that is wider than a line has one of its own.
REPORTS = [("case", "show", "CASE"), ("rules", "check"), ("rules", "explain", "FINDING"), ("delivery", "show", "1")]


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_a_list_fits_80_columns(home: Home, words: tuple[str, ...]) -> None:
    lines = home.on_terminal(*words, code=0)
    assert len(lines) > 2
    assert [line for line in lines if cell_len(line) > 80] == []


@pytest.mark.parametrize("words", REPORTS, ids=" ".join)
def test_a_report_fits_but_for_what_is_copied(home: Home, words: tuple[str, ...]) -> None:
    shown = home.on_terminal(*(ids(home).get(word, word) for word in words), code=0)
    text = shown[: shown.index("{")] if "{" in shown else shown
    wide = [line for line in text if cell_len(line) > 80]
    assert [line for line in wide if len(line.split()) > 2] == []


def ids(home: Home) -> dict[str, str]:
    store = store_in(home.folder / "data")
    with store.read() as tx:
        found = tx.findings.list()[0]
    store.close()
    return {"CASE": str(found.case_id), "FINDING": found.id}


def test_titles_come_before_paths_and_times_are_as_people_speak_of_them(home: Home) -> None:
    listed = home.on_terminal("asset", "list")
    assert listed[0].split() == ["ASSET", "TITLE", "COLLECTION", "PIXELS"]
    assert "Harbour at dawn" in listed[1]
    assert listed[2].startswith("  /home/anna/")
    assert listed[2].endswith("0042.tif")
    assert "message of 3 hours ago" in " ".join(home.on_terminal("case", "list"))
    assert "  3 hours ago" in home.on_terminal("delivery", "list")[1]
    assert "(3 hours ago)" in " ".join(home.on_terminal("coverage", "gallery"))


def test_a_running_scan_is_named_beside_the_last_whole_one(home: Home) -> None:
    listed = " ".join(home.on_terminal("source", "list"))
    assert "running, begun 3 hours ago" in listed
    assert "last complete 3 hours ago: 1204 pages, 2 copies, 380 clear, 14 not seen" in listed


def test_in_a_pipe_nothing_is_cut_and_times_are_exact(home: Home) -> None:
    listed = home.guardian("asset", "list").stdout.splitlines()
    assert len(listed) == 2
    assert all(LONG_PATH in line for line in listed)
    cases = home.guardian("case", "list").stdout
    assert f"message of {NOW:%Y-%m-%d %H:%M}Z" in cases
    assert all(title in cases for title in TITLES)
    assert LONG_URL in home.guardian("source", "list").stdout
