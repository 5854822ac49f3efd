"""Captures a page as a person sees it in a browser, and says what guardian was shown otherwise."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from guardian.errors import BrowserFailed, CaptureFull, FetchFailed, FetchRefused
from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.step_result import StepResult
from guardian.evidence.subjects import CaptureSubject
from guardian.extract.html_sandbox import read_guarded
from guardian.extract.page_text import text_of_page
from guardian.fetch.browser import Browser, Viewed
from guardian.fetch.page_view import DOCUMENT, PDF, SCREENSHOT, TALLEST, TEXT, PageView, ShownPicture
from guardian.model import EvidenceFile, NotTaken, PageImage, Response
from guardian.urls.addresses import host_of
from guardian.urls.keys import page_key, place_keys
from guardian.views.counting import counted

RECORD = "browser.json"
"""The file that says how the browser was used: version, addresses that it asked for, what it was kept from."""

_MEDIA_TYPES = {
    SCREENSHOT: "image/png",
    PDF: "application/pdf",
    TEXT: "text/plain; charset=utf-8",
    # As text: who opens it must not run a stranger's scripts, nor ask the site for anything.
    DOCUMENT: "text/plain; charset=utf-8",
}
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+")
"""Chinese and Japanese write no blanks between words, so each of their letters counts as one."""

_FEWEST_WORDS = 20
"""Texts that are shorter on both sides are not compared: a date and a greeting would be half of them."""

_NAMED_AT_MOST = 5
_LONGEST_ADDRESS = 300


async def take_browser_views(
    subject: CaptureSubject, folder: CaptureFolder, browser: Browser, as_guardian: Response | FetchFailed | None
) -> StepResult:
    """Take screenshot, PDF, document and text of a use's page as a browser shows it, and what differs for guardian.

    `as_guardian` is the page as guardian was just sent it, or why it was not; None when nothing is to be compared.
    """
    if subject.page_url is None:
        return _nothing("the picture was seen on no page of the web")

    with TemporaryDirectory(prefix="browser-", dir=folder.path) as name:
        viewing = Path(name)
        try:
            viewed = await browser.view(subject.page_url, viewing)
        except BrowserFailed as error:
            return _nothing(str(error))

        files, not_taken = await asyncio.to_thread(_keep_all, subject, folder, viewed, viewing)
        text = viewing / TEXT
        shown = text.read_text(encoding="utf-8") if text.exists() else None
    differences = await shown_otherwise(subject, as_guardian, viewed.view, shown) if as_guardian is not None else ()
    return StepResult(files, not_taken, differences)


def _nothing(why: str) -> StepResult:
    return StepResult(not_taken=(NotTaken(SCREENSHOT, f"No screenshot and no PDF of the page were taken: {why}."),))


def _keep_all(
    subject: CaptureSubject, folder: CaptureFolder, viewed: Viewed, viewing: Path
) -> tuple[tuple[EvidenceFile, ...], tuple[NotTaken, ...]]:
    """Add what the browser left in a folder to a capture."""
    files, not_taken = [], list(_never_shown(viewed))
    for name, about in _described(subject, viewed).items():
        path = viewing / name
        try:
            if path.exists():
                files.append(folder.add_file(name, path, _MEDIA_TYPES[name], about))
            else:
                why = viewed.view.missing.get(name, "the browser left none")
                not_taken.append(NotTaken(name, f"{name} was not taken: {why}."))
        except CaptureFull as error:
            not_taken.append(NotTaken(name, f"{name} was not kept: {error}."))

    sandbox = "" if viewed.view.has_sandbox else " guardian ran as root, so the browser ran without its sandbox."
    about = f"How the browser was used, what it asked for and what it was kept from.{sandbox}"
    files.append(folder.add(RECORD, _record(subject, viewed), "application/json", about))
    return tuple(files), tuple(not_taken)


def _described(subject: CaptureSubject, viewed: Viewed) -> dict[str, str]:
    """Return what each file shows, in sentences for a list of exhibits."""
    view = viewed.view
    when = f"{viewed.began_at:%Y-%m-%d %H:%M:%S} UTC"
    size = f"{view.width:,} by {min(view.height, TALLEST):,} pixels"
    answered = [] if view.status in (None, 200) else [f"The site answered with status {view.status}."]
    notes = " ".join([*answered, *_place_of_picture(subject, view.pictures), *view.notes])
    return {
        SCREENSHOT: f"The page as {view.browser} showed it on {when}, {size}. {notes}".rstrip(),
        PDF: "The same page, laid out by the browser for paper.",
        TEXT: "The text that the browser showed.",
        DOCUMENT: "The document (HTML, as text) as the browser had it when the page's scripts had run.",
    }


def _place_of_picture(subject: CaptureSubject, pictures: Sequence[ShownPicture]) -> Iterator[str]:
    """Yield where on the page the picture stands, if the browser had it in its document."""
    picture = next((one for one in pictures if _is_same_picture(subject, one.url)), None)
    if picture is None:
        return
    place = f"{picture.x:,} from the left and {picture.y:,} from the top"
    if picture.is_visible:
        yield f"The picture stands {place}, {picture.width:,} by {picture.height:,} pixels."
    else:
        yield f"The page has the picture in its document, {place}, but does not show it."


def _never_shown(viewed: Viewed) -> Iterator[NotTaken]:
    """Yield what the browser was kept from, so that the page may look otherwise than without guardian's bounds."""
    refused = list(dict.fromkeys(f"{one.host}:{one.port}" for one in viewed.refused))
    if refused:
        more = f" and {len(refused) - _NAMED_AT_MOST} more" if len(refused) > _NAMED_AT_MOST else ""
        named = ", ".join(refused[:_NAMED_AT_MOST])
        yield NotTaken("private addresses", f"The page asked for addresses that guardian refuses: {named}{more}.")
    if viewed.exceeded is not None:
        yield NotTaken("rest of the page", f"The page was cut off: {viewed.exceeded}.")


def _record(subject: CaptureSubject, viewed: Viewed) -> bytes:
    record = {
        "url": subject.page_url,
        "began_at": viewed.began_at.isoformat(),
        **asdict(viewed.view),
        "refused_addresses": [asdict(one) for one in viewed.refused],
        "exceeded": viewed.exceeded,
    }
    return json.dumps(record, ensure_ascii=False, indent=1).encode("utf-8", "replace")


async def shown_otherwise(
    subject: CaptureSubject, as_guardian: Response | FetchFailed, view: PageView, shown: str | None
) -> tuple[str, ...]:
    """Return in sentences what a site showed to guardian and not to a browser, and the other way round.

    `shown` is the text that the browser showed; None when it could not be taken.
    """
    if isinstance(as_guardian, FetchFailed):
        return tuple(_only_for_browsers(as_guardian, view))

    found = [*_difference_of_answers(as_guardian, view)]
    try:
        named = (await read_guarded(as_guardian)).seen
    except FetchRefused as error:
        found.append(f"The page as guardian was sent it could not be compared: {error.detail}.")
        return tuple(found)

    found += _difference_of_picture(subject, [one for one in named if isinstance(one, PageImage)], view)
    sent = await asyncio.to_thread(text_of_page, as_guardian)
    if sent is not None and shown is not None:
        found += await asyncio.to_thread(_difference_of_texts, sent, shown)
    return tuple(found)


def _only_for_browsers(failed: FetchFailed, view: PageView) -> Iterator[str]:
    if view.status is not None and view.status < 400:
        reason = f"status {failed.status}" if failed.status is not None else failed.detail
        yield f"guardian was not sent the page ({reason}); the browser was, with status {view.status}."


def _difference_of_answers(as_guardian: Response, view: PageView) -> Iterator[str]:
    if view.status is not None and view.status != as_guardian.status:
        yield f"guardian was answered with status {as_guardian.status}, the browser with status {view.status}."
    if page_key(view.final_url) != page_key(as_guardian.final_url):
        yield f"guardian was led to {_short(as_guardian.final_url)}, the browser to {_short(view.final_url)}."


def _difference_of_picture(subject: CaptureSubject, named: Sequence[PageImage], view: PageView) -> Iterator[str]:
    if subject.image_url is None:
        return
    sent = [url for one in named for url in (one.image_url, *one.also_at) if url is not None]
    came = [one.url for one in view.requests if one.status is not None and one.status < 400]
    for_guardian = any(_is_same_picture(subject, url) for url in sent)
    for_browser = any(_is_same_picture(subject, url) for url in [*came, *(one.url for one in view.pictures)])

    # Of a page that asks for very many things only the first are known.
    if for_guardian and not for_browser and view.requests_in_all <= len(view.requests):
        seen = f" within the first {TALLEST:,} pixels of the page" if view.height > TALLEST else ""
        yield f"The HTML that guardian was sent names the picture; the browser did not load it{seen}."
    if for_browser and not for_guardian:
        yield (
            "The browser loaded the picture; the HTML that guardian was sent does not name it "
            "(a script or a style sheet may load it)."
        )


def _is_same_picture(subject: CaptureSubject, url: str) -> bool:
    """Return whether an address is that of the subject's picture, be it in another size or with another signature."""
    wanted, page = subject.image_url, subject.page_url
    if wanted is None or page is None or not host_of(url):
        return False
    return url == wanted or place_keys(page, url).picture == place_keys(page, wanted).picture


def _difference_of_texts(sent: str, shown: str) -> Iterator[str]:
    """Yield a sentence if less than half of the longer text is in the other."""
    for_guardian, for_browser = (Counter(_WORD.findall(text.lower())) for text in (sent, shown))
    words_sent, words_shown = for_guardian.total(), for_browser.total()
    both = (for_guardian & for_browser).total()
    if max(words_sent, words_shown) < _FEWEST_WORDS or 2 * both >= max(words_sent, words_shown):
        return
    yield (
        f"The texts differ much: guardian was sent {counted(words_sent, 'word')} and the browser showed "
        f"{counted(words_shown, 'word')}, {both:,} in common."
    )


def _short(url: str) -> str:
    return url if len(url) <= _LONGEST_ADDRESS else f"{url[:_LONGEST_ADDRESS]}..."
