"""Views a page with Chromium, as a person would see it: in a process of its own, bounded, through the guarded proxy.

guardian never downloads a browser: it uses one that is installed, or says that there is none.
"""

import asyncio
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from guardian.child_process import child_command
from guardian.concurrency import cancel_all
from guardian.errors import BrowserFailed
from guardian.fetch.dns import LookUp, system_look_up
from guardian.fetch.guarded_proxy import GuardedProxy, ProxyBounds, RefusedTarget
from guardian.fetch.page_view import BrowserJob, PageView, view_from_json
from guardian.fetch.settings import BrowserSettings
from guardian.fetch.ssrf_guard import Network

if TYPE_CHECKING:
    import psutil

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_CHILD = "guardian.fetch.browser_process"
_TO_CLOSE = 5.0
"""Seconds of the whole time limit that starting and closing the browser may take beside the page."""

_LONGEST_VIEW = 64 * 1024**2
"""Bytes of what the child says of a page. All that it says is bounded, far below."""

_BETWEEN_LOOKS = 0.5
"""Seconds between two looks at the memory that the browser takes."""

_WORDS = {
    "Download is starting": "it is a file to be downloaded, not a page",
    "Timeout": "it gave no answer in time",
    "ERR_TIMED_OUT": "it gave no answer in time",
    "ERR_TUNNEL_CONNECTION_FAILED": "its host took no connection",
    "ERR_EMPTY_RESPONSE": "its host took no connection, or gave no answer",
    "ERR_TOO_MANY_REDIRECTS": "its redirects lead nowhere",
    "ERR_UNSAFE_PORT": "browsers connect to no page at this port",
    "ERR_CERT_DATE_INVALID": "its certificate is not valid now",
    "ERR_CERT_AUTHORITY_INVALID": "its certificate is of no known authority",
    "ERR_CERT_COMMON_NAME_INVALID": "its certificate is for another host",
}
"""What the words of Chromium and Playwright for failures mean behind the proxy."""


@dataclass(frozen=True, slots=True)
class Viewed:
    """What a browser saw of a page from `began_at` on, and from what the guard kept it.

    `exceeded`: the bound that the page reached, in words.
    """

    view: PageView
    began_at: datetime
    refused: tuple[RefusedTarget, ...]
    exceeded: str | None


def find_browser(settings: BrowserSettings) -> Path:
    """Return the program of the browser. Raises BrowserFailed when there is none that could be used."""
    if not settings.enabled:
        raise BrowserFailed("no browser is to be used (evidence.browser.enabled)")
    if importlib.util.find_spec("playwright") is None or importlib.util.find_spec("psutil") is None:
        raise BrowserFailed("guardian is installed without its extra for browsers: pip install 'guardian[browser]'")
    if settings.executable is not None:
        if not os.access(settings.executable, os.X_OK):
            raise BrowserFailed(f"{settings.executable} is no program that can be run (evidence.browser.executable)")
        return settings.executable

    found = next((path for name in _PROGRAMS if (path := shutil.which(name)) is not None), None)
    if found is None:
        raise BrowserFailed("no Chromium or Chrome is installed, nor named in evidence.browser.executable")
    return Path(found)


class Browser:
    """The browser that is installed. It is started for each page, one at a time, and ended with it.

    `allowed` networks may be reached besides public addresses. `look_up` finds the addresses of names.
    """

    def __init__(
        self,
        settings: BrowserSettings,
        clock: Callable[[], datetime],
        allowed: tuple[Network, ...] = (),
        look_up: LookUp = system_look_up,
    ) -> None:
        self._settings, self._clock = settings, clock
        self._allowed, self._look_up = allowed, look_up
        self._turn = asyncio.Lock()

    async def view(self, url: str, folder: Path) -> Viewed:
        """View a page, and leave its screenshot, PDF, document and text in a folder, under the names in `page_view`.

        The browser uses the folder for itself too: give it one that is removed afterwards. Raises BrowserFailed when
        nothing could be taken.
        """
        executable = find_browser(self._settings)
        bounds = ProxyBounds(max_bytes=self._settings.max_bytes)
        async with self._turn, GuardedProxy(self._allowed, bounds, self._look_up) as proxy:
            host, port = proxy.address
            with TemporaryDirectory(prefix="guardian-") as sockets:
                job = BrowserJob(
                    url=url,
                    executable=str(executable),
                    # Chromium refuses its sandbox to root.
                    has_sandbox=os.geteuid() != 0,
                    proxy=f"{host}:{port}",
                    username=proxy.username,
                    password=proxy.password,
                    folder=str(folder),
                    sockets=sockets,
                    seconds=max(1.0, self._settings.timeout.total_seconds() - _TO_CLOSE),
                )
                began_at = self._clock()
                view = await _run(job, self._settings)
            if view.failure is not None:
                raise BrowserFailed(f"the browser could not open the page: {_why_not_opened(view.failure, proxy)}")
            return Viewed(view, began_at, proxy.refused, proxy.exceeded)


async def _run(job: BrowserJob, settings: BrowserSettings) -> PageView:
    """Return what the child saw. Whatever ends it, nothing of it is left running. Raises BrowserFailed."""
    errors = Path(job.folder) / "errors.txt"
    with errors.open("wb") as said:
        child = await asyncio.create_subprocess_exec(
            *child_command(_CHILD),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            limit=_LONGEST_VIEW,
            # Passwords that guardian has in its environment are none of a browser's business.
            env={
                "PATH": os.defpath,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "HOME": job.folder,
                "TMPDIR": job.folder,
                "LANG": "C.UTF-8",
            },
        )
    answer = asyncio.ensure_future(_answer(child, job))
    watch = asyncio.ensure_future(_memory_exceeded(child.pid, settings.max_memory))
    try:
        seconds = settings.timeout.total_seconds()
        await asyncio.wait({answer, watch}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            why = f"took more than {settings.max_memory >> 20} MiB of memory" if watch.done() else None
            raise BrowserFailed(f"the browser {why or f'was not done with the page in {seconds:g} seconds'}")
        line = answer.result()
    finally:
        # It has told what it saw: there is no need to wait until it has closed the browser.
        await asyncio.to_thread(_end_all, child.pid)
        await cancel_all((answer, watch))
        await child.wait()

    if not line:
        raise BrowserFailed(_why_not_started(errors.read_text(encoding="utf-8", errors="replace")))
    try:
        return view_from_json(line)
    except ValueError as error:
        raise BrowserFailed(str(error)) from error


async def _answer(child: asyncio.subprocess.Process, job: BrowserJob) -> bytes:
    """Give the child its job, and return the line that it answers; nothing when it ends without."""
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("the child was started without pipes")
    with suppress(ConnectionError):
        child.stdin.write(json.dumps(asdict(job)).encode())
        await child.stdin.drain()
        child.stdin.close()
    return await child.stdout.readline()


async def _memory_exceeded(pid: int, limit: int) -> None:
    """Return when a process and all that it started take more memory than this, in bytes."""
    while await asyncio.to_thread(_memory_of, pid) <= limit:
        await asyncio.sleep(_BETWEEN_LOOKS)


def _memory_of(pid: int) -> int:
    """Return the memory of a process and all that it started: what several share is counted once (PSS)."""
    import psutil

    total = 0
    for one in _with_descendants(pid):
        with suppress(psutil.Error):
            total += one.memory_full_info().pss
    return total


def _end_all(pid: int) -> None:
    """Kill a process and all that it started, and what those start meanwhile."""
    import psutil

    while family := _with_descendants(pid):
        for one in family:
            with suppress(psutil.Error):
                one.kill()
        # A killed child of guardian's stays until it is waited for, which its caller does.
        if psutil.wait_procs(family[1:], timeout=1)[1] == []:
            return


def _with_descendants(pid: int) -> "list[psutil.Process]":
    import psutil

    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def _why_not_opened(failure: str, proxy: GuardedProxy) -> str:
    """Return in words why a page did not open; `failure` is Chromium's own word for it, such as net::ERR_FAILED."""
    if proxy.exceeded is not None:
        return proxy.exceeded
    if proxy.refused:
        refused = proxy.refused[-1]
        return f"it lies at or leads to {refused.host}, a {refused.reason}"
    return next((words for sign, words in _WORDS.items() if sign in failure), failure.removeprefix("Page.goto: "))


def _why_not_started(errors: str) -> str:
    """Return why the child ended without a view; `errors` is what it wrote to standard error."""
    if "No usable sandbox" in errors:
        return (
            "Chromium did not start: this system does not let its sandbox work (user namespaces are switched off). "
            "Install Chromium's setuid sandbox (chromium-sandbox) or allow unprivileged user namespaces"
        )
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    # A traceback says at its end what it is about, Playwright at the beginning.
    told = next((line for line in (lines[::-1] if "Traceback" in errors else lines)), "it said nothing")
    return f"the browser did not start or ended early: {told[:300]}"
