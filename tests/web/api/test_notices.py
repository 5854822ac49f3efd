"""Notices, rechecks and time lines by the API."""

import pytest

from guardian.cli.acting import this_user
from guardian.model import Permission, TaskKind
from guardian.notices.drafting import NoticeConfig
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.notices.steps import StepAuthor, approve, note_verified
from guardian.tasks.user_requests import request_of
from tests.web.api.conftest import Program, actions, add_asset, add_use
from tests.web.conftest import Served

OWNER = OwnerSettings(name="Ada", address="Here", email="ada@example.com", phone="1", signs_as="Ada")


@pytest.fixture(scope="module", autouse=True)
def case_id(served: Served) -> str:
    object.__setattr__(served.desk, "notice_config", NoticeConfig(OWNER, NoticeSettings(four_eyes=True)))
    add_asset(served, "d", "portfolio")
    return add_use(served, "https://thief.example/p").id


def test_a_notice_is_drafted_and_stepped_through(served: Served, program: Program, case_id: str) -> None:
    drafter, other = (program(Permission.CASES_READ, Permission.CASES_WRITE, name=name) for name in ("one", "two"))
    body = {"cases": [case_id], "kind": "dmca", "language": "es", "recipient": "abuse@thief.example"}
    made = drafter.post("/api/v1/notices", json=body)
    assert made.status_code == 200
    notice = made.json()
    assert (notice["state"], notice["missing"], notice["cases"]) == ("draft", [], [case_id])
    assert "buena fe" in notice["text"]
    path = f"/api/v1/notices/{notice['id']}/steps"

    def step(client: object, status: int = 200, **fields: str) -> dict[str, object]:
        answer = client.post(path, json=fields)  # type: ignore[attr-defined]
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    assert "licence check" in str(step(drafter, 400, step="approve")["detail"])
    step(drafter, step="check_licence", words="asked the sales team")
    step(drafter, step="consider", words="a whole copy in a shop")
    for each in (drafter, other):
        assert "four_eyes asks for a person" in str(step(each, 400, step="approve")["detail"])
    with served.store.begin() as tx:
        by = StepAuthor("jo", served.desk.clock(), this_user())
        approve(tx, notice["id"], by, served.desk.notice_config.settings)
    (point,) = drafter.get(f"/api/v1/notices/{notice['id']}").json()["open_points"]
    assert "addresses are live" in point
    assert "ask the daemon" in str(step(other, 503, step="verify")["detail"])
    with served.store.begin() as tx:
        note_verified(tx, notice["id"], {}, StepAuthor("two", served.desk.clock(), this_user()))
    assert step(other, step="sent", to="abuse@thief.example")["state"] == "sent"
    assert step(other, 422, step="sent", too="x")["status"] == 422

    listed = drafter.get("/api/v1/notices", params={"case": case_id, "state": "sent"}).json()["items"]
    assert [one["id"] for one in listed] == [notice["id"]]
    later = drafter.post("/api/v1/notices", json={"cases": [case_id], "kind": "cease"}).json()["id"]
    first = drafter.get("/api/v1/notices", params={"limit": 1}).json()
    rest = drafter.get("/api/v1/notices", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [[one["id"] for one in page["items"]] for page in (first, rest)] == [[later], [notice["id"]]]
    assert rest["next_cursor"] is None
    assert drafter.get(f"/api/v1/cases/{case_id}").json()["state"] == "notice_sent"
    story = drafter.get(f"/api/v1/cases/{case_id}/timeline").json()["entries"]
    assert [one["words"] for one in story if one["planned"] and one["kind"] == "rechecked"]
    assert drafter.get(f"/api/v1/cases/{case_id}/rechecks").json() == {"items": []}
    assert [line[1] for line in actions(served, notice["id"])][-1] == "notice.sent"


def test_who_only_reads_drafts_nothing(program: Program, case_id: str) -> None:
    reader = program(Permission.CASES_READ)
    body = {"cases": [case_id], "kind": "dmca"}
    assert reader.post("/api/v1/notices", json=body).status_code == 403
    assert reader.post(f"/api/v1/cases/{case_id}/rechecks").status_code == 403
    writer = program(Permission.CASES_READ, Permission.CASES_WRITE)
    assert writer.post(f"/api/v1/cases/{case_id}/rechecks").status_code == 503
    assert writer.post(f"/api/v1/cases/{case_id}/rechecks", params={"later": True}).status_code == 503
    for path in ("notices/notice_none", "cases/case_none/timeline", "cases/case_none/rechecks"):
        assert reader.get(f"/api/v1/{path}").status_code == 404
    assert writer.post("/api/v1/notices", json={"cases": ["case_none"], "kind": "dmca"}).status_code == 400


def test_looks_at_sites_may_be_left_to_the_daemon(served: Served, program: Program, case_id: str) -> None:
    """Nobody needs patience for strangers' sites: the answer comes at once, the outcome where it always is."""
    writer = program(Permission.CASES_READ, Permission.CASES_WRITE, name="patient")
    notice = writer.post("/api/v1/notices", json={"cases": [case_id], "kind": "cease"}).json()["id"]
    # These only say that there is a daemon; nothing here uses them.
    object.__setattr__(served.desk, "services", object())
    try:
        asked = writer.post(f"/api/v1/cases/{case_id}/rechecks", params={"later": True})
        again = writer.post(f"/api/v1/cases/{case_id}/rechecks", params={"later": True})
        step = writer.post(f"/api/v1/notices/{notice}/steps", json={"step": "verify", "later": True})
    finally:
        object.__setattr__(served.desk, "services", None)
    assert (asked.status_code, asked.json()["case"], asked.json()["by"]) == (202, case_id, "patient")
    assert (again.status_code, again.json()) == (202, asked.json()), "owed once, and the same answer"
    assert (step.status_code, step.json()["id"]) == (200, notice)
    with served.store.read() as tx:
        looks = [*tx.tasks.owed(TaskKind.RECHECK_ASKED, case_id), *tx.tasks.owed(TaskKind.VERIFY_NOTICE, notice)]
    assert [request_of(task).by.name for task in looks] == ["patient", "patient"]
