"""What an owner protects and whom they have allowed to use it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from guardian.model.labels import PictureLabel
from guardian.model.self_check import SelfCheck


@dataclass(frozen=True, slots=True)
class Rights:
    """Rights metadata of one picture, as its IPTC, XMP and EXIF fields or the owner's CSV say it."""

    creator: str | None = None
    copyright_notice: str | None = None
    licensor: str | None = None
    web_statement: str | None = None
    registration: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a file says of what it shows, in its IPTC and XMP fields: keywords, divided by commas, and a caption."""

    keywords: str | None = None
    caption: str | None = None


class AssetState(StrEnum):
    """The stage of an asset's life. Only protected assets appear in answers."""

    ADDING = "adding"
    PROTECTED = "protected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Asset:
    """An image that the owner protects.

    `id` derives from the bytes, so the same file is the same asset wherever it is added. `number` counts up with each
    addition, and an asset that is withdrawn and added again gets a new one: "added since" compares numbers. `path` is
    the absolute path that was given to `asset add`, never an internal copy. `perceptual_hash`: the published 64-bit
    hash (imagehash.phash, 16 hex digits) that other tools can compare; None for assets added before it was kept.
    `by_bytes_only`: too plain to be compared, so that only the same file is found. `self_check`: None when its copies
    were not searched for yet.

    Assets with the same `work_id` are one work: versions of one picture (the original, a web size, a CMYK file), each
    of which shows all of it. One use of a work is one case, and a licence for any of its assets covers it.

    `description` is what the file itself says of its content. `labels` are terms of the owner's vocabulary. Assets with
    the same `shoot` are declared siblings: other pictures of the same scene. None: it has none.
    """

    id: str
    number: int
    title: str
    collection: str
    path: str
    sha256: str
    width: int
    height: int
    added_at: datetime
    work_id: str
    tags: tuple[str, ...] = ()
    rights: Rights = field(default_factory=Rights)
    state: AssetState = AssetState.PROTECTED
    perceptual_hash: str | None = None
    by_bytes_only: bool = False
    self_check: SelfCheck | None = None
    labels: tuple[PictureLabel, ...] = ()
    shoot: str | None = None
    description: Description = field(default_factory=Description)

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of its labels."""
        return tuple(label.term for label in self.labels)


@dataclass(frozen=True, slots=True)
class Licence:
    """Who may use what, where and when. Exactly one of `asset_id`, `collection` and `tag` is set.

    `host` covers its subdomains; `path` narrows it to an account or a part of the site ("/shop/name"). The dates are
    inclusive; None is an open end. `territory`, `medium`, `note` and `proof_file` (as it was given) are kept for people
    to read; `proof_sha256` are the bytes of that file, which are kept too.
    """

    id: str
    host: str
    asset_id: str | None = None
    collection: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    territory: str | None = None
    proof_file: str | None = None
    path: str | None = None
    tag: str | None = None
    medium: str | None = None
    note: str | None = None
    proof_sha256: str | None = None

    @property
    def place(self) -> str:
        """Where it holds, as people write it: customer.example, instagram.com/customer."""
        return self.host + (self.path or "")


class LicenceStatus(StrEnum):
    """What the licences say about one use of one asset."""

    LICENSED = "licensed"
    LAPSED = "lapsed"
    NOT_YET = "not_yet"
    OUT_OF_SCOPE = "out_of_scope"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the licences say about one use, and the licence that says so; None for `out_of_scope` and `none`."""

    status: LicenceStatus
    licence: Licence | None = None

    @property
    def licence_id(self) -> str | None:
        """The id of the licence."""
        return self.licence.id if self.licence else None


@dataclass(frozen=True, slots=True)
class AssetFilter:
    """Which assets are wanted: those to which everything that is set applies.

    `words`: text in the title, the path or a tag. `weak`: only those whose copies may not be found. `tag` and `label`:
    one that they carry; `added_since`: added at this time or later.
    """

    collection: str | None = None
    state: AssetState | None = AssetState.PROTECTED
    words: str | None = None
    weak: bool = False
    tag: str | None = None
    label: str | None = None
    added_since: datetime | None = None
