"""Watches: named searches that tell of pictures met since they last looked. What they tell of looks alike, no more."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from guardian.errors import GuardianError
from guardian.evidence import Vault
from guardian.model import Audience, NamedSearch, Watch
from guardian.outbox import enqueue, mint
from guardian.search.asking import SearchSpec
from guardian.search.named import NamedSearches
from guardian.search.question import By, Kind
from guardian.search.request import Request, Result
from guardian.search.search import Search
from guardian.store import Store
from guardian.views.plain_text import clipped
from guardian.views.timestamps import message_timestamp

EVENT = "watch.found"

_AT_ONCE = 400
"""Pictures that a watch looks at in one search. As many make a message."""

_MOST_IN_MESSAGE = 10
_LONGEST_ADDRESS = 500
_LONGEST_REASON = 300

log = structlog.get_logger(__name__)


async def look_for_watches(store: Store, search: Search, pictures: Vault, audience: Audience, now: datetime) -> int:
    """Have each watch look at the pictures met since it last did; return how many it has told of.

    `pictures` keeps those that were searched with. A watch that cannot look now (a lost worker) goes on at the next
    call; what of the memory cannot be read is logged and passed over.
    """
    watches, newest = await asyncio.to_thread(_watches, store)
    names = audience.wanting(EVENT)
    told = 0
    for named in watches:
        try:
            request = await _request(NamedSearches(store, search, pictures), named)
            while named.watch is not None and named.watch.watched_to < newest:
                look = await _look(store, search, request, named.watch, newest)
                count = await asyncio.to_thread(_tell, store, named, look, names, now)
                if count is None:
                    break
                told += count
                named = replace(named, watch=replace(named.watch, watched_to=look.to))
        except GuardianError as error:
            log.warning("watch_not_looked", watch=named.name, reason=str(error))
    return told


def _watches(store: Store) -> tuple[list[NamedSearch], int]:
    """Return the searches that watch, and the number up to which what is remembered can be searched."""
    with store.read() as tx:
        watches = [one for one in tx.named_searches.list() if one.watch is not None]
        return watches, tx.named_searches.newest()


async def _request(searches: NamedSearches, named: NamedSearch) -> Request:
    """Return what a watch asks of remembered pictures. Raises GuardianError where its picture is lost."""
    request = await asyncio.to_thread(
        searches.request, replace(SearchSpec.from_json(named.asked), where="seen", facets=False)
    )

    # The score of `auto` joins ranks, which says nothing of one picture by itself, and it asks the matcher for copies.
    # A watch is for the look. Where only colours are asked for, the score is how well they fit.
    has_looks = request.picture is not None or bool(request.like)
    by = By.LOOK if request.by is By.AUTO and has_looks else request.by
    return replace(request, by=by, top=_AT_ONCE)


@dataclass(frozen=True, slots=True)
class _Look:
    """What a watch tells of in one message, best first, and up to which number it has looked by then.

    `is_all`: whether nothing is left to look at.
    """

    found: tuple[Result, ...]
    to: int
    is_all: bool


async def _look(store: Store, search: Search, request: Request, watch: Watch, newest: int) -> _Look:
    """Look at new pictures, so few at once that each is compared, until enough pass for one message.

    Raises GuardianError.
    """
    found, to = list[Result](), watch.watched_to
    while to < newest and len(found) < _AT_ONCE:
        numbers = await asyncio.to_thread(_numbers_after, store, to, newest, watch.since)
        to = numbers[-1] if len(numbers) == _AT_ONCE else newest
        answer = await search.answer(replace(request, seen=frozenset(numbers)))
        if answer.not_searched:
            # Waiting for the rest would silence the watch for as long as a part of the memory is damaged.
            log.warning("watch_looked_in_part", to=to, not_searched=answer.not_searched)
        found += [one for one in answer.results if one.kind is Kind.SEEN and one.score >= watch.above]
    return _Look(tuple(sorted(found, key=lambda one: -one.score)), to, is_all=to == newest)


def _numbers_after(store: Store, number: int, newest: int, since: datetime) -> list[int]:
    """Return the numbers of the next pictures first met since this time, lowest first, at most _AT_ONCE.

    Pictures met earlier have high numbers, too, when their fingerprints were made anew.
    """
    with store.read() as tx:
        return [one for one in tx.seen.numbers_above(number, _AT_ONCE, since) if one <= newest]


def _tell(store: Store, named: NamedSearch, look: _Look, names: Sequence[str], now: datetime) -> int | None:
    """Write that a watch has looked, and one message about what it tells of, in one transaction; return how many.

    None where another process has looked meanwhile, or somebody has changed it.
    """
    digests = {result.seen.sha256: result for result in look.found if result.seen is not None}
    with store.begin() as tx:
        current = tx.named_searches.get(named.name)
        if current is None or current.watch != named.watch:
            return None
        known = tx.named_searches.told(named.name, digests)
        new = {sha256: result for sha256, result in digests.items() if sha256 not in known}
        tx.named_searches.note_watched(named.name, look.to, list(new), now)
        if new and names:
            enqueue(tx, mint(EVENT, _data(named, list(new.values()), is_all=look.is_all), now), names)
    return len(new)


def _data(named: NamedSearch, new: Sequence[Result], *, is_all: bool) -> dict[str, Any]:
    """Return what a message tells. `is_all`: whether it has looked at all that was met until now."""
    watch = named.watch
    return {
        "watch": {
            "name": named.name,
            "above": watch.above if watch else 0.0,
            "severity": watch.severity.value if watch else None,
        },
        "note": "these look alike; they were not found to be copies",
        "count": len(new),
        "is_all": is_all,
        "pictures": [_picture(result) for result in new[:_MOST_IN_MESSAGE]],
    }


def _picture(result: Result) -> dict[str, Any]:
    place = result.addresses[0] if result.addresses else None
    return {
        "id": result.seen.id if result.seen else None,
        "sha256": result.seen.sha256 if result.seen else None,
        "score": result.score,
        "why": clipped(result.why, _LONGEST_REASON),
        "page_url": _address(place.page_url) if place else None,
        "image_url": _address(place.image_url) if place else None,
        "first_seen": message_timestamp(result.seen.first_seen_at) if result.seen else None,
    }


def _address(url: str | None) -> str | None:
    """Return an address, None for one too long for a message: cut off it would lead nowhere."""
    return url if url is not None and len(url.encode()) <= _LONGEST_ADDRESS else None
