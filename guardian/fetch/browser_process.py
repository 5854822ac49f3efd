"""The child process that views one page with Chromium, by Playwright, and leaves pictures and text in a folder.

It reads a BrowserJob from standard input and writes a PageView to standard output. Pages are hostile: each step has a
time limit, all that is read a size limit, and what guardian asks a document is asked in a world of scripts of its own
(an isolated world), where the page's scripts cannot change the answers.
"""

import asyncio
import base64
import ctypes
import json
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import (
    Browser,
    CDPSession,
    Dialog,
    Download,
    Error,
    Page,
    Request,
    async_playwright,
)

from guardian.fetch.page_view import (
    DOCUMENT,
    LONGEST_DOCUMENT,
    LONGEST_TEXT,
    MOST_PDF_PAGES,
    PDF,
    SCREENSHOT,
    TALLEST,
    TEXT,
    WIDTH,
    WINDOW_HEIGHT,
    BrowserJob,
    PageView,
    Requested,
    ShownPicture,
)

_MOST_REQUESTS, _MOST_PICTURES, _LONGEST_ADDRESS = 1_000, 500, 2_000
_LOADING, _SETTLING, _ANSWERING, _DRAWING = 10.0, 3.0, 5.0, 15.0
"""Time limits in seconds: for loading a page, for it to come to rest, for each query of it, for each file drawn."""

_TERMINATIONS, _BETWEEN_TERMINATIONS = 20, 0.25
"""How often a busy script is ended while scripts are being switched off, and the pause between, in seconds."""

_SET_CHILD_SUBREAPER = 36
_LARGEST_FILE = 1024**3
_LONGEST_ERROR = 4_000
_FLAGS = (
    "--disable-gpu",
    # Nothing but the pages that are asked for.
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--disable-breakpad",
    "--no-pings",
    # No way to the network beside the proxy: no names, no UDP.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--dns-prefetch-disable",
    "--disable-quic",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # Nothing that asks somebody, and bounds on what a page may take.
    "--block-new-web-contents",
    "--deny-permission-prompts",
    "--disable-notifications",
    "--js-flags=--max-old-space-size=512",
    "--renderer-process-limit=4",
    "--disk-cache-size=1048576",
)
_NOT_THESE = ("--enable-unsafe-swiftshader", "--disable-popup-blocking")
"""Flags that Playwright would add, and that let pages do more than in a person's browser."""

_STOPPED = "A script of the page kept the browser busy without end; it was stopped before the page was captured."

# The expressions below are evaluated in an isolated world; the numbers in them are bounds.
_SCROLL = """(async () => {
  for (let y = 0; y < Math.min(document.documentElement.scrollHeight, %d); y += window.innerHeight) {
    window.scrollTo(0, y);
    await new Promise(done => setTimeout(done, 60));
  }
  window.scrollTo(0, 0);
})()"""
_TEXT = "(document.body ? document.body.innerText : '').slice(0, %d)"
_DOCUMENT = """((document.doctype ? new XMLSerializer().serializeToString(document.doctype) + '\\n' : '')
  + (document.documentElement ? document.documentElement.outerHTML : '')).slice(0, %d)"""
_PICTURES = """[...document.images].slice(0, %d).map(image => {
  const box = image.getBoundingClientRect();
  const numbers = [box.x + scrollX, box.y + scrollY, box.width, box.height, image.naturalWidth, image.naturalHeight];
  const isDrawn = image.checkVisibility({opacityProperty: true, visibilityProperty: true});
  const address = (image.currentSrc || image.src).slice(0, %d);
  return [address, ...numbers.map(Math.round), isDrawn && box.width * box.height > 0];
})"""
_FOOTER = """<div style="font-size:7px; color:#555; width:100%; margin:0 10mm; overflow:hidden; white-space:nowrap">
<span class="pageNumber"></span>/<span class="totalPages"></span> &middot; <span class="date"></span> &middot;
<span class="url"></span></div>"""


class _Busy(Exception):
    """The page kept the browser so busy that it did not answer in time."""


class _Visit:
    """One visit to one page: what happens meanwhile is written down, and nothing that it tries is allowed."""

    def __init__(self, page: Page, devtools: CDPSession, folder: Path, ends: float) -> None:
        self._page, self._devtools, self._folder, self._ends = page, devtools, folder, ends
        self._requests: dict[Request, Requested] = {}
        self.requests_in_all = 0
        self.status: int | None = None
        self.refused: dict[str, int] = {}
        self.missing: dict[str, str] = {}
        self.notes: list[str] = []
        page.on("request", self._note_request)
        page.on("response", lambda response: self._note_answer(response.request, response.status))
        page.on("requestfailed", lambda request: self._note_failure(request))
        page.on("dialog", self._dismiss)
        page.on("download", self._cancel)
        page.on("popup", self._close)

    @property
    def url(self) -> str:
        """Where the page is now."""
        return self._page.url[:_LONGEST_ADDRESS]

    @property
    def requests(self) -> tuple[Requested, ...]:
        return tuple(self._requests.values())

    async def open(self, url: str) -> str | None:
        """Load the page, look at all of it once, and wait until it has come to rest. Return why it did not open."""
        try:
            await self._page.goto(url, wait_until="commit", timeout=self._within(_LOADING) * 1000)
        except Error as error:
            return _first_line(error.message)

        if not await self._reached("load", _LOADING):
            self.notes.append(f"The page was still loading after {_LOADING:g} seconds, when it was captured.")
        await self._reached("networkidle", _SETTLING)
        with suppress(_Busy, ValueError):
            # Many pages load their pictures only when somebody scrolls to them.
            await self._ask(_SCROLL % TALLEST)
            await self._reached("networkidle", _SETTLING)
        return None

    async def take(self) -> tuple[tuple[int, int], tuple[ShownPicture, ...]]:
        """Write all files, and return the page's size and its pictures."""
        size, pictures = (WIDTH, WINDOW_HEIGHT), tuple[ShownPicture, ...]()
        async with self._noting("its size"):
            whole = (await self._devtools.send("Page.getLayoutMetrics"))["cssContentSize"]
            size = (int(whole["width"]), int(whole["height"]))
        async with self._noting("its pictures"):
            found = await self._ask(_PICTURES % (_MOST_PICTURES, _LONGEST_ADDRESS))
            pictures = tuple(ShownPicture(*one) for one in found)

        await self._write(TEXT, lambda: self._text(_TEXT, LONGEST_TEXT))
        await self._write(DOCUMENT, lambda: self._text(_DOCUMENT, LONGEST_DOCUMENT))
        await self._write(SCREENSHOT, lambda: self._screenshot(size))
        await self._write(PDF, self._pdf)
        return size, pictures

    async def _write(self, name: str, taking: Callable[[], Awaitable[bytes]]) -> None:
        async with self._noting(name):
            content = await taking()
            (self._folder / name).write_bytes(content)

    @asynccontextmanager
    async def _noting(self, name: str) -> AsyncIterator[None]:
        """Note in a sentence why something could not be taken."""
        try:
            async with asyncio.timeout(self._within(_DRAWING)):
                yield
        except (_Busy, TimeoutError):
            self.missing[name] = "the page kept the browser too busy"
            await self._interrupt()
        except (Error, ValueError) as error:
            self.missing[name] = f"the browser could not make it: {_first_line(str(error))}"

    async def _text(self, expression: str, longest: int) -> bytes:
        text = await self._ask(expression % (longest + 1))
        if len(text) > longest:
            self.notes.append(f"Of a text of the page only the first {longest:,} characters were kept.")
        return str(text)[:longest].encode("utf-8", "replace")

    async def _screenshot(self, size: tuple[int, int]) -> bytes:
        height = min(size[1], TALLEST)
        if size[1] > TALLEST:
            self.notes.append(f"The screenshot shows the first {TALLEST:,} of {size[1]:,} pixels of the page's height.")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": max(1, height), "scale": 1}
        options = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        answer = await self._devtools.send("Page.captureScreenshot", options)
        return base64.b64decode(answer["data"])

    async def _pdf(self) -> bytes:
        # A page's style for print may leave its pictures out.
        await self._page.emulate_media(media="screen")
        return await self._page.pdf(
            format="A4",
            print_background=True,
            page_ranges=f"1-{MOST_PDF_PAGES}",
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=_FOOTER,
            margin={"top": "10mm", "bottom": "15mm", "left": "10mm", "right": "10mm"},
        )

    async def _ask(self, expression: str) -> Any:
        """Return the value of an expression in a world of its own. Raises _Busy when no answer comes in time."""
        seconds = self._within(_ANSWERING)
        try:
            async with asyncio.timeout(seconds):
                tree = await self._devtools.send("Page.getFrameTree")
                world = {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "guardian"}
                context = await self._devtools.send("Page.createIsolatedWorld", world)
                answer = await self._devtools.send(
                    "Runtime.evaluate",
                    {
                        "expression": expression,
                        "contextId": context["executionContextId"],
                        "returnByValue": True,
                        "awaitPromise": True,
                        "timeout": seconds * 1000,
                    },
                )
        except TimeoutError as error:
            if _STOPPED not in self.notes:
                self.notes.append(_STOPPED)
            await self._interrupt()
            raise _Busy from error
        except Error as error:
            # Such as a page that leads elsewhere just now.
            raise ValueError(_first_line(error.message)) from error
        if "exceptionDetails" in answer:
            raise ValueError(str(answer["exceptionDetails"].get("text", "")))
        return answer["result"].get("value")

    async def _interrupt(self) -> None:
        """End the script that keeps the page busy, and let no other begin."""
        disabling = asyncio.ensure_future(
            self._devtools.send("Emulation.setScriptExecutionDisabled", {"value": True}),
        )
        # Each termination ends what runs just now; an event may start it again before scripts are switched off.
        for _ in range(_TERMINATIONS):
            with suppress(Error):
                await self._devtools.send("Runtime.terminateExecution")
            await asyncio.wait({disabling}, timeout=_BETWEEN_TERMINATIONS)
            if disabling.done():
                break
        disabling.cancel()
        await asyncio.gather(disabling, return_exceptions=True)

    async def _reached(self, state: Literal["load", "networkidle"], seconds: float) -> bool:
        try:
            await self._page.wait_for_load_state(state, timeout=self._within(seconds) * 1000)
        except Error:
            return False
        return True

    def _within(self, seconds: float) -> float:
        """Return how many of these seconds are left; a little in any case, for 0 means no limit to Playwright."""
        return max(0.1, min(seconds, self._ends - time.monotonic()))

    def _note_request(self, request: Request) -> None:
        if request.url.startswith(("data:", "blob:")):
            return
        self.requests_in_all += 1
        if len(self._requests) < _MOST_REQUESTS:
            address = request.url[:_LONGEST_ADDRESS]
            self._requests[request] = Requested(address, request.resource_type, None, None)

    def _note_answer(self, request: Request, status: int) -> None:
        if request.is_navigation_request() and request.frame == self._page.main_frame:
            self.status = status
        noted = self._requests.get(request)
        if noted is not None:
            self._requests[request] = Requested(noted.url, noted.kind, status, None)

    def _note_failure(self, request: Request) -> None:
        noted = self._requests.get(request)
        if noted is not None:
            self._requests[request] = Requested(noted.url, noted.kind, noted.status, request.failure)

    async def _dismiss(self, dialog: Dialog) -> None:
        self._refuse("dialogs")
        await _quietly(dialog.dismiss())

    async def _cancel(self, download: Download) -> None:
        self._refuse("downloads")
        await _quietly(download.cancel())

    async def _close(self, popup: Page) -> None:
        self._refuse("windows")
        await _quietly(popup.close())

    def _refuse(self, what: str) -> None:
        self.refused[what] = self.refused.get(what, 0) + 1


async def _quietly(ending: Awaitable[object]) -> None:
    """Wait for something to end that may have ended already."""
    with suppress(Error):
        await ending


async def view(job: BrowserJob, tell: Callable[[PageView], None]) -> None:
    """View one page, and tell what was seen when its files lie in the job's folder. Then the browser is closed.

    Raises Playwright's Error when no browser starts.
    """
    ends = time.monotonic() + job.seconds
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=job.executable,
            chromium_sandbox=job.has_sandbox,
            args=list(_FLAGS),
            ignore_default_args=list(_NOT_THESE),
            # Playwright itself sends requests to loopback by the proxy too (<-loopback>).
            proxy={"server": f"http://{job.proxy}", "username": job.username, "password": job.password},
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": job.folder, "TMPDIR": job.sockets, "TZ": "UTC"},
            timeout=job.seconds * 1000,
        )
        try:
            tell(await _view_in(browser, job, ends))
        finally:
            await browser.close()


async def _view_in(browser: Browser, job: BrowserJob, ends: float) -> PageView:
    devtools = await browser.new_browser_cdp_session()
    known = await devtools.send("Browser.getVersion")
    # Many sites show a wall to a browser without a window; what people see is wanted here.
    user_agent = known["userAgent"].replace("HeadlessChrome", "Chrome")
    context = await browser.new_context(
        viewport={"width": WIDTH, "height": WINDOW_HEIGHT},
        user_agent=user_agent,
        locale="en-US",
        timezone_id="UTC",
        accept_downloads=False,
        service_workers="block",
        permissions=[],
    )
    named = f"Chromium {browser.version}"
    page = await context.new_page()
    visit = _Visit(page, await context.new_cdp_session(page), Path(job.folder), ends)
    failure = await visit.open(job.url)
    if failure is not None:
        return PageView(
            named, user_agent, job.has_sandbox, failure=failure, refused=visit.refused, requests=visit.requests
        )

    size, pictures = await visit.take()
    return PageView(
        named,
        user_agent,
        job.has_sandbox,
        final_url=visit.url,
        status=visit.status,
        width=size[0],
        height=size[1],
        requests=visit.requests,
        requests_in_all=visit.requests_in_all,
        pictures=pictures,
        missing=visit.missing,
        refused=visit.refused,
        notes=tuple(visit.notes),
    )


def _first_line(text: str) -> str:
    """Return what an error of Playwright says first: its log of calls stands behind that."""
    return text.partition("\n")[0].strip()[:500]


def _tell(seen: PageView) -> None:
    print(json.dumps(asdict(seen)), flush=True)


def _main() -> None:
    """Do the job that stands on standard input; what was seen is one line on standard output."""
    # What the browser leaves behind becomes this process's child, so that whoever ends this one finds it.
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    job = BrowserJob(**json.load(sys.stdin))
    try:
        asyncio.run(view(job, _tell))
    except Error as error:
        sys.exit(error.message[:_LONGEST_ERROR])


if __name__ == "__main__":
    _main()
