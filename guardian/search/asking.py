"""What people ask the search for, as they write it: on the command line, on the page, in the API, under a name."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from guardian.errors import UsageError
from guardian.model import Asset, SeenPicture
from guardian.search.colours import wanted_colour
from guardian.search.question import By, Kind
from guardian.search.request import Filters, Request
from guardian.store import Transaction
from guardian.views.short_ids import with_prefix

T = TypeVar("T")

FILTERS = ("collection", "tag", "label", "licence", "host", "since")

WHERE = {"assets": (Kind.ASSET,), "seen": (Kind.SEEN,), "all": tuple(Kind)}


@dataclass(frozen=True, slots=True)
class SearchSpec:
    """A search as a person writes it; all but the picture, which is the asset `own`, or a kept file (its SHA-256).

    `like` and `unlike` are ids of assets and of pictures that were seen.
    """

    where: str = "all"
    by: str = "auto"
    text: str | None = None
    region: str | None = None
    colours: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    top: int = 20
    facets: bool = False
    own: str | None = None
    picture: str | None = None

    def as_options(self) -> str:
        """Return it as options of `guardian search`, without what is as usual."""
        parts = [self.own or (f"picture {self.picture[:12]}" if self.picture else "")]
        parts += [f"--in {self.where}" if self.where != "all" else "", f"--by {self.by}" if self.by != "auto" else ""]
        parts += [f"--text {self.text!r}" if self.text else "", f"--region {self.region}" if self.region else ""]
        for option, values in (
            ("colour", self.colours), ("like", self.like), ("unlike", self.unlike), ("filter", self.filters)
        ):  # fmt: skip
            parts += [f"--{option} {value}" for value in values]
        return " ".join(part for part in parts if part)

    def as_json(self) -> str:
        """Return it as a JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "SearchSpec":
        """Return what `as_json` wrote; keys of later versions are passed over."""
        read: dict[str, Any] = json.loads(text)
        known = {field.name: read[field.name] for field in fields(cls) if field.name in read}
        values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in known.items()}
        return cls(**values)


def request_of(tx: Transaction, asked: SearchSpec, picture: bytes | None) -> Request:
    """Return the request that is meant, with the bytes of the picture. Raises UsageError for what means nothing."""
    if asked.where not in WHERE:
        raise UsageError(f"in {asked.where!r}: one of {', '.join(WHERE)}")
    if asked.by not in list(By):
        raise UsageError(f"by {asked.by!r}: one of {', '.join(By)}")
    return Request(
        picture=picture,
        own=_asset(tx, asked.own) if asked.own is not None else None,
        where=frozenset(WHERE[asked.where]),
        by=By(asked.by),
        region=region_of(asked.region),
        colours=tuple(wanted_colour(text) for text in asked.colours),
        text=asked.text,
        like=tuple(example_starting_with(tx, one) for one in asked.like),
        unlike=tuple(example_starting_with(tx, one) for one in asked.unlike),
        filters=filters_of(asked.filters),
        top=asked.top,
        facets=asked.facets,
    )


def example_starting_with(tx: Transaction, start: str) -> Asset | SeenPicture:
    """Return the asset, or the picture that was seen, whose id begins so. Raises UsageError unless there is one.

    Of near-identical pictures that were seen the one is returned that stands for them.
    """
    if not start.startswith("seen_"):
        return _the_one(tx.assets.starting_with(with_prefix(start, "asset_"), 2), start, "asset")
    found = _the_one(tx.seen.starting_with(start, 2), start, "picture that was seen")
    head = tx.seen.get(found.same_as) if found.same_as is not None else None
    return head or found


def _the_one(found: Sequence[T], start: str, kind: str) -> T:
    if len(found) != 1:
        several = f"are several {kind}s" if found else f"is no {kind}"
        raise UsageError(f"there {several} with an id that begins {start!r}")
    return found[0]


def _asset(tx: Transaction, id_: str) -> Asset:
    asset = tx.assets.get(id_)
    if asset is None:
        raise UsageError(f"there is no asset {id_!r} any more")
    return asset


def region_of(text: str | None) -> tuple[int, int, int, int] | None:
    """Return left, top, width and height, in pixels, of a region "X,Y,W,H". Raises UsageError for another text."""
    if text is None:
        return None
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"region {text!r}: four whole numbers, such as 0,0,200,100") from error
    if left < 0 or top < 0 or width < 1 or height < 1:
        raise UsageError(f"region {text!r}: left and top from 0, width and height at least 1")
    return left, top, width, height


def filters_of(given: Sequence[str]) -> Filters:
    """Return what filters "NAME=VALUE" ask for. Raises UsageError for what it does not know."""
    found: dict[str, Any] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or name not in FILTERS or not value:
            raise UsageError(f"filter {text!r}: NAME=VALUE, where NAME is one of {', '.join(FILTERS)}")
        if name in found:
            raise UsageError(f"filter {name}= is given twice")
        found[name] = _day(value) if name == "since" else value
    return Filters(**found)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise UsageError(f"filter since={text}: a day is written as 2026-11-24") from error
