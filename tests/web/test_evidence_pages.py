"""Evidence in the desk: a capture now, the hold, and the bundle as a file; each only for those who may decide."""

from pathlib import Path

import pytest

from guardian.cases.capture_orders import order_of
from guardian.evidence.bundle import BundleHead, Member, Written, write_bundle
from guardian.evidence.signing import installation_key
from guardian.evidence.verifying import verify
from guardian.evidence.wishes import BundleWishes
from guardian.model import Actor, CaptureReason, TaskKind
from tests.web.conftest import Served
from tests.web.uses import picture_bytes, protected, used

NOTE = "Example v. <Thief>, 26-CV-1234"


@pytest.fixture(scope="module", autouse=True)
def case_id(served: Served) -> str:
    asset = protected(served.desk, picture_bytes(4), "Lake")
    case = used(served.desk, asset, picture_bytes(4), "https://www.thief.example/lake")

    async def export(case_id: str, folder: Path, by: Actor, wishes: BundleWishes) -> Written:
        head = BundleHead(case_id, served.desk.clock(), "0.1.0", left_out=("Names.",) if wishes.for_others else ())
        members = [Member("case.json", f'{{"by":"{by.name}"}}'.encode(), "application/json", "The case.")]
        return await write_bundle(folder, head, members, installation_key(served.desk.data_dir), None)

    object.__setattr__(served.desk, "export", export)
    return case.id


def actions(served: Served, case_id: str) -> list[tuple[str, str]]:
    with served.store.read() as tx:
        lines = [line for line in tx.audit.lines(subject=case_id) if line.action.startswith("evidence.")]
        return [(line.action, line.actor) for line in lines]


def test_a_capture_is_owed_once_for_whoever_asks(served: Served, case_id: str) -> None:
    rita = served.signed_in("Rita")
    # One has been owed since the case opened; it may wait until the site answers.
    text = rita.get(f"/cases/{case_id}").text
    assert "A capture is owed" in text
    assert "Capture now" in text
    asked = rita.post(f"/cases/{case_id}/capture")
    assert (asked.status_code, asked.headers["location"]) == (303, f"/cases/{case_id}#h-evidence")
    with served.store.read() as tx:
        order = order_of(tx.tasks.list(TaskKind.CAPTURE, limit=1)[0])
    assert (order.case_id, order.reason, order.asked_by) == (case_id, CaptureReason.ASKED, "Rita")

    text = rita.get(f"/cases/{case_id}").text
    assert "A capture is owed" in text
    assert "Capture now" not in text
    assert rita.post(f"/cases/{case_id}/capture").status_code == 400
    assert ("evidence.capture_asked", "Rita") in actions(served, case_id)


def test_a_case_is_held_and_released_with_a_reason(served: Served, case_id: str) -> None:
    anna = served.signed_in("Anna")
    assert "say why" in anna.post(f"/cases/{case_id}/hold", data={"note": " "}).text
    assert anna.post(f"/cases/{case_id}/hold", data={"note": NOTE}).status_code == 303
    text = anna.get(f"/cases/{case_id}").text
    assert "by Anna: Example v. &lt;Thief&gt;, 26-CV-1234" in text
    assert anna.post(f"/cases/{case_id}/hold", data={"note": NOTE}).status_code == 400
    assert anna.post(f"/cases/{case_id}/release", data={"note": "settled"}).status_code == 303
    with served.store.read() as tx:
        assert tx.holds.get(case_id) is None
    assert [one for one in actions(served, case_id) if one[0] in ("evidence.held", "evidence.released")] == [
        ("evidence.held", "Anna"),
        ("evidence.released", "Anna"),
    ]


def test_the_bundle_comes_as_a_file_and_nothing_of_it_stays(served: Served, case_id: str, tmp_path: Path) -> None:
    rita = served.signed_in("Rita")
    got = rita.post(f"/cases/{case_id}/bundle")
    assert (got.status_code, got.headers["content-type"]) == (200, "application/zip")
    assert got.headers["content-disposition"].startswith(f'attachment; filename="{case_id}-')
    path = tmp_path / "b.zip"
    path.write_bytes(got.content)
    assert verify(path).is_whole
    assert b'{"by":"Rita"}' in got.content
    short = rita.post(f"/cases/{case_id}/bundle", data={"for_others": "1"})
    assert short.headers["content-disposition"].endswith('-for-others.zip"')
    path.write_bytes(short.content)
    manifest = verify(path).manifest
    assert manifest is not None
    assert manifest.left_out == ("Names.",)
    assert not list(served.desk.data_dir.rglob("*.zip"))


def test_who_may_only_read_and_what_another_site_sends_change_nothing(served: Served, case_id: str) -> None:
    vera, rita = served.signed_in("Vera"), served.signed_in("Rita")
    text = vera.get(f"/cases/{case_id}").text
    assert 'id="h-evidence"' in text
    assert "Full bundle" not in text
    del rita.headers["x-csrf-token"]
    before = actions(served, case_id)
    for step in ("capture", "hold", "release", "bundle"):
        for browser in (vera, rita):
            assert browser.post(f"/cases/{case_id}/{step}", data={"note": NOTE}).status_code == 403
        assert served.client().post(f"/cases/{case_id}/{step}").status_code == 303, "to the form to sign in"
    assert served.signed_in("Rita").post("/cases/case_none/hold", data={"note": NOTE}).status_code == 404
    assert actions(served, case_id) == before
