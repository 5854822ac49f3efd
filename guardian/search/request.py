"""What a person searches for and gets: the requests that `Search` answers, and its answers."""

from dataclasses import dataclass, field
from datetime import datetime

from guardian.errors import UsageError
from guardian.model import Asset, PictureLabel, SeenAddress, SeenPicture
from guardian.search.question import By, Kind, Region, WantedColour
from guardian.views.counting import counted
from guardian.views.word_tokens import terms

MOST_RESULTS = 1000


@dataclass(frozen=True, slots=True)
class Filters:
    """Which pictures may be returned; None lets all pass."""

    collection: str | None = None

    tag: str | None = None

    licence: str | None = None
    """The id of a licence, or a host that some licence allows to use the asset."""

    label: str | None = None

    host: str | None = None

    since: datetime | None = None
    """Only what was added, or last seen, at this time or later."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person searches with and for."""

    picture: bytes | None = None
    """The encoded picture asked with."""

    own: Asset | None = None
    """The asset that this picture is, if it is one; it is not returned."""

    where: frozenset[Kind] = frozenset(Kind)

    by: By = By.AUTO

    region: Region | None = None
    """The part of the picture that is meant; None for all of it."""

    colours: tuple[WantedColour, ...] = ()

    text: str | None = None
    """Words that titles, tags, captions and the words around shall have."""

    like: tuple[Asset | SeenPicture, ...] = ()

    unlike: tuple[Asset | SeenPicture, ...] = ()

    filters: Filters = Filters()

    top: int = 20
    """Pictures to return at most."""

    facets: bool = False
    """Whether the colours of results are named, so that results can be grouped by them."""

    seen: frozenset[int] | None = None
    """The numbers of the remembered pictures that may be returned; None for all."""


@dataclass(frozen=True, slots=True)
class Result:
    """One picture of an answer, an asset or one that was seen."""

    rank: int

    kind: Kind

    score: float

    by: By

    why: str
    """Why it stands here, in words."""

    asset: Asset | None = None

    seen: SeenPicture | None = None

    addresses: tuple[SeenAddress, ...] = ()
    """Where it was seen, the first place first."""

    labels: tuple[PictureLabel, ...] = ()

    colour: str | None = None
    """The name of the colour that most of it has; None where its looks were not asked for."""

    preview: bytes | None = field(default=None, repr=False)
    """A small JPEG of one that was seen."""

    @property
    def reason(self) -> str:
        """Why it stands here; where pictures are ranked by one aspect alone, with its score."""
        is_fused = self.by in (By.AUTO, By.WORDS, By.COPY)
        return self.why if is_fused else f"{self.why} ({self.score:.2f})"

    @property
    def places(self) -> tuple[SeenAddress, ...]:
        """One address for each page where it was seen, the first; one that is on no page stands for itself."""
        found: dict[str | None, SeenAddress] = {}
        for one in self.addresses:
            found.setdefault(one.page_url or one.image_url, one)
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The results, best first, of how many pictures of each kind, and what could not be searched, in words.

    `has_words`: whether some picture answers the text that was asked with; None without a text.
    """

    results: tuple[Result, ...]
    searched: dict[Kind, int]
    not_searched: tuple[str, ...] = ()
    is_filtered: bool = False
    has_words: bool | None = None

    @property
    def in_words(self) -> str:
        """How many results among how many pictures, and whether none has the words; where there are none, why."""
        searched = sum(self.searched.values())
        if not searched and self.is_filtered:
            return "nothing was searched: no picture passes all of these filters"
        if not searched:
            return "nothing was searched: there is no such picture yet"
        counts = f"{counted(len(self.results), 'result')} among {counted(searched, 'picture')}"
        return f"{counts}; none of the pictures has these words" if self.has_words is False else counts


def refuse_meaningless(request: Request) -> None:
    """Raise UsageError for a request that means nothing."""
    if request.picture is None and not request.colours and not request.like and request.text is None:
        raise UsageError("nothing to search with: choose a picture, words, colours or examples")
    if request.text is not None and not terms(request.text):
        raise UsageError(f"text {request.text!r}: there is no word in it")
    if request.by is By.WORDS and request.text is None:
        raise UsageError("a search by words needs a text")
    by_words_alone = request.picture is None and not request.colours and not request.like
    if request.by not in (By.AUTO, By.WORDS, By.COPY) and by_words_alone:
        raise UsageError(f"a search by {request.by.value} needs a picture, colours or examples to compare with")
    if request.by is By.COPY and request.picture is None:
        raise UsageError("a search by copy needs a picture to compare with")
    if request.region is not None and request.picture is None:
        raise UsageError("a region needs a picture of which it is a part")
    if not 1 <= request.top <= MOST_RESULTS:
        raise UsageError(f"top {request.top}: a search has 1 to {MOST_RESULTS} results")
