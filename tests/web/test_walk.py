"""A walk through the desk with a real browser: by keyboard, with scripts, and looked at for barriers (axe-core)."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from guardian.app import App
from guardian.cases import Edit, add_note
from guardian.catalog.wanted import Wanted
from guardian.config import load_config
from guardian.model import Case, CaseState, DismissReason, Message, Severity, TaskKind
from guardian.notices.drafting import NoticeConfig
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.search.asking import SearchSpec
from guardian.shipped import rules_folder
from guardian.web.app import build_app
from guardian.web.desk import Desk
from guardian.web.metrics import Metrics
from guardian.web.serving import serving
from tests.browsers import chromium, from_npm, needs_browser
from tests.granting import grant_licence
from tests.kept_workers import run_in_app
from tests.web.conftest import Served, add_people
from tests.web.signing_in import sign_in, sign_in_here
from tests.web.uses import picture_bytes, protected, used

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_browser

AXE = ("axe-core@4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745", "axe.min.js")


def test_the_desk_is_walked_through(tmp_path: Path, photographs: dict[str, Image.Image]) -> None:
    """With matcher and rules behind it, as that of a daemon. All steps share its one server and one browser."""
    shutil.copytree(rules_folder(), tmp_path / "rules")
    photographs["coffee"].save(tmp_path / "own.png")
    photographs["coffee"].crop((40, 30, 560, 380)).save(tmp_path / "copy.jpg", quality=80)
    (tmp_path / "config.yaml").write_text("matching: {workers: 1}\n")

    async def job(app: App) -> None:
        async for added in app.catalog.add([Wanted(tmp_path / "own.png", "portfolio")]):
            assert added.asset is not None
        services = app.services
        desk = Desk(app.store, services.vault, tmp_path / "data", services.clock, app.config.web, services)
        add_people(app.store)
        application = build_app(Metrics(app.store, services.vault, services.clock), dict, list, desk)
        async with serving(application, "127.0.0.1:0") as at:
            await asyncio.to_thread(walk, Served(f"http://{at}", desk), tmp_path / "copy.jpg")

    run_in_app(load_config(tmp_path / "config.yaml"), job)


def walk(served: Served, copy: Path) -> None:
    """Each window costs a second of CPU, and each password a tenth: one person does all that needs no second one."""
    with chromium() as browser:
        with somebody(browser, served, "Rita") as rita:
            queue_by_keyboard(rita, served)
            compare_and_license(rita, served)
            not_mine(rita, served)
            all_of_an_operator(rita, served)
            with somebody(browser, served, "Anna") as anna:
                second_reviewer(rita, anna, served)
            sign_out(rita, served)
        with somebody(browser, served, "Vera") as vera:
            check_upload(vera, copy)


@contextmanager
def somebody(browser: "Browser", served: Served, name: str | None = None, **options: Any) -> Iterator["Page"]:
    """A window of somebody who has signed in, or of nobody; errors of the page's scripts fail the test."""
    context = browser.new_context(base_url=served.url, **options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    if name is not None:
        sign_in(page, name)
    yield page
    context.close()
    assert errors == []


def now(served: Served, case: Case) -> Case:
    with served.store.read() as tx:
        found = tx.cases.get(case.id)
    assert found is not None
    return found


def focused(page: "Page") -> str:
    return page.evaluate("document.activeElement.textContent").strip()


def remaining(page: "Page") -> int:
    return int(page.locator(".count strong").inner_text().replace(",", ""))


def cases_of(served: Served, operator: str, seeds: list[int]) -> list[Case]:
    """A case for each seed, of a work of its own."""
    found = []
    for seed in seeds:
        asset = protected(served.desk, picture_bytes(seed), f"Picture {seed}")
        found.append(used(served.desk, asset, picture_bytes(1000 + seed), f"https://{operator}/{seed}"))
    return found


def queue_by_keyboard(page: "Page", served: Served) -> None:
    cases_of(served, "keys.example", [1, 2, 3])
    page.goto("/cases?operator=keys.example")
    assert remaining(page) == 3
    names = page.locator(".row .pair").evaluate_all("all => all.map(one => one.closest('.row').id)")

    for key in "jjjk":
        page.keyboard.press(key)
    assert page.locator(".row.current").get_attribute("id") == names[1]

    # Dismissed with a reason, without the mouse; the case after it takes its place.
    page.keyboard.press("d")
    page.get_by_role("button", name="Permitted").focus()
    page.keyboard.press("Enter")
    page.locator(f"[id={names[1]}]").wait_for(state="detached")
    assert remaining(page) == 2
    page.locator(f"[id={names[2]}].current").wait_for()
    assert page.locator("#said").inner_text() == "Dismissed. 2 remain", "for screen readers"
    with served.store.read() as tx:
        dismissed = tx.cases.get(names[1])
    assert dismissed is not None
    assert (dismissed.state, dismissed.reason) == (CaseState.DISMISSED, DismissReason.PERMITTED)

    page.keyboard.press("u")
    page.wait_for_url("**done=undo**")
    page.locator(f"[id={names[1]}].current").wait_for()
    assert remaining(page) == 3

    # A confirmed one stays in the queue; the next has the focus all the same.
    page.keyboard.press("c")
    page.locator(f"[id={names[2]}].current").wait_for()
    confirmed = page.locator(f"[id={names[1]}]")
    assert "confirmed waits for a notice to be sent" in confirmed.inner_text()
    assert not confirmed.get_by_role("button", name="Confirm").count(), "it is decided already"
    assert page.locator(".count").inner_text() == "3 remain, 2 for a decision"
    page.get_by_role("link", name="2 for a decision").click()
    page.wait_for_url("**state=open**")
    assert (remaining(page), confirmed.count()) == (2, 0)
    page.go_back()
    page.wait_for_load_state()

    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("Escape")

    # The menu is left by Escape, and a decision about many says what is missing before it is sent.
    page.locator(".row .pair").first.focus()
    page.keyboard.press("d")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "Permitted"
    page.keyboard.press("Escape")
    assert focused(page).startswith("Dismiss")
    assert not page.locator("details.drop[open]").count()
    page.keyboard.press("m")
    page.keyboard.type("Confirm")
    page.get_by_role("button", name="Decide").press("Enter")
    assert "First select" in page.get_by_label("Decision", exact=True).evaluate("one => one.validationMessage")

    # Back from a case, its row has the focus again.
    page.locator(".row .pair").nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{names[1]}?queue=*")
    page.wait_for_load_state()
    page.keyboard.press("Escape")
    page.locator(f"[id=open-{names[1]}]:focus").wait_for()


def compare_and_license(page: "Page", served: Served) -> None:
    (case,) = cases_of(served, "licensee.example", [11])
    page.goto(f"/cases/{case.id}")
    for picture in page.locator(".side image").element_handles():
        assert page.request.get(picture.get_attribute("href") or "").ok

    # What needs no scrolling is no stop on the way through the page.
    page.wait_for_function("[...document.querySelectorAll('.scroll')].every(one => one.tabIndex === -1)")

    # Yours over theirs, as far as the slider goes.
    page.get_by_label("Slider").check()
    assert not page.locator(".side").is_visible()
    width = page.locator(".stack svg").evaluate("one => one.viewBox.baseVal.width")
    page.locator(".compare input[type=range]").fill("25")
    assert float(page.locator(".revealed").get_attribute("width") or 0) == width / 4
    page.get_by_label("Overlay").check()
    assert page.locator(".over").get_attribute("opacity") == "0.25"
    page.get_by_label("Overlap").uncheck()
    assert page.locator(".stack .shared").get_attribute("visibility") == "hidden"

    page.get_by_label("then show the next case").uncheck()
    page.keyboard.press("d")
    assert focused(page).startswith("Not mine")
    page.keyboard.press("l")
    page.get_by_role("status").filter(has_text="Licensed: a licence was written").wait_for()
    assert now(served, case).state is CaseState.LICENSED
    page.goto("/licences?host=licensee.example")
    assert page.get_by_text("licensee.example").count()

    # What is wrong is said in the form, with all that was written; the address is again that of the page.
    page.get_by_label("Host or account").fill("no host!")
    page.get_by_label("Its name").fill("press")
    page.get_by_label("Its name").press("Enter")
    page.locator("form [data-not-taken]:focus").filter(has_text="is not a host").wait_for()
    assert page.get_by_label("Its name").input_value() == "press"
    page.keyboard.press("Tab")
    assert page.locator(":focus").input_value() == "no host!"
    page.wait_for_url("**/licences?host=licensee.example")
    page.get_by_text("End it", exact=True).first.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page) == "End the licence"
    page.keyboard.press("Escape")
    assert focused(page) == "End it"


def not_mine(page: "Page", served: Served) -> None:
    for seed, from_queue in ((21, False), (23, True)):
        not_mine_of(page, served, seed, from_queue=from_queue)


def not_mine_of(page: "Page", served: Served, seed: int, *, from_queue: bool) -> None:
    asset = protected(served.desk, picture_bytes(seed), f"Lighthouse {seed}")
    stranger = picture_bytes(seed + 1)
    hosts = (f"east{seed}.example", f"west{seed}.example")
    first, second = (used(served.desk, asset, stranger, f"https://{host}/") for host in hosts)
    page.goto(f"/cases?operator={hosts[0]}" if from_queue else f"/cases/{first.id}")
    if from_queue:
        page.keyboard.press("j")
    page.keyboard.press("n")
    page.get_by_role("heading", name="Not mine: this closes 1 other case too").wait_for()
    assert now(served, first).state is CaseState.OPEN
    page.locator("button:focus").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="Dismissed").wait_for()
    assert now(served, first).reason is DismissReason.NOT_MINE
    assert now(served, second).reason is DismissReason.LOOK_ALIKE


def all_of_an_operator(page: "Page", served: Served) -> None:
    cases = cases_of(served, "many.example", [31, 32, 33])
    page.goto("/operators/show?name=many.example")
    page.get_by_label("Select Picture 32").uncheck()
    page.get_by_label("Decision").select_option("confirm")
    page.get_by_label("Note").fill("all of them")
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("status").filter(has_text="Undo").wait_for()
    states = {now(served, case).state for case in (cases[0], cases[2])}
    assert states == {CaseState.CONFIRMED}
    assert now(served, cases[1]).state is CaseState.OPEN


def second_reviewer(rita: "Page", anna: "Page", served: Served) -> None:
    (case,) = cases_of(served, "both.example", [41])
    for page in (rita, anna):
        page.goto(f"/cases/{case.id}")
    anna.keyboard.press("c")
    anna.wait_for_url(re.compile(r"/cases(?!/" + case.id + "$)"))

    rita.get_by_label("Note: why").fill("a note of mine")
    rita.get_by_role("button", name="Not worth pursuing").click()
    alert = rita.get_by_role("alert").filter(has_text="Somebody changed this case while you looked at it")
    alert.wait_for()
    assert "Anna" in alert.inner_text()
    assert rita.get_by_label("Note: why").input_value() == "a note of mine"
    assert now(served, case).state is CaseState.CONFIRMED


def sign_out(page: "Page", served: Served) -> None:
    (case,) = cases_of(served, "over.example", [51])
    page.goto("/cases")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login**")
    page.go_back()
    page.reload()
    page.wait_for_url("**/login**")

    # The page is shown that was asked for; what is decided after the session's end is not done.
    sign_in(page, "Rita", f"/cases/{case.id}")
    page.context.clear_cookies()
    page.keyboard.press("c")
    page.wait_for_url("**/login**")
    assert now(served, case).state is CaseState.OPEN

    # What was written comes back, once, to who wrote it; the keys of the queue lead to the form, too.
    sign_in_here(page, "Rita")
    page.get_by_label("Note: why").fill("a long letter")
    page.context.clear_cookies()
    page.get_by_role("button", name="Only note").click()
    sign_in_here(page, "Rita")
    page.get_by_role("alert").filter(has_text="Nothing was done").wait_for()
    assert page.get_by_label("Note: why").input_value() == "a long letter"
    page.reload()
    assert page.get_by_label("Note: why").input_value() == ""

    page.goto("/cases?operator=over.example")
    page.keyboard.press("j")
    page.context.clear_cookies()
    page.keyboard.press("c")
    page.wait_for_url("**/login**")
    sign_in_here(page, "Rita")
    page.wait_for_url("**/cases?operator=over.example")

    # A key that is held down sends more key presses, which decide nothing.
    page.keyboard.press("j")
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'c', repeat: true, bubbles: true}))")
    page.goto(f"/cases/{case.id}")
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'c', repeat: true, bubbles: true}))")
    page.goto("/cases?operator=over.example")
    assert now(served, case).state is CaseState.OPEN

    # Where guardian refuses or does not answer, the queue says so.
    page.evaluate("document.querySelectorAll('[name=csrf]').forEach(one => one.value = 'old')")
    page.evaluate("document.querySelector('meta[name=csrf]').content = 'old'")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.get_by_role("alert").filter(has_text="the form is of another session").wait_for()
    page.context.set_offline(True)
    page.keyboard.press("c")
    page.get_by_role("alert").filter(has_text="guardian does not answer").wait_for()
    assert now(served, case).state is CaseState.OPEN


def check_upload(page: "Page", copy: Path) -> None:
    page.goto("/check")
    page.locator("#c-picture").set_input_files(copy)
    page.get_by_role("button", name="Check").click()
    page.locator(".answer").get_by_text("Copy", exact=True).wait_for()
    assert not page.get_by_role("button", name="Confirm").count()


@pytest.fixture(scope="module")
def axe(pytestconfig: pytest.Config) -> str:
    return from_npm(*AXE, pytestconfig.cache.mkdir("npm")).decode()


def barriers(page: "Page", axe: str) -> list[str]:
    """What axe-core finds wrong on a page: rule, element, and what is to be done."""
    # A heading can be seen before the style sheet has arrived, and colours are judged without it then.
    page.wait_for_load_state()
    page.evaluate(axe)
    result = page.evaluate("axe.run().then(({passes, violations}) => ({looked: passes.length, violations}))")
    assert result["looked"] > 10
    nodes = [(rule["id"], node) for rule in result["violations"] for node in rule["nodes"]]
    return [f"{page.url} {rule}: {node['target']} {node['failureSummary']}" for rule, node in nodes]


def beyond_the_edge(page: "Page") -> list[str]:
    """Whether a table of a page must be moved sideways to be read, or to reach its buttons."""
    script = "[...document.querySelectorAll('.scroll')].some(one => one.scrollWidth > one.clientWidth)"
    return [f"{page.url}: a table is wider than the page"] if page.evaluate(script) else []


def confirm_all(page: "Page") -> None:
    """As far as the page that asks whether all that the queue finds are meant."""
    page.goto("/cases?operator=barriers.example")
    page.get_by_label("all 2").check()
    page.locator(".selected-count").get_by_text("With all of them:").wait_for()
    page.get_by_label("Decision").select_option("confirm")
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("heading", name="Confirm: 2 cases").wait_for()


def test_on_a_telephone_the_keys_stand_beside_the_heading(served: Served) -> None:
    case, _ = cases_of(served, "phone.example", [91, 92])
    served.signed_in("Rita").post(f"/cases/{case.id}", data={"decision": "confirm"})
    with chromium() as browser, somebody(browser, served, "Rita", viewport={"width": 320, "height": 700}) as page:
        page.goto("/cases?operator=phone.example")
        page.get_by_text("1 for a decision").wait_for()
        heading = page.get_by_role("heading", name="Cases").bounding_box()
        keys = page.get_by_role("button", name="Keys").bounding_box()
        assert heading is not None
        assert keys is not None
        assert keys["y"] < heading["y"] + heading["height"]


EVERY_PAGE = [
    "/cases?group=operator", "/cases/{case}", "/cases/case_none", "/operators",
    "/operators/show?name=barriers.example", "/assets", "/assets/{asset}", "/licences",
    "/licences/{licence}", "/check", "/search", "/overview",
    "/cases/{case}/timeline", "/notices", "/sources", "/deliveries", "/audit", "/people", "/settings", "/account",
]  # fmt: skip
OWNER = OwnerSettings(name="Ada", address="Here", email="ada@example.com", phone="1", signs_as="Ada")
NARROW_AND_DARK = {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}}


def test_no_page_has_barriers(served: Served, axe: str) -> None:
    case, _ = cases_of(served, "barriers.example", [71, 72])
    with served.store.begin() as tx:
        licence = grant_licence(tx, "licensee.example", at=served.desk.clock(), collection="press")
        tx.named_searches.save("style", SearchSpec(own=case.asset_id, by="look").as_json(), served.desk.clock())
        tx.named_searches.watch("style", 0.7, Severity.LOW, served.desk.clock())
        at, without_blanks = served.desk.clock(), "https://thief.example/" + "long/" * 60
        tx.messages.add(Message("msg_refused", "case.opened", at, b'{"data": {}}'))
        task = tx.tasks.add(TaskKind.DELIVER, "one", due_at=at, at=at, destination="legal", message_id="msg_refused")
        assert task is not None
        tx.tasks.bury(task.id, without_blanks)
        add_note(tx, case.id, Edit("Rita", at, note=without_blanks))
    object.__setattr__(served.desk, "notice_config", NoticeConfig(OWNER, NoticeSettings()))
    form = {"case": case.id, "kind": "dmca", "language": "en"}
    notice = served.signed_in("Rita").post("/notices", data=form).headers["location"]
    found: list[str] = []
    with chromium() as browser:
        for looks, paths in (({}, [*EVERY_PAGE, notice]), (NARROW_AND_DARK, [*EVERY_PAGE[:2], notice])):
            with somebody(browser, served, **looks) as page:
                page.goto("/login")
                found += barriers(page, axe)
                sign_in(page, "Anna")
                for path in paths:
                    page.goto(path.format(case=case.id, asset=case.asset_id, licence=licence.id))
                    # On a telephone the tables of numbers are moved sideways.
                    found += barriers(page, axe) + ([] if looks else beyond_the_edge(page))
                confirm_all(page)
                found += barriers(page, axe)
    assert found == []
