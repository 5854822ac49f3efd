"""The rights step of a capture: both pictures and a control picture of the same host, fetched politely."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.evidence.keeper import Keeper, Taken
from guardian.evidence.rights import Vaults, take_rights
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.worker_pool import WorkerPool
from guardian.matching.workers import Workers
from guardian.model import Work
from tests.catalog.test_rights import xmp
from tests.evidence.comparisons import KeptPool, subject_of
from tests.fetch.conftest import patient
from tests.matching.pictures import encoded, photograph
from tests.websites import Site, running

MINE = xmp("<dc:creator><rdf:Seq><rdf:li>Anna</rdf:li></rdf:Seq></dc:creator><dc:rights>© Anna</dc:rights>")
THEIRS = xmp("<dc:creator><rdf:Seq><rdf:li>Otto</rdf:li></rdf:Seq></dc:creator>")


def picture(name: str, packet: bytes | None = None) -> bytes:
    options: dict[str, Any] = {"xmp": packet} if packet else {}
    return encoded(photograph(name, 300), quality=90, **options)


@dataclass
class Host:
    """A site, and what a capture of its page takes."""

    site: Site
    folder: Path
    vault: Vault
    runner: asyncio.Runner
    pool: WorkerPool

    def subject(self, found: bytes, page: str) -> CaptureSubject:
        """A use of the owner's picture on a page of the site that was kept."""
        original = self.folder / "mine.jpg"
        original.write_bytes(picture("coffee", MINE))
        subject = subject_of(original, self.vault, found)
        finding = replace(
            subject.finding,
            page_url=f"{self.site.url}/page",
            image_url=f"{self.site.url}/copy.jpg",
            page_sha256=self.vault.keep(page.encode()),
        )
        return replace(subject, finding=finding)

    def taken(self, subject: CaptureSubject) -> tuple[Taken, dict[str, Any], Keeper]:
        keeper = Keeper(self.folder / "capture", 10**8)
        workers = Workers(MatchingSettings(workers=1), EmbeddingSettings(), self.folder / "index", self.pool)

        vaults = Vaults(self.vault, Vault(self.folder / "originals", 10**8))

        async def go() -> Taken:
            async with WebClient(patient(), clock=lambda: datetime.now(UTC)) as web:
                return await take_rights(subject, keeper, vaults, workers, Fetcher.for_scan(web))

        taken = self.runner.run(go())
        path = keeper.folder / "rights.json"
        return taken, json.loads(path.read_text()) if path.exists() else {}, keeper


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[asyncio.Runner, WorkerPool]]:
    with asyncio.Runner() as runner:
        pool = KeptPool()
        yield runner, pool
        runner.run(WorkerPool.aclose(pool))


@pytest.fixture
def host(tmp_path: Path, kept: tuple[asyncio.Runner, WorkerPool]) -> Iterator[Host]:
    site: Site
    for site in running():
        yield Host(site, tmp_path, Vault(tmp_path / "vault", 10**8), *kept)


def images(*sources: str) -> str:
    return "<!doctype html>" + "".join(f'<img src="{source}" width=300 height=200>' for source in sources)


def test_a_host_that_removed_yours_alone_is_told_from_one_that_strips_all(host: Host) -> None:
    host.site.put("/other.jpg", picture("chelsea", THEIRS), content_type="image/jpeg")
    subject = host.subject(picture("coffee"), images("/copy.jpg", "/other.jpg"))
    taken, told, keeper = host.taken(subject)
    assert taken.not_taken == ()
    assert [file.name for file in taken.files] == ["rights.json", "rights/control.jpg"]
    assert (keeper.folder / "rights" / "control.jpg").read_bytes() == picture("chelsea", THEIRS)
    assert told["control"]["url"] == f"{host.site.url}/other.jpg"
    assert told["c2pa"] == "read"

    rows = {row["name"]: row for row in told["fields"]}
    assert (rows["dc:creator"]["original"], rows["dc:creator"]["found"], rows["dc:creator"]["control"]) == (
        "Anna",
        None,
        "Otto",
    )
    assert (rows["dc:creator"]["change"], rows["dc:creator"]["management_information"]) == ("removed", True)
    words = " ".join(told["conclusion"])
    assert "does not state: creator (“Anna”), copyright notice (“© Anna”)" in words
    assert "the host does not remove it from every picture" in words
    # As a scan asks: robots.txt first, one picture, with the page that shows it.
    assert host.site.paths(but_robots=False) == ["/robots.txt", "/other.jpg"]


def test_a_host_that_strips_all_is_no_proof_and_up_to_three_pictures_are_looked_at(host: Host) -> None:
    for name, picture_of in (("a", "chelsea"), ("b", "rocket"), ("c", "camera"), ("d", "brick")):
        host.site.put(f"/{name}.jpg", picture(picture_of), content_type="image/jpeg")
    host.site.put("/icon.png", encoded(Image.new("RGB", (30, 30)), "PNG"), content_type="image/png")
    page = images("/copy.jpg?w=200", "/icon.png", "/a.jpg", "https://cdn.example/x.jpg", "/b.jpg", "/c.jpg", "/d.jpg")
    taken, told, _ = host.taken(host.subject(picture("coffee"), page))
    assert host.site.paths() == ["/a.jpg", "/b.jpg", "/c.jpg"]
    assert told["control"]["url"] == f"{host.site.url}/a.jpg"
    assert "Sites that re-encode what is uploaded remove all of it" in " ".join(told["conclusion"])
    assert taken.not_taken == ()


def test_other_versions_of_the_work_that_say_nothing_are_named(host: Host) -> None:
    subject = host.subject(picture("coffee"), images("/copy.jpg"))
    web_size = Vault(host.folder / "originals", 10**8).keep(picture("coffee"))
    version = replace(subject.asset, id="asset_2", title="Web size", sha256=web_size)
    _, told, _ = host.taken(replace(subject, work=Work("work_1", (subject.asset, version))))
    assert "are protected do not state it either (“Web size”): a copy of one never had it." in " ".join(
        told["conclusion"]
    )


def test_without_another_picture_it_is_said(host: Host) -> None:
    taken, told, _ = host.taken(host.subject(picture("coffee"), images("/copy.jpg")))
    assert [file.name for file in taken.files] == ["rights.json"]
    assert taken.not_taken[0].name == "control picture"
    assert "shows no other picture of the same host" in taken.not_taken[0].reason
    assert "No other picture of the same host could be looked at" in " ".join(told["conclusion"])


def test_robots_and_failures_of_the_host_are_said(host: Host) -> None:
    host.site.put("/robots.txt", "User-agent: *\nDisallow: /private/\n")
    subject = host.subject(picture("coffee", MINE), images("/copy.jpg", "/private/a.jpg", "/gone.jpg"))
    taken, told, _ = host.taken(subject)
    assert host.site.paths() == ["/gone.jpg"]
    assert "could not be fetched" in taken.not_taken[0].reason
    assert "states all of this too" in " ".join(told["conclusion"])


def test_what_is_missing_is_said(host: Host) -> None:
    subject = host.subject(picture("coffee"), images("/copy.jpg"))
    taken, _, _ = host.taken(replace(subject, original=host.folder / "gone.jpg"))
    assert "own file is missing" in taken.not_taken[0].reason
    taken, _, _ = host.taken(replace(subject, finding=replace(subject.finding, image_sha256=None)))
    assert "were not kept" in taken.not_taken[0].reason
    taken, _, _ = host.taken(replace(subject, finding=replace(subject.finding, page_sha256="a" * 64)))
    assert "cannot be read" in taken.not_taken[0].reason
