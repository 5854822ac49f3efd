"""Watches: named searches that tell of pictures met since they last looked. What they tell of looks alike, no more."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from guardian.errors import GuardianError
from guardian.evidence import Vault
from guardian.model import NamedSearch, Routing
from guardian.outbox import enqueue, mint
from guardian.search.asking import asked_of
from guardian.search.kept import KeptSearches
from guardian.search.question import By, Kind
from guardian.search.ranking import HEAD
from guardian.search.search import MOST_RESULTS, Result, Search
from guardian.store import Store
from guardian.views.plain_text import clipped
from guardian.views.timestamps import message_timestamp

EVENT = "watch.found"

_MOST_IN_MESSAGE = 10
_LONGEST_ADDRESS = 500
_LONGEST_REASON = 300

log = structlog.get_logger(__name__)


async def look_for_watches(
    store: Store, search: Search, pictures: Vault, destinations: Sequence[str], routing: Routing, now: datetime
) -> int:
    """Have each watch look at the pictures met since it last did; return how many it has told of.

    `pictures` keeps those that were searched with. A watch that cannot look now (a lost worker) tries again at the next
    call; what of the memory cannot be read is logged and passed over.
    """
    watches, newest = await asyncio.to_thread(_watches, store)
    told = 0
    for named in watches:
        if named.watch is None or newest <= named.watch.watched_to:
            continue
        try:
            found = await _found(store, search, pictures, named)
        except GuardianError as error:
            log.warning("watch_not_looked", watch=named.name, reason=str(error))
            continue
        told += await asyncio.to_thread(_tell, store, named, found, newest, routing.wanting(EVENT, destinations), now)
    return told


def _watches(store: Store) -> tuple[list[NamedSearch], int]:
    """Return the searches that watch, and the number up to which what is remembered can be searched."""
    with store.read() as tx:
        watches = [one for one in tx.named_searches.list() if one.watch is not None]
        return watches, tx.named_searches.newest()


async def _found(store: Store, search: Search, pictures: Vault, named: NamedSearch) -> list[Result]:
    """Return the new pictures that a watch tells of, best first. Raises GuardianError."""
    watch, asked = named.watch, asked_of(named.asked)
    if watch is None:
        return []
    kept = KeptSearches(store, search, pictures)
    request = await asyncio.to_thread(kept.request, replace(asked, where="seen", facets=False))

    # Fused ranks say nothing of a picture by itself, and `auto` asks the matcher too, which names copies; the look says
    # what a watch is for. Of colours alone the fit is the score.
    has_looks = request.picture is not None or bool(request.like)
    by = By.LOOK if request.by is By.AUTO and has_looks else request.by
    wanted = replace(request, by=by, top=MOST_RESULTS, newer_than=watch.watched_to)
    answer = await search.answer(wanted)
    if answer.not_searched:
        # Waiting for the rest would silence the watch for as long as a part of the memory is damaged.
        log.warning("watch_looked_in_part", watch=named.name, not_searched=answer.not_searched)
    return [one for one in answer.results if one.kind is Kind.SEEN and one.score >= watch.above]


def _tell(
    store: Store, named: NamedSearch, found: Sequence[Result], newest: int, names: Sequence[str], now: datetime
) -> int:
    """Write that a watch has looked, and one message about what it tells of, in one transaction; return how many."""
    digests = {result.seen.sha256: result for result in found if result.seen is not None}
    with store.begin() as tx:
        current = tx.named_searches.get(named.name)
        if current is None or current.watch != named.watch:
            # Another process has looked, or somebody has changed it.
            return 0
        known = tx.named_searches.told(named.name, digests)
        new = [result for sha256, result in digests.items() if sha256 not in known]
        tx.named_searches.note_watched(named.name, newest, [sha256 for sha256 in digests if sha256 not in known], now)
        if new and names:
            enqueue(tx, mint(EVENT, _data(named, new, is_all=len(found) < HEAD), now), names)
    return len(new)


def _data(named: NamedSearch, new: Sequence[Result], *, is_all: bool) -> dict[str, Any]:
    """Return what a message tells. `is_all`: whether the search looks at more pictures than it has found."""
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
