"""Reasons for leaving something out: what each concerns, whether to try again, and the words people read.

The value of a member is its word: in JSON, in coverage reports, in metrics and in the database. Words are for ever;
a new reason is added here, and everything that lists or explains reasons follows.
"""

from enum import Enum, StrEnum
from typing import Self


class Scope(Enum):
    """How far a reason reaches. What lies outside its scope may still be requested."""

    ADDRESS = "one address, or the bytes that lie there"
    HOST = "every address of the host"
    SOURCE = "the way a source leads there"
    OURSELVES = "guardian's own limits and state; it says nothing about the site"


class Retry(Enum):
    """Whether and when the same request may succeed."""

    AT_ONCE = "a second try right away often succeeds"
    LATER = "the cause may be gone before this scan ends, and asking costs the site nothing"
    NOT_NOW = "within this scan nothing changes"


class SkipReason(StrEnum):
    """Why something that was found was not fetched, or what was fetched not compared.

    `label` completes "left out:" in a few words; `explanation` is a sentence. A site's answer with any status but
    success is HTTP_STATUS, and the number stands beside it: see `reason_word`.
    """

    scope: Scope
    retry: Retry
    label: str
    explanation: str

    def __new__(cls, word: str, scope: Scope, retry: Retry, label: str, explanation: str) -> Self:
        """Make a member that equals its word."""
        # The value stays the plain word, so members can be looked up by what is stored, and printed as they are.
        member = str.__new__(cls, word)
        member._value_ = word
        member.scope, member.retry, member.label, member.explanation = scope, retry, label, explanation
        return member

    # Before a connection is made.
    ROBOTS = (
        "robots",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "forbidden by robots.txt",
        "The site's robots.txt forbids this address to guardian.",
    )
    ROBOTS_UNREACHABLE = (
        "robots_unreachable",
        Scope.HOST,
        Retry.NOT_NOW,
        "robots.txt could not be read",
        "The site's robots.txt could not be read, which forbids the whole site (RFC 9309).",
    )
    BUDGET = (
        "budget",
        Scope.OURSELVES,
        Retry.LATER,
        "over a budget",
        "A limit on pages, depth, links or requests a day was reached; the detail names it.",
    )
    HOST_BUSY = (
        "host_busy",
        Scope.OURSELVES,
        Retry.LATER,
        "the site asked to be left alone",
        "The site asked for a longer pause than a scan waits.",
    )
    HOST_SILENT = (
        "host_silent",
        Scope.OURSELVES,
        Retry.LATER,
        "the site took too long too often",
        "The site kept this scan waiting so often that it is not asked any more.",
    )
    PRIVATE_ADDRESS = (
        "address",
        Scope.HOST,
        Retry.NOT_NOW,
        "an address inside a private network",
        "The name leads to an address in a private network, which `fetch.allow_networks` does not have.",
    )
    BAD_ADDRESS = (
        "bad_address",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "not a web address",
        "What stands there cannot be read as a web address, or is too long for one.",
    )
    SCHEME = (
        "scheme",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "neither http nor https",
        "The address is of another kind than http and https, such as ftp or a file on another machine.",
    )

    # The network and the site's answer.
    TIMEOUT = (
        "timeout",
        Scope.HOST,
        Retry.AT_ONCE,
        "took too long",
        "The site did not answer, or did not finish its answer, in time.",
    )
    DNS = ("dns", Scope.HOST, Retry.NOT_NOW, "no such host", "The name of the host could not be resolved.")
    CONNECT = (
        "connect",
        Scope.HOST,
        Retry.AT_ONCE,
        "the site took no connection",
        "No connection to the site could be made.",
    )
    TLS = (
        "tls",
        Scope.HOST,
        Retry.NOT_NOW,
        "its certificate is not valid",
        "No secure connection could be made: mostly the site's certificate is expired or another's.",
    )
    BROKEN = (
        "broken",
        Scope.HOST,
        Retry.AT_ONCE,
        "a broken answer",
        "The answer was cut off or does not follow HTTP.",
    )
    ENCODING = (
        "encoding",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "an answer in no readable encoding",
        "The answer is compressed in a way that guardian did not ask for, or is damaged.",
    )
    HTTP_STATUS = (
        "http_status",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "the site answered with an error",
        "The site answered with a status other than success; it is counted as `status_` and the number.",
    )
    REDIRECTS = (
        "redirects",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "too many redirects",
        "The address redirects more often than `fetch.max_redirects`.",
    )
    REDIRECT_LOOP = (
        "redirect_loop",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "redirects without end",
        "The redirects of this address lead back to where they began.",
    )
    WRONG_TYPE = (
        "wrong_type",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "a file of another type than asked for",
        "Where a sitemap, a feed or a style sheet should lie, the site says that it is video, audio or a font.",
    )
    TOO_LARGE = (
        "too_large",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "larger than the limit",
        "It has more bytes than `fetch.max_image_bytes`, `fetch.max_page_bytes` or the limits of feeds and sitemaps.",
    )

    # Files on this machine.
    MISSING = ("missing", Scope.ADDRESS, Retry.NOT_NOW, "no such file", "There is no file of this name.")
    NOT_A_FILE = (
        "not_a_file",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "not a regular file",
        "The path leads to a device, a pipe or something else that is no file.",
    )

    # Pages and lists of pages.
    NOT_A_PAGE = (
        "not_a_page",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "linked, but neither a page nor a picture",
        "The address was followed as a page, and is neither a page nor a picture.",
    )
    NOT_A_SITEMAP = (
        "not_a_sitemap",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "not a sitemap, or a damaged one",
        "What lies where a sitemap should be cannot be read as one to its end.",
    )
    NOT_A_FEED = (
        "not_a_feed",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "not a feed",
        "What lies where a feed should be is neither RSS nor Atom nor JSON Feed.",
    )
    UNREADABLE = (
        "unreadable",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "a page that takes too long to read",
        "The page takes more time or memory to read than a page may, or the file cannot be opened.",
    )
    NEEDS_BROWSER = (
        "needs_browser",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "the page seems to need a browser",
        "The page shows hardly a picture and has signs of being built by scripts in a browser.",
    )
    WALL = (
        "wall",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "the page asks for something first",
        "In place of what it has, the page shows hardly more than a login, a question for consent or age, or a check "
        "whether a person asks.",
    )
    NO_PICTURES = (
        "no_pictures",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "no pictures there",
        "The page shows no pictures to compare, or the folder holds no files.",
    )
    ELSEWHERE = (
        "elsewhere",
        Scope.SOURCE,
        Retry.NOT_NOW,
        "leads out of the source",
        "The address lies on, or redirects to, another host than those that the source means.",
    )
    REDIRECTED = (
        "redirected",
        Scope.SOURCE,
        Retry.NOT_NOW,
        "many addresses lead to one page, such as a login",
        "Ten or more addresses of the source redirect to this one page, as to a login.",
    )

    # Pictures.
    VECTOR = (
        "vector",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "a drawing (SVG), not a photograph",
        "The picture is an SVG drawing, which is not compared.",
    )
    NOT_AN_IMAGE = (
        "not_an_image",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "not an image",
        "The bytes cannot be decoded as a picture, or the site says that they are something else.",
    )
    TOO_SMALL = (
        "too_small",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "too small to be a picture",
        "The picture has too few pixels to be recognised, or the page shows it too small.",
    )
    TOO_PLAIN = (
        "too_plain",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "too plain to tell from strangers",
        "The picture has too little structure to be told from others.",
    )
    OVER_LIMIT = (
        "over_limit",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "more pixels or frames than the limit",
        "The picture has more bytes, pixels or frames than the limits of `matching` allow.",
    )
    UNMATCHABLE = (
        "unmatchable",
        Scope.ADDRESS,
        Retry.NOT_NOW,
        "cannot be compared",
        "The picture cannot be compared for a reason that has no word of its own.",
    )

    # guardian itself.
    CRASHED = (
        "crashed",
        Scope.OURSELVES,
        Retry.NOT_NOW,
        "crashed a worker, or cut scans off",
        "This picture crashed a worker process, or scans were cut off four times while visiting this page. A picture "
        "is tried again at a later scan.",
    )
    WORKER_KILLED = (
        "worker_killed",
        Scope.OURSELVES,
        Retry.NOT_NOW,
        "its worker was killed; tried again later",
        "The process that had this picture or page was killed from outside, by a person or for want of memory. It is "
        "tried again at a later scan.",
    )
    SET_ASIDE = (
        "set_aside",
        Scope.OURSELVES,
        Retry.NOT_NOW,
        "ended its worker three times",
        "This picture ended its worker process three times by itself, and is not tried again until it is freed: "
        "`guardian quarantine list`, `guardian quarantine free`.",
    )
    TIMED_OUT = (
        "timed_out",
        Scope.OURSELVES,
        Retry.NOT_NOW,
        "took a worker too long; perhaps the machine was too busy",
        "A worker process computed for longer than `matching.timeout` for this picture, or had it ten times as long "
        "since the machine had too much else to do. It is tried again at a later scan; a command may be run again.",
    )
    INTERNAL = (
        "internal",
        Scope.OURSELVES,
        Retry.NOT_NOW,
        "guardian's own fault; its log says more",
        "A fault of guardian itself; its log has the traceback, which is worth a report.",
    )

    @property
    def may_hide_a_copy(self) -> bool:
        """Whether what was left out may be a copy that matters.

        Icons, plain areas and drawings are none, and nobody asked about what lies elsewhere.
        """
        harmless = (SkipReason.TOO_SMALL, SkipReason.TOO_PLAIN, SkipReason.VECTOR, SkipReason.ELSEWHERE)
        return self not in harmless


_BY_WORD = {reason.value: reason for reason in SkipReason}
_STATUS = "status_"
_OTHER_LABELS = {"partial": "compared only in part"}
_STATUS_LABELS = {
    403: "the site refused (403)",
    404: "no longer there (404)",
    429: "the site refused more requests (429)",
}


def reason_word(reason: SkipReason, status: int | None = None) -> str:
    """Return the word under which a reason is counted, shown and stored: its own, or `status_404` for a status."""
    return reason.value if status is None else f"{_STATUS}{status}"


def read_reason(word: str) -> tuple[SkipReason, int | None]:
    """Return the reason, and the status if it is one, that a stored word means. Inverse of `reason_word`.

    Raises ValueError for a word that no version up to this one has written.
    """
    # isascii and isdecimal: int() also takes signs, blanks, underscores and digits of other scripts.
    number = word.removeprefix(_STATUS)
    if number != word and number.isascii() and number.isdecimal():
        return SkipReason.HTTP_STATUS, int(number)
    if word not in _BY_WORD:
        raise ValueError(f"not a reason: {word}")
    return _BY_WORD[word], None


def label_of(word: str) -> str:
    """Return the label that people read for a counted word.

    A word that this version does not know is shown as it is, with spaces.
    """
    try:
        reason, status = read_reason(word)
    except ValueError:
        return _OTHER_LABELS.get(word, word.replace("_", " "))

    if status is None:
        return reason.label
    return _STATUS_LABELS.get(status, f"the site answered {status}")
