"""The rights step of a capture: both pictures and a control picture of the same host."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.exchanges import Exchanges
from guardian.evidence.rights import Vaults, take_rights
from guardian.evidence.step_result import StepResult
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.model import Response, Work
from tests.catalog.test_rights import xmp
from tests.evidence.comparisons import subject_of
from tests.kept_workers import kept
from tests.matching.pictures import encoded, photograph

MINE = xmp("<dc:creator><rdf:Seq><rdf:li>Anna</rdf:li></rdf:Seq></dc:creator><dc:rights>© Anna</dc:rights>")
THEIRS = xmp("<dc:creator><rdf:Seq><rdf:li>Otto</rdf:li></rdf:Seq></dc:creator>")


def picture(name: str, packet: bytes | None = None) -> bytes:
    options: dict[str, Any] = {"xmp": packet} if packet else {}
    return encoded(photograph(name, 300), quality=90, **options)


URL = "https://shop.example"


def answer(path: str, content: bytes) -> Response:
    """A picture as the exchanges of a capture brought it."""
    headers = (("content-type", "image/jpeg"),)
    url = path if path.startswith("https:") else f"{URL}{path}"
    return Response(url, url, 200, headers, content, datetime(2026, 5, 1, tzinfo=UTC))


@dataclass
class Place:
    """Where captures are taken, with workers that are kept."""

    folder: Path
    vault: Vault

    def subject(self, found: bytes) -> CaptureSubject:
        """A use of the owner's picture on a page of shop.example."""
        original = self.folder / "mine.jpg"
        original.write_bytes(picture("coffee", MINE))
        return subject_of(original, self.vault, found)

    def taken(
        self, subject: CaptureSubject, *pictures: Response, kind: type[Workers] = Workers, **more: Any
    ) -> tuple[StepResult, dict[str, Any], Path]:
        captured = CaptureFolder(self.folder / "capture", 10**8)
        workers = kind(
            MatchingSettings(workers=1, timeout=timedelta(minutes=3)),
            EmbeddingSettings(),
            self.folder / "index",
            kept().pool,
        )
        vaults = Vaults(self.vault, Vault(self.folder / "originals", 10**8))
        exchanges = Exchanges(StepResult(), pictures=pictures, **more)
        taken = kept().run(take_rights(subject, captured, vaults, workers, exchanges))
        path = captured.path / "rights.json"
        return taken, json.loads(path.read_text()) if path.exists() else {}, captured.path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, Vault(tmp_path / "vault", 10**8))


def test_a_host_that_removed_yours_alone_is_told_from_one_that_strips_all(place: Place) -> None:
    copy, other = answer("/i.jpg?w=200", picture("coffee")), answer("/other.jpg", picture("chelsea", THEIRS))
    taken, told, folder = place.taken(place.subject(picture("coffee")), copy, other)
    assert taken.not_taken == ()
    assert [file.name for file in taken.files] == ["rights.json", "rights/control.jpg"]
    assert (folder / "rights" / "control.jpg").read_bytes() == other.content
    assert told["control"]["url"] == other.url
    assert told["c2pa"] == "read"

    rows = {row["name"]: row for row in told["fields"]}
    creator = rows["dc:creator"]
    assert (creator["original"], creator["found"], creator["control"]) == ("Anna", None, "Otto")
    assert (creator["change"], creator["management_information"]) == ("removed", True)
    words = " ".join(told["conclusion"])
    assert "does not state: creator (“Anna”), copyright notice (“© Anna”)" in words
    assert "the host does not remove it from every picture" in words


def test_a_host_that_strips_all_is_no_proof(place: Place) -> None:
    """Icons, other hosts and the picture itself are passed over; JPEGs come first."""
    pictures = (
        answer("/icon.png", encoded(Image.new("RGB", (30, 30)), "PNG")),
        answer("https://cdn.example/x.jpg", picture("rocket", THEIRS)),
        answer("/png", encoded(photograph("camera", 200), "PNG")),
        answer("/same.jpg", picture("coffee")),
        answer("/a.jpg", picture("chelsea")),
        answer("/b.jpg", picture("brick")),
    )
    taken, told, _ = place.taken(place.subject(picture("coffee")), *pictures)
    assert told["control"]["url"] == f"{URL}/a.jpg"
    assert "Sites that re-encode what is uploaded remove all of it" in " ".join(told["conclusion"])
    assert taken.not_taken == ()


def test_other_versions_of_the_work_that_say_nothing_are_named(place: Place) -> None:
    subject = place.subject(picture("coffee"))
    web_size = Vault(place.folder / "originals", 10**8).keep(picture("coffee"))
    version = replace(subject.asset, id="asset_2", title="Web size", sha256=web_size)
    _, told, _ = place.taken(replace(subject, work=Work("work_1", (subject.asset, version))))
    words = " ".join(told["conclusion"])
    assert "are protected do not state it either (“Web size”): a copy of one never had it." in words

    # A damaged version says nothing, and takes nothing from what the others say.
    Vault(place.folder / "originals", 10**8).path_of(web_size).write_bytes(b"damaged")
    _, told, _ = place.taken(replace(subject, work=Work("work_1", (subject.asset, version))))
    assert "Web size" not in " ".join(told["conclusion"])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "the page shows no other picture of the same host"),
        ({"unreachable": "no answer within 20 s"}, "no answer within 20 s"),
        ({"refused": "robots.txt forbids it"}, "robots.txt forbids it"),
    ],
)
def test_without_another_picture_it_is_said(place: Place, more: dict[str, str], words: str) -> None:
    taken, told, _ = place.taken(place.subject(picture("coffee")), **more)
    assert [file.name for file in taken.files] == ["rights.json"]
    assert [(one.name, one.reason) for one in taken.not_taken] == [("control picture", words)]
    assert "No other picture of the same host could be looked at" in " ".join(told["conclusion"])


def test_what_is_missing_is_said(place: Place) -> None:
    subject = place.subject(picture("coffee", MINE))
    _, told, _ = place.taken(subject)
    assert "states all of this too" in " ".join(told["conclusion"])
    taken, _, _ = place.taken(replace(subject, original=place.folder / "gone.jpg"))
    assert "own file is missing" in taken.not_taken[0].reason
    taken, _, _ = place.taken(replace(subject, finding=replace(subject.finding, image_sha256=None)))
    assert "were not kept" in taken.not_taken[0].reason


def test_a_damaged_file_of_the_owner_is_not_read_in_place_of_the_one_that_was_protected(place: Place) -> None:
    subject = place.subject(picture("coffee"))
    subject.original.write_bytes(picture("coffee", THEIRS))
    taken, told, _ = place.taken(subject)
    assert told == {}
    assert [one.name for one in taken.not_taken] == ["rights"]
    assert "the owner's own file is damaged" in taken.not_taken[0].reason


class CrashedByTheCamera(Workers):
    """Workers that a decoder's mistake ends at one picture."""

    async def run(self, job: Callable[..., Any], *arguments: Any) -> Any:
        if arguments == (picture("camera", THEIRS),):
            return await super().run(os._exit, 9)
        return await super().run(job, *arguments)


def test_another_picture_that_ends_its_worker_takes_nothing_from_what_both_say(place: Place) -> None:
    hostile = answer("/a.jpg", picture("camera", THEIRS))
    subject = place.subject(picture("coffee"))
    taken, told, _ = place.taken(subject, hostile, kind=CrashedByTheCamera)
    (why_none,) = taken.not_taken
    assert why_none.name == "control picture"
    assert "a worker process died" in why_none.reason
    assert {row["name"]: row["change"] for row in told["fields"]}["dc:creator"] == "removed"

    taken, told, _ = place.taken(
        subject, hostile, answer("/b.jpg", picture("chelsea", THEIRS)), kind=CrashedByTheCamera
    )
    assert told["control"]["url"] == f"{URL}/b.jpg"
