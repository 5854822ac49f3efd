"""The queue and the page of a case, by form as a browser without scripts sends them."""

import csv
import io
import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from guardian.cases.lookalikes import MOST_NOT_MINE
from guardian.model import Action, Case, CaseState, Context, DismissReason, Severity
from tests.web.conftest import Served
from tests.web.uses import picture_bytes, protected, used

HOSTILE = Context(
    alt="<script>alert(1)</script>\u202egnp.exe\x00\x1b[31m",
    page_title="<img src=x onerror=alert(1)>" + "A" * 10_000_000,
    nearby_text="مرحبا",
    claims='"><svg onload=alert(2)>',
)


@pytest.fixture(scope="module")
def cases(served: Served) -> list[Case]:
    original = picture_bytes(1)
    asset = protected(served.desk, original, "Harbour")
    copy = picture_bytes(1, (160, 120))
    made = [
        used(served.desk, asset, copy, f"https://thief{number}.example/page", severity=Severity.HIGH, days_ago=number)
        for number in range(4)
    ]
    made.append(used(served.desk, asset, copy, "https://hostile.example/<b>", context=HOSTILE, severity=Severity.LOW))
    return made


def state(served: Served, case: Case) -> Case:
    with served.store.read() as tx:
        now = tx.cases.get(case.id)
    assert now is not None
    return now


def test_the_queue_shows_what_waits_the_most_urgent_first(served: Served, cases: list[Case]) -> None:
    rita = served.signed_in("Rita")
    text = rita.get("/cases").text
    assert "<strong>5</strong> remain" in text
    places = [text.index(f'id="{case.id}"') for case in cases]
    assert places[4] == max(places)
    assert "Harbour" in text
    assert "cropped to 64 %" in text
    # Filters are a GET form.
    assert "<strong>1</strong>" in rita.get("/cases?state=all&operator=thief1.example").text
    assert "<strong>5</strong>" in rita.get("/cases?words=HARBOUR").text
    assert "<strong>1</strong>" in rita.get("/cases?host=thief2.example&severity=high&source=web").text
    assert "Nothing waits here" in rita.get("/cases?words=nowhere").text
    assert rita.get("/cases?severity=loud").status_code == 400
    assert "<strong>5</strong>" in rita.get("/cases?confidence=98.7").text
    assert "Nothing waits here" in rita.get("/cases?confidence=98.8").text
    day = (served.desk.clock() - timedelta(days=2)).date()
    assert "<strong>1</strong>" in rita.get(f"/cases?opened_from={day}&opened_until={day}").text
    for wrong in ("confidence=sure", "confidence=101", "opened_from=yesterday", "opened_until=9999-12-31"):
        assert rita.get(f"/cases?{wrong}").status_code == 400


def test_the_queue_in_groups_counts_what_it_does_not_show(served: Served, cases: list[Case]) -> None:
    rita = served.signed_in("Rita")
    text = rita.get("/cases?group=operator").text
    assert "5 operators" in text
    assert text.count('<ol class="rows"') == 5
    asset = protected(served.desk, picture_bytes(4), "Bridge")
    for number in range(6):
        used(served.desk, asset, picture_bytes(4), f"https://many{number}.example/page", severity=Severity.LOW)
    text = rita.get("/cases?group=work").text
    assert "2 works" in text
    assert "all 6</a>" in text
    assert ">5 cases</a>" in text
    assert text.index("Harbour") < text.index("Bridge")
    whole = re.search(r'href="(/cases\?[^"]*work=work_[^"]*)">all 6', text)
    assert whole is not None
    assert "<strong>6</strong>" in rita.get(whole[1].replace("&amp;", "&")).text


def test_strangers_words_are_words(served: Served, cases: list[Case]) -> None:
    rita = served.signed_in("Rita")
    for path in ("/cases", f"/cases/{cases[4].id}"):
        answer = rita.get(path)
        assert len(answer.content) < 200_000
        for forbidden in ("<script>alert", "<img src=x", "<svg onload", "\u202e", "\x00", "\x1b"):
            assert forbidden not in answer.text
    assert "&lt;script&gt;" in rita.get(f"/cases/{cases[4].id}").text


def test_a_decision_is_made_shown_and_undone(served: Served, cases: list[Case]) -> None:
    rita = served.signed_in("Rita")
    form = {
        "selected": f"{cases[0].id}:{cases[0].version}",
        "decision": "dismiss:look_alike",
        "back": "/cases?state=all",
    }
    answer = rita.post("/cases", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/cases?state=all&done=dismiss")
    now = state(served, cases[0])
    assert (now.state, now.reason, now.reviewed_by) == (CaseState.DISMISSED, DismissReason.LOOK_ALIKE, "Rita")
    assert rita.post("/cases/undo", data={"which": undo_of(rita, answer), "back": "/cases"}).status_code == 303
    assert state(served, cases[0]).state is CaseState.OPEN


def test_undo_of_one_takes_back_nothing_else(served: Served, cases: list[Case]) -> None:
    """A colleague may have decided since, the button may be pressed twice, or found again in the history."""
    rita, anna = served.signed_in("Rita"), served.signed_in("Anna")
    one = cases[2]
    path = f"/cases/{one.id}"
    start = state(served, one).state
    form = {"selected": f"{one.id}:{state(served, one).version}", "decision": "dismiss:permitted", "back": "/cases"}
    which = undo_of(rita, rita.post("/cases", data=form))

    assert anna.post(path, data={"decision": "confirm", "note": "to court"}).status_code == 303
    refused = rita.post("/cases/undo", data={"which": which})
    assert (refused.status_code, "by Anna: to court" in refused.text) == (409, True)
    assert state(served, one).state is CaseState.CONFIRMED
    assert anna.post(path, data={"decision": "undo"}).status_code == 303

    which = undo_of(rita, rita.post(path, data={"decision": "close"}))
    assert rita.post("/cases/undo", data={"which": which}).status_code == 303
    assert rita.post("/cases/undo", data={"which": which}).status_code == 409, "the same once more"
    assert state(served, one).state is CaseState.DISMISSED
    assert rita.post("/cases/undo", data={"which": one.id}).status_code == 400, "of which decision is not said"

    # What was noted or undone is no decision: a button would take back the one before.
    for decision in ("note", "undo"):
        answer = rita.post(path, data={"decision": decision, "note": "asked them"})
        assert 'name="which"' not in rita.get(answer.headers["location"]).text
    assert state(served, one).state is start


def undo_of(client: httpx.Client, done: httpx.Response) -> str:
    """What the button to undo sends that is shown after a decision."""
    shown = client.get(done.headers["location"]).text
    which = re.search(r'action="/cases/undo".*?name="which" value="([^"]+)"', shown, re.DOTALL)
    assert which is not None
    return which[1]


def test_many_are_decided_at_once_and_undone_at_once(served: Served, cases: list[Case]) -> None:
    rita = served.signed_in("Rita")
    selected = [f"{one.id}:{state(served, one).version}" for one in cases[:3]]
    answer = rita.post("/cases", data={"selected": selected, "decision": "confirm", "note": "all of them"})
    batch = re.search(r"case=(batch_\w+)", answer.headers["location"])
    assert batch is not None
    assert {state(served, one).state for one in cases[:3]} == {CaseState.CONFIRMED}
    # One who looked earlier changes nothing, and sees who did.
    late = rita.post("/cases", data={"selected": selected, "decision": "close"})
    assert late.status_code == 409
    assert "3 stayed" in late.text
    assert "by Rita" in late.text
    rita.post("/cases/undo", data={"which": batch[1]})
    assert {state(served, one).state for one in cases[:3]} == {CaseState.OPEN}


def test_undo_of_many_takes_back_nothing_else(served: Served, cases: list[Case]) -> None:
    """Neither what was decided before it, when it is sent twice, nor what a colleague decided after it."""
    rita, anna = served.signed_in("Rita"), served.signed_in("Anna")
    first, second = cases[:2]
    anna.post(f"/cases/{first.id}", data={"decision": "assign", "value": "Vera"})
    selected = [f"{one.id}:{state(served, one).version}" for one in (first, second)]
    done = rita.post("/cases", data={"selected": selected, "decision": "confirm"}).headers["location"]
    undo = {"which": done.partition("case=")[2]}
    anna.post(f"/cases/{second.id}", data={"decision": "close"})

    for refused in ("1 stayed as it was", "2 stayed as they were"):
        answer = rita.post("/cases/undo", data=undo)
        assert (answer.status_code, refused in answer.text) == (409, True)
        assert (state(served, first).state, state(served, first).assignee) == (CaseState.OPEN, "Vera")
        assert state(served, second).state is CaseState.CLOSED
    for one in (first, second, second):
        anna.post(f"/cases/{one.id}", data={"decision": "undo"})
    assert [(state(served, one).state, state(served, one).assignee) for one in (first, second)] == [
        (CaseState.OPEN, None)
    ] * 2


def test_all_that_the_queue_finds_is_decided_at_once_but_for_what_changes_meanwhile(
    served: Served, cases: list[Case]
) -> None:
    """Thousands of matches are not selected page by page; scripts are not needed either."""
    rita, anna = served.signed_in("Rita"), served.signed_in("Anna")
    chosen = {"back": "/cases?words=Harbour&severity=high&group=operator", "all": "1", "decision": "dismiss:permitted"}
    asked = rita.post("/cases", data=chosen | {"note": "our own shops"})
    assert asked.status_code == 200
    assert "Dismiss (permitted): 4 cases" in asked.text
    assert "by 4 operators" in asked.text
    assert {state(served, one).state for one in cases[:4]} == {CaseState.OPEN}, "nothing is done before it was shown"
    anna.post(f"/cases/{cases[0].id}", data={"decision": "note", "note": "this one is not ours"})

    form = asked.text.partition("<h1>")[2]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) | {"note": "our own shops", "decision": "dismiss"}
    done = rita.post("/cases", data={name: unescape(value) for name, value in fields.items()})
    assert done.status_code == 409
    assert "1 stayed as it was" in done.text
    said = done.text.partition("1 stayed as it was")[2].partition("</ul>")[0]
    assert f" at {cases[0].operator}</bdi></a>: <bdi" in said, "a case is named by its title, not by its id"
    assert "noted by Anna: this one is not ours" in unescape(said)
    assert "3 dismissed" in done.text
    batch = re.search(r'name="which" value="(batch_\w+)"', done.text)
    assert batch is not None
    assert [state(served, one).state for one in cases[:4]] == [CaseState.OPEN, *[CaseState.DISMISSED] * 3]
    assert state(served, cases[4]).state is CaseState.OPEN, "another severity was not chosen"

    rita.post("/cases/undo", data={"which": batch[1]})
    assert {state(served, one).state for one in cases} == {CaseState.OPEN}
    assert "no case is like this" in rita.post("/cases", data=chosen | {"back": "/cases?words=nowhere"}).text
    assert "Assign (nobody): 4 cases" in rita.post("/cases", data=chosen | {"decision": "assign"}).text


def test_a_case_leads_on_in_the_queue_from_which_it_was_opened(served: Served, cases: list[Case]) -> None:
    rita = served.signed_in("Rita")
    link = re.search(r'class="pair" href="([^"]+)"', rita.get("/cases?words=Harbour&severity=high").text)
    assert link is not None
    case_id, _, kept = unescape(link[1]).removeprefix("/cases/").partition("?")
    chosen = "/cases?state=waiting&severity=high&words=Harbour"
    text = unescape(rita.get(f"/cases/{case_id}?{kept}").text)
    assert f'<a href="{chosen}#open-{case_id}">Cases</a>' in text, "back to its row"
    assert f'action="/cases/{case_id}?{kept}"' in text
    assert f'action="/cases/{case_id}/capture?{kept}"' in text

    seen, path = {case_id}, f"/cases/{case_id}?{kept}"
    while (path := rita.get(path.replace("?", "/next?")).headers["location"]).startswith("/cases/case_"):
        seen.add(path.removeprefix("/cases/").partition("?")[0])
    assert seen == {case.id for case in cases[:4]}
    assert path == chosen, "after the last, back to what was chosen"
    noted = rita.post(f"/cases/{case_id}?{kept}", data={"decision": "note", "note": "seen", "then": "next"})
    assert f"?{kept}&done=note" in noted.headers["location"]
    assert re.search(r'class="pair" href="/cases/case_\w+"', rita.get("/cases").text), "the usual queue needs no words"
    assert rita.get(f"/cases/{cases[4].id}/next").status_code == 303
    assert rita.get("/cases/case_none/next").status_code == 404


def test_what_the_queue_finds_is_a_table_too(served: Served, cases: list[Case]) -> None:
    vera = served.signed_in("Vera")
    answer = vera.get("/cases.csv?words=Harbour&severity=high")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["case"] for row in rows} == {case.id for case in cases[:4]}
    assert {row["work"] for row in rows} == {"Harbour"}
    places = vera.get(f"/cases/{cases[0].id}/places.csv").content.decode("utf-8-sig")
    (place,) = csv.DictReader(io.StringIO(places))
    assert (place["page"], place["gone"]) == ("https://thief0.example/page", "")
    (hostile,) = csv.reader(io.StringIO(vera.get(f"/cases/{cases[4].id}/places.csv").text.partition("\n")[2]))
    assert all(len(cell) < 600 for cell in hostile)
    assert vera.get("/cases/case_none/places.csv").status_code == 404


def test_a_second_reviewer_sees_what_the_first_did_and_loses_nothing(served: Served, cases: list[Case]) -> None:
    rita, anna = served.signed_in("Rita"), served.signed_in("Anna")
    path = f"/cases/{cases[3].id}"
    version = str(state(served, cases[3]).version)
    assert f'name="version" value="{version}"' in anna.get(path).text
    assert rita.post(path, data={"decision": "confirm", "version": version, "note": "to court"}).status_code == 303
    refused = anna.post(path, data={"decision": "dismiss:permitted", "version": version, "note": "our partner <3"})
    assert refused.status_code == 409
    assert "by Rita: to court" in refused.text
    assert "our partner &lt;3</textarea>" in refused.text
    assert state(served, cases[3]).state is CaseState.CONFIRMED
    # The same decision once more is none.
    once_more = {"decision": "confirm", "version": str(state(served, cases[3]).version)}
    same = anna.post(path, data=once_more)
    assert (same.status_code, "is confirmed already, by Rita" in same.text) == (400, True)
    # Seen now, it can be decided.
    version = str(state(served, cases[3]).version)
    answer = anna.post(path, data={"decision": "dismiss:permitted", "version": version, "then": "next"})
    assert answer.status_code == 303
    assert not answer.headers["location"].startswith(path)


def test_the_rest_of_a_case_is_changed_by_form(served: Served, cases: list[Case]) -> None:
    rita = served.signed_in("Rita")
    path = f"/cases/{cases[1].id}"
    for decision, value in (("assign", "Anna"), ("label", "urgent"), ("due", "2027-01-31"), ("notice_sent", "")):
        assert rita.post(path, data={"decision": decision, "value": value}).status_code == 303
    now = state(served, cases[1])
    assert (now.assignee, now.labels, str(now.due_on)) == ("Anna", ("urgent",), "2027-01-31")
    assert now.state is CaseState.NOTICE_SENT
    assert rita.post(path, data={"decision": "due", "value": "soon"}).status_code == 400
    assert rita.post(path, data={"decision": "fly"}).status_code == 400
    assert rita.get("/cases/case_unknown").status_code == 404


def test_viewers_look_and_do_not_decide(served: Served, cases: list[Case]) -> None:
    vera = served.signed_in("Vera")
    text = vera.get(f"/cases/{cases[0].id}").text
    assert 'name="decision"' not in text
    assert vera.post(f"/cases/{cases[0].id}", data={"decision": "confirm"}).status_code == 403
    assert vera.post("/cases", data={"decision": "confirm", "selected": cases[0].id}).status_code == 403
    assert served.client().get(f"/cases/{cases[0].id}").status_code == 303


def test_the_overlap_is_drawn_on_both_pictures(served: Served, cases: list[Case]) -> None:
    text = served.signed_in("Vera").get(f"/cases/{cases[0].id}").text
    assert 'points="32.0,24.0 288.0,24.0 288.0,216.0 32.0,216.0"' in text
    assert 'points="0.0,0.0 160.0,0.0 160.0,120.0 0.0,120.0"' in text
    assert "How sure it is a copy<br>" in text
    assert "Calibrated probability" in text
    assert 'by rule “<bdi dir="auto">copies</bdi>”' in text


def test_not_mine_shows_what_else_it_closes_before_it_does(served: Served) -> None:
    rita = served.signed_in("Rita")
    asset = protected(served.desk, picture_bytes(8), "Lighthouse")
    poster = picture_bytes(9)
    first, second = (used(served.desk, asset, poster, f"https://poster{number}.example/page") for number in range(2))
    alone = used(served.desk, asset, picture_bytes(10), "https://alone.example/page")
    states = {one.id: CaseState.OPEN for one in (first, second, alone)}

    form = {"decision": "dismiss:not_mine", "selected": f"{first.id}:{first.version}", "note": "a film poster"}
    for path, more in (("/cases", form), (f"/cases/{first.id}", {**form, "version": str(first.version)})):
        asked = rita.post(path, data=more)
        assert asked.status_code == 200
        assert "Not mine: this closes 1 other case too" in asked.text
        assert second.id in asked.text
        assert alone.id not in asked.text
        assert 'value="a film poster"' in asked.text
        assert {one.id: state(served, one).state for one in (first, second, alone)} == states

    done = rita.post("/cases", data={**form, "sure": "1"})
    assert done.status_code == 303
    assert [state(served, one).reason for one in (first, second, alone)] == [
        DismissReason.NOT_MINE,
        DismissReason.LOOK_ALIKE,
        None,
    ]
    rita.post("/cases/undo", data={"which": undo_of(rita, done)})
    assert {one.id: state(served, one).state for one in (first, second, alone)} == states
    # What closes nothing else needs no question.
    form = {"decision": "not_mine", "version": str(alone.version)}
    assert rita.post(f"/cases/{alone.id}", data=form).status_code == 303


def test_several_that_are_not_mine_are_undone_in_one_step(served: Served) -> None:
    rita = served.signed_in("Rita")
    asset = protected(served.desk, picture_bytes(11), "Ferry")
    poster, stamp = picture_bytes(12), picture_bytes(13)
    first, second, same = (used(served.desk, asset, poster, f"https://ferry-{one}.example/page") for one in "abc")
    alone = used(served.desk, asset, stamp, "https://stamp.example/page")
    all_four = (first, second, same, alone)
    chosen = [f"{one.id}:{state(served, one).version}" for one in (first, second, alone)]

    done = rita.post("/cases", data={"decision": "not_mine", "selected": chosen, "sure": "1"})
    assert done.status_code == 303, "none of those selected stands in the way of another"
    not_mine = DismissReason.NOT_MINE
    reasons = [not_mine, not_mine, DismissReason.LOOK_ALIKE, not_mine]
    assert [state(served, one).reason for one in all_four] == reasons
    with served.store.read() as tx:
        assert len(tx.lookalikes.of_work(asset.id)) == 3

    which = re.search(r'name="which" value="(batch_[^"]+)"', rita.get(done.headers["location"]).text)
    assert which is not None
    assert rita.post("/cases/undo", data={"which": which[1]}).status_code == 303
    assert [(state(served, one).state, state(served, one).reason) for one in all_four] == [(CaseState.OPEN, None)] * 4
    with served.store.read() as tx:
        assert tx.lookalikes.of_work(asset.id) == []


def test_a_view_is_saved_under_a_name_for_one_person(served: Served) -> None:
    rita, vera = served.signed_in("Rita"), served.signed_in("Vera")
    query = "state=waiting&severity=high&group=operator"
    answer = rita.post("/cases/views", data={"name": "<b>Urgent\u202e", "query": f"{query}&evil=1&done=confirm"})
    assert answer.headers["location"] == f"/cases?{query}"
    text = rita.get("/cases").text
    assert "&lt;b&gt;Urgent</bdi></a>" in text
    assert f'href="/cases?{query.replace("&", "&amp;")}"' in text
    assert "Urgent" not in vera.get("/cases").text
    # The same name again is the same view.
    rita.post("/cases/views", data={"name": "<b>Urgent", "query": "state=all"})
    assert rita.get("/cases?state=all").text.count("Urgent</bdi></a>") == 1
    assert rita.post("/cases/views", data={"name": " ", "query": query}).status_code == 400
    assert rita.post("/cases/views", data={"name": "x", "query": "severity=loud"}).status_code == 400
    rita.post("/cases/views", data={"name": "<b>Urgent", "remove": "1"})
    assert "Urgent" not in rita.get("/cases").text
    assert rita.post("/cases/views", data={"name": "<b>Urgent", "remove": "1"}).status_code == 400


def test_more_than_are_called_not_mine_at_once_are_refused_before_the_page_that_asks(
    served: Served, cases: list[Case]
) -> None:
    rita = served.signed_in("Rita")
    with served.store.begin() as tx:
        for number in range(MOST_NOT_MINE + 1):
            name = f"crowd{number}.example"
            tx.cases.insert(cases[0].asset_id, name, Action.ALERT, Severity.LOW, served.desk.clock())

    assert f"not mine (at most {MOST_NOT_MINE} at once)" in rita.get("/cases?words=crowd").text
    assert "at most" not in rita.get("/cases?words=Harbour&severity=high").text
    chosen = {"back": "/cases?words=crowd", "all": "1", "decision": "dismiss:not_mine"}
    refused = rita.post("/cases", data=chosen)
    assert (refused.status_code, "and these are 501: choose fewer" in refused.text) == (400, True)
    assert "501 cases" in rita.post("/cases", data=chosen | {"decision": "dismiss:permitted"}).text
