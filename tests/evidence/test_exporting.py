"""What a bundle says of files that were lost, and what a shortened one leaves out."""

import asyncio
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader
from structlog.testing import capture_logs

from guardian.cases.deciding import Edit, assign, decide, set_due
from guardian.errors import UsageError
from guardian.evidence.bundle import Written
from guardian.evidence.bundle_options import EVERYTHING, BundleOptions
from guardian.evidence.exporting import Exporting, export
from guardian.evidence.retention import hold
from guardian.evidence.settings import EvidenceSettings
from guardian.evidence.shortening import LEFT_OUT
from guardian.evidence.signing import KEY_FILE, installation_key
from guardian.evidence.verifying import verify
from guardian.fetch.trusted import TrustedClient
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.model import Actor, CaptureReason, Case, CaseState, EvidenceCapture, EvidenceFile, Licence, LostState
from guardian.model.people import ActorKind
from guardian.notices.timeline import timeline_of
from guardian.web.desk import Desk
from guardian.web.settings import WebSettings
from tests.web.conftest import opened_desk
from tests.web.uses import picture_bytes, protected, used

ANNA = Actor(ActorKind.PERSON, "anna.reviewer", frozenset(), "203.0.113.77")
SECRETS = ("anna.reviewer", "203.0.113.77", "bluff", "Settle", "too-dear", "matter 17", "2026-12-24", "other-version")
"""What people wrote, who they are and what they plan."""


@dataclass
class Home:
    """A case with a capture of six files, and the means to export it."""

    desk: Desk
    case: Case
    files: dict[str, EvidenceFile]
    exporting: Exporting

    def exported(self, out: Path, options: BundleOptions = EVERYTHING) -> Written:
        async def run() -> Written:
            async with TrustedClient() as client:
                exporting = replace(self.exporting, client=client)
                return await export(exporting, self.case.id, out, ANNA, self.desk.clock(), options)

        return asyncio.run(run())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("exported")
    desk = opened_desk(folder / "data", WebSettings())
    asset = protected(desk, picture_bytes(1), "Lake")
    case, now = used(desk, asset, picture_bytes(2), "https://thief.example/lake"), desk.clock()
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(drawn, "PNG")
    contents = {
        "page.wacz": b"the page",
        "contacts.json": b"{}",
        "comparison/found.jpg": picture_bytes(2),
        "comparison/original-outlined.png": drawn.getvalue(),
        "comparison/found-outlined.png": drawn.getvalue() + b" ",
        "comparison/heat-map.png": drawn.getvalue() + b"  ",
    }
    files = {
        name: EvidenceFile(name, desk.vault.keep(content), len(content), "text/plain", f"About {name}.")
        for name, content in contents.items()
    }
    with desk.store.begin() as tx:
        (finding,) = tx.findings.list(case.id)
        capture = EvidenceCapture(
            "capture_1", case.id, finding.id, CaptureReason.ASKED, ANNA.name, now, now, finding.page_url, None, "0.1.0",
            tuple(files.values()),
        )  # fmt: skip
        tx.evidence.add(capture)
        tx.licences.grant(Licence("", "thief.example", collection="press", note="too-dear"), now)
        hold(tx, case, ANNA, "matter 17", now)
        decide(tx, case.id, CaseState.CONFIRMED, Edit(ANNA.name, now, note="a bluff may do"))
        assign(tx, case.id, ANNA.name, Edit(ANNA.name, now, note="Settle for 200."))
        set_due(tx, case.id, date(2026, 12, 24), Edit(ANNA.name, now))
    exporting = Exporting(
        desk.store,
        desk.vault,
        desk.originals,
        Workers(MatchingSettings(workers=1), EmbeddingSettings(), folder / "index"),
        None,  # type: ignore[arg-type]
        EvidenceSettings(),
        desk.data_dir,
        timeline_of,
    )
    yield Home(desk, case, files, exporting)
    desk.store.close()


@pytest.fixture
def breakable(home: Home, tmp_path: Path) -> Iterator[Home]:
    """The same, whose files are put back afterwards."""
    for folder in (home.desk.vault.folder, home.desk.originals.folder):
        shutil.copytree(folder, tmp_path / folder.name)
    yield home
    for folder in (home.desk.vault.folder, home.desk.originals.folder):
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / folder.name, folder)


def words_of(report: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(report)).pages).split())


def test_what_is_lost_is_named_everywhere_and_the_rest_is_exported(breakable: Home, tmp_path: Path) -> None:
    wacz, heat_map = breakable.files["page.wacz"], breakable.files["comparison/heat-map.png"]
    breakable.desk.vault.path_of(wacz.sha256).unlink()
    damaged = breakable.desk.vault.path_of(breakable.files["contacts.json"].sha256)
    damaged.write_bytes(b"[]")
    breakable.desk.vault.path_of(heat_map.sha256).unlink()
    breakable.desk.vault.path_of(heat_map.sha256).mkdir()
    with breakable.desk.store.read() as tx:
        asset = tx.assets.get(breakable.case.asset_id)
    assert asset is not None
    breakable.desk.originals.path_of(asset.sha256).unlink()

    folder = tmp_path / "out"
    folder.mkdir()
    with capture_logs() as logs:
        written = breakable.exported(folder)
    assert logs == [], "who asked is told by what is returned, and once"
    assert written.path.name.endswith("-incomplete.zip")
    states = {one.name.rpartition("/")[2]: one.state for one in written.lost}
    assert states == {
        "page.wacz": LostState.MISSING,
        "contacts.json": LostState.DAMAGED,
        "heat-map.png": LostState.UNREADABLE,
        "Lake.jpg": LostState.MISSING,
    }

    checked = verify(written.path)
    assert checked.is_whole, "nothing was changed since"
    assert checked.lost == written.lost
    with zipfile.ZipFile(written.path) as archive:
        names = set(archive.namelist())
        report, how = words_of(archive.read("report.pdf")), archive.read("VERIFY.txt").decode()
        capture = json.loads(archive.read("captures/1-capture_1/capture.json"))
    assert "captures/1-capture_1/comparison/found.jpg" in names
    assert not names & {one.name for one in written.lost}
    assert "INCOMPLETE 4 files of the case" in report
    assert "INCOMPLETE" in how
    for one in written.lost:
        assert one.sha256 in report.replace(" ", "")
        assert one.name in how
        assert one.sha256 in how
    assert len(capture["files"]) == 6, "what was captured is not changed by what was lost since"
    with breakable.desk.store.read() as tx:
        (line,) = [line for line in tx.audit.lines(subject=breakable.case.id) if line.action == "evidence.exported"]
    assert "page.wacz" in line.detail["missing"]


def test_a_shortened_bundle_has_nothing_of_what_people_wrote_and_says_so(home: Home, tmp_path: Path) -> None:
    full = home.exported(tmp_path / "full.zip")
    short = home.exported(tmp_path / "short.zip", BundleOptions(for_others=True))
    assert full.left_out == ()
    assert short.left_out == LEFT_OUT

    everything, outside = _texts(full.path), _texts(short.path)
    for secret in SECRETS[:-1]:
        assert secret in everything, "else this test shows nothing"
    for secret in SECRETS:
        assert secret not in outside

    checked = verify(short.path)
    assert checked.is_whole
    assert checked.notes == ()
    assert checked.manifest is not None
    assert checked.manifest.left_out == LEFT_OUT
    with zipfile.ZipFile(short.path) as archive, zipfile.ZipFile(full.path) as whole:
        kept = [name for name in archive.namelist() if name.startswith(("captures/", "scans/", "original/"))]
        assert kept == [name for name in whole.namelist() if name.startswith(("captures/", "scans/", "original/"))]
        report = words_of(archive.read("report.pdf"))
        history = [json.loads(line) for line in archive.read("history.jsonl").splitlines()]
        heads = [json.loads(whole.read("history.jsonl").splitlines()[-1]), history[-1]]
        case = json.loads(archive.read("case.json"))
    assert "Shortened Made for people outside" in report
    assert " ".join(LEFT_OUT[0].split()[:12]) in report
    assert [line["kind"] for line in history] == ["history", "left_out", "head"]
    assert history[1]["lines"] > 5
    assert heads[0]["number"] < heads[1]["number"], "the full one was exported before"
    assert [one["words"] for one in case["time_line"]][-1] == "captured (asked for): 6 files kept"
    assert "SHORTENED" in _member(short.path, "VERIFY.txt")


def test_a_field_that_is_added_later_does_not_slip_through(home: Home, tmp_path: Path) -> None:
    """A case has these fields for people outside, and no others."""
    short = home.exported(tmp_path / "short.zip", BundleOptions(for_others=True, with_original=False))
    case = json.loads(_member(short.path, "case.json"))
    assert set(case) == {
        "id", "asset_id", "operator", "opened_at", "finding_count", "sightings", "licence", "licence_id",
        "licensed_since", "asset", "work", "findings", "history", "captures", "licences", "time_line", "deletions",
        "versions_of_the_work", "contacts_in_words", "left_out",
    }  # fmt: skip
    assert set(case["asset"]) == {"id", "title", "path"}
    assert {line["by"] for line in case["history"]} == {None}
    assert case["captures"][0]["asked_by"] is None
    assert case["licences"][0]["note"] is None


def _member(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


def _texts(path: Path) -> str:
    """All that can be read in a bundle."""
    with zipfile.ZipFile(path) as archive:
        read = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist() if name != "report.pdf"]
        return "\n".join([*read, words_of(archive.read("report.pdf"))])


def test_the_command_says_that_a_bundle_is_incomplete(breakable: Home, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from guardian.cli.evidence_bundle import verify_bundle

    breakable.desk.vault.path_of(breakable.files["page.wacz"].sha256).unlink()
    written = breakable.exported(tmp_path / "b.zip", BundleOptions(for_others=True))
    said = CliRunner().invoke(verify_bundle, [str(written.path)])
    assert said.exit_code == 3
    assert "whole" not in said.output
    assert "INCOMPLETE: every byte is as it was signed, but 1 file of the case" in " ".join(said.output.split())
    assert breakable.files["page.wacz"].sha256 in said.output
    assert "shortened for people outside" in said.output
    told = json.loads(CliRunner().invoke(verify_bundle, [str(written.path), "--json"]).output)
    assert (told["whole"], told["complete"], len(told["left_out"])) == (True, False, len(LEFT_OUT))
    assert told["missing"][0]["found"] == "missing"

    content = bytearray(written.path.read_bytes())
    content[content.index(b'"missing"')] ^= 1
    written.path.write_bytes(content)
    assert CliRunner().invoke(verify_bundle, [str(written.path)]).exit_code == 1


def test_a_lost_key_is_said_instead_of_another_one_being_made(home: Home, tmp_path: Path) -> None:
    home.exported(tmp_path / "one.zip")
    key = home.exporting.data_dir / KEY_FILE
    kept = key.rename(tmp_path / "backup.key")
    with pytest.raises(UsageError, match=r"evidence\.key is missing.*restore it from a backup"):
        home.exported(tmp_path / "two.zip")
    assert not key.exists()

    other = installation_key(home.exporting.data_dir)
    assert verify(home.exported(tmp_path / "two.zip").path).key == other.fingerprint, "a person made it knowingly"
    kept.rename(key)
