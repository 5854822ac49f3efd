"""What a browser saw of a page: the values that travel between guardian and the browser's process, as JSON."""

import json
from dataclasses import dataclass, field

SCREENSHOT, PDF, DOCUMENT, TEXT = "screenshot.png", "page.pdf", "rendered-html.txt", "page.txt"
WIDTH, WINDOW_HEIGHT = 1280, 900
TALLEST = 15_000
"""Pixels of a page in its screenshot. Beyond 16,384 Chromium repeats what it has drawn."""

MOST_PDF_PAGES = 100
LONGEST_DOCUMENT, LONGEST_TEXT = 20_000_000, 2_000_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class BrowserJob:
    """What the child is to do. `proxy` is host:port; `seconds` is how long it may take for all of it.

    All that the browser writes lies in `folder`, but for its sockets: the system allows their paths 107 bytes only.
    """

    url: str
    executable: str
    has_sandbox: bool
    proxy: str
    username: str
    password: str
    folder: str
    sockets: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Requested:
    """An address that the page had the browser ask for. `status` is None when no answer came; `failure` says why."""

    url: str
    kind: str
    status: int | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture in the document: its place on the page and its own size, in pixels; whether anything of it is drawn."""

    url: str
    x: int
    y: int
    width: int
    height: int
    own_width: int
    own_height: int
    is_visible: bool


@dataclass(frozen=True, slots=True)
class PageView:
    """What the browser saw of one page. Files that are missing in the folder are named in `missing`, with the reason.

    `failure`: why the page could not be opened at all. `width` and `height` are those of the whole page, in pixels.
    `refused` are things that the page tried and was not allowed. `missing` and `notes` are sentences.
    """

    browser: str
    user_agent: str
    has_sandbox: bool
    final_url: str = ""
    status: int | None = None
    failure: str | None = None
    width: int = 0
    height: int = 0
    requests: tuple[Requested, ...] = ()
    requests_in_all: int = 0
    pictures: tuple[ShownPicture, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def view_from_json(text: bytes) -> PageView:
    """Return a PageView that the child has written. Raises ValueError for anything else."""
    try:
        read = json.loads(text)
        requests = tuple(Requested(**one) for one in read.pop("requests"))
        pictures = tuple(ShownPicture(**one) for one in read.pop("pictures"))
        return PageView(requests=requests, pictures=pictures, notes=tuple(read.pop("notes")), **read)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("the browser's process wrote something else than what it saw") from error
