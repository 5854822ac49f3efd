"""Reads which places of a case are looked at: those that a notice names, and others where its operator shows the work.

Nothing is fetched here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from guardian.cases.operators import operator
from guardian.licences import standing_of
from guardian.model import Case, Finding, Licence, LicenceStatus, SeenAddress, SeenPicture, Work
from guardian.notices.drafting import MOST_PLACES
from guardian.notices.licence_check import licences_at
from guardian.rules.use import is_at_own_host
from guardian.scan.recheck.looks import Place, digests_of
from guardian.scan.services import ScanSettings
from guardian.store import Store, Transaction
from guardian.urls.addresses import is_web_address

_MOST_ELSEWHERE = 100


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A place as it is known: by `finding`, or, where that is None, by the memory alone."""

    place: Place
    source: str
    finding: Finding | None
    asset_ids: frozenset[str]
    is_licensed: bool = False


@dataclass(frozen=True, slots=True)
class CasePlaces:
    """The places of a case that a notice names (all that are known, without a notice), and others of its operator.

    `too_many` are those that are not looked at, since there are more than one recheck can ask a site for.
    """

    named: Sequence[KnownPlace]
    elsewhere: Sequence[KnownPlace]
    too_many: Sequence[KnownPlace] = ()


@dataclass(frozen=True, slots=True)
class _Records:
    """What the database says of a case: its findings (those with a web address), and what the memory has met.

    `named_ids` are the findings that the notice names. `digests` are those of bytes that were seen at the findings.
    """

    work: Work | None
    asset_ids: frozenset[str]
    findings: Sequence[Finding]
    named_ids: frozenset[str]
    digests: frozenset[str]
    met: Sequence[tuple[SeenPicture, SeenAddress]]
    licences: Sequence[Licence]


def places_of(
    store: Store,
    settings: ScanSettings,
    case: Case,
    notice_id: str | None,
    on: date,
    alike: Sequence[str] = (),
) -> CasePlaces:
    """Return the places that are looked at: those of a notice or of the case, and others of the same operator.

    Without `notice_id` the last notice counts that was sent. The others are the case's other findings, and what the
    memory has met there: the same file, or one of `alike`, the digests of pictures that may be copies of it, the
    likeliest first. Of each it is said whether a licence covers it on this day.
    """
    with store.read() as tx:
        records = _read(tx, settings, case, notice_id, alike)

    known = [_known(finding, records.asset_ids) for finding in records.findings]
    named = [one for one in known if one.finding is not None and one.finding.id in records.named_ids]
    others = [one for one in known if one not in named]
    if not named:
        named, others = others, []

    elsewhere = [
        replace(one, is_licensed=_is_licensed(one, records.work, on, records.licences))
        for one in (*others, *_remembered(records, known))
    ]
    # To a place that is licensed nothing has moved, so those can wait.
    elsewhere.sort(key=lambda one: one.is_licensed)
    left_out = [one for one in elsewhere[_MOST_ELSEWHERE:] if not one.is_licensed]
    return CasePlaces(named[:MOST_PLACES], elsewhere[:_MOST_ELSEWHERE], too_many=[*named[MOST_PLACES:], *left_out])


def _read(tx: Transaction, settings: ScanSettings, case: Case, notice_id: str | None, alike: Sequence[str]) -> _Records:
    """Read what the database says of a case and of where its pictures were met."""
    findings = [one for one in tx.findings.list(case.id) if is_web_address(one.page_url)]
    digests = frozenset(digest for finding in findings for digest in digests_of(finding))

    # The same file comes before what is only alike.
    rank = {sha256: number for number, sha256 in enumerate(dict.fromkeys((*digests, *alike)))}
    # On a platform another account that shows the same file is another operator. The owner's own file, which a page
    # of the operator's may embed, is no copy.
    met = [
        (picture, address)
        for picture, address in tx.seen.uses_of(rank)
        if operator(address.page_url, address.image_url, address.source, settings.platforms) == case.operator
        and not is_at_own_host(address.page_url, address.image_url, settings.own_hosts)
    ]
    met.sort(key=lambda one: rank[one[0].sha256])

    pages = [*(one.page_url for one in findings), *(address.page_url or "" for _, address in met)]
    return _Records(
        work=tx.works.of_asset(case.asset_id),
        asset_ids=tx.works.asset_ids_with(case.asset_id),
        findings=findings,
        named_ids=_named_by_notice(tx, case, notice_id),
        digests=digests,
        met=met,
        licences=licences_at(tx, pages),
    )


def _named_by_notice(tx: Transaction, case: Case, notice_id: str | None) -> frozenset[str]:
    """Return the ids of the findings that a notice names, or the last one about the case that is not open any more."""
    notice = tx.notices.get(notice_id) if notice_id is not None else None
    if notice is None:
        sent = [one for one in tx.notices.of_case(case.id) if not one.is_open]
        notice = sent[-1] if sent else None
    if notice is None:
        return frozenset()

    # A finding may have been merged into another one since.
    found = [tx.findings.get(place.finding_id) for place in notice.places]
    return frozenset(finding.id for finding in found if finding is not None)


def _remembered(records: _Records, known: Sequence[KnownPlace]) -> Iterable[KnownPlace]:
    """Return the places that only the memory knows, each once."""
    taken = {(one.place.page_url, one.place.image_url) for one in known}
    found: dict[tuple[str | None, str | None], KnownPlace] = {}
    for picture, address in records.met:
        key = address.page_url, address.image_url
        if key in taken:
            continue
        # Of a picture that is only alike the bytes prove nothing: it must be compared.
        digests = frozenset({picture.sha256} & records.digests)
        place = Place(*key, digests, address.context, address.last_seen_at)
        found.setdefault(key, KnownPlace(place, address.source, None, records.asset_ids))
    return found.values()


def _known(finding: Finding, asset_ids: frozenset[str]) -> KnownPlace:
    page = finding.page_url if finding.page_url != finding.image_url else None
    image = finding.image_url if is_web_address(finding.image_url) else None
    place = Place(page, image, digests_of(finding), last_seen_at=finding.last_seen_at)
    return KnownPlace(place, finding.source, finding, asset_ids)


def _is_licensed(known: KnownPlace, work: Work | None, on: date, licences: Sequence[Licence]) -> bool:
    if known.finding is not None and known.finding.is_licensed:
        return True
    page = known.place.page_url or known.place.image_url
    if work is None or page is None:
        return False
    return standing_of(work, page, on, licences).status is LicenceStatus.LICENSED
