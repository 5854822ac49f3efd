"""Memory stays flat: a real daemon scans thousands of pictures, and is weighed on the way.

760 pictures here; `GUARDIAN_MEMORY_PICTURES=50000 pytest tests/test_memory.py -s` is the full size.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

import pytest
from PIL import Image

from bench.memory import pictures
from tests.cli.home import NO_CAPTURES, Home, made_home

PICTURES = int(os.environ.get("GUARDIAN_MEMORY_PICTURES", "760"))
SAMPLES = 24
SETTLED = 0.42
"""By this share of the scan caches are full and allocators have what they need."""

MOST_GROWTH = 8 * 2**20
"""What allocators move up and down by.

Where a segment of what was seen is written, after each 512 pictures, they take a step of up to seven mebibytes: of 760
pictures that is before the settled ones. Of 3,600 the last 1,300 add nothing. 27 kB kept of each would be more.
"""


class Pictures:
    """A web server that makes each picture when it is asked for, and weighs the daemon every so often."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, int]] = []
        self.weighed: int | None = None
        self._made, self._lock, self._served = pictures(PICTURES), threading.Lock(), 0
        one = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                content = one.next() if self.path != "/robots.txt" else b""
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def next(self) -> bytes:
        with self._lock:
            self._served += 1
            if self.weighed is not None and self._served % (PICTURES // SAMPLES) == 0:
                self.samples.append((self._served, memory_of(self.weighed)))
            return next(self._made)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def memory_of(process: int) -> int:
    """Bytes that a process and all below it hold, shared pages counted once.

    Without mapped files, index and memory among them: those the page cache may drop.
    """
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    family = {process}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(_anonymous_bytes(one) for one in family)


def _anonymous_bytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss_Anon:"))


@pytest.fixture
def web() -> Iterator[Pictures]:
    one = Pictures()
    yield one
    one.close()


@pytest.fixture
def home(tmp_path: Path, web: Pictures, photographs: dict[str, Image.Image]) -> Home:
    home = made_home(tmp_path / "home")
    (home.folder / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        f"matching: {{workers: 2}}\n{NO_CAPTURES}\n"
        "sources:\n  - {name: many, kind: listing, path: many.txt}\n"
    )
    (home.folder / "many.txt").write_text("".join(f"{web.url}/{number}\n" for number in range(PICTURES)))
    photographs["astronaut"].save(tmp_path / "astronaut.png")
    home.guardian("asset", "add", tmp_path / "astronaut.png", "--collection", "mine")
    return home


@pytest.mark.timeout(max(300, PICTURES // 5))
def test_memory_stays_flat_over_thousands_of_pictures(home: Home, web: Pictures) -> None:
    command = [sys.executable, "-m", "guardian", "run", "--once", "--config", str(home.folder / "config.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        web.weighed = daemon.pid
        said = daemon.communicate()[0]
    assert f"{PICTURES} images" in said
    for served, weight in web.samples:
        print(f"{served:>6} pictures {weight / 2**20:>6.0f} MiB")
    settled = [weight for served, weight in web.samples if served > SETTLED * PICTURES]
    assert min(settled) > 50 * 2**20, "a daemon was weighed"
    # The middle one of several: a single weight is up to four mebibytes above or below what is kept.
    several = len(settled) // 3
    assert median(settled[-several:]) - median(settled[:several]) < MOST_GROWTH
