"""Evidence in the desk: a capture now, the hold, and the bundle as a file; each only for those who may decide."""

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from guardian.cases.capture_orders import order_of
from guardian.evidence.bundle import BundleHead, Member, Written, write_bundle
from guardian.evidence.bundle_options import BundleOptions
from guardian.evidence.bundle_tasks import BundleConsumer
from guardian.evidence.signing import installation_key
from guardian.evidence.timestamps import NoTimestamp
from guardian.evidence.verifying import verify
from guardian.model import Actor, CaptureReason, LostMember, LostState, TaskKind
from guardian.tasks.outcomes import Settled
from guardian.tasks.runner import Runner
from tests.web.conftest import Served
from tests.web.uses import picture_bytes, protected, used

NOTE = "Example v. <Thief>, 26-CV-1234"
LOST = LostMember("captures/1-a/page.wacz", "ab" * 32, 7, "The page.", LostState.MISSING)


@pytest.fixture(scope="module", autouse=True)
def case_id(served: Served) -> str:
    asset = protected(served.desk, picture_bytes(4), "Lake")
    case = used(served.desk, asset, picture_bytes(4), "https://www.thief.example/lake")

    object.__setattr__(served.desk, "makes_bundles", True)
    return case.id


def actions(served: Served, case_id: str) -> list[tuple[str, str]]:
    with served.store.read() as tx:
        lines = [line for line in tx.audit.lines(subject=case_id) if line.action.startswith("evidence.")]
        return [(line.action, line.actor) for line in lines]


def test_a_capture_is_owed_once_for_whoever_asks(served: Served, case_id: str) -> None:
    rita = served.signed_in("Rita")
    # One has been owed since the case opened; it may wait until the site answers.
    text = rita.get(f"/cases/{case_id}").text
    assert "A capture is still to be taken" in text
    assert "Capture now" in text
    asked = rita.post(f"/cases/{case_id}/capture")
    assert (asked.status_code, asked.headers["location"]) == (303, f"/cases/{case_id}#h-evidence")
    with served.store.read() as tx:
        order = order_of(tx.tasks.list(TaskKind.CAPTURE, limit=1)[0])
    assert (order.case_id, order.reason, order.asked_by) == (case_id, CaptureReason.ASKED, "Rita")

    text = rita.get(f"/cases/{case_id}").text
    assert "A capture is still to be taken" in text
    assert "Capture now" not in text
    # Whoever asks meanwhile gets the one that is owed.
    assert rita.post(f"/cases/{case_id}/capture").status_code == 303
    with served.store.read() as tx:
        assert len(tx.tasks.owed(TaskKind.CAPTURE, case_id)) == 2
    assert actions(served, case_id).count(("evidence.capture_asked", "Rita")) == 1


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


def made(served: Served, at: datetime | None = None) -> list[Settled]:
    """Let the daemon make the bundles that are owed; return how its tasks were settled."""

    async def export(case_id: str, folder: Path, by: Actor, options: BundleOptions) -> Written:
        if by.name == "Anna":
            raise NoTimestamp("no authority answered")
        left_out, lost = (("Names.",), ()) if options.for_others else ((), (LOST,))
        head = BundleHead(case_id, served.desk.clock(), "0.1.0", lost, left_out)
        members = [Member("case.json", f'{{"by":"{by.name}"}}'.encode(), "application/json", "The case.")]
        return await write_bundle(folder, head, members, installation_key(served.desk.data_dir), None)

    def clock() -> datetime:
        return at or served.desk.clock()

    consumer = BundleConsumer(served.store, export, served.desk.data_dir, clock)
    with served.store.begin() as tx:
        tx.processes.beat("daemon", timedelta(minutes=9), host="here", pid=1, command="test")
    runner = Runner(served.store, "daemon", clock, {TaskKind.BUNDLE: consumer})
    return list(asyncio.run(runner.run_due_of(TaskKind.BUNDLE)).elements())


def test_a_bundle_is_made_by_the_daemon_and_fetched_from_the_page(served: Served, case_id: str, tmp_path: Path) -> None:
    """No request waits while gigabytes are written and time-stamp authorities are asked."""
    rita = served.signed_in("Rita")
    asked = rita.post(f"/cases/{case_id}/bundle", data={"for_others": "1"})
    assert (asked.status_code, asked.headers["location"]) == (303, f"/cases/{case_id}#h-evidence")
    text = rita.get(f"/cases/{case_id}").text
    assert "The bundle for others: asked for by Rita; guardian does it" in text
    assert ("Make the bundle for others" in text, "Make the full bundle" in text) == (False, True)
    again = rita.post(f"/cases/{case_id}/bundle", data={"for_others": "1"})
    assert (again.status_code, again.headers["location"]) == (303, asked.headers["location"]), "owed once"
    assert rita.post(f"/cases/{case_id}/bundle").status_code == 303, "the full one is another"
    assert "The full bundle: asked for by Rita; guardian does it" in rita.get(f"/cases/{case_id}").text
    with capture_logs() as logs:
        assert made(served) == [Settled.DONE, Settled.DONE]
    told = [(one["case"], one["member"], one["state"]) for one in logs if one["event"] == "evidence_lost"]
    assert told == [(case_id, LOST.name, "missing")], "nobody reads what the daemon returns"

    text = rita.get(f"/cases/{case_id}").text
    assert "asked for by Rita" not in text
    links = re.findall(rf'href="(/cases/{case_id}/bundles/[^"]+)"', text)
    assert sorted("-for-others" in one for one in links) == [False, True]
    for link in links:
        got = rita.get(link)
        assert (got.status_code, got.headers["content-type"]) == (200, "application/zip")
        assert got.headers["content-disposition"] == f'attachment; filename="{link.rpartition("/")[2]}"'
        (tmp_path / "b.zip").write_bytes(got.content)
        manifest = verify(tmp_path / "b.zip").manifest
        assert manifest is not None
        assert (manifest.left_out, manifest.lost) == ((("Names.",), ()) if "-for-others" in link else ((), (LOST,)))
        assert b'{"by":"Rita"}' in got.content
    assert actions(served, case_id).count(("evidence.bundle_fetched", "Rita")) == 2

    vera = served.signed_in("Vera")
    assert vera.get(links[0]).status_code == 403
    assert "/bundles/" not in vera.get(f"/cases/{case_id}").text
    assert rita.get(f"/cases/{case_id}/bundles/..%2f..%2fguardian.db").status_code == 404
    assert rita.get(f"/cases/{case_id}/bundles/other.zip").status_code == 404
    assert made(served, served.desk.clock() + timedelta(days=8)) == []
    assert not list(served.desk.data_dir.rglob("*.zip")), "what holds internal notes does not lie about for ever"


def test_why_a_bundle_could_not_be_made_stands_on_the_page(served: Served, case_id: str) -> None:
    anna = served.signed_in("Anna")
    assert anna.post(f"/cases/{case_id}/bundle").status_code == 303
    assert made(served) == [Settled.POSTPONED]
    text = anna.get(f"/cases/{case_id}").text
    assert "The full bundle: it could not be done yet and is tried again: no authority answered" in text
    assert "Make the full bundle" in text
    assert made(served) == []
    assert anna.post(f"/cases/{case_id}/bundle").status_code == 303
    assert made(served) == [Settled.POSTPONED], "whoever asks again need not wait for the next try"


def test_who_may_only_read_and_what_another_site_sends_change_nothing(served: Served, case_id: str) -> None:
    vera, rita = served.signed_in("Vera"), served.signed_in("Rita")
    text = vera.get(f"/cases/{case_id}").text
    assert 'id="h-evidence"' in text
    assert "Make the full bundle" not in text
    del rita.headers["x-csrf-token"]
    before = actions(served, case_id)
    for step in ("capture", "hold", "release", "bundle"):
        for browser in (vera, rita):
            assert browser.post(f"/cases/{case_id}/{step}", data={"note": NOTE}).status_code == 403
        assert served.client().post(f"/cases/{case_id}/{step}").status_code == 303, "to the form to sign in"
    assert served.signed_in("Rita").post("/cases/case_none/hold", data={"note": NOTE}).status_code == 404
    assert actions(served, case_id) == before
