"""Captures as tasks: whole or not at all, once whoever is at work, tried again while there is no room or answer."""

import asyncio
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardian.cases.capture_orders import order_of, owe_capture
from guardian.errors import WorkersUnavailable
from guardian.evidence import Vault, remove_needless
from guardian.evidence.capture_tasks import CaptureConsumer
from guardian.evidence.capturing import CaptureServices, capture
from guardian.evidence.settings import CaptureSettings, EvidenceSettings
from guardian.fetch.browser import Browser
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.settings import BrowserSettings
from guardian.fetch.web import WebClient
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.worker_pool import WorkerPool
from guardian.matching.worker_process import WorkerProcess
from guardian.matching.workers import Workers
from guardian.model import (
    Action,
    CaptureOrder,
    CaptureReason,
    Case,
    Comparison,
    Decision,
    EvidenceCapture,
    Finding,
    LicenceStatus,
    Task,
    TaskKind,
    TaskState,
)
from guardian.rules import load
from guardian.shipped import rules_folder
from guardian.store import Store, Transaction
from guardian.tasks.outcomes import Settled
from guardian.tasks.runner import Runner
from tests import forked
from tests.cli.home import Home, made_home
from tests.databases import store_in
from tests.disks import small_disk
from tests.fetch.conftest import patient
from tests.kept_workers import kept
from tests.websites import GIF, Says, Silent, Site, running

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PAGE = "<html><head><title>Prints</title></head><body><img src=/thief.gif></body></html>"
SETTINGS = EvidenceSettings(browser=BrowserSettings(enabled=False))


@pytest.fixture
def site() -> Iterator[Site]:
    for one in running():
        one.put("/", Says(PAGE, content_type="text/html"))
        one.put("/thief.gif", Says(GIF, content_type="image/gif"))
        yield one


class NoProcesses(WorkerPool):
    """A machine that is out of memory."""

    async def take(self) -> WorkerProcess:
        raise WorkersUnavailable("no worker process can be started: Cannot allocate memory")


ORIGINAL = hashlib.sha256(GIF).hexdigest()
"""The digest of the owner's own file, which is not there unless a test keeps it."""


@dataclass
class Place:
    """A data folder with one case, whose use is shown by a site; the picture itself was not kept when it was seen."""

    folder: Path
    case: Case
    settings: EvidenceSettings = SETTINGS
    room: int = 10**9
    at: datetime = NOON
    pool: WorkerPool = field(default_factory=lambda: kept().pool)

    @property
    def vault(self) -> Vault:
        return Vault(self.folder / "evidence", self.room)

    @property
    def store(self) -> Store:
        return store_in(self.folder)

    def owe(self, reason: CaptureReason, occasion: str = "first") -> None:
        with closing(self.store) as store, store.begin() as tx:
            owe_capture(tx, CaptureOrder(self.case.id, reason), occasion, NOON)

    def run(self, *owners: str) -> list[Settled]:
        """Let processes of these names do what is due, at the same time; return how the tasks were settled."""

        async def go() -> list[Settled]:
            async with WebClient(patient(), clock=lambda: datetime.now(UTC)) as web:
                with closing(self.store) as store:
                    with store.begin() as tx:
                        for owner in owners:
                            tx.processes.beat(owner, timedelta(minutes=9), host="here", pid=1, command="test")
                    services = self.services(store, web)
                    runners = [
                        Runner(store, owner, lambda: self.at, {TaskKind.CAPTURE: CaptureConsumer(services, owner)})
                        for owner in owners
                    ]
                    counts = await asyncio.gather(*(one.run_due_of(TaskKind.CAPTURE) for one in runners))
                    return [settled for count in counts for settled in count.elements()]

        return kept().run(go())

    def services(self, store: Store, web: WebClient) -> CaptureServices:
        return CaptureServices(
            store=store,
            vault=self.vault,
            originals=Vault(self.folder / "originals", 10**9),
            workers=Workers(MatchingSettings(workers=1), EmbeddingSettings(), self.folder / "index", self.pool),
            data_dir=self.folder,
            clock=lambda: self.at,
            settings=self.settings,
            fetcher_of=lambda source: Fetcher.for_scan(web),
            rules=load(rules_folder(), []),
            own_hosts=(),
            browser=Browser(self.settings.browser, lambda: self.at),
            web=web,
        )

    def captures(self) -> list[EvidenceCapture]:
        with closing(self.store) as store, store.read() as tx:
            return tx.evidence.of_case(self.case.id)

    def tasks(self) -> list[Task]:
        with closing(self.store) as store, store.read() as tx:
            return tx.tasks.list(TaskKind.CAPTURE)

    def kept(self) -> set[str]:
        """The digests of all files in the vault."""
        return {path.name for path in self.vault.folder.glob("??/*")}


def with_case(folder: Path, site: Site) -> Place:
    folder.mkdir(exist_ok=True)
    with closing(store_in(folder)) as store, store.begin() as tx:
        asset = tx.assets.reserve(ORIGINAL, title="t", collection="c", path="/a", size=(8, 6), at=NOON)
        tx.assets.protect([asset.number])
        # An account of a platform: the imprint of the platform says nothing of it, so none is looked for.
        case, _ = tx.cases.insert(asset.id, "127.0.0.1/alice", Action.ALERT, None, NOON)
        finding = Finding(
            id="find_1",
            asset_id=asset.id,
            case_id=case.id,
            source="shop",
            page_url=f"{site.url}/",
            image_url=f"{site.url}/thief.gif",
            first_seen_at=NOON,
            last_seen_at=NOON,
            licence=LicenceStatus.NONE,
            decision=Decision(Action.ALERT, "copies"),
            comparison=Comparison(0.99),
            candidate_sha256=hashlib.sha256(GIF).hexdigest(),
            image_sha256=None,
            page_sha256=None,
        )
        tx.findings.upsert(finding)
    return Place(folder, case)


@pytest.fixture
def place(site: Site, tmp_path: Path) -> Place:
    return with_case(tmp_path / "data", site)


def names(captures: Sequence[EvidenceCapture]) -> list[set[str]]:
    return [{file.name for file in one.files} for one in captures]


def test_what_is_owed_is_captured_and_kept(place: Place) -> None:
    place.owe(CaptureReason.OPENED)
    assert place.run("me") == [Settled.DONE]
    (captured,) = place.captures()
    assert {"page.wacz", "exchanges.json", "picture.gif"} <= {file.name for file in captured.files}
    assert (captured.reason, captured.finding_id, captured.began_at) == (CaptureReason.OPENED, "find_1", NOON)
    assert {"screenshot.png", "comparison", "rights"} <= {one.name for one in captured.not_taken}
    for file in captured.files:
        content = place.vault.get(file.sha256)
        assert len(content) == file.size_bytes

    with closing(place.store) as store:
        with store.read() as tx:
            assert tx.released_evidence.list(100) == []
        # Nothing of it goes when room is made.
        assert remove_needless(store, place.vault) == 0
    assert [path.name for path in (place.folder / "captures-in-hand").iterdir()] == [".lock"]


def test_what_this_machine_failed_at_is_captured_again_by_itself(place: Place) -> None:
    """No process can be started to compare anything; what the site sent is kept at once all the same."""
    with closing(place.store) as store, store.begin() as tx:
        (finding,) = tx.findings.list(place.case.id)
        tx.findings.upsert(replace(finding, image_sha256=place.vault.keep(GIF)))
    assert Vault(place.folder / "originals", 10**9).keep(GIF) == ORIGINAL
    place.pool = NoProcesses()

    place.owe(CaptureReason.OPENED)
    assert place.run("me") == [Settled.DONE]
    (captured,) = place.captures()
    assert "picture.gif" in {file.name for file in captured.files}
    (why,) = (one.reason for one in captured.not_taken if one.name == "comparison")
    assert "This machine failed at it" in why
    (again,) = (task for task in place.tasks() if task.state is TaskState.DUE)
    assert (again.due_at, order_of(again).repeats) == (NOON + timedelta(minutes=10), 1)


def test_two_processes_capture_one_case_once_for_each_occasion(place: Place, site: Site) -> None:
    for occasion in "ab":
        place.owe(CaptureReason.OPENED, occasion)
    assert place.run("one", "two") == [Settled.DONE, Settled.DONE]
    assert len(place.captures()) == 2
    assert site.paths().count("/thief.gif") == 2


def test_what_the_configuration_does_not_want_is_not_captured(place: Place, site: Site) -> None:
    place.settings = EvidenceSettings(capture=CaptureSettings(when=("changed",)), browser=SETTINGS.browser)
    place.owe(CaptureReason.OPENED)
    assert place.run("me") == [Settled.DONE]
    assert (place.captures(), site.paths()) == ([], [])

    place.owe(CaptureReason.CHANGED)
    assert place.run("me") == [Settled.DONE]
    assert len(place.captures()) == 1


def test_a_full_vault_leaves_none_is_said_and_tried_again(place: Place) -> None:
    place.owe(CaptureReason.OPENED)
    place.room = 1_000
    assert place.run("me") == [Settled.POSTPONED]
    (task,) = place.tasks()
    assert "evidence.max_bytes" in str(task.last_error)
    assert task.due_at == NOON + timedelta(minutes=1)
    assert place.captures() == []

    place.room, place.at = 10**9, NOON + timedelta(minutes=1)
    assert place.run("me") == [Settled.DONE]
    (captured,) = place.captures()
    assert place.kept() == {file.sha256 for file in captured.files}


def test_a_full_disk_leaves_none_is_said_and_tried_again(place: Place, site: Site) -> None:
    site.put("/thief.gif", Says(GIF + bytes(200_000), content_type="image/gif"))
    place.owe(CaptureReason.OPENED)
    in_hand = place.folder / "captures-in-hand"
    in_hand.mkdir()
    with small_disk(in_hand, 100):
        assert place.run("me") == [Settled.POSTPONED]
        assert [path.name for path in in_hand.iterdir()] == [".lock"]
    (task,) = place.tasks()
    assert "o room" in str(task.last_error)
    assert (place.captures(), place.kept()) == ([], set())

    place.at = NOON + timedelta(minutes=1)
    assert place.run("me") == [Settled.DONE]
    assert len(place.captures()) == 1


def test_a_silent_site_is_asked_again_and_at_last_its_silence_is_captured(place: Place, site: Site) -> None:
    site.close()
    place.owe(CaptureReason.OPENED)
    outcomes = []
    for _ in range(5):
        outcomes += place.run("me")
        place.at += timedelta(hours=6)
    assert outcomes == [Settled.POSTPONED] * 4 + [Settled.DONE]
    (captured,) = place.captures()
    assert f"{site.url}/" in {one.name for one in captured.not_taken}


def test_a_person_is_told_at_once_what_could_not_be_taken(place: Place, site: Site) -> None:
    site.close()
    place.owe(CaptureReason.ASKED)
    assert place.run("me") == [Settled.DONE]
    (captured,) = place.captures()
    assert f"{site.url}/" in {one.name for one in captured.not_taken}


def test_that_a_picture_is_gone_is_captured_without_the_picture(place: Place, site: Site) -> None:
    site.drop("/thief.gif")
    place.owe(CaptureReason.ABSENCE)
    assert place.run("me") == [Settled.DONE]
    assert names(place.captures()) == [{"page.wacz", "exchanges.json"}]


def test_what_dies_between_the_vault_and_the_database_leaves_files_that_nobody_needs(place: Place) -> None:
    """The moment at which all files are in the vault and the transaction has not begun."""

    class Killed(BaseException):
        pass

    def die(_: object) -> None:
        raise Killed

    async def go() -> None:
        async with WebClient(patient(), clock=lambda: datetime.now(UTC)) as web:
            with closing(place.store) as store:
                services = place.services(store, web)
                await capture(services, CaptureOrder(place.case.id, CaptureReason.ASKED), die)

    with pytest.raises(Killed):
        kept().run(go())
    assert place.captures() == []
    assert len(place.kept()) >= 3
    with closing(place.store) as store:
        assert remove_needless(store, place.vault) > 0
    assert place.kept() == set()


def test_a_case_that_became_part_of_another_meanwhile_has_its_capture_there(place: Place) -> None:
    with closing(place.store) as store, store.begin() as tx:
        (asset,) = tx.assets.list()
        other, _ = tx.cases.insert(asset.id, "other.example", Action.ALERT, None, NOON)

    def absorb(tx: Transaction) -> None:
        tx.cases.absorb(other, place.case.id)

    async def go() -> EvidenceCapture | None:
        async with WebClient(patient(), clock=lambda: datetime.now(UTC)) as web:
            with closing(place.store) as store:
                services = place.services(store, web)
                return await capture(services, CaptureOrder(place.case.id, CaptureReason.ASKED), absorb)

    captured = kept().run(go())
    assert captured is not None
    assert captured.case_id == other.id
    with closing(place.store) as store, store.read() as tx:
        assert tx.evidence.of_case(other.id) == [captured]


def test_a_killed_capture_leaves_none_and_the_next_one_is_whole(tmp_path: Path, site: Site) -> None:
    home: Home = made_home(tmp_path / "home")
    place = with_case(home.folder / "data", site)
    site.put("/thief.gif", Silent())
    with Path(os.devnull).open("w") as nothing:
        words = ("--config", home.folder / "config.yaml", "evidence", "capture", place.case.id)
        doomed = forked.Daemon(*words, errors=nothing, environment=os.environ)
    site.wait_for(2)
    doomed.kill()
    doomed.wait()
    assert place.captures() == []
    assert len(list((place.folder / "captures-in-hand").iterdir())) == 2

    site.put("/thief.gif", Says(GIF, content_type="image/gif"))
    said = home.lines("evidence", "capture", place.case.id, "--json")[0]
    assert {file["name"] for file in said["files"]} >= {"page.wacz", "picture.gif"}
    # What the killed one had been asked for is done as well, and nothing of it is left.
    captures = place.captures()
    assert [one.id for one in captures][-1] == said["id"]
    assert place.kept() == {file.sha256 for one in captures for file in one.files}
    assert [path.name for path in (place.folder / "captures-in-hand").iterdir()] == [".lock"]
    assert home.lines("evidence", "list", place.case.id, "--json")[-1] == said
    assert "page.wacz" in home.guardian("evidence", "list", place.case.id).stdout
    # The original, which this home never had, is all that is amiss.
    assert "files of evidence 1 is not whole" in home.guardian("store", "check", code=4).stdout
