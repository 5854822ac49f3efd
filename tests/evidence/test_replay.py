"""The WACZ of a capture, seen in the usual viewer (replayweb.page): text, style and picture as the site sent them."""

import asyncio
import io
import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from PIL import Image

from guardian.evidence.capture_folder import opened_capture_folder
from guardian.evidence.exchanges import keep_exchanges, take_exchanges
from guardian.evidence.page_visit import ExchangeServices
from guardian.evidence.vault import Vault
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from guardian.urls.addresses import canonical_url
from tests.browsers import chromium, from_npm, needs_browser
from tests.databases import store_in
from tests.evidence.comparisons import subject_of
from tests.fetch.conftest import patient
from tests.websites import Redirect, Says, Site, running

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

VIEWER = ("replaywebpage@2.5.3", "b7d35c39c4da9b7121c5a393911d8675d4cc6f19513c380191e16b086bea812c")
PAGE = (
    "<!doctype html><title>Lamps</title><link rel=stylesheet href=/style.css>"
    "<h1>Lámparas 灯 for sale</h1><img src=/lamp.png>"
)


@pytest.fixture
def wacz(tmp_path: Path) -> tuple[str, bytes]:
    """The address of a page, and the WACZ of a capture of it. Its site is gone when this returns."""
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(picture, "PNG")
    original = tmp_path / "original.png"
    original.write_bytes(picture.getvalue())
    for site in running():
        site.put("/", Says(PAGE, content_type="text/html; charset=utf-8"))
        site.put("/style.css", Says("h1 { color: rgb(1, 2, 3) }", content_type="text/css"))
        site.put("/lamp.png", Redirect("/cdn/lamp.png"))
        site.put("/cdn/lamp.png", Says(picture.getvalue(), content_type="image/png"))
        content = asyncio.run(captured(site, original, tmp_path))
    return f"{site.url}/", content


async def captured(site: Site, original: Path, folder: Path) -> bytes:
    use = subject_of(original, Vault(folder / "evidence", 10**9), original.read_bytes())
    addresses = {"page_url": canonical_url(f"{site.url}/"), "image_url": canonical_url(f"{site.url}/lamp.png")}
    use = replace(use, finding=replace(use.finding, **addresses))
    clock = lambda: datetime.now(UTC)  # noqa: E731
    store = store_in(folder)
    try:
        async with WebClient(patient(), clock=clock) as web:
            vault = Vault(folder / "evidence", 10**9)
            services = ExchangeServices(Fetcher.for_scan(web), store, vault, clock, 60, for_person=True)
            with opened_capture_folder(folder, 10**8) as captured:
                await keep_exchanges(await take_exchanges(use, captured, services), captured)
                return (captured.path / "page.wacz").read_bytes()
    finally:
        store.close()


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[str]:
    """Serve files on loopback, by ranges too, as viewers read a WACZ."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            content = files.get(path, b"")
            first, last = 0, len(content) - 1
            wanted = self.headers.get("range", "").removeprefix("bytes=")
            if wanted:
                begin, _, end = wanted.partition("-")
                first = int(begin) if begin else max(0, len(content) - int(end))
                last = min(last, int(end)) if begin and end else last

            self.send_response(404 if path not in files else 206 if wanted else 200)
            self.send_header("content-type", mimetypes.guess_type(path)[0] or "text/html")
            self.send_header("content-length", str(last + 1 - first))
            self.send_header("content-range", f"bytes {first}-{last}/{len(content)}")
            self.end_headers()
            self.wfile.write(content[first : last + 1])

        def log_message(self, *arguments: object) -> None:
            """Requests are of no interest."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@needs_browser
def test_a_capture_replays_in_the_usual_viewer(wacz: tuple[str, bytes], pytestconfig: pytest.Config) -> None:
    url, content = wacz
    folder = pytestconfig.cache.mkdir("npm")
    viewer = {name: from_npm(*VIEWER, name, folder) for name in ("ui.js", "sw.js")}
    embedded = f'<script src=/ui.js></script><replay-web-page source=/page.wacz url="{url}" replayBase=/replay/>'
    files = {
        "/": f"<!doctype html>{embedded}".encode(),
        "/ui.js": viewer["ui.js"],
        "/replay/ui.js": viewer["ui.js"],
        "/replay/sw.js": viewer["sw.js"],
        "/replay/": b"<!doctype html><script src=ui.js></script><replay-app-main></replay-app-main>",
        "/page.wacz": content,
    }
    with served(files) as address, chromium() as browser:
        page = browser.new_page()
        # Nothing else is asked for anything: what is seen comes from the capture.
        page.route("**/*", lambda route: route.continue_() if address in route.request.url else route.abort())
        page.goto(address)
        frame = replayed(page, url)
        assert frame.locator("h1").inner_text(timeout=30_000) == "Lámparas 灯 for sale"
        assert frame.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(1, 2, 3)"
        frame.wait_for_function("document.images[0].complete")
        assert frame.evaluate("[document.images[0].naturalWidth, document.images[0].naturalHeight]") == [64, 48]


def replayed(page: "Page", url: str) -> "Frame":
    """The frame in which the viewer shows a page of its archive."""
    while True:
        shown = [frame for frame in page.frames if frame.url.endswith(f"mp_/{url}")]
        if shown:
            return shown[0]
        page.wait_for_event("framenavigated", timeout=30_000)
