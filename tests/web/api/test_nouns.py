"""Assets, licences, operators, operations, people and tokens over the API, and the stream of cases."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from guardian.cases.capture_orders import order_of
from guardian.model import CaptureReason, Permission, Role, TaskKind, TaskState, Waiting
from guardian.outbox import mint
from tests.web.api.conftest import Program, actions, add_asset, add_use
from tests.web.conftest import PASSWORD, Served


@pytest.fixture(scope="module", autouse=True)
def case_id(served: Served) -> str:
    add_asset(served, "d", "portfolio")
    return add_use(served, "https://thief.example/p").id


def test_assets_are_listed_shown_and_corrected(served: Served, program: Program) -> None:
    add_asset(served, "e")
    client = program(Permission.ASSETS_READ, Permission.ASSETS_WRITE)
    first = client.get("/api/v1/assets", params={"limit": 1}).json()
    second = client.get("/api/v1/assets", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [one["title"] for one in first["items"] + second["items"]] == ["Picture d", "Picture e"]
    assert second["next_cursor"] is None

    path = f"/api/v1/assets/{second['items'][0]['id']}"
    changed = client.patch(path, json={"title": "Harbour", "creator": "Ada", "tags": ["sea"]}).json()
    assert (changed["title"], changed["rights"]["creator"], changed["tags"]) == ("Harbour", "Ada", ["sea"])
    assert client.patch(path, json={}).status_code == 400
    assert client.patch(path, json={"titel": "x"}).status_code == 422
    half_a_pair = client.patch(path, content=b'{"title": "\\ud800"}', headers={"content-type": "application/json"})
    assert (half_a_pair.status_code, "surrogate" in half_a_pair.text) == (422, True)
    assert client.get("/api/v1/assets/asset_none").status_code == 404
    assert [line[1] for line in actions(served, changed["id"])] == ["asset.edited"]
    refused = client.post("/api/v1/assets", data={"collection": "shop"}, files={"picture": ("a.png", b"x")})
    assert (refused.status_code, "guardian run" in refused.json()["detail"]) == (503, True)


def test_operator_has_its_cases(program: Program, case_id: str) -> None:
    client = program(Permission.CASES_READ)
    assert "thief.example" in [one["operator"] for one in client.get("/api/v1/operators").json()["items"]]
    pages, cursor = [], None
    while not pages or cursor:
        found = client.get("/api/v1/operators", params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        pages, cursor = [*pages, *found["items"]], found["next_cursor"]
    assert pages == client.get("/api/v1/operators").json()["items"]
    assert client.get("/api/v1/operators", params={"words": "no such"}).json()["items"] == []
    (one,) = client.get("/api/v1/operators", params={"operator": "https://thief.example/x"}).json()["items"]
    assert [case["id"] for case in one["cases_of"]] == [case_id]
    assert client.get("/api/v1/operators", params={"operator": "nobody.example"}).status_code == 400


def test_licences_are_added_changed_and_taken_out(served: Served, program: Program) -> None:
    client = program(Permission.LICENCES_READ, Permission.LICENCES_WRITE)
    terms = {"host": "customer.example", "collection": "portfolio", "valid_until": "2999-12-31", "note": "mail of May"}
    added = client.post("/api/v1/licences", json=terms)
    assert (added.status_code, added.json()["today"], added.json()["cases_licensed"]) == (200, "licensed", [])
    path = f"/api/v1/licences/{added.json()['id']}"
    assert client.patch(path, json={"valid_until": "2020-01-01"}).json()["today"] == "lapsed"
    assert [one["id"] for one in client.get("/api/v1/licences", params={"host": "customer.example"}).json()["items"]]
    assert client.get(f"{path}/proof").status_code == 400
    kept = client.put(f"{path}/proof", files={"file": ("mail.eml", b"From: us")})
    assert (kept.status_code, client.get(f"{path}/proof").content) == (200, b"From: us")
    assert client.put("/api/v1/licences/lic_none/proof", files={"file": ("a", b"b")}).status_code == 404
    table = {"file": ("licences.csv", b"host,tag,until\nother.example,cover,2999-01-01\n")}
    assert client.post("/api/v1/licences/imports", files=table).json()["added"] == 1
    assert client.post("/api/v1/licences/imports", files=table).json() == {
        "added": 0,
        "known": 1,
        "cases_licensed": [],
        "cases_not_licensed": [],
    }
    assert client.delete(path).status_code == 200
    assert client.get(path).status_code == 404
    assert client.post("/api/v1/licences", json={"host": "co.uk", "collection": "x"}).status_code == 400
    assert client.post("/api/v1/licences", json={"host": "a.example"}).status_code == 400
    done = [line[1] for line in actions(served, added.json()["id"])]
    assert done == ["licence.added", "licence.edited", "licence.proof_kept", "licence.removed"]


def test_dead_message_is_sent_again(served: Served, program: Program) -> None:
    now = datetime.now(UTC)
    with served.store.begin() as tx:
        for key in "ab":
            tx.tasks.add(TaskKind.DELIVER, key, due_at=now, at=now, destination="legal")
        first, second = (task.id for task in reversed(tx.tasks.list(TaskKind.DELIVER)))
        tx.tasks.bury(first, "410 Gone")
    client = program(Permission.OPERATIONS_READ, Permission.OPERATIONS_WRITE)
    newest = client.get("/api/v1/deliveries", params={"limit": 1}).json()
    oldest = client.get("/api/v1/deliveries", params={"limit": 1, "cursor": newest["next_cursor"]}).json()
    assert [one["id"] for one in newest["items"] + oldest["items"]] == [second, first]
    (dead,) = client.get("/api/v1/deliveries", params={"state": "dead"}).json()["items"]
    assert dead["last_error"] == "410 Gone"
    assert client.post(f"/api/v1/deliveries/{first}/retry").json()["state"] == TaskState.DUE
    assert client.post("/api/v1/deliveries/999/retry").status_code == 404
    assert [line[1] for line in actions(served, str(first))] == ["delivery.retried"]
    assert client.get("/api/v1/coverage").json() == {"items": []}
    assert client.get("/api/v1/sources").json() == {"items": []}


def test_a_case_is_captured_held_and_bundled(served: Served, program: Program, case_id: str) -> None:
    reader, client = program(Permission.CASES_READ), program(Permission.CASES_READ, Permission.CASES_WRITE)
    path = f"/api/v1/cases/{case_id}"
    nothing = {"case": case_id, "captures": [], "hold": None, "bundles": []}
    assert reader.get(f"{path}/evidence").json() == nothing
    assert reader.post(f"{path}/captures").status_code == 403
    for _ in range(2):
        assert client.post(f"{path}/captures").status_code == 202
    with served.store.read() as tx:
        owed = [order_of(task).reason for task in tx.tasks.owed(TaskKind.CAPTURE, case_id)]
    assert owed == [CaptureReason.ASKED, CaptureReason.OPENED], "asked for twice, owed once"

    assert client.post(f"{path}/hold", json={"note": " "}).status_code == 422
    held = client.post(f"{path}/hold", json={"note": "matter 17"}).json()["hold"]
    assert held["note"] == "matter 17"
    assert client.post(f"{path}/hold", json={"note": "again"}).status_code == 400
    assert client.post(f"{path}/release", json={"note": "settled"}).json()["hold"] is None
    assert client.post(f"{path}/release", json={"note": "settled"}).status_code == 400

    refused = client.post(f"{path}/bundles", json={})
    assert (refused.status_code, "guardian run" in refused.json()["detail"]) == (503, True)
    folder = served.desk.data_dir / "bundles" / case_id
    assert client.get(f"{path}/bundles/none.zip").status_code == 404
    assert client.get("/api/v1/cases/case_none/evidence").status_code == 404
    folder.mkdir(parents=True)
    (folder / "proof.zip").write_bytes(b"PK")
    (bundle,) = reader.get(f"{path}/evidence").json()["bundles"]
    assert (bundle["name"], bundle["bytes"]) == ("proof.zip", 2)
    fetched = client.get(f"{path}/bundles/proof.zip")
    assert (fetched.content, fetched.headers["content-type"]) == (b"PK", "application/zip")
    assert reader.get(f"{path}/bundles/proof.zip").status_code == 403
    done = [line[1] for line in actions(served, case_id) if line[1].startswith("evidence.")]
    assert done == ["evidence.capture_asked", "evidence.held", "evidence.released", "evidence.bundle_fetched"]


def test_the_overview_is_what_the_page_shows(program: Program) -> None:
    found = program(Permission.CASES_READ).get("/api/v1/overview").json()
    assert len(found["weeks"]) == 12
    # Yesterday may have been last week.
    assert sum(week["new"] for week in found["weeks"][-2:]) >= 1
    assert found["states"]["open"] >= 1
    assert "thief.example" in [one["operator"] for one in found["operators"]]
    assert (found["median_hours_to_decision"], found["coverage"]) == (None, [])


def test_floods_are_listed_and_decided(served: Served, program: Program) -> None:
    at = datetime.now(UTC)
    with served.store.begin() as tx:
        for number in range(2):
            message = mint("case.opened", {"number": number}, at)
            tx.messages.add(message)
            tx.waiting.add(Waiting(message.id, "legal", "work_1", at))
    client = program(Permission.OPERATIONS_READ, Permission.OPERATIONS_WRITE)
    assert client.get("/api/v1/floods").json() == {"items": [{"about": "work_1", "held": 2}]}
    decided = client.post("/api/v1/floods/decisions", json={"about": "work_1", "decision": "drop"}).json()
    assert decided == {"about": "work_1", "decision": "drop", "messages": 2}
    assert client.post("/api/v1/floods/decisions", json={"about": "work_1", "decision": "drop"}).status_code == 400
    assert [line[1] for line in actions(served, "work_1")] == ["delivery.dropped"]


def test_check_takes_only_pictures_and_web_addresses(program: Program) -> None:
    client = program(Permission.CHECK)
    assert client.post("/api/v1/checks", data={"address": "/etc/passwd"}).status_code == 400
    assert client.post("/api/v1/checks").status_code == 400
    assert client.post("/api/v1/checks", files={"picture": ("a.png", b"")}).status_code == 400
    asked = {"address": "https://a.example/", "record": "true"}
    assert client.post("/api/v1/checks", data=asked).status_code == 403, "without cases:write"
    upload = client.post("/api/v1/checks", data={"record": "true"}, files={"picture": ("a.png", b"x")})
    assert (upload.status_code, "no place" in upload.json()["detail"]) == (400, True)
    kept = client.post("/api/v1/checks", data={"address": "https://a.example/"}, headers={"idempotency-key": "1"})
    assert kept.status_code == 400, "nothing of a check is recorded"


def test_admin_changes_people_and_tokens(served: Served) -> None:
    admin = served.signed_in("Anna")
    added = admin.post("/api/v1/people", json={"name": "Otto", "role": "viewer", "password": PASSWORD}).json()
    path = f"/api/v1/people/{added['id']}"
    assert admin.patch(path, json={"role": "reviewer"}).json()["role"] == Role.REVIEWER
    assert admin.delete(path).status_code == 200
    assert admin.delete(path).status_code == 404
    me = next(one for one in admin.get("/api/v1/people").json()["items"] if one["name"] == "Anna")
    assert "last admin" in admin.delete(f"/api/v1/people/{me['id']}").json()["detail"]
    assert admin.post("/api/v1/people", json={"name": "Short", "role": "viewer", "password": "x"}).status_code == 400

    late = {"name": "x", "scopes": ["cases:read"], "until": "9999-12-31T23:00:00-05:00"}
    assert admin.post("/api/v1/tokens", json=late).status_code == 422
    made = admin.post("/api/v1/tokens", json={"name": "sheet", "scopes": ["cases:read"]}).json()
    shown = {"authorization": f"Bearer {made['secret']}"}
    assert served.client().get("/api/v1/cases", headers=shown).status_code == 200
    assert served.client().get("/api/v1/people", headers=shown).status_code == 403
    assert "secret" not in admin.get("/api/v1/tokens").json()["items"][0]
    assert admin.delete(f"/api/v1/tokens/{made['id']}").json()["state"] == "revoked"
    assert served.client().get("/api/v1/cases", headers=shown).status_code == 401

    log = admin.get("/api/v1/audit", params={"subject": added["id"]}).json()
    assert [line["action"] for line in log["items"]] == ["user.added", "user.role_changed", "user.removed"]
    assert {(line["actor"], line["address"]) for line in log["items"]} == {("Anna", "127.0.0.1")}
    page = admin.get("/api/v1/audit", params={"limit": 2}).json()
    following = admin.get("/api/v1/audit", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [line["number"] for line in page["items"] + following["items"]] == [1, 2, 3, 4]
    assert served.signed_in("Rita").get("/api/v1/audit").status_code == 403


def test_views_are_of_whoever_is_signed_in(served: Served, program: Program) -> None:
    rita, vera = served.signed_in("Rita"), served.signed_in("Vera")
    view = {"name": "Urgent", "query": "state=waiting&severity=high&group=operator"}
    assert rita.post("/api/v1/views", json=view).json() == {"items": [view]}
    assert 'href="/cases?state=waiting&amp;severity=high&amp;group=operator"' in rita.get("/cases").text
    rita.post("/cases/views", data={"name": "All", "query": "state=all"})
    everything = {"name": "All", "query": "state=all"}
    assert rita.get("/api/v1/views").json() == {"items": [everything, view]}
    assert vera.get("/api/v1/views").json() == {"items": []}

    # The same name again is the same view.
    assert rita.post("/api/v1/views", json={"name": "All", "query": ""}).json()["items"][0]["query"] == "state=waiting"
    for wrong in ("severity=loud", "severty=high"):
        assert rita.post("/api/v1/views", json={"name": "x", "query": wrong}).status_code == 400, wrong
    assert vera.delete("/api/v1/views", params={"name": "All"}).status_code == 404
    assert rita.delete("/api/v1/views", params={"name": "All"}).json() == {"items": [view]}
    refused = program(Permission.CASES_READ).get("/api/v1/views")
    assert (refused.status_code, "sign in" in refused.json()["detail"]) == (403, True)


def test_settings_are_of_the_daemon(served: Served, program: Program) -> None:
    assert (
        program(*(one for one in Permission if one is not Permission.PEOPLE)).get("/api/v1/settings").status_code == 403
    )
    answer = served.signed_in("Anna").get("/api/v1/settings")
    assert (answer.status_code, "guardian run" in answer.json()["detail"]) == (503, True)


def events_of(response: httpx.Response, number: int) -> list[tuple[str, str, dict[str, object]]]:
    """The id, name and case of the next events of a stream."""
    found, lines = [], dict[str, str]()
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            lines[name] = value
        elif "data" in lines:
            found.append((lines["id"], lines["event"], json.loads(lines["data"])))
            lines = {}
            if len(found) == number:
                break
    return found


def test_stream_goes_on_where_it_ended(served: Served, program: Program, case_id: str) -> None:
    client = program(Permission.CASES_READ, Permission.CASES_WRITE, name="follower")
    with client.stream("GET", "/api/v1/events", headers={"last-event-id": "0"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        ((number, name, case),) = events_of(response, 1)
    assert (name, case["id"]) == ("opened", case_id)

    other = add_use(served, "https://pirate.example/", minutes=5).id
    client.post(f"/api/v1/cases/{case_id}/decisions", json={"decision": "confirm"})
    client.post(f"/api/v1/cases/{case_id}/decisions", json={"decision": "close"})
    with client.stream("GET", "/api/v1/events", headers={"last-event-id": number}) as response:
        found = events_of(response, 2)
    assert [(name, case["id"], case["state"]) for _, name, case in found] == [
        ("opened", other, "open"),
        ("changed", case_id, "closed"),
    ]
    assert client.get("/api/v1/events", headers={"last-event-id": "x"}).status_code == 400
    assert client.get("/api/v1/events", headers={"last-event-id": str(2**63)}).status_code == 422


def test_description_names_every_operation(served: Served) -> None:
    text = served.client().get("/api/v1/openapi.json").json()
    operations = [one for path in text["paths"].values() for one in path.values()]
    assert all(one["summary"] and one["description"] and one["operationId"] for one in operations)
    assert len({one["operationId"] for one in operations}) == len(operations) > 25
    denied = text["paths"]["/api/v1/cases"]["get"]["responses"]["401"]["content"]
    assert denied == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert "Idempotency-Key" in [one["name"] for one in text["paths"]["/api/v1/decisions"]["post"]["parameters"]]
