"""A scan of a site that is killed goes on where it was, asks again for little, and keeps one account of both halves."""

import io
import os
import signal
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import forked
from tests.cli.home import Home, made_home
from tests.websites import Asked, Says, Site, Wire

PAGES = 80


class Gallery(Says):
    """/ links to /page/1 ...; every page shows a picture of its own, and one that all pages show.

    After `patience` answers it keeps silent, so that a scan is surely met in the middle.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patience = 10**9
        self.counting = threading.Lock()
        random = np.random.default_rng(1)
        self.pictures = [self.picture(random.integers(0, 255, (6, 6, 3), dtype=np.uint8)) for _ in range(PAGES + 1)]

    def picture(self, coarse: np.ndarray) -> bytes:
        out = io.BytesIO()
        Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC).save(out, "PNG")
        return out.getvalue()

    def say(self, asked: Asked, wire: Wire) -> None:
        with self.counting:
            self.patience -= 1
            is_silent = self.patience < 0
        if is_silent:
            wire.stay_silent()
        first, _, number = asked.path.strip("/").partition("/")
        if first in ("", "page"):
            links = "".join(f"<a href='/page/{n}'>{n}</a>" for n in range(1, PAGES)) if not first else ""
            wire.answer(f"<img src='/own/{number or 0}'><img src='/shared/{PAGES}'>{links}".encode())
        elif first in ("own", "shared"):
            wire.answer(self.pictures[int(number)], content_type="image/png")
        else:
            wire.answer(b"", "404 Not Found")


@pytest.fixture
def gallery(web: Site) -> Gallery:
    made = Gallery()
    web.put("*", made)
    return made


@pytest.fixture
def home(tmp_path: Path, web: Site, gallery: Gallery) -> Home:
    return made_home(tmp_path / "watch", f"sources:\n  - {{name: gallery, kind: site, url: '{web.url}/'}}\n")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_lost_little_is_repeated_and_the_account_is_whole(
    home: Home, web: Site, gallery: Gallery, how: signal.Signals
) -> None:
    gallery.patience = PAGES
    with Path(os.devnull).open("w") as nothing:
        words = ("--config", home.folder / "config.yaml", "scan", "gallery")
        scan = forked.Daemon(*words, errors=nothing, environment=os.environ)
    web.wait_for(PAGES, seconds=60)
    scan.send_signal(how)
    scan.wait()
    before = Counter(web.paths())
    web.asked.clear()
    gallery.patience = 10**9
    home.guardian("scan", "gallery")
    after = Counter(web.paths())
    whole = {"/", *(f"/page/{n}" for n in range(1, PAGES)), *(f"/own/{n}" for n in range(PAGES)), f"/shared/{PAGES}"}
    assert whole <= set(before) | set(after)
    assert sum(after[path] for path in before if path.startswith("/page/")) <= 24, "pages that were in flight"
    assert sum(after[path] for path in before if path.startswith("/own/")) <= 24, "and their pictures"
    (coverage,) = home.lines("coverage", "--json")
    assert (coverage["pages"], coverage["images"]) == (PAGES, 2 * PAGES), "counted over both halves, each page once"


def test_a_picture_on_every_page_is_asked_for_a_few_times_only(home: Home, web: Site) -> None:
    home.guardian("scan", "gallery")
    # Pages that are looked at side by side may each ask before the first answer is known.
    assert web.paths().count(f"/shared/{PAGES}") <= 24
    (coverage,) = home.lines("coverage", "--json")
    assert coverage["images"] == 2 * PAGES
    assert coverage["again"] >= PAGES - 24
