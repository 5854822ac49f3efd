"""What a bundle is made of: the captures of the use that its report speaks of, and licences as others may see them."""

import json
from datetime import timedelta
from pathlib import Path

from guardian.cases import join_works
from guardian.evidence.case_members import case_files
from guardian.model import CaptureReason, EvidenceCapture, NotTaken
from guardian.notices.timeline import timeline_of
from guardian.views.findings import licence_text
from guardian.web.settings import WebSettings
from tests.granting import grant_licence
from tests.web.conftest import opened_desk
from tests.web.uses import picture_bytes, protected, used


def test_the_captures_of_the_report_are_those_of_the_strongest_use(tmp_path: Path) -> None:
    desk = opened_desk(tmp_path, WebSettings())
    asset, now = protected(desk, picture_bytes(1), "Lake"), desk.clock()
    used(desk, asset, picture_bytes(1), "https://thief.example/weak", probability=0.96)
    case = used(desk, asset, picture_bytes(2), "https://thief.example/strong", probability=0.999)
    with desk.store.begin() as tx:
        findings = {one.page_url.rpartition("/")[2]: one for one in tx.findings.list(case.id)}
        for number, name in enumerate(("strong", "weak")):
            at = now + timedelta(minutes=number)
            reason, page = CaptureReason.CHANGED, findings[name].page_url
            tx.evidence.add(
                EvidenceCapture(
                    f"capture_{name}", case.id, findings[name].id, reason, None, at, at, page, None, "0.1.0"
                )
            )
        proof = "/home/anna/contracts/lake.pdf"
        grant_licence(tx, "thief.example", at=now, collection="other", proof_file=proof)
        case = tx.cases.get(case.id) or case

    with desk.store.read() as tx:
        files = case_files(tx, case, desk.vault, desk.originals, now, ())
    desk.store.close()
    assert files.record.use == findings["strong"]
    assert [one.id for one in files.record.captures_of_use] == ["capture_strong"]
    assert len(files.record.captures) == 2
    (told,) = (member.content for member in files.members if member.name == "case.json")
    assert isinstance(told, bytes)
    assert b"/home/anna" not in told
    assert json.loads(told)["licences"][0]["proof_file"] == "lake.pdf"


def test_nothing_says_in_which_folders_of_this_machine_a_source_has_its_files(tmp_path: Path) -> None:
    desk = opened_desk(tmp_path, WebSettings())
    asset, now = protected(desk, picture_bytes(1), "Lake"), desk.clock()
    case = used(desk, asset, picture_bytes(1), "file:///home/anna/big%20client/drop")
    with desk.store.begin() as tx:
        (finding,) = tx.findings.list(case.id)
        reason = f"{finding.image_url} was seen on a disk, not on the web: there is no exchange to be recorded"
        tx.evidence.add(
            EvidenceCapture(
                "capture_1",
                case.id,
                finding.id,
                CaptureReason.OPENED,
                None,
                now,
                now,
                None,
                None,
                "0.1.0",
                not_taken=(NotTaken("page.wacz", reason),),
            )
        )
    with desk.store.read() as tx:
        files = case_files(tx, case, desk.vault, desk.originals, now, timeline_of(tx, case, now))
    desk.store.close()
    said = b"".join(member.content for member in files.members if isinstance(member.content, bytes)).decode()
    assert "anna" not in said
    assert '"image_url": "file:copy.jpg"' in said
    assert "first seen at file:drop (picture file:copy.jpg)" in said
    assert "file:copy.jpg was seen on a disk" in said
    assert files.record.use is not None
    assert licence_text(files.record.use) == "a local file, to which no licence applies"


def test_two_originals_whose_names_differ_only_in_capitals_have_names_of_their_own(tmp_path: Path) -> None:
    desk = opened_desk(tmp_path, WebSettings())
    first, second = (protected(desk, picture_bytes(number), title) for number, title in enumerate(("Lake", "lake")))
    case = used(desk, first, picture_bytes(3), "https://thief.example/one")
    used(desk, second, picture_bytes(4), "https://thief.example/two")
    with desk.store.begin() as tx:
        kept, gone = (tx.works.of_asset(asset.id) for asset in (first, second))
        assert kept is not None
        assert gone is not None
        join_works(tx, kept, gone, by="ada", at=desk.clock())
        case = tx.cases.get(case.id) or case

    with desk.store.read() as tx:
        files = case_files(tx, case, desk.vault, desk.originals, desk.clock(), ())
    desk.store.close()
    originals = {one.name: one.sha256 for one in files.members if one.name.startswith("original/")}
    assert originals == {"original/Lake.jpg": first.sha256, f"original/{second.id}-lake.jpg": second.sha256}
