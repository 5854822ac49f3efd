"""Tells where the copies of a work were met: one version for each file, with the places that show it."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from guardian.cases.judging import Judge, JudgedPlace
from guardian.cases.operators import operator
from guardian.memory.replay import JudgingSettings, judged_uses
from guardian.model import (
    Comparison,
    EarlierUse,
    Finding,
    LicenceStatus,
    Match,
    SeenAddress,
    SpreadPlace,
    SpreadVersion,
)
from guardian.rules import Rules, is_at_own_host
from guardian.store import Transaction


def spread_of(
    tx: Transaction, asset_id: str, rules: Rules, settings: JudgingSettings, recipe: str
) -> tuple[SpreadVersion, ...]:
    """Return the versions of an asset's work that were met and that the rules keep, the first seen first.

    They are what the memory holds, findings from before it remembered, and what had been seen and was gone when the
    work was protected. What each was made of is not told yet; see `phylogeny.derive`.
    """
    work = tx.works.of_asset(asset_id)
    if work is None:
        return ()
    ids = {asset.id for asset in work.assets}
    found: dict[str, SpreadVersion] = {}
    for use in judged_uses(tx, rules, settings, recipe, ids):
        picture, page_url = use.picture, use.place.page_url
        place = _place(use.place, page_url, use.match.licence_status, settings)
        _add(found, picture.sha256, (picture.width, picture.height), use.match.comparison, place)
    for finding in tx.findings.of_work(work.id):
        if finding.candidate_sha256 not in found or not _is_among(finding, found[finding.candidate_sha256].places):
            page_url = finding.page_url if finding.page_url != finding.image_url else None
            place = _place(finding, page_url, finding.licence, settings)
            _add(found, finding.candidate_sha256, (0, 0), finding.comparison, place)

    for earlier in _kept_earlier(tx, ids, rules, settings):
        if earlier.sha256 not in found:
            comparison = Comparison(earlier.probability, description=earlier.description)
            known = tx.seen.get(earlier.sha256)
            size = (known.width, known.height) if known is not None else (0, 0)
            place = _place(earlier, earlier.page_url, LicenceStatus.NONE, settings)
            _add(found, earlier.sha256, size, comparison, place)

    ordered = [replace(one, places=_ordered(one.places)) for one in found.values()]
    return tuple(sorted(ordered, key=lambda one: (one.first_seen_at, one.sha256)))


def _add(
    found: dict[str, SpreadVersion], sha256: str, size: tuple[int, int], comparison: Comparison, place: SpreadPlace
) -> None:
    known = found.get(sha256)
    if known is None:
        found[sha256] = SpreadVersion(sha256, *size, comparison, (place,))
    else:
        found[sha256] = replace(known, places=(*known.places, place))


def _is_among(finding: Finding, places: Iterable[SpreadPlace]) -> bool:
    return any((place.page_url or place.image_url) == finding.page_url for place in places)


def _place(
    seen: SeenAddress | Finding | EarlierUse, page_url: str | None, licence: LicenceStatus, settings: JudgingSettings
) -> SpreadPlace:
    return SpreadPlace(
        page_url=page_url,
        image_url=seen.image_url,
        operator=operator(page_url, seen.image_url, seen.source, settings.platforms),
        first_seen_at=seen.first_seen_at,
        last_seen_at=seen.last_seen_at,
        licence=licence,
        is_own=is_at_own_host(page_url, seen.image_url, settings.own_hosts),
    )


def _kept_earlier(tx: Transaction, ids: Collection[str], rules: Rules, settings: JudgingSettings) -> list[EarlierUse]:
    """Return the uses from before some assets were protected that the rules would keep for what the memory measured."""
    judge = Judge(rules, settings.own_hosts, tx.licences.list(), tx.works.of_asset)
    kept = []
    for asset_id in sorted(ids):
        for use in tx.earlier_uses.of_asset(asset_id):
            place = JudgedPlace(use.page_url, use.image_url, use.source, use.last_seen_at.date())
            measured = Match(asset_id, Comparison(use.probability, description=use.description))
            if any(one.kept for one in judge.judged(place, [measured])):
                kept.append(use)
    return kept


def _ordered(places: Iterable[SpreadPlace]) -> tuple[SpreadPlace, ...]:
    return tuple(sorted(places, key=lambda place: (place.first_seen_at, place.operator)))
