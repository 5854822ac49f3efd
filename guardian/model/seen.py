"""What the crawler has met and remembers: pictures, their places, and uses from before an asset was protected."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from guardian.model.sightings import Context


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture that a scan compared, copy or stranger.

    `number` names it in the segments of the memory. `recipe`: how its small fingerprint was made, `shard`: the memory
    folder that holds it; both None while there is none. `same_as`: the id of the remembered picture that it is a
    near-identical copy of, whose fingerprint stands for both.
    """

    id: str
    number: int
    sha256: str
    width: int
    height: int
    format: str
    perceptual_hash: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    recipe: str | None = None
    shard: str | None = None
    same_as: str | None = None


@dataclass(frozen=True, slots=True)
class SeenAddress:
    """One place where a picture was seen, with the words around it. `image_url` is None for a data: image.

    `host` is that of the page, without a page that of the image; "" for files of this machine.
    """

    id: int
    picture_id: str
    image_url: str | None
    page_url: str | None
    host: str
    source: str
    context: Context
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class DescribedPicture:
    """What a worker says of a picture for the memory: its format, and its packed small fingerprint (see
    matching/features/small.py).
    """

    format: str
    fingerprint: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewlySeen:
    """A picture as a scan has just met it, to be remembered. `described` is None where that was not made."""

    sha256: str
    width: int
    height: int
    perceptual_hash: str | None
    image_url: str | None
    page_url: str | None
    source: str
    seen_at: datetime
    context: Context = field(default_factory=Context)
    described: DescribedPicture | None = None


class EarlierUseState(StrEnum):
    """What is known of a use from before its asset was protected.

    `waiting`: it is looked at again soon. `still_there`: it was, and was recorded as the rules say. `gone`: the place
    no longer shows it. `unreachable`: the place could not be looked at.
    """

    WAITING = "waiting"
    STILL_THERE = "still_there"
    GONE = "gone"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class EarlierUse:
    """A place where the memory saw an asset before it was protected.

    `probability` and `description` say what the small fingerprints showed. `checked_at` and `detail` tell of the look
    at the place since then; None and "" before it.
    """

    id: str
    asset_id: str
    sha256: str
    image_url: str | None
    page_url: str | None
    source: str
    context: Context
    first_seen_at: datetime
    last_seen_at: datetime
    probability: float
    description: str
    state: EarlierUseState = EarlierUseState.WAITING
    checked_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MemoryCounts:
    """How much is remembered. `bytes`: fingerprints with their previews. `elsewhere`: pictures whose fingerprint lies
    in the folder of another machine. `bare`: pictures without a fingerprint of this recipe, `coarse`: with
    one that was made of the preview alone.
    """

    pictures: int
    addresses: int
    hosts: int
    bytes: int
    joined: int
    pending: int
    elsewhere: int
    bare: int
    coarse: int
    first_seen_at: datetime | None
    last_seen_at: datetime | None
