"""A whole site on loopback scanned by the real command: how fast, who works, and whether memory is flat.

Every page shows ten pictures, no two alike, and links to ten pages; the site is a process of its own.
"""

import io
import multiprocessing
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from ctypes import c_long
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from demo.photographs import DISTRACTORS, PROTECTED, Photograph, copy_protected, opened

PICTURES_A_PAGE = 10
LINKS_A_PAGE = 10
SIZE = (400, 300)
_KINDS = 300
_PAUSE_SECONDS = 0.1
_CONFIG = """fetch:
  {contact: bench@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s, requests_per_host: 16}
sources:
  - {name: site, kind: site, url: "URL/page/0", max_pages: 100000, max_depth: 50}
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """Resident memory after so many pictures were asked for, in MiB; pages that workers share count in each."""

    pictures: int
    crawler_mib: float
    workers_mib: float


@dataclass(slots=True)
class Account:
    """What one scan took. CPU seconds from the first request on, of the command itself and of its workers."""

    pages: int
    pictures: int
    seconds: float = 0.0
    crawler_cpu: float = 0.0
    workers_cpu: float = 0.0
    moments: list[Moment] = field(default_factory=list)
    said: str = ""


def measure(
    home: Path, pages: int, seen: Callable[[int], None], protected: Sequence[Photograph] = PROTECTED
) -> Account:
    """Protect photographs, scan a site of `pages` pages, and watch the processes meanwhile."""
    context = multiprocessing.get_context("spawn")
    asked: Synchronized[int] = context.Value(c_long, 0)
    mine, theirs = context.Pipe()
    site = context.Process(target=_serve, args=(theirs, pages, asked), daemon=True)
    site.start()
    try:
        _prepare(home, f"http://127.0.0.1:{mine.recv()}", protected)
        return _watched(home, Account(pages, pages * PICTURES_A_PAGE), asked, seen)
    finally:
        site.terminate()
        site.join()


def _prepare(home: Path, url: str, protected: Sequence[Photograph]) -> None:
    copy_protected(protected, home / "photographs")
    _guardian(home, "init", "watch")
    (home / "watch" / "config.yaml").write_text(_CONFIG.replace("URL", url))
    _guardian(home, "asset", "add", "photographs", "--collection", "bench", "--config", "watch/config.yaml")


def _guardian(home: Path, *words: str) -> None:
    command = [sys.executable, "-m", "guardian", *words]
    subprocess.run(command, cwd=home, check=True, stdout=subprocess.DEVNULL)


def _watched(home: Path, account: Account, asked: "Synchronized[int]", seen: Callable[[int], None]) -> Account:
    command = [sys.executable, "-m", "guardian", "--config", "watch/config.yaml", "scan", "site"]
    with (home / "said.txt").open("w+") as said:
        scan = subprocess.Popen(command, cwd=home, stdout=said)
        watch = _Watch(psutil.Process(scan.pid))
        quarters = [account.pictures * part // 4 for part in (1, 2, 3, 4)]
        began = 0.0
        while scan.poll() is None:
            time.sleep(_PAUSE_SECONDS)
            watch.look()
            number = asked.value
            seen(number)
            if number and not began:
                began = time.monotonic()
                watch.begin()
            while quarters and number >= quarters[0]:
                account.moments.append(Moment(quarters.pop(0), watch.crawler_mib, watch.workers_mib))
        account.seconds = time.monotonic() - began
        account.crawler_cpu, account.workers_cpu = watch.crawler_cpu, watch.workers_cpu
        said.seek(0)
        account.said = said.read().splitlines()[-1]
    if scan.returncode not in (0, 1):
        raise SystemExit(f"the scan ended with {scan.returncode}: {account.said}")
    return account


class _Watch:
    """CPU and memory of a process and of all its children, the ended ones included."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._cpu: dict[int, float] = {}
        self._before: dict[int, float] = {}
        self.crawler_mib = self.workers_mib = 0.0

    def look(self) -> None:
        """Note the present state; what has ended keeps its last."""
        with suppress(psutil.NoSuchProcess):
            children = self._process.children(recursive=True)
            self.crawler_mib = self._one(self._process)
            self.workers_mib = sum(map(self._one, children))

    def begin(self) -> None:
        """Count CPU from here on."""
        self._before = dict(self._cpu)

    def _one(self, process: psutil.Process) -> float:
        try:
            times = process.cpu_times()
            self._cpu[process.pid] = times.user + times.system
            return float(process.memory_info().rss) / 2**20
        except psutil.NoSuchProcess:
            return 0.0

    @property
    def crawler_cpu(self) -> float:
        return self._spent(self._process.pid)

    @property
    def workers_cpu(self) -> float:
        return sum(self._spent(pid) for pid in self._cpu if pid != self._process.pid)

    def _spent(self, pid: int) -> float:
        return self._cpu.get(pid, 0.0) - self._before.get(pid, 0.0)


def _serve(told: Connection, pages: int, asked: "Synchronized[int]") -> None:
    """The site, until it is terminated. `asked` counts pictures."""
    pictures = _pictures()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = re.fullmatch(r"/(page|picture)/(\d+)(?:\.jpg)?", self.path)
            if found is None:
                self._answer(404, "text/plain", b"")
            elif found[1] == "page":
                self._answer(200, "text/html", _page(int(found[2]), pages))
            else:
                with asked.get_lock():
                    asked.value += 1
                # Bytes after the end of a JPEG change no pixel, yet make it a picture never met before.
                number = int(found[2])
                self._answer(200, "image/jpeg", pictures[number % _KINDS] + str(number).encode())

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            head = f"HTTP/1.1 {status} OK\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content)

        def log_message(self, *_: object) -> None:
            """Nothing is to be said about single requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.send(server.server_port)
    server.serve_forever()


def _page(number: int, pages: int) -> bytes:
    shown = "".join(
        f"<figure><img src='/picture/{number * PICTURES_A_PAGE + n}.jpg' alt='Picture {n}'>"
        f"<figcaption>Picture {n} of page {number}</figcaption></figure>"
        for n in range(PICTURES_A_PAGE)
    )
    onward = range(number * LINKS_A_PAGE + 1, min(pages, (number + 1) * LINKS_A_PAGE + 1))
    links = "".join(f"<li><a href='/page/{n}'>Page {n}</a></li>" for n in onward)
    words = "<p>Words such as pages have between their pictures.</p>" * 40
    return f"<!doctype html><title>Page {number}</title><body>{shown}{words}<ul>{links}</ul></body>".encode()


def _pictures() -> list[bytes]:
    """Parts of photographs that are not protected, a few hundred."""
    random = np.random.default_rng(1)
    photographs = [opened(one).convert("RGB") for one in DISTRACTORS]
    made = []
    for number in range(_KINDS):
        photograph = photographs[number % len(photographs)]
        width = int(random.integers(photograph.width // 3, photograph.width))
        height = min(photograph.height, width * SIZE[1] // SIZE[0])
        left = int(random.integers(0, photograph.width - width + 1))
        top = int(random.integers(0, photograph.height - height + 1))
        out = io.BytesIO()
        part = photograph.crop((left, top, left + width, top + height)).resize(SIZE, Image.Resampling.LANCZOS)
        part.save(out, "JPEG", quality=80)
        made.append(out.getvalue())
    return made
