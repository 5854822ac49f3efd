"""Makes and serves the demo's web site: four pages that show edited copies among unrelated pictures."""

import html
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from demo.edits import EDITS, Edit
from demo.photographs import DISTRACTORS, PROTECTED, Photograph, opened

PAGES = {
    "wallpapers": "Ten thousand wallpapers, free for everybody",
    "news": "The Daily Copy",
    "forum": "Pictures we found somewhere",
    "shop": "Posters, mugs and cushions",
}
# A photograph too small to be recognised after stronger edits.
GENTLE = {"microaneurysms"}
GENTLE_EDITS = ("recompressed", "mirrored")


@dataclass(frozen=True)
class Exhibit:
    """One picture of the site. `shows` is the protected photograph it was made from; None for an unrelated picture."""

    file: str
    page: str
    title: str
    edit: str
    shows: Photograph | None


def planned() -> list[tuple[Photograph, Edit, bool]]:
    """Return which photograph is shown with which edit, and whether it is a protected one. The same every time."""
    copies = []
    for number, photograph in enumerate(PROTECTED):
        if photograph.name in GENTLE:
            chosen = [edit for edit in EDITS if edit.name in GENTLE_EDITS]
        else:
            chosen = [EDITS[number % len(EDITS)], EDITS[(number + len(EDITS) // 2) % len(EDITS)]]
        copies += [(photograph, edit, True) for edit in chosen]

    unrelated = [
        (photograph, EDITS[(3 * number + turn) % len(EDITS)], False)
        for number, photograph in enumerate(DISTRACTORS)
        for turn in (0, 5, 9)
    ]
    shown = copies + unrelated
    random.Random(20261124).shuffle(shown)
    return shown


def build(folder: Path) -> Iterator[Exhibit]:
    """Make every picture of the site, then its pages. Yields each exhibit as it is ready."""
    folder.mkdir(parents=True)
    exhibits: list[Exhibit] = []
    pages = list(PAGES)
    for number, (photograph, edit, is_protected) in enumerate(planned()):
        other = opened(DISTRACTORS[number % len(DISTRACTORS)])
        content, suffix = edit.make(opened(photograph), other, number)
        file = f"{number:02}{suffix}"
        (folder / file).write_bytes(content)
        exhibit = Exhibit(
            file, pages[number % len(pages)], photograph.title, edit.name, photograph if is_protected else None
        )
        exhibits.append(exhibit)
        yield exhibit

    for name, title in PAGES.items():
        text = _page(title, [exhibit for exhibit in exhibits if exhibit.page == name])
        (folder / f"{name}.html").write_text(text, encoding="utf-8")


def _page(title: str, exhibits: list[Exhibit]) -> str:
    """Return the HTML of a page; images are plain, lazy-loaded, responsive and <picture> elements in turn."""
    ways: list[Callable[[str], str]] = [
        lambda file: f'<img src="{file}" alt="a picture">',
        lambda file: f'<img data-src="{file}" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" loading="lazy">',
        lambda file: f'<img srcset="{file} 800w" sizes="100vw" src="{file}">',
        lambda file: f'<picture><source srcset="{file}"><img src="{file}"></picture>',
    ]
    figures = "\n".join(
        f"<figure>{ways[number % len(ways)](exhibit.file)}<figcaption>No. {number + 1}</figcaption></figure>"
        for number, exhibit in enumerate(exhibits)
    )
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
    return f"{head}\n<h1>{html.escape(title)}</h1>\n{figures}\n</html>\n"


class Site:
    """Serves a folder on a port of loopback until closed (0: a free one). Raises OSError where that port is taken."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder)))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing about each request."""
