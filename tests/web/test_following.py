"""What a page shows of work under way follows it until it has ended, and disturbs nobody who is at the page."""

from datetime import timedelta

import pytest

from guardian.cases.capture_orders import ask_for_capture
from guardian.evidence.bundle_options import BundleOptions
from guardian.evidence.bundle_tasks import ask_for_bundle
from guardian.model import Actor, Case, Permission, TaskKind
from guardian.model.people import ActorKind
from guardian.scan.recheck.on_request import ask_to_verify
from guardian.sources.requests import ask_for_scan
from guardian.sources.settings import PageSettings
from tests.browsers import chromium, needs_browser
from tests.web.conftest import Served
from tests.web.signing_in import sign_in
from tests.web.uses import picture_bytes, protected, used

RITA = Actor(ActorKind.PERSON, "Rita", frozenset({Permission.CASES_WRITE}), None)


@pytest.fixture
def case(served: Served) -> Case:
    """A case of which a capture and a bundle are owed."""
    asset = protected(served.desk, picture_bytes(6), "Lake")
    case = used(served.desk, asset, picture_bytes(106), "https://www.thief.example/lake")
    with served.store.begin() as tx:
        ask_for_capture(tx, case.id, RITA, served.desk.clock())
        ask_for_bundle(tx, case.id, RITA, BundleOptions(), served.desk.clock())
    return case


def end(served: Served, kind: TaskKind, case: Case) -> None:
    """Let what is owed of a case be done."""
    with served.store.begin() as tx:
        for task in tx.tasks.owed(kind, case.id):
            tx.tasks.bury(task.id, "no longer wanted")


def test_a_notice_and_sources_are_followed_while_something_is_under_way(served: Served, case: Case) -> None:
    rita, at = served.signed_in("Rita"), served.desk.clock()
    notice = rita.post("/notices", data={"case": case.id, "kind": "cease", "language": "en"}).headers["location"]
    source = PageSettings(kind="page", name="shop", url="https://shop.example/", every=timedelta(hours=1))
    object.__setattr__(served.desk, "sources", (source,))
    for path in (notice, "/sources"):
        assert "data-under-way" not in rita.get(path).text
    with served.store.begin() as tx:
        ask_to_verify(tx, notice.rpartition("/")[2], RITA, at)
        ask_for_scan(tx, RITA, source, at)
    for path in (notice, "/sources"):
        text = rita.get(path).text
        assert "data-under-way" in text
        assert f'<a href="{path}">Load this page again</a>' in text
        assert "/static/following.js" in text


@needs_browser
def test_a_case_follows_its_captures_and_bundles_and_leaves_alone_what_somebody_is_at(
    served: Served, case: Case
) -> None:
    with chromium() as browser:
        context = browser.new_context(base_url=served.url, reduced_motion="reduce")
        page = context.new_page()
        sign_in(page, "Rita", f"/cases/{case.id}")
        owed = page.locator("#evidence-now").get_by_text("A capture is still to be taken")
        bundle = page.locator("#evidence-now").get_by_text("The full bundle: asked for by Rita")
        owed.wait_for()
        assert bundle.count() == 1

        # Words that somebody writes stay, with the place at which they write.
        page.get_by_label("Note: why").fill("a long letter")
        page.get_by_label("Note: why").press("Home")
        end(served, TaskKind.BUNDLE, case)
        bundle.wait_for(state="detached")
        assert page.evaluate("document.activeElement.id + document.activeElement.selectionStart") == "note0"
        assert page.get_by_label("Note: why").input_value() == "a long letter"

        # A part with the focus in it waits until the focus is elsewhere.
        inside = page.locator("#evidence-now").get_by_role("link", name="Load this page again")
        inside.focus()
        end(served, TaskKind.CAPTURE, case)
        with page.expect_response(f"**/cases/{case.id}"):
            pass
        assert owed.count() == 1
        page.get_by_label("Note: why").focus()
        owed.wait_for(state="detached")
        page.get_by_role("status").filter(has_text="What was under way has ended").wait_for(state="attached")
        context.close()


@needs_browser
def test_what_is_unfolded_other_answers_and_the_end_of_the_session(served: Served, case: Case) -> None:
    with chromium() as browser:
        context = browser.new_context(base_url=served.url, reduced_motion="reduce")
        page = context.new_page()
        sign_in(page, "Rita", f"/cases/{case.id}")
        evidence = page.locator("#evidence-now")
        promise = evidence.get_by_text("or wait: what comes of it is shown here")
        promise.wait_for()

        # A page of something else that answers at this address ends nothing.
        page.route(
            f"**/cases/{case.id}", lambda route: route.fulfill(body="<h1>Back soon</h1>", content_type="text/html")
        )
        with page.expect_response(f"**/cases/{case.id}") as answered:
            pass
        answered.value.finished()
        page.unroute(f"**/cases/{case.id}")

        # Something unfolded stays so, also without the focus.
        evidence.evaluate("part => part.insertAdjacentHTML('beforeend', '<details open>parts</details>')")
        end(served, TaskKind.BUNDLE, case)
        with page.expect_response(f"**/cases/{case.id}"):
            pass
        assert evidence.locator("details[open]").count() == 1
        evidence.locator("details[open]").evaluate("one => { one.open = false; }")
        evidence.get_by_text("The full bundle: asked for by Rita").wait_for(state="detached")
        assert promise.count() == 1

        context.clear_cookies()
        promise.wait_for(state="detached")
        assert evidence.get_by_role("link", name="Load this page again").count() == 1
        assert page.get_by_text("What was under way has ended").count() == 0
        context.close()


@needs_browser
def test_without_scripts_a_link_shows_what_has_come_of_it(served: Served, case: Case) -> None:
    with chromium() as browser:
        context = browser.new_context(base_url=served.url, java_script_enabled=False)
        page = context.new_page()
        sign_in(page, "Rita", f"/cases/{case.id}?queue=state%3Dall#h-evidence")
        end(served, TaskKind.CAPTURE, case)
        end(served, TaskKind.BUNDLE, case)
        page.get_by_role("link", name="Load this page again").click()
        page.get_by_role("link", name="Load this page again").wait_for(state="detached")
        assert page.url.startswith(f"{served.url}/cases/{case.id}?queue=state%3Dall")
        context.close()
