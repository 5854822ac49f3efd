"""A real browser views pages on loopback, hostile ones too: all that they try ends at the proxy or at a bound."""

import asyncio
import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from pydantic import ValidationError

from guardian.errors import BrowserFailed
from guardian.fetch.browser import Browser, Viewed, find_browser
from guardian.fetch.page_view import DOCUMENT, PDF, SCREENSHOT, TALLEST, TEXT, view_from_json
from guardian.fetch.settings import BrowserSettings
from tests.browsers import needs_browser
from tests.websites import GIF, Redirect, Says, Silent, Site

PUBLIC = ip_network("127.0.0.9/32")
"""Stands for the whole public web: the one address that the browser of these tests may reach."""


def look_up(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
    places = {"public.test": "127.0.0.9", "inside.test": "127.0.0.1", "localhost": "127.0.0.1"}
    if host not in places:
        raise socket.gaierror(socket.EAI_NONAME, "no such host")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (places[host], port))]


def viewed(url: str, folder: Path, **changed: Any) -> Viewed:
    browser = Browser(BrowserSettings(**changed), lambda: datetime(2026, 1, 1, tzinfo=UTC), (PUBLIC,), look_up)
    return asyncio.run(browser.view(url, folder))


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site("127.0.0.9")
    yield made
    made.close()


def public(site: Site, path: str) -> str:
    return f"http://public.test:{site.port}{path}"


@needs_browser
def test_a_page_is_seen_as_a_person_sees_it(site: Site, tmp_path: Path) -> None:
    site.put("/pic.gif", Says(GIF, content_type="image/gif"))
    page = (
        "<!doctype html><title>Shop</title><body style='margin:0'><h1>Lamps</h1>"
        "<img src=/pic.gif width=300 height=200 style='position:absolute;left:50px;top:400px'>"
        "<img loading=lazy src=/far.gif width=10 height=10 style='position:absolute;top:9000px'>"
        "<script>document.title = 'changed'; document.body.append('added by a script');"
        "HTMLElement.prototype.__defineGetter__('innerText', () => 'a lie'); alert('a dialog');"
        "navigator.serviceWorker && navigator.serviceWorker.register('/worker.js');</script>"
    )
    site.put("/page", page)

    # Deep data folders are no reason for a browser not to start.
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    seen = viewed(public(site, "/page"), folder)

    view = seen.view
    assert (view.status, view.final_url, view.failure, view.missing) == (200, public(site, "/page"), None, {})
    assert view.browser.startswith("Chromium ")
    assert "Headless" not in view.user_agent
    assert view.has_sandbox is (os.geteuid() != 0)
    assert view.refused == {"dialogs": 1}
    assert "/worker.js" not in site.paths()
    assert (seen.refused, seen.exceeded) == ((), None)

    text = (folder / TEXT).read_text(encoding="utf-8")
    assert text.startswith("Lamps")
    assert "added by a script" in text
    document = (folder / DOCUMENT).read_text(encoding="utf-8")
    assert document.startswith("<!DOCTYPE html>")
    assert "<title>changed</title>" in document
    with Image.open(folder / SCREENSHOT) as screenshot:
        assert screenshot.size == (1280, view.height)
        assert view.height == 9010
    assert (folder / PDF).read_bytes().startswith(b"%PDF-")

    shown = view.pictures[0]
    assert (shown.url, shown.x, shown.y, shown.width, shown.height) == (public(site, "/pic.gif"), 50, 400, 300, 200)
    assert (shown.own_width, shown.own_height, shown.is_visible) == (1, 1, True)
    # What only comes when somebody scrolls there was asked for too.
    asked = {one.url: (one.kind, one.status) for one in view.requests}
    assert asked[public(site, "/pic.gif")] == ("image", 200)
    assert asked[public(site, "/far.gif")] == ("image", 404)


HOSTILE = """<!doctype html><body>
<iframe src="http://127.0.0.1:{port}/iframe"></iframe> <iframe src="/to-inside"></iframe>
<iframe src="http://[::1]:{port}/iframe"></iframe> <iframe src="file:///etc/passwd"></iframe>
<img src="http://localhost:{port}/img"> <img src="http://inside.test:{port}/img"> <img src="http://0x7f.1:{port}/img">
<img src="http://169.254.169.254/latest/meta-data/"> <img src="http://[::ffff:127.0.0.1]:{port}/img">
<link rel=stylesheet href="http://127.0.0.1:{port}/style"> <link rel=preconnect href="http://127.0.0.1:{port}">
<link rel=dns-prefetch href="//leak.test"> <link rel=prefetch href="http://127.0.0.1:{port}/prefetch">
<object data="http://127.0.0.1:{port}/object"></object> <video src="http://127.0.0.1:{port}/video" autoplay></video>
<script>
  const tries = [
    () => fetch("http://127.0.0.1:{port}/fetch", {{mode: "no-cors"}}),
    () => fetch("/to-inside", {{mode: "no-cors"}}),
    () => new WebSocket("ws://127.0.0.1:{port}/socket"),
    () => new WebSocket("ws://inside.test:{port}/socket"),
    () => new WebSocket("ws://public.test:{public_port}/socket-allowed"),
    () => new EventSource("http://127.0.0.1:{port}/events"),
    () => navigator.sendBeacon("http://127.0.0.1:{port}/beacon", "x"),
    () => new Worker(URL.createObjectURL(new Blob(["fetch('http://127.0.0.1:{port}/worker')"]))),
    () => new WebTransport("https://127.0.0.1:{udp_port}/transport"),
    () => {{
      const servers = ["stun:127.0.0.1:{udp_port}", "stun:inside.test:{udp_port}"].map(urls => ({{urls}}));
      const turn = "turn:127.0.0.1:{port}?transport=tcp";
      const peer = new RTCPeerConnection({{iceServers: [...servers, {{urls: turn, username: "a", credential: "b"}}]}});
      peer.createDataChannel("x");
      peer.createOffer().then(offer => peer.setLocalDescription(offer));
    }},
    () => open("http://127.0.0.1:{port}/popup"),
    () => {{
      const link = Object.assign(document.createElement("a"), {{href: "/file", download: "x"}});
      document.body.append(link);
      link.click();
    }},
    () => {{
      const action = "http://127.0.0.1:{port}/form";
      const form = Object.assign(document.createElement("form"), {{method: "post", target: "x", action}});
      document.body.append(form);
      form.submit();
    }},
  ];
  for (const one of tries) try {{ one(); }} catch {{}}
</script>"""


@needs_browser
def test_nothing_inside_is_reached_whatever_a_page_tries(site: Site, tmp_path: Path) -> None:
    inside, udp = Site("127.0.0.1"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.setblocking(False)
    udp_port = udp.getsockname()[1]
    site.put("/to-inside", Redirect(f"http://127.0.0.1:{inside.port}/redirected"))
    site.put("/file", Says("bytes", content_type="application/octet-stream"))
    site.put("/", HOSTILE.format(port=inside.port, udp_port=udp_port, public_port=site.port))

    with contextlib.closing(inside), udp:
        seen = viewed(public(site, "/"), tmp_path)

        assert inside.connections == 0, inside.paths()
        with pytest.raises(BlockingIOError):
            udp.recv(1)
        # The tries were made, and what may be reached was: the proxy, not an error in the page, kept the rest away.
        assert "/socket-allowed" in site.paths()
        assert site.paths().count("/to-inside") == 2
        refused = {(one.host, one.port) for one in seen.refused}
        assert {(host, inside.port) for host in ("127.0.0.1", "localhost", "inside.test", "::1")} <= refused
        assert ("169.254.169.254", 80) in refused
        assert seen.view.missing == {}
        assert not any(path.name in ("x", "file") for path in tmp_path.rglob("*"))


@needs_browser
def test_a_page_that_leads_inside_is_not_viewed(site: Site, tmp_path: Path) -> None:
    inside = Site("127.0.0.1")
    site.put("/", Redirect(f"http://inside.test:{inside.port}/"))
    with contextlib.closing(inside), pytest.raises(BrowserFailed, match=r"leads to inside\.test, a blocked address"):
        viewed(public(site, "/"), tmp_path)
    assert inside.connections == 0


@needs_browser
def test_a_page_without_end_is_bounded_and_what_is_left_out_is_said(site: Site, tmp_path: Path) -> None:
    """A tall page with a huge title, a request that never ends, and a script that never ends."""
    site.put("/silent.gif", Silent())
    page = (
        f"<title>{'t' * 3_000_000}</title><div style='height:40000px'>tall</div><img src=/silent.gif>"
        "<script>addEventListener('scroll', () => { while (true); })</script>"
    )
    site.put("/", page)
    seen = viewed(public(site, "/"), tmp_path, timeout=timedelta(seconds=200))

    notes = " ".join(seen.view.notes)
    assert "still loading" in notes
    assert "kept the browser busy without end" in notes
    assert f"the first {TALLEST:,} of 40,0" in notes
    with Image.open(tmp_path / SCREENSHOT) as screenshot:
        assert screenshot.size == (1280, TALLEST)
    assert (tmp_path / TEXT).read_text(encoding="utf-8").startswith("tall")


@needs_browser
def test_the_memory_of_the_browser_is_bounded_and_nothing_of_it_stays(site: Site, tmp_path: Path) -> None:
    with pytest.raises(BrowserFailed, match="the browser took more than 30 MiB of memory"):
        viewed(public(site, "/"), tmp_path, max_memory=30 * 1024**2)
    assert not processes_of(tmp_path)


@needs_browser
def test_the_browser_ends_with_guardian(site: Site, tmp_path: Path) -> None:
    """Even with one that is killed while a page keeps the browser waiting."""
    site.put("/", Silent())
    program = (
        "import asyncio, datetime, ipaddress, pathlib, sys; from guardian.fetch.browser import Browser\n"
        "from guardian.fetch.settings import BrowserSettings\n"
        "allowed = (ipaddress.ip_network('127.0.0.9/32'),)\n"
        "browser = Browser(BrowserSettings(), datetime.datetime.now, allowed)\n"
        "asyncio.run(browser.view(sys.argv[1], pathlib.Path(sys.argv[2])))"
    )
    # What a killed process leaves of its own goes with this folder; the path of a socket in it may not be long.
    with tempfile.TemporaryDirectory() as short:
        command = [sys.executable, "-c", program, f"{site.url}/", str(tmp_path)]
        guardian = subprocess.Popen(command, env={**os.environ, "TMPDIR": short})
        site.wait_for(1, 60)
        family = processes_of(tmp_path)
        assert any("--remote-debugging-pipe" in one.cmdline() for one in family)

        guardian.kill()
        guardian.wait()
        _, alive = psutil.wait_procs(family, timeout=60)
        assert not alive


def processes_of(folder: Path) -> list[psutil.Process]:
    """The browser's processes that work in a folder."""
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(str(folder) in part for part in one.cmdline()) and "-c" not in one.cmdline():
                found.append(one)
    return found


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(BrowserFailed, match=r"no browser is to be used \(evidence\.browser\.enabled\)"):
        find_browser(BrowserSettings(enabled=False))
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("the extra for browsers is not installed")
    with pytest.raises(BrowserFailed, match=r"/no/such/chromium is no program that can be run"):
        find_browser(BrowserSettings(executable=Path("/no/such/chromium")))


def test_a_program_that_is_no_browser_is_named(site: Site, tmp_path: Path) -> None:
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("the extra for browsers is not installed")
    with pytest.raises(BrowserFailed, match="did not start or ended early"):
        viewed(public(site, "/"), tmp_path, executable=Path("/bin/false"))


def test_the_browser_is_named_by_an_absolute_path() -> None:
    with pytest.raises(ValidationError, match="bin/chromium is not an absolute path"):
        BrowserSettings(executable=Path("bin/chromium"))


@pytest.mark.parametrize("written", [b"", b"[]", b"{}", b'{"requests": [], "pictures": [], "notes": [], "odd": 1}'])
def test_what_is_no_view_is_refused(written: bytes) -> None:
    with pytest.raises(ValueError, match="wrote something else than what it saw"):
        view_from_json(written)
