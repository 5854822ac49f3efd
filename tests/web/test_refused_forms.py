"""Forms that are not taken: each is on its page again, with the reason in it and all that was written."""

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from guardian.cases.works import join_works
from guardian.model import Case, TaskKind
from guardian.notices.drafting import NoticeConfig
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.search.asking import SearchSpec
from tests.browsers import chromium, needs_browser
from tests.granting import grant_licence
from tests.web.conftest import Served
from tests.web.signing_in import sign_in
from tests.web.uses import picture_bytes, protected, used

OWNER = OwnerSettings(name="Ada", address="Here", email="ada@example.com", phone="1", signs_as="Ada")
Room = tuple[str, str, dict[str, str | list[str]], str, str]
"""A page, where a form of it is sent, its fields, a part of the reason, and the field that is looked at afterwards."""

HOSTILE = '"><script>alert(1)</script></textarea>\n & more'


@pytest.fixture(scope="module")
def case(served: Served) -> Case:
    object.__setattr__(served.desk, "notice_config", NoticeConfig(OWNER, NoticeSettings()))
    asset = protected(served.desk, picture_bytes(3), "Lake")
    return used(served.desk, asset, picture_bytes(3), "https://www.thief.example/lake")


@pytest.fixture(scope="module")
def rooms(served: Served, case: Case) -> list[Room]:
    at = served.desk.clock()
    with served.store.begin() as tx:
        licence = grant_licence(tx, "licensee.example", at=at, collection="press")
        tx.named_searches.save("style", SearchSpec(own=case.asset_id, by="look").as_json(), at)
        task = tx.tasks.add(TaskKind.DELIVER, "sent", due_at=at, at=at, destination="legal")
    rita = served.signed_in("Rita")
    notice = rita.post("/notices", data={"case": case.id, "kind": "dmca", "language": "en"}).headers["location"]
    one, image, terms = f"/cases/{case.id}", f"/assets/{case.asset_id}", f"/licences/{licence.id}"
    wide = {"title": "Lake", "collection": "portfolio", "creator": "x" * 2_001}
    grant = {"host": "no host!", "scope": "tag", "name": "press", "note": HOSTILE}
    person = {"change": "add", "name": "Otto", "role": "reviewer", "password": "short"}
    token = {"name": "sheet", "until": "soon", "scope": ["cases:read", "check"]}
    return [
        (f"{one}?queue=state%3Dall", one, {"decision": "fly", "note": HOSTILE}, "what is decided", "note"),
        (one, one, {"decision": "due", "value": "2026-02-30"}, "is not a date", "value"),
        (one, f"{one}/release", {"note": "settled"}, "not on hold", ""),
        (one, "/notices", {"case": case.id, "kind": "dsa", "language": "xx", "remark": HOSTILE}, "language", "remark"),
        ("/operators/show?name=thief.example", "/cases", {"decision": "confirm", "note": "all"}, "select", "note"),
        ("/cases?state=all", "/cases", {"back": "/cases", "decision": "label", "value": "x"}, "select", "value"),
        ("/cases", "/cases/views", {"query": "severity=loud", "name": "loud ones"}, "loud", "name"),
        (notice, f"{notice}/approve", {"note": "go on"}, "cannot be approved", "note"),
        (notice, f"{notice}/sent", {"to": "abuse@b.example"}, "cannot be recorded as sent", "to"),
        (image, image, wide, "2000 characters at most", "creator"),
        ("/assets", "/assets", {"collection": "mine", "title": "t"}, "picture", "title"),
        ("/licences", "/licences", grant, "is not a host", "note"),
        (terms, terms, {"note": "by phone"}, "rules are not opened", "note"),
        ("/check", "/check", {"address": "ftp://x.example"}, "send a picture", "address"),
        ("/search", "/search/watch", {"name": "style", "above": "much"}, "from 0 to 1", "above"),
        ("/people", "/people", person, "at least 12", "name"),
        ("/people", "/people/tokens", token, "is not a date", "name"),
        ("/account", "/account/password", {"current": "x", "password": "a", "again": "b"}, "twice", ""),
        ("/deliveries", "/deliveries", {"number": str(task.id if task else 0)}, "waiting for another try", ""),
    ]


def form_with_reason(text: str) -> tuple[LexborNode | None, str]:
    """The form that holds the one reason of a page, None where it stands before all else; and the reason."""
    (reason,) = LexborHTMLParser(text).css("[data-not-taken]")
    around = reason.parent
    assert around is not None
    return (around if around.tag == "form" else None), reason.text()


def written_in(form: LexborNode, name: str) -> str:
    field = form.css(f'[name="{name}"]:not([type=hidden])')[0]
    return field.text() if field.tag == "textarea" else field.attributes["value"] or ""


def test_a_refused_form_is_on_its_page_with_the_reason_and_what_was_written(served: Served, rooms: list[Room]) -> None:
    anna = served.signed_in("Anna")
    for page, action, fields, why, kept in rooms:
        answer = anna.post(action, data=fields, headers={"referer": served.url + page})
        assert answer.status_code in (400, 422), (page, action, answer.status_code)
        form, reason = form_with_reason(answer.text)
        assert why in reason, (page, action, reason)
        root = LexborHTMLParser(answer.text).root
        assert root is not None
        assert root.attributes["data-page"] == page
        assert "<script>alert" not in answer.text
        if kept:
            assert form is not None, (page, action)
            assert written_in(form, kept).removeprefix("\n") == fields[kept], (page, action)


def test_the_form_is_told_from_others_of_its_page(served: Served, case: Case) -> None:
    """Choices, boxes and what is folded away are as they were; passwords and secrets of the page are not repeated."""
    anna = served.signed_in("Anna")
    token = {"name": "sheet", "until": "soon", "scope": ["cases:read", "check"], "csrf": "of somebody"}
    form, _ = form_with_reason(anna.post("/people/tokens", data=token).text)
    assert form is not None
    assert [one.attributes["value"] for one in form.css("[name=scope][checked]")] == ["cases:read", "check"]
    assert form.css("[name=csrf]")[0].attributes["value"] == anna.headers["x-csrf-token"]

    password = {"change": "password", "name": "Rita", "password": "short"}
    text = anna.post("/people", data=password).text
    form, _ = form_with_reason(text)
    assert form is not None
    assert form.css("[name=name]")[0].attributes["value"] == "Rita", "of all forms with this address that of Rita"
    assert 'value="short"' not in text

    chosen = f"{case.id}:{case.version}"
    sent = {"back": "/cases", "decision": "due", "value": "soon", "selected": chosen}
    page = LexborHTMLParser(anna.post("/cases", data=sent).text)
    assert [one.attributes["value"] for one in page.css("[form=bulk][checked]")] == [chosen]
    assert page.css("#bulk [name=decision] [selected]")[0].attributes["value"] == "due"
    assert page.css("#bulk [name=value]")[0].attributes["value"] == "soon"

    view = anna.post("/cases/views", data={"name": "loud", "query": "severity=loud"})
    form, _ = form_with_reason(view.text)
    assert form is not None
    assert form.parent is not None
    assert "open" in form.parent.attributes


def test_a_decision_about_many_that_changes_none_is_still_in_its_form(served: Served, case: Case) -> None:
    """A colleague was quicker: the cases are selected anew, and the note is not written anew."""
    anna, seen = served.signed_in("Anna"), f"{case.id}:{case.version}"
    served.signed_in("Rita").post(f"/cases/{case.id}", data={"decision": "label", "value": "blog"})
    decision = {"back": "/cases?state=all", "decision": "dismiss:permitted", "selected": seen, "note": "our own shop"}
    answer = anna.post("/cases", data=decision | {"value": ""})
    assert (answer.status_code, "1 stayed as it was" in answer.text) == (409, True)
    page = LexborHTMLParser(answer.text)
    assert page.css("#bulk [name=note]")[0].attributes["value"] == "our own shop"
    assert page.css("#bulk [name=decision] [selected]")[0].attributes["value"] == "dismiss:permitted"
    assert page.css("[form=bulk][checked]") == []

    everything = {"back": "/cases?state=all", "all": "1", "decision": "due", "note": "before court"}
    at_once = anna.post("/cases", data=everything | {"value": "soon"})
    form, reason = form_with_reason(at_once.text)
    assert "'soon' is not a date" in reason, "before the page that asks about all"
    assert form is not None
    assert written_in(form, "note") == "before court"

    asking = anna.post("/cases", data=everything | {"value": "2026-12-24"})
    fields = {
        one.attributes["name"]: one.attributes["value"] or ""
        for one in LexborHTMLParser(asking.text).css("#queue form input")
    }
    refused = anna.post("/cases", data=fields | {"decision": "due", "value": "soon"})
    form, reason = form_with_reason(refused.text)
    assert "'soon' is not a date" in reason
    assert form is not None
    assert written_in(form, "note") == "before court"
    assert 'data-page="/cases?state=all"' in refused.text


def test_what_is_too_long_is_kept_and_its_field_named_as_people_know_it(served: Served, case: Case) -> None:
    anna, path = served.signed_in("Anna"), f"/cases/{case.id}"
    for note in ("x" * 10_001, "\n\nfrom the third line on" + "x" * 10_000):
        answer = anna.post(path, data={"decision": "confirm", "note": note})
        form, reason = form_with_reason(answer.text)
        assert (answer.status_code, "Nothing was done: note: String" in reason) == (422, True)
        assert form is not None
        assert written_in(form, "note") == note


def test_a_button_pressed_twice_blames_nobody_else(served: Served) -> None:
    asset = protected(served.desk, picture_bytes(11), "Harbour")
    seen = used(served.desk, asset, picture_bytes(11), "https://www.twice.example/harbour")
    anna, sent = served.signed_in("Anna"), {"decision": "confirm", "version": str(seen.version), "note": "to court"}
    first, second = (anna.post(f"/cases/{seen.id}", data=sent) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 400)
    assert "is confirmed already, by Anna" in form_with_reason(second.text)[1]


def test_a_form_follows_its_case_into_another_one(served: Served, case: Case) -> None:
    """Joined with another work of the same operator while somebody wrote: nothing is lost."""
    other = protected(served.desk, picture_bytes(8), "Lake at dawn")
    gone = used(served.desk, other, picture_bytes(8), "https://www.thief.example/dawn")
    with served.store.begin() as tx:
        works = [tx.works.of_asset(asset_id) for asset_id in (case.asset_id, other.id)]
        assert works[0] is not None
        assert works[1] is not None
        join_works(tx, works[0], works[1], by="ada", at=served.desk.clock())
    sent = {"decision": "confirm", "version": str(gone.version), "note": "to court"}
    path = f"/cases/{gone.id}"
    answer = served.signed_in("Anna").post(path, data=sent, headers={"referer": served.url + path})
    form, reason = form_with_reason(answer.text)
    assert "somebody changed this case while you looked at it" in reason
    assert f'data-page="/cases/{case.id}"' in answer.text
    assert form is not None
    assert written_in(form, "note").removeprefix("\n") == "to court"


def test_a_form_that_its_page_has_no_more_is_refused_there_all_the_same(served: Served, case: Case) -> None:
    anna, path = served.signed_in("Anna"), f"/cases/{case.id}"
    form, reason = form_with_reason(anna.post(f"{path}/release", data={"note": "x"}).text)
    assert form is None
    assert "not on hold" in reason
    # Where no page can be shown, the reason has one of its own; scripts show it themselves.
    for headers in ({"referer": f"{served.url}/cases/case_none"}, {"hx-request": "true"}):
        gone = anna.post("/cases/case_none/hold", data={"note": "x"}, headers=headers)
        if "hx-request" in headers:
            assert "<h1>Not there</h1>" in gone.text
        else:
            assert (gone.status_code, "there is no case" in gone.text) == (404, True)
    # What nobody signed in has sent is not repeated.
    other = served.client().post(f"{path}/hold", data={"note": "x"}, headers={"referer": served.url + path})
    assert other.status_code == 303
    forged = anna.post(f"{path}/hold", data={"note": "of another site"}, headers={"x-csrf-token": "wrong"})
    assert (forged.status_code, "of another site" in forged.text) == (403, False)


def test_markup_in_what_is_sent_stays_text(served: Served, case: Case) -> None:
    """In the reason, in the page that a form names, in fields of the same name, and in any number of fields."""
    anna, path = served.signed_in("Anna"), f"/cases/{case.id}"
    licence = anna.post("/licences", data={"host": "<img src=x onerror=alert(1)>", "scope": "all"})
    form, reason = form_with_reason(licence.text)
    assert form is not None
    assert (licence.status_code, "<img src=x" in licence.text) == (400, False)
    assert "<img src=x onerror=alert(1)>" in reason

    fields = {f"field{number}": HOSTILE for number in range(200)}
    several = {"decision": "fly", "note": [HOSTILE, "second"], "form_page": f"{path}?queue={HOSTILE.splitlines()[0]}"}
    answer = anna.post(path, data=fields | several)
    form, _ = form_with_reason(answer.text)
    assert form is not None
    assert (answer.status_code, "<script>alert" in answer.text) == (400, False)
    assert written_in(form, "note").removeprefix("\n") == HOSTILE
    shown = LexborHTMLParser(answer.text).root
    assert shown is not None
    assert shown.attributes["data-page"] == several["form_page"]


def test_a_form_that_names_what_is_no_page_is_on_its_own_page(served: Served, case: Case) -> None:
    """Downloads, streams without end, what is no address and a page that fails: the desk goes on, and says why."""
    anna, path, sources = served.signed_in("Anna"), f"/cases/{case.id}", served.desk.sources
    object.__setattr__(served.desk, "sources", None)
    for named in ("/static/desk.js", "/api/v1/events", "/metrics", "/cases.csv", "//[", "http://[", "", "/sources"):
        answer = anna.post(f"{path}/hold", data={"note": " ", "form_page": named}, timeout=20)
        assert answer.status_code == 400, named
        assert "say why" in form_with_reason(answer.text)[1], named
        assert f'data-page="{path}"' in answer.text, named
    object.__setattr__(served.desk, "sources", sources)


@needs_browser
def test_without_scripts_a_form_is_mended_in_its_place(served: Served, case: Case) -> None:
    """Twice wrong, then right: no page stands between, and the page stays the one that it was."""
    with chromium() as browser:
        context = browser.new_context(base_url=served.url, java_script_enabled=False)
        page = context.new_page()
        sign_in(page, "Rita", f"/cases/{case.id}?queue=state%3Dall")
        for note in (" ", "  "):
            page.locator("#h-note").fill(note)
            page.get_by_role("button", name="Hold").click()
            page.locator("form [data-not-taken]").filter(has_text="say why").wait_for()
            assert page.locator("#h-note").input_value() == note
        page.locator("#h-note").fill("matter 17")
        page.get_by_role("button", name="Hold").click()
        page.get_by_role("button", name="Release").wait_for()
        assert page.url.endswith(f"/cases/{case.id}?queue=state%3Dall#h-evidence")
        context.close()
