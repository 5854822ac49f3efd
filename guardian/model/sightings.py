"""What was seen on the web, and the bytes that were fetched from there."""

from dataclasses import dataclass, field
from datetime import datetime

from guardian.model.reasons import SkipReason, reason_word


@dataclass(frozen=True, slots=True)
class Context:
    """The words around an image on its page; a lawyer wants them. None means the page did not say."""

    alt: str | None = None
    caption: str | None = None
    title: str | None = None
    page_title: str | None = None
    nearby_text: str | None = None
    claims: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer (or a local file read as if it were one), body included.

    `final_url` is where redirects ended. `headers` keep the order and spelling of the wire.
    `remote_address` is the IP address that was connected to; None for local files and cached answers.
    `not_modified`: the server answered 304 and `content` is what it had sent before.
    """

    url: str
    final_url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes = field(repr=False)
    fetched_at: datetime
    remote_address: str | None = None
    not_modified: bool = False

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever its case."""
        return next(iter(self._lines(name)), None)

    def whole_header(self, name: str) -> str:
        """Return all lines of a header that is a list, joined by commas (RFC 9110, 5.3); "" when there is none."""
        return ", ".join(self._lines(name))

    def _lines(self, name: str) -> list[str]:
        # A list of pairs and not a mapping: evidence keeps the headers as the wire had them, repeats included.
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]


@dataclass(frozen=True, slots=True)
class Sighting:
    """An image seen on a page (or in a listing or folder) at a time; what a source yields.

    `image_url` is None only for a data: image, whose bytes are then in `inline`. A local file has a
    file: URL. `also_at` holds other addresses that are known to be the same picture. `page` is the
    answer that the page itself came from, when there was a page; `image` the answer that the image came
    in, when discovery had to fetch it already.
    """

    source: str
    image_url: str | None
    page_url: str | None
    seen_at: datetime
    context: Context = field(default_factory=Context)
    also_at: tuple[str, ...] = ()
    inline: bytes | None = field(default=None, repr=False)
    page: Response | None = field(default=None, repr=False)
    image: Response | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something a source found and did not yield, or a candidate that was not matched, and why.

    `status` is the site's answer when the reason is HTTP_STATUS.
    """

    url: str
    reason: SkipReason
    detail: str = ""
    status: int | None = None

    @property
    def word(self) -> str:
        """The word under which it is counted and shown: robots, budget, too_small, status_404..."""
        return reason_word(self.reason, self.status)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sighting whose image was fetched. `sha256` is the lower-case hex digest of `content`."""

    sighting: Sighting
    sha256: str
    content: bytes = field(repr=False)
    response: Response | None = field(repr=False)
