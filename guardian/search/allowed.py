"""Which pictures may be returned to a request: those that its filters let through, without what is left out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from guardian.model import AssetFilter
from guardian.search.question import Among, Kind, PictureKey
from guardian.search.request import Filters, Request
from guardian.store import Store


def numbers_allowed(store: Store, request: Request) -> tuple[Among, frozenset[PictureKey]]:
    """Return the pictures that the filters of a request let through, and those that are left out nevertheless.

    Left out are the asset that is asked with, and assets that are not protected: their rows may still be on disk.
    """
    among: Among = {}
    left_out = set[int]() if request.own is None else {request.own.number}
    if Kind.ASSET in request.where:
        among[Kind.ASSET] = _asset_numbers(store, request.filters)
        with store.read() as tx:
            left_out |= tx.assets.unprotected_numbers()
    filters = request.filters
    # What only assets have was never seen anywhere.
    if Kind.SEEN in request.where and filters.collection is filters.tag is filters.licence is None:
        among[Kind.SEEN] = _seen_numbers(store, filters, request.seen)
    return among, frozenset((Kind.ASSET, number) for number in left_out)


def count_allowed(store: Store, among: Among, request: Request) -> dict[Kind, int]:
    """Return how many pictures of each kind there are that may be returned."""
    counts = {kind: len(numbers) for kind, numbers in among.items() if numbers is not None}
    with store.read() as tx:
        if Kind.SEEN in among and Kind.SEEN not in counts:
            counts[Kind.SEEN] = tx.seen_counts.heads()
        if Kind.ASSET in among and Kind.ASSET not in counts:
            counts[Kind.ASSET] = tx.compared_assets.count()
        if request.own is not None and Kind.ASSET in among:
            own, numbers = request.own.number, among[Kind.ASSET]
            counts[Kind.ASSET] -= len(those_of(list(tx.compared_assets.among([own])), numbers))
    return counts


def those_of(numbers: Sequence[int], allowed: NDArray[np.int64] | None) -> set[int]:
    """Return those of some numbers that are allowed; None allows all. There may be millions of allowed ones."""
    if allowed is None:
        return set(numbers)
    asked = np.array(numbers, dtype=np.int64)
    return set(asked[np.isin(asked, allowed)].tolist())


def _asset_numbers(store: Store, filters: Filters) -> NDArray[np.int64] | None:
    """Return which assets may be returned; None for all."""
    if filters.host is not None:
        # Hosts are where pictures were seen; no asset lies on one.
        return np.empty(0, np.int64)
    if filters == Filters():
        return None
    wanted = AssetFilter(collection=filters.collection, tag=filters.tag, label=filters.label, added_since=filters.since)
    with store.read() as tx:
        licences = None
        if filters.licence is not None:
            licences = [one for one in tx.licences.list() if filters.licence in (one.id, one.host)]
        return np.array(tx.compared_assets.matching(wanted, licences), dtype=np.int64)


def _seen_numbers(store: Store, filters: Filters, only: frozenset[int] | None) -> NDArray[np.int64] | None:
    """Return which remembered pictures may be returned; None for all."""
    chosen: list[set[int]] = [set(only)] if only is not None else []
    with store.read() as tx:
        if filters.label is not None:
            chosen.append(tx.labels.numbers(filters.label))
        if filters.host is not None or filters.since is not None:
            chosen.append(tx.seen.numbers(host=filters.host, since=filters.since))
    return np.array(sorted(set.intersection(*chosen)), dtype=np.int64) if chosen else None
