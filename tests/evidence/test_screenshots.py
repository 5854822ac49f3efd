"""What a browser takes of a page as evidence, what it could not take, and what robots are shown otherwise."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.errors import FetchFailed
from guardian.evidence.capture_folder import opened_capture_folder
from guardian.evidence.screenshots import shown_otherwise, take_browser_views
from guardian.evidence.step_result import StepResult
from guardian.evidence.subjects import CaptureSubject
from guardian.fetch.browser import Browser
from guardian.fetch.page_view import PageView, Requested, ShownPicture
from guardian.fetch.settings import BrowserSettings
from guardian.fetch.web import WebClient
from guardian.model import (
    Action,
    Asset,
    Case,
    CaseState,
    Comparison,
    Decision,
    Finding,
    LicenceStatus,
    Response,
    Severity,
    SkipReason,
    Work,
)
from tests.browsers import needs_browser
from tests.fetch.conftest import patient
from tests.websites import GIF, Asked, Says, Site, Wire, running

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LOOPBACK = (ip_network("127.0.0.0/8"),)
PAGE, PICTURE = "https://shop.example/lamp", "https://shop.example/pictures/lamp.jpg"


def subject(page_url: str = PAGE, image_url: str = PICTURE) -> CaptureSubject:
    asset = Asset("asset_1", 1, "Lamp", "press", "/lamp.jpg", "0" * 64, 400, 300, NOON, work_id="work_1")
    finding = Finding(
        id="find_1",
        asset_id=asset.id,
        case_id="case_1",
        source="web",
        page_url=page_url,
        image_url=image_url,
        first_seen_at=NOON,
        last_seen_at=NOON,
        licence=LicenceStatus.NONE,
        decision=Decision(Action.ALERT, "certain-copy", Severity.HIGH, record=True),
        comparison=Comparison(0.99, aligned_similarity=0.9),
        candidate_sha256="0" * 64,
        image_sha256=None,
        page_sha256=None,
    )
    case = Case("case_1", asset.id, "work_1", "shop.example", CaseState.OPEN, Severity.HIGH, NOON, NOON, 1)
    return CaptureSubject(case, Work("work_1", (asset,)), asset, finding, None, Path("/lamp.jpg"), NOON)


class Cloaked(Says):
    """Shows browsers a picture and words, and robots a harmless page."""

    def say(self, asked: Asked, wire: Wire) -> None:
        if "Mozilla" in asked.headers["user-agent"]:
            words = " ".join(f"bargain{number}" for number in range(40))
            wire.answer(f"<body style='margin:0'><img src=/lamp.gif width=50 height=40><p>{words}".encode())
        else:
            wire.answer(b"<p>We sell nothing here, and there are no pictures.")


@needs_browser
def test_a_page_that_shows_robots_something_else_is_captured_as_browsers_see_it(tmp_path: Path) -> None:
    for site in running():
        site.put("/page", Cloaked())
        site.put("/lamp.gif", Says(GIF, content_type="image/gif"))
        use = subject(site.url + "/page", site.url + "/lamp.gif")

        async def take(site: Site = site, use: CaptureSubject = use) -> StepResult:
            async with WebClient(patient(), clock=lambda: NOON) as web:
                as_guardian = await web.get(site.url + "/page", kind="page")
            browser = Browser(BrowserSettings(), lambda: NOON, LOOPBACK)
            return await take_browser_views(use, captured, browser, as_guardian)

        with opened_capture_folder(tmp_path, 10**8) as captured:
            taken = asyncio.run(take())
            files = {file.name: file for file in taken.files}
            record = json.loads(captured.path_of(files["browser.json"]).read_bytes())
            with Image.open(captured.path_of(files["screenshot.png"])) as screenshot:
                assert screenshot.size == (1280, 900)
            assert captured.path_of(files["page.pdf"]).read_bytes().startswith(b"%PDF-")
            assert "bargain39" in captured.path_of(files["page.txt"]).read_text(encoding="utf-8")

        assert list(files) == ["screenshot.png", "page.pdf", "page.txt", "rendered-html.txt", "browser.json"]
        assert taken.not_taken == ()
        about = files["screenshot.png"].about
        assert about.startswith("The page as Chromium ")
        assert "showed it on 2026-05-01 12:00:00 UTC, 1,280 by 900 pixels." in about
        assert about.endswith("The picture stands 0 from the left and 0 from the top, 50 by 40 pixels.")
        assert (record["url"], record["status"]) == (site.url + "/page", 200)
        assert [one["url"] for one in record["requests"]] == [site.url + "/page", site.url + "/lamp.gif"]
        assert taken.differences == (
            "The browser loaded the picture; the HTML that guardian was sent does not name it "
            "(a script or a style sheet may load it).",
            "The texts differ much: guardian was sent 9 words and the browser showed 40 words, 0 in common.",
        )


def test_without_a_browser_one_sentence_says_so(tmp_path: Path) -> None:
    def taken_of(use: CaptureSubject) -> StepResult:
        browser = Browser(BrowserSettings(enabled=False), lambda: NOON)
        with opened_capture_folder(tmp_path, 10**8) as captured:
            return asyncio.run(take_browser_views(use, captured, browser, None))

    disabled = taken_of(subject())
    assert (disabled.files, disabled.differences) == ((), ())
    assert [(one.name, one.reason) for one in disabled.not_taken] == [
        (
            "screenshot.png",
            "No screenshot and no PDF of the page were taken: no browser is to be used (evidence.browser.enabled).",
        )
    ]

    folder = taken_of(subject("file:///srv/pictures", "file:///srv/pictures/a.jpg"))
    assert folder.not_taken[0].reason.endswith("the picture was seen on no page of the web.")


WORDS = "forty lamps of glass and brass made by hand in a small town near the sea since nineteen hundred and five"
HTML = f"<title>x</title><body><img src='/pictures/lamp.jpg'><p>{WORDS}</p><script>var no = 'word'</script>"
VIEW = PageView(
    "Chromium 1",
    "Mozilla/5.0",
    has_sandbox=True,
    final_url=PAGE,
    status=200,
    width=1280,
    height=2000,
    requests=(Requested(PAGE, "document", 200, None), Requested(PICTURE, "image", 200, None)),
    requests_in_all=2,
)


def sent(html: str = HTML, **changed: Any) -> Response:
    return replace(Response(PAGE, PAGE, 200, (("content-type", "text/html"),), html.encode(), NOON), **changed)


def differences(as_guardian: Response | FetchFailed, view: PageView, shown: str | None = WORDS) -> tuple[str, ...]:
    return asyncio.run(shown_otherwise(subject(), as_guardian, view, shown))


def test_what_is_the_same_for_both_needs_no_words() -> None:
    assert differences(sent(), VIEW) == ()
    # Another size of the picture, a parameter of a campaign, and a few words more are no difference.
    larger = Requested("https://shop.example/pictures/lamp-600x400.jpg?utm_source=x", "image", 200, None)
    assert differences(sent(), replace(VIEW, requests=(larger,), requests_in_all=1), f"{WORDS} today") == ()
    # What the browser has in its document it need not have asked for anew.
    shown = ShownPicture(PICTURE, 0, 0, 10, 10, 10, 10, is_visible=True)
    assert differences(sent(), replace(VIEW, requests=(), requests_in_all=0, pictures=(shown,))) == ()


@pytest.mark.parametrize(
    ("as_guardian", "view", "shown", "sentence"),
    [
        (sent(status=403), VIEW, WORDS, "guardian was answered with status 403, the browser with status 200."),
        (
            sent(),
            replace(VIEW, final_url="https://shop.example/welcome"),
            WORDS,
            f"guardian was led to {PAGE}, the browser to https://shop.example/welcome.",
        ),
        (
            sent(),
            replace(VIEW, requests=(), requests_in_all=0),
            WORDS,
            "The HTML that guardian was sent names the picture; the browser did not load it.",
        ),
        (
            sent(),
            replace(VIEW, requests=(Requested(PICTURE, "image", 404, None),), requests_in_all=1, height=20_000),
            WORDS,
            "The HTML that guardian was sent names the picture; the browser did not load it within the first 15,000 "
            "pixels of the page.",
        ),
        (
            sent(HTML.replace("lamp.jpg", "chair.jpg")),
            VIEW,
            WORDS,
            "The browser loaded the picture; the HTML that guardian was sent does not name it (a script or a style "
            "sheet may load it).",
        ),
        (
            sent(HTML.replace(WORDS, "empty")),
            VIEW,
            WORDS,
            "The texts differ much: guardian was sent 1 word and the browser showed 21 words, 0 in common.",
        ),
        (
            sent(HTML.replace(WORDS, "手作りの真鍮とガラスのランプを海辺の町で百年以上作り続けています")),
            VIEW,
            "本日休業" * 6,
            "The texts differ much: guardian was sent 32 words and the browser showed 24 words, 0 in common.",
        ),
    ],
)
def test_each_difference_is_a_sentence(as_guardian: Response, view: PageView, shown: str, sentence: str) -> None:
    assert differences(as_guardian, view, shown) == (sentence,)


def test_a_page_that_only_browsers_are_sent_is_no_secret() -> None:
    forbidden = FetchFailed(SkipReason.HTTP_STATUS, PAGE, status=403)
    slow = FetchFailed(SkipReason.TIMEOUT, PAGE, "not complete within 60 s")
    assert differences(forbidden, VIEW) == (
        "guardian was not sent the page (status 403); the browser was, with status 200.",
    )
    assert differences(slow, VIEW) == (
        "guardian was not sent the page (not complete within 60 s); the browser was, with status 200.",
    )
    # Both were told the same.
    assert differences(forbidden, replace(VIEW, status=403)) == ()


def test_nothing_is_said_of_what_is_not_known() -> None:
    # Of a page that asks for thousands of things only the first are known; a text may be missing.
    assert differences(sent(), replace(VIEW, requests=(), requests_in_all=5_000), None) == ()
    # Too few words on both sides.
    assert differences(sent(HTML.replace(WORDS, "hello there")), VIEW, "other words") == ()
