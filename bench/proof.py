"""From an alert to a bundle that was verified, by guardian's commands and a site on loopback: seconds of each step."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from demo.photographs import PROTECTED, copy_protected, opened

ASKED = {False: 30, True: 60}
"""Seconds within which a bundle is to be there: without a browser, and with one."""

_PAGE = "<!doctype html><title>Prints</title><h1>Prints</h1><img src=/print.jpg alt='a print'>{others}"


@dataclass(frozen=True, slots=True)
class Step:
    """One command: seconds of wall time and of processor time, its child processes included."""

    name: str
    wall_s: float
    cpu_s: float


def has_browser() -> bool:
    """Return whether guardian would find a browser here."""
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


def measure(folder: Path, *, with_browser: bool, advance: Callable[[], object]) -> list[Step]:
    """Find a copy on a site, then time what makes a verified bundle of the case: capture, export, verify."""
    with _site(folder / "site") as url:
        home = folder / f"home-{'with' if with_browser else 'without'}"
        _guardian(folder, "init", home)
        (home / "config.yaml").write_text(
            "fetch: {contact: bench@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
            f"sources: [{{name: shop, kind: page, url: '{url}', every: 1h}}]\n"
            f"evidence: {{browser: {{enabled: {str(with_browser).lower()}}}, capture: {{when: []}}}}\n"
        )
        _guardian(home, "asset", "add", folder / "mine", "--collection", "bench")
        _guardian(home, "scan", "shop", code=1)
        case = json.loads(_guardian(home, "case", "list", "--json").splitlines()[0])["id"]

        steps = []
        bundle = folder / f"{home.name}.zip"
        for name, arguments in (
            ("capture", ("evidence", "capture", case)),
            ("export", ("evidence", "export", case, "--out", bundle)),
            ("verify", ("evidence", "verify", bundle)),
        ):
            began, cpu = time.monotonic(), _cpu_of_children()
            _guardian(home, *arguments)
            steps.append(Step(name, time.monotonic() - began, _cpu_of_children() - cpu))
            advance()
        with zipfile.ZipFile(bundle) as archive:
            if any(name.endswith("/screenshot.png") for name in archive.namelist()) is not with_browser:
                raise SystemExit("the browser was not used as it should have been: see capture.json of the bundle")
        return steps


def prepare(folder: Path) -> None:
    """Put a picture to be protected, and a site that shows a copy of it among ten others, into a folder."""
    first, *others = PROTECTED[:11]
    copy_protected([first], folder / "mine")
    site = folder / "site"
    site.mkdir()
    whole = opened(first)
    whole.crop((0, 0, whole.width * 4 // 5, whole.height)).save(site / "print.jpg", quality=80)
    for number, photograph in enumerate(others):
        opened(photograph).resize((200, 150)).save(site / f"other-{number}.jpg")
    tags = "".join(f"<img src=/other-{number}.jpg>" for number in range(len(others)))
    (site / "index.html").write_text(_PAGE.format(others=tags))


@contextmanager
def _site(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Requests are of no interest."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def _guardian(home: Path, *arguments: str | Path, code: int = 0) -> str:
    command = [sys.executable, "-m", "guardian", *arguments]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise SystemExit(f"{' '.join(str(one) for one in arguments)}: {done.stderr[-2000:]}")
    return done.stdout


def _cpu_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system
