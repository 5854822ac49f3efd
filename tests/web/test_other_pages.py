"""Operators, images, licences, operations, people and the overview: what each shows, and what their forms do."""

import asyncio
import csv
import io
import re

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message

from guardian.cli.acting import this_user
from guardian.model import Context, TaskKind, TaskState, Waiting
from guardian.outbox import mint
from guardian.views.overview import Seen, csv_text, seen_of
from guardian.web.bodies import bounded
from tests.web.conftest import PASSWORD, Served
from tests.web.uses import picture_bytes, protected, used


@pytest.fixture(scope="module", autouse=True)
def case_id(served: Served) -> str:
    asset = protected(served.desk, picture_bytes(3), "Lake")
    context = Context(alt="a lake", nearby_text="write to shop@thief.example")
    return used(served.desk, asset, picture_bytes(3), "https://www.thief.example/lake", context=context).id


def test_operators_are_shown_with_their_cases_and_contacts(served: Served, case_id: str) -> None:
    rita = served.signed_in("Rita")
    assert "1 work in 1 place: 1 open" in rita.get("/operators").text
    text = rita.get("/operators/show?name=thief.example").text
    assert case_id in text
    assert "shop@thief.example" in text
    assert rita.get("/operators/show?name=nobody.example").status_code == 404


def test_images_are_shown_with_who_uses_them(served: Served, case_id: str) -> None:
    rita = served.signed_in("Rita")
    text = rita.get("/assets?words=lake").text
    assert "<strong>1</strong> protected like this" in text
    path = re.search(r'href="(/assets/asset_\w+)"', text)
    assert path is not None
    assert case_id in rita.get(path[1]).text
    assert rita.get("/assets/asset_none").status_code == 404
    refused = rita.post("/assets", files={"picture": ("a.jpg", b"x")}, data={"collection": "c"})
    assert refused.status_code == 400


def test_rights_are_stated_anew_where_an_image_is_shown(served: Served) -> None:
    vera, rita = served.signed_in("Vera"), served.signed_in("Rita")
    with served.store.read() as tx:
        (asset,) = tx.assets.list()
    stated = {"title": "Lake <b>", "collection": asset.collection, "tags": "sea; ;dawn;sea", "creator": "Ada"}
    path = f"/assets/{asset.id}"
    assert vera.post(path, data=stated).status_code == 403
    assert "Title and rights" not in vera.get(path).text
    assert rita.post(path, data=stated).headers["location"] == f"{path}?saved=1"
    text = rita.get(f"{path}?saved=1").text
    assert 'value="Lake &lt;b&gt;"' in text
    assert 'value="sea; dawn"' in text
    assert 'name="creator" value="Ada"' in text

    rita.post(path, data=stated | {"title": "Lake", "creator": ""})
    with served.store.read() as tx:
        after, lines = tx.assets.get(asset.id), [line for line in tx.audit.lines() if line.action == "asset.edited"]
    assert (after.title, after.rights.creator, after.tags) == ("Lake", None, ("sea", "dawn"))
    assert [line.actor for line in lines] == ["Rita", "Rita"]
    assert rita.post(path, data=stated | {"creator": "x" * 2_001}).status_code == 400
    assert rita.post("/assets/asset_none", data=stated).status_code == 404


def test_a_check_says_what_it_needs(served: Served) -> None:
    vera = served.signed_in("Vera")
    assert "Nothing is recorded" in vera.get("/check").text
    assert vera.post("/check", data={"address": "javascript:alert(1)"}).status_code == 400
    rita, asked = served.signed_in("Rita"), {"address": "https://thief.example/", "record": "1"}
    assert "unless you ask for it" in rita.get("/check").text
    assert vera.post("/check", data=asked).status_code == 403
    assert rita.post("/check", data={"record": "1"}, files={"picture": ("a.jpg", b"x")}).status_code == 400


def test_nobody_fills_the_disk_with_a_form(served: Served) -> None:
    rita, form = served.signed_in("Rita"), {"content-type": "application/x-www-form-urlencoded"}
    for client in (rita, served.client()):
        for path in ("/login", "/notices"):
            assert client.post(path, content=b"a=" + b"x" * 1_000_000, headers=form).status_code == 413


def test_what_is_announced_as_too_large_is_not_read() -> None:
    async def receive() -> Message:
        raise AssertionError("something was read")

    async def read() -> Message:
        return await bounded(receive, Headers({"content-length": "11"}), 10)()

    with pytest.raises(HTTPException, match="10 bytes at most"):
        asyncio.run(read())


def test_operations_are_for_those_who_may_see_them(served: Served, case_id: str) -> None:
    vera, anna = served.signed_in("Vera"), served.signed_in("Anna")
    assert "No source is configured" in vera.get("/sources").text
    assert "No messages" in vera.get("/deliveries?state=dead").text
    assert vera.post("/deliveries", data={"number": 1}).status_code == 403
    assert anna.post("/deliveries", data={"number": 1}).status_code == 400
    assert vera.get("/audit").status_code == vera.get("/people").status_code == 403
    text = anna.get("/audit").text
    assert 'title="user.signed_in"><bdi dir="auto">signed in</bdi>' in text
    assert ">Anna</bdi></a>" in text, "who it is about is named"
    assert re.search(r'<option value="case.dismiss">case dismissed</option>', text)
    assert "No line is like this" in anna.get("/audit?who=anna&what=case.").text
    assert 'title="user.signed_in"' in anna.get("/audit?who=ANNA&what=signed").text
    assert "No line is like this" in anna.get("/audit?what=case.not_mine").text
    with served.store.begin() as tx:
        tx.audit.add(this_user(), "case.not-mine", case_id, served.desk.clock(), {"scopes": "check people"})
    text = anna.get("/audit?what=case.not_mine").text
    assert "picture called not mine" in text, "as programs write it, too"
    assert "may: check pictures, change people and tokens" in text
    assert ">Lake at thief.example</bdi></a>" in text
    assert "No line is like this" in anna.get("/audit?before=1").text
    assert "/operators/show?name=thief.example" in vera.get("/operators?words=THIEF").text
    assert "Nobody of this name" in vera.get("/operators?words=%25").text
    assert vera.get("/operators?after=soon").status_code == 400
    assert "None: every use is judged" in vera.get("/licences").text
    begun = served.signed_in("Rita").get("/licences?image=asset_1").text
    assert re.search(r'<option value="asset" selected>', begun)
    assert re.search(r'name="name"[^>]* value="asset_1"', begun)


def test_only_deliveries_are_retried_where_deliveries_are_listed(served: Served) -> None:
    anna, now = served.signed_in("Anna"), served.desk.clock()
    with served.store.begin() as tx:
        dead = [tx.tasks.add(kind, "dead", due_at=now, at=now) for kind in (TaskKind.DELIVER, TaskKind.RECHECK)]
        for task in dead:
            tx.tasks.bury(task.id, "given up")
    assert [anna.post("/deliveries", data={"number": task.id}).status_code for task in dead] == [303, 400]
    with served.store.begin() as tx:
        assert [tx.tasks.get(task.id).state for task in dead] == [TaskState.DUE, TaskState.DEAD]
        tx.tasks.bury(dead[0].id, "given up")
    text = anna.get("/deliveries").text
    assert ">1 given up</a>" in text
    assert not re.search(r">[^<]*\bdead\b[^<]*<", text)


def test_floods_are_held_until_a_person_sends_or_drops_them(served: Served) -> None:
    vera, anna, at = served.signed_in("Vera"), served.signed_in("Anna"), served.desk.clock()
    with served.store.begin() as tx:
        for number, about in enumerate(("work_1", "work_1", "rule:<b>")):
            message = mint("case.opened", {"number": number}, at)
            tx.messages.add(message)
            tx.waiting.add(Waiting(message.id, "legal", about, at))
    text = anna.get("/deliveries").text
    assert "rule:&lt;b&gt;" in text
    assert 'href="/cases?state=all&amp;work=work_1"' in text
    path = "/deliveries/floods"
    assert vera.post(path, data={"about": "work_1", "decision": "drop"}).status_code == 403
    assert anna.post(path, data={"about": "work_1", "decision": "keep"}).status_code == 400
    assert anna.post(path, data={"about": "work_1", "decision": "release"}).status_code == 303
    assert anna.post(path, data={"about": "rule:<b>", "decision": "drop"}).status_code == 303
    assert anna.post(path, data={"about": "rule:<b>", "decision": "drop"}).status_code == 400
    with served.store.read() as tx:
        sent = [task for task in tx.tasks.list(TaskKind.DELIVER, None, 10) if task.destination == "legal"]
        assert (len(sent), tx.waiting.held()) == (2, [])
    assert "Send them" not in anna.get("/deliveries").text


def test_people_and_tokens_are_changed_by_admins(served: Served) -> None:
    anna = served.signed_in("Anna")
    added = {"change": "add", "name": "Otto", "role": "viewer", "password": "long enough for all"}
    assert anna.post("/people", data=added).status_code == 303
    assert anna.post("/people", data={"change": "role", "name": "Otto", "role": "reviewer"}).status_code == 303
    with served.store.read() as tx:
        roles = {person.name: person.role.value for person in tx.people.all()}
    assert roles["Otto"] == "reviewer"
    asked = r'aria-label="Remove: Otto">Remove</summary>\s*<div class="menu"><p>[^<]+</p><button>Remove Otto</button>'
    assert re.search(asked, anna.get("/people").text), "asked once more"
    assert anna.post("/people", data={"change": "remove", "name": "Otto"}).status_code == 303
    again = anna.post(
        "/people", data={"change": "remove", "name": "Otto"}, headers={"referer": f"{served.url}/people?a=1"}
    )
    assert (again.status_code, "there is no user Otto</p>" in again.text) == (400, True), "no commands at the desk"
    assert 'data-page="/people?a=1"' in again.text

    made = anna.post("/people/tokens", data={"name": "sheet", "scope": ["cases:read"]})
    assert "guardian_" in made.text
    assert '<td data-label="May">see cases</td>' in made.text
    assert "guardian_" not in anna.get("/people").text.replace("guardian_form", "")
    with served.store.read() as tx:
        token = tx.api_tokens.all()[0]
    never = anna.post("/people/tokens", data={"name": "a", "scope": ["cases:read"], "until": "9999-12-31"})
    assert (never.status_code, "a token without a last day never ends" in never.text) == (400, True)
    assert anna.post("/people/tokens", data={"revoke": token.id}).status_code == 303
    assert served.signed_in("Rita").post("/people", data=added).status_code == 403


def test_a_password_is_changed_by_whoever_knows_it_or_by_an_admin(served: Served) -> None:
    anna, new = served.signed_in("Anna"), "another one, as long"
    anna.post("/people", data={"change": "add", "name": "Olga", "role": "viewer", "password": PASSWORD})
    olga, elsewhere = served.signed_in_by_password("Olga"), served.signed_in("Olga")
    asked = {"current": PASSWORD, "password": new, "again": new}
    short = {"password": "short", "again": "short"}
    for wrong, why in (({"current": "no"}, "present"), ({"again": "x"}, "twice"), (short, "at least 12")):
        refused = olga.post("/account/password", data=asked | wrong)
        assert (refused.status_code, why in refused.text) == (400, True)
    assert olga.post("/account/password", data=asked).status_code == 303
    assert "signed out everywhere else" in olga.get("/account?saved=1").text
    assert elsewhere.get("/account").status_code == 303, "to the form to sign in"

    given = {"change": "password", "name": "Olga", "password": PASSWORD}
    assert served.signed_in("Vera").post("/people", data=given).status_code == 403
    assert anna.post("/people", data=given).status_code == 303
    assert olga.get("/account").status_code == 303
    assert served.signed_in_by_password("Olga").get("/account").status_code == 200
    with served.store.read() as tx:
        changed = [line.actor for line in tx.audit.lines() if line.action == "user.password_changed"]
    assert changed == ["Olga", "Anna"]
    anna.post("/people", data={"change": "remove", "name": "Olga"})


def test_the_overview_has_pictures_and_their_numbers(served: Served) -> None:
    vera = served.signed_in("Vera")
    text = vera.get("/overview").text
    assert "thief.example" in text
    assert '<rect class="bar-new"' in text
    rows = list(csv.DictReader(io.StringIO(vera.get("/overview/weeks.csv").text)))
    assert len(rows) == 12
    assert sum(int(row["new"]) for row in rows) == 1
    assert "thief.example,1,1,1" in vera.get("/overview/operators.csv").text
    assert "No source is configured" in text
    assert vera.get("/overview/coverage.csv").content.decode("utf-8-sig") == "source,compared,not seen,trouble\r\n"
    assert vera.get("/overview/none.csv").status_code == 404


def test_the_overview_says_what_a_source_saw_and_what_not() -> None:
    ended = {"source": "shop", "compared": 3, "not_seen": {"robots": 1}, "trouble": None, "last_ended": {"id": 1}}
    assert seen_of(ended) == Seen("shop", 3, 1, "")
    assert seen_of(ended).share == 0.75
    new = ended | {"compared": 0, "not_seen": {}, "last_ended": None}
    assert (seen_of(new).trouble, seen_of(new).share) == ("not scanned yet", None)
    silent = ended | {"trouble": {"kind": "silent", "detail": "no pictures", "since_scan": 2}}
    assert seen_of(silent).trouble == "silent: no pictures"


def test_no_cell_of_a_table_is_a_formula() -> None:
    text = csv_text(["a"], [["=cmd()"], ["+1"], ["-1"], ["@x"], [" =x"], ["plain, with comma"], ["\n=x"], [-3]])
    written = ["'=cmd()", "'+1", "'-1", "'@x", "' =x", '"plain, with comma"', '"\'\n=x"', "-3"]
    assert text == "".join(f"{line}\r\n" for line in ["a", *written])
