"""Cases over the API: lists that go on, one with its version, decisions, and who is told what."""

import pytest

from guardian.model import CaseState, Permission
from tests.web.api.conftest import Program, actions, add_asset, add_use
from tests.web.conftest import Served

READ, WRITE = Permission.CASES_READ, Permission.CASES_WRITE


@pytest.fixture(scope="module")
def ids(served: Served) -> list[str]:
    """Ids of seven cases, the last opened first."""
    add_asset(served, "a")
    add_asset(served, "b", "portfolio")
    found = [add_use(served, f"https://thief{number}.example/p", number % 2, number // 2).id for number in range(7)]
    return list(reversed(found))


def test_a_list_goes_on_where_it_ended(served: Served, ids: list[str], program: Program) -> None:
    client = program(READ)
    for sort in ("opened", "changed", "priority"):
        seen, cursor = list[str](), None
        while True:
            query = {"limit": 2, "sort": sort} | ({"cursor": cursor} if cursor else {})
            page = client.get("/api/v1/cases", params=query).json()
            seen += [case["id"] for case in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            if sort == "opened" and len(seen) == 2:
                # Opened meanwhile, and so before the page that was read: it moves nothing.
                add_use(served, "https://meanwhile.example/", 0, -60)
        assert len(seen) == len(set(seen))
        assert set(ids) <= set(seen), sort

    refused = client.get("/api/v1/cases", params={"cursor": "bm8", "limit": 2})
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
    other = client.get("/api/v1/cases", params={"limit": 2}).json()["next_cursor"]
    assert client.get("/api/v1/cases", params={"cursor": other, "sort": "priority"}).status_code == 400


def test_filters_of_a_list_all_apply(ids: list[str], program: Program) -> None:
    client = program(READ)

    def found(**query: object) -> list[str]:
        return [case["id"] for case in client.get("/api/v1/cases", params=query).json()["items"]]  # type: ignore[arg-type]

    assert found(host="thief3.example", limit=1) == [ids[3]]
    assert found(words="THIEF3", source="web", confidence=0.98, opened_from="2026-11-24") == [ids[3]]
    assert found(confidence=0.99) == found(source="elsewhere") == found(opened_until="2026-11-23") == []
    assert found(host="other.thief3.example") == []
    assert found(operator="thief3.example", collection="portfolio") == [ids[3]]
    assert found(operator="thief3.example", collection="shop") == []
    assert found(state=["open", "confirmed"], severity="high", operator="thief0.example") == [ids[6]]
    assert found(state="gone") == []
    assert found(since="2999-01-01") == []


def test_misspelt_query_is_refused_and_named(program: Program) -> None:
    answer = program(READ).get("/api/v1/cases", params={"staet": "open", "limit": 0})
    assert answer.status_code == 422
    assert {one["where"] for one in answer.json()["errors"]} == {"query.staet", "query.limit"}


def test_who_may_not_is_told_why(served: Served, ids: list[str], program: Program) -> None:
    nobody = served.client().get("/api/v1/cases")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    denied = program(READ).post(f"/api/v1/cases/{ids[0]}/decisions", json={"decision": "confirm"})
    assert denied.status_code == 403
    assert "cases:write" in denied.json()["detail"]
    assert served.signed_in("Vera").get("/api/v1/cases?limit=1").status_code == 200
    missing = program(READ).get("/api/v1/cases/case_none")
    assert (missing.status_code, missing.json()["title"]) == (404, "Not there")


def test_second_reviewer_learns_what_the_first_did(served: Served, ids: list[str], program: Program) -> None:
    case = f"/api/v1/cases/{ids[0]}"
    reviewer = served.signed_in("Rita")
    seen = reviewer.get(case)
    assert seen.json()["findings"][0]["context"]["page_title"] == "=SUM(A1)"
    decided = reviewer.post(
        f"{case}/decisions",
        json={"decision": "dismiss", "reason": "permitted", "note": "our shop"},
        headers={"if-match": seen.headers["etag"]},
    )
    assert (decided.status_code, decided.json()["state"], decided.json()["reason"]) == (200, "dismissed", "permitted")
    assert decided.headers["etag"] == f'"{decided.json()["version"]}"' != seen.headers["etag"]

    late = program(READ, WRITE, name="late").post(
        f"{case}/decisions", json={"decision": "confirm"}, headers={"if-match": seen.headers["etag"]}
    )
    assert late.status_code == 412
    assert [(line["kind"], line["by"]) for line in late.json()["since"]] == [("dismissed", "Rita")]
    assert late.json()["version"] == decided.json()["version"]
    assert actions(served, ids[0]) == [("Rita", "case.dismiss", "127.0.0.1")]


def test_each_decision_is_written_and_undone(served: Served, ids: list[str], program: Program) -> None:
    client = program(READ, WRITE, name="decider")

    def decide(**body: object) -> dict[str, object]:
        answer = client.post(f"/api/v1/cases/{ids[1]}/decisions", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    for word, state in (
        ("confirm", "confirmed"),
        ("notice-sent", "notice_sent"),
        ("close", "closed"),
        ("resolve", "resolved"),
        ("reopen", "open"),
    ):
        assert decide(decision=word)["state"] == state
    assert decide(decision="assign", to="mara")["assignee"] == "mara"
    assert decide(decision="label", add=["press", "urgent"], remove=[])["labels"] == ["press", "urgent"]
    assert decide(decision="due", on="2026-12-01")["due_on"] == "2026-12-01"
    assert decide(decision="note", note="they called")["due_on"] == "2026-12-01"
    assert decide(decision="undo")["due_on"] is None
    assert len(list(actions(served, ids[1]))) == 10

    nothing = client.post(f"/api/v1/cases/{ids[1]}/decisions", json={"decision": "label"})
    assert (nothing.status_code, nothing.json()["detail"]) == (400, "say which labels: `add` or `remove`")
    wrong = client.post(f"/api/v1/cases/{ids[1]}/decisions", json={"decision": "confirm", "reason": "permitted"})
    assert wrong.status_code == 422, "only a dismissal has a reason"


def test_the_same_decision_once_more_changes_nothing_and_says_so(
    served: Served, ids: list[str], program: Program
) -> None:
    first, second = (program(READ, WRITE, name=name) for name in ("first", "second"))
    path, body = f"/api/v1/cases/{ids[5]}", {"decision": "confirm"}
    decided, again = (client.post(f"{path}/decisions", json=body) for client in (first, second))
    assert (decided.status_code, decided.json()["changed"]) == (200, True)
    assert (again.status_code, again.json()["changed"], again.headers["etag"]) == (200, False, decided.headers["etag"])
    assert (again.json()["state"], again.json()["reviewed_by"]) == ("confirmed", "first")
    assert [line["kind"] for line in first.get(path).json()["history"]] == ["opened", "confirmed"]
    assert [line[0] for line in actions(served, ids[5])] == ["first"]

    bulk = {"decision": body, "cases": [{"id": ids[5]}, {"id": ids[6]}]}
    some, none = (second.post("/api/v1/decisions", json=bulk).json() for _ in range(2))
    assert (some["changed"], none["changed"], none["batch"]) == (True, False, None)
    undone = second.post("/api/v1/decisions", json={"decision": {"decision": "undo", "batch": some["batch"]}})
    assert [case["id"] for case in undone.json()["items"]] == [ids[6]], "what was confirmed before stays"
    second.post(f"{path}/decisions", json={"decision": "undo"})


def test_bulk_decides_about_all_or_none(served: Served, ids: list[str], program: Program) -> None:
    client = program(READ, WRITE, name="bulk")

    def bulk(**body: object) -> tuple[int, dict[str, object]]:
        answer = client.post("/api/v1/decisions", json={"decision": {"decision": "confirm"}, **body})
        return answer.status_code, answer.json()

    def states() -> list[CaseState]:
        with served.store.read() as tx:
            found = [tx.cases.get(id_) for id_ in ids[2:4]]
        return [case.state for case in found if case is not None]

    two = [{"id": id_} for id_ in ids[2:4]]
    assert bulk(cases=[*two, {"id": "case_none"}])[0] == 404
    assert bulk(cases=[two[0], {"id": ids[3], "version": 0}])[0] == 412
    status, tried = bulk(cases=two, dry_run=True)
    assert (status, tried["changed"]) == (200, False)
    assert states() == [CaseState.OPEN, CaseState.OPEN]

    status, done = bulk(cases=two)
    assert (status, done["changed"]) == (200, True)
    assert states() == [CaseState.CONFIRMED, CaseState.CONFIRMED]
    assert bulk(operator="nobody.example")[0] == 400
    status, done = bulk(operator="thief2.example")
    assert (status, [case["id"] for case in done["items"]]) == (200, [ids[4]])  # type: ignore[attr-defined]


def test_a_decision_about_several_is_undone_by_its_id_and_no_other(
    served: Served, ids: list[str], program: Program
) -> None:
    client = program(READ, WRITE, name="undoing")

    def post(decision: dict[str, object], *meant: str) -> tuple[int, dict[str, object]]:
        answer = client.post("/api/v1/decisions", json={"decision": decision, "cases": [{"id": id_} for id_ in meant]})
        return answer.status_code, answer.json()

    first, second = ids[2:4]
    _, decided = post({"decision": "label", "add": ["mistake"]}, first, second)
    undo = {"decision": "undo", "batch": decided["batch"]}
    assert client.post(f"/api/v1/cases/{second}/decisions", json={"decision": "assign", "to": "mara"}).is_success
    status, refused = post(undo)
    assert (status, second in str(refused["detail"]), first in str(refused["detail"])) == (400, True, False)

    tried = client.post("/api/v1/decisions", json={"decision": undo, "dry_run": True})
    assert (tried.status_code, second in tried.json()["detail"]) == (400, True)

    status, undone = post(undo, first)
    assert (status, undone["batch"]) == (200, None)
    assert client.post(f"/api/v1/cases/{second}/decisions", json={"decision": "undo"}).is_success
    again = client.post(f"/api/v1/cases/{second}/decisions", json=undo)
    assert (again.status_code, again.json()["labels"], again.json()["assignee"]) == (200, [], None)
    assert client.post(f"/api/v1/cases/{second}/decisions", json=undo).status_code == 400, "sent twice"
    assert post({"decision": "undo", "batch": "batch_none"})[0] == 400
    of_nobody = {"decision": undo, "operator": "nobody.example"}
    assert client.post("/api/v1/decisions", json=of_nobody).status_code == 400


def test_request_sent_again_is_not_done_again(served: Served, ids: list[str], program: Program) -> None:
    client = program(READ, WRITE, name="again")
    path, key = f"/api/v1/cases/{ids[5]}/decisions", {"idempotency-key": "5f0c"}
    first = client.post(path, json={"decision": "note", "note": "once"}, headers=key)
    again = client.post(path, json={"decision": "note", "note": "once"}, headers=key)
    assert (again.status_code, again.content, again.headers["etag"]) == (200, first.content, first.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    other = client.post(path, json={"decision": "note", "note": "twice"}, headers=key)
    assert (other.status_code, other.json()["title"]) == (422, "Another request")
    with served.store.read() as tx:
        assert [line.note for line in tx.case_history.of(ids[5]) if line.kind == "noted"] == ["once"]

    # An error is not kept: what was sent may become right.
    wrong = {"idempotency-key": "77aa"}
    assert client.post(path, json={"decision": "label"}, headers=wrong).status_code == 400
    assert client.post(path, json={"decision": "undo"}, headers=wrong).status_code == 400
    # Keys of other programs are their own.
    assert program(WRITE, name="other").post(path, json={"decision": "confirm"}, headers=key).status_code == 200


def test_large_bodies_and_broken_ones_are_refused(ids: list[str], program: Program) -> None:
    client = program(WRITE)
    path = f"/api/v1/cases/{ids[0]}/decisions"
    assert client.post(path, content=b" " * 1_000_001).status_code == 413
    pieces = (b" " * 100_000 for _ in range(11))
    assert client.post(path, content=pieces, headers={"content-type": "application/json"}).status_code == 413
    broken = client.post(path, content=b'{"decision":', headers={"content-type": "application/json"})
    assert (broken.status_code, broken.headers["content-type"]) == (422, "application/problem+json")
