"""What was seen on the web: answers of sites, the pages that were captured, and the images that they show."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum

from guardian.model.reasons import SkipReason, reason_word


class ReferrerPolicy(StrEnum):
    """What a page lets its requests tell of its own address (W3C Referrer Policy)."""

    NO_REFERRER = "no-referrer"
    NO_REFERRER_WHEN_DOWNGRADE = "no-referrer-when-downgrade"
    SAME_ORIGIN = "same-origin"
    ORIGIN = "origin"
    STRICT_ORIGIN = "strict-origin"
    ORIGIN_WHEN_CROSS_ORIGIN = "origin-when-cross-origin"
    STRICT_ORIGIN_WHEN_CROSS_ORIGIN = "strict-origin-when-cross-origin"
    UNSAFE_URL = "unsafe-url"


USUAL_POLICY = ReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN
"""That of browsers, for a page that states none."""


@dataclass(frozen=True, slots=True)
class Referrer:
    """The page for whose sake something is requested, and what it lets be told of it."""

    url: str
    policy: ReferrerPolicy = USUAL_POLICY


@dataclass(frozen=True, slots=True)
class Context:
    """The words around an image on its page; a lawyer wants them. None means the page did not say."""

    alt: str | None = None
    caption: str | None = None
    title: str | None = None
    page_title: str | None = None
    nearby_text: str | None = None
    claims: str | None = None

    def with_each(self, change: Callable[[str], str | None]) -> "Context":
        """Return the words with `change` made to each one that the page said."""
        return Context(**{name: text if text is None else change(text) for name, text in asdict(self).items()})


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer (or a local file read as if it were one), body included.

    `final_url` is where redirects ended. `headers` keep the order and spelling of the wire.
    `remote_address` is the IP address that was connected to; None for local files and cached answers.
    `not_modified`: the server answered 304, which has no body: `content` is empty. `incomplete` says why `content` is
    only the beginning of the body; None when it is whole.
    """

    url: str
    final_url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes = field(repr=False)
    fetched_at: datetime
    remote_address: str | None = None
    not_modified: bool = False
    incomplete: str | None = None

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
class PageCapture:
    """A page, sitemap or feed as it was loaded: what evidence is kept of, and what sightings refer to.

    `sha256` is the lower-case hex digest of the body, also when the site said that it is unchanged (304) and the
    body was not transferred. `response` is the answer that came.
    """

    response: Response = field(repr=False)
    sha256: str

    @property
    def url(self) -> str:
        """The address that was asked for."""
        return self.response.url

    @property
    def final_url(self) -> str:
        """The address where redirects ended."""
        return self.response.final_url

    @property
    def is_unchanged(self) -> bool:
        """Whether the site said that the page is as it was, so that its bytes are only where they were kept."""
        return self.response.not_modified


@dataclass(frozen=True, slots=True)
class PageImage:
    """An image as the text of a page, style sheet, sitemap or feed shows it; nothing has been fetched.

    `image_url` is the best of its addresses and `also_at` the others. `image_url` is None only for a data: image,
    whose bytes are then in `inline`. `referrer_policy` is that of the image alone; None means its page's.
    """

    image_url: str | None
    context: Context = field(default_factory=Context)
    also_at: tuple[str, ...] = ()
    inline: bytes | None = field(default=None, repr=False)
    referrer_policy: ReferrerPolicy | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """An image seen on a page (or in a listing or folder) at a time; what a source yields.

    `image_url` is None only for a data: image, whose bytes are then in `inline`. A local file has a
    file: URL. `also_at` holds other addresses that are known to be the same picture. `page` refers to what was
    captured of the page, sitemap or feed that named the image, shared by all its sightings; `image` is the answer
    that the image came in, when discovery had to fetch it already.
    """

    source: str
    image_url: str | None
    page_url: str | None
    seen_at: datetime
    context: Context = field(default_factory=Context)
    also_at: tuple[str, ...] = ()
    inline: bytes | None = field(default=None, repr=False)
    page: PageCapture | None = field(default=None, repr=False)
    image: Response | None = field(default=None, repr=False)
    referrer_policy: ReferrerPolicy = USUAL_POLICY

    @property
    def referrer(self) -> Referrer | None:
        """The page that a browser would name when it requests the image; None when no page showed it."""
        return Referrer(self.page_url, self.referrer_policy) if self.page_url is not None else None


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
