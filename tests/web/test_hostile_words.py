"""What strangers write (script, control and right-to-left characters, megabytes) shows harmlessly on every page."""

import re

import pytest

from guardian.model import (
    Context,
    Message,
    ScanCounts,
    ScanOutcome,
    TaskKind,
)
from guardian.search.asking import SearchSpec
from guardian.views.plain_text import cleaned
from tests.web.conftest import Served
from tests.web.uses import picture_bytes, protected, used

EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>"
    "\u202egnp.exe\x00\x1b[31m{{7919*7907}}"
)
FORBIDDEN = ("<script>alert", "<img src=x", "<svg onload", "\u202e", "\x00", "\x1b")
HUGE = EVIL + "A" * 10_000_000


@pytest.fixture(scope="module")
def pages(served: Served) -> list[str]:
    """The addresses of all pages that show something, after everything that has a name was given a hostile one."""
    desk = served.desk
    asset = protected(desk, picture_bytes(21), EVIL.replace("\x00", ""), collection="<script>alert(1)</script>")
    context = Context(alt=EVIL, page_title=HUGE, nearby_text=EVIL, claims=EVIL, caption=EVIL, title=EVIL)
    case = used(desk, asset, picture_bytes(22), "https://evil.example/<script>alert(1)</script>", context=context)
    now = desk.clock()
    with desk.store.begin() as tx:
        tx.messages.add(Message("msg_evil", "case.opened", now, b'{"data": {"title": "<script>alert(1)</script>"}}'))
        task = tx.tasks.add(TaskKind.DELIVER, "evil", due_at=now, at=now, destination="legal", message_id="msg_evil")
        assert task is not None
        tx.tasks.bury(task.id, EVIL)
        scan = tx.scans.start("web", now)
        tx.named_searches.save("style", SearchSpec(text=EVIL, filters=(f"host={EVIL}",)).as_json(), now)
        tx.scans.end(scan.id, now, ScanOutcome.FAILED, ScanCounts(), EVIL)
    rita = served.signed_in("Rita")
    for decision, value in (("label", EVIL[:50]), ("assign", EVIL), ("note", "")):
        rita.post(f"/cases/{case.id}", data={"decision": decision, "value": value, "note": EVIL})
    rita.post("/cases/views", data={"name": EVIL, "query": "words=" + EVIL})
    return [
        "/cases",
        "/cases?group=operator",
        "/cases?group=work",
        f"/cases/{case.id}",
        "/operators",
        "/operators/show?name=evil.example",
        "/assets",
        f"/assets/{asset.id}",
        "/licences",
        "/check",
        "/overview",
        "/sources",
        "/deliveries",
        "/audit",
        "/people",
        "/settings",
        "/notices",
        "/search",
    ]


def test_every_page_shows_strangers_words_as_words(served: Served, pages: list[str]) -> None:
    anna, rita = served.signed_in("Anna"), served.signed_in("Rita")
    for path in pages:
        for who in (anna, rita):
            answer = who.get(path)
            assert answer.status_code in (200, 403, 404), path
            assert len(answer.content) < 400_000, path
            for word in FORBIDDEN:
                assert word not in answer.text, (path, word)
            assert "62615533" not in answer.text, path
    assert "&lt;script&gt;" in rita.get(pages[0]).text


def test_what_is_sent_back_is_shown_as_words_too(served: Served, pages: list[str]) -> None:
    """Queries, forms and addresses that make no sense: the answer repeats none of it as markup."""
    anna = served.signed_in("Anna")
    for answer in (
        anna.get("/cases", params={"words": EVIL, "operator": EVIL, "severity": EVIL, "after": EVIL[:100]}),
        anna.get("/cases", params={"words": EVIL.replace("\x00", ""), "host": "evil.example"}),
        anna.get("/assets", params={"words": EVIL.replace("\x00", ""), "collection": "x"}),
        anna.get("/audit", params={"subject": EVIL}),
        anna.get("/sources", params={"asked": EVIL}),
        anna.get("/operators/show", params={"name": EVIL}),
        anna.get("/cases/<script>alert(1)<"),
        anna.post("/check", data={"address": f"javascript:{EVIL}"}),
        anna.post("/sources/scan", data={"name": EVIL[:60]}),
        anna.post("/licences", data={"host": EVIL, "name": EVIL, "until": EVIL[:20]}),
        anna.post("/cases", data={"decision": EVIL, "selected": EVIL}),
    ):
        assert answer.status_code < 500, answer.url
        assert len(answer.content) < 400_000
        # A form holds what was typed into it, letter for letter; markup it is not.
        assert not any(word in answer.text for word in FORBIDDEN[:3]), answer.url


def test_tables_for_spreadsheets_hold_no_formula_and_no_control_character(served: Served, pages: list[str]) -> None:
    vera = served.signed_in("Vera")
    for name in ("weeks", "operators", "states"):
        text = vera.get(f"/overview/{name}.csv").text
        assert not any(sign in text for sign in ("\u202e", "\x00", "\x1b"))
        assert not re.search(r'(?m)(^|,)"?[=+@]', text), name


def test_a_form_that_shows_a_title_made_harmless_does_not_change_it(served: Served, pages: list[str]) -> None:
    rita = served.signed_in("Rita")
    (path,) = (one for one in pages if one.startswith("/assets/"))
    with served.store.read() as tx:
        before = tx.assets.get(path.removeprefix("/assets/"))
    shown = {"title": cleaned(before.title), "collection": before.collection, "tags": "", "creator": "Ada"}

    assert rita.post(path, data=shown).status_code == 303
    with served.store.read() as tx:
        after = tx.assets.get(before.id)
    assert (after.title, after.rights.creator) == (before.title, "Ada")
