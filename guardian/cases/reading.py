"""Reads a case with all that is shown of it, for the command line and for web pages alike."""

from guardian.model import Asset, Case, CaseFilter, Finding
from guardian.store import Transaction
from guardian.urls.addresses import host_is_under, host_of
from guardian.views.cases import CaseDetail
from guardian.views.short_ids import only_one, with_prefix


def case_starting_with(tx: Transaction, start: str) -> Case:
    """Return the only case whose id begins with `start`, which may lack "case_".

    Raises UsageError when there is no such case, or more than one.
    """
    found = tx.cases.starting_with(with_prefix(start, "case_"))
    return only_one(found, [case.id for case in found], start, "case", "`guardian case list` shows them")


def cases_matching(tx: Transaction, wanted: CaseFilter, limit: int | None = None) -> list[Case]:
    """Return the cases that a filter wants, those last changed first, at most `limit` of them."""
    found = tx.cases.matching(wanted)
    if wanted.host is not None:
        found = [case for case in found if _is_of_host(tx, case, wanted.host)]
    return found[:limit]


def uses_matching(tx: Transaction, wanted: CaseFilter) -> list[tuple[Finding, Asset]]:
    """Return the recorded uses that licences cover, with their assets, those licensed last first.

    Of the filter the host, the asset, the collection, the licence and `since` (licensed since) count.
    """
    found = []
    for finding in tx.findings.licensed(wanted.licence_id):
        work = tx.works.of_asset(finding.asset_id)
        assets = work.assets if work is not None else ()
        asset = next((one for one in assets if one.id == finding.asset_id), None)
        if asset is None:
            continue

        is_wanted = (
            (wanted.host is None or host_is_under(host_of(finding.page_url), wanted.host))
            and (wanted.asset_id is None or any(one.id == wanted.asset_id for one in assets))
            and (wanted.collection is None or any(one.collection == wanted.collection for one in assets))
            and (wanted.since is None or (finding.licensed_since or finding.last_seen_at) >= wanted.since)
        )
        if is_wanted:
            found.append((finding, asset))
    return found


def _is_of_host(tx: Transaction, case: Case, host: str) -> bool:
    """Return whether a case is of an operator by this name or below it, or has a finding at or below this host."""
    if case.operator == host or host_is_under(case.operator, host):
        return True
    # Only a host below the operator's name can be one of its hosts, which spares reading all other findings.
    if not host_is_under(host, case.operator):
        return False
    return any(host_is_under(host_of(finding.page_url), host) for finding in tx.findings.list(case.id))


def case_detail(tx: Transaction, case: Case) -> CaseDetail:
    """Return a case with its asset, its findings, every version of the bytes seen at each of them, and its history."""
    findings = tx.findings.list(case.id)
    work = tx.works.of_asset(case.asset_id)

    return CaseDetail(
        case=case,
        asset=tx.assets.get(case.asset_id),
        findings=findings,
        history=tx.cases.history(case.id),
        versions=tx.versions.of_all([finding.id for finding in findings]),
        assets=work.assets if work is not None else (),
    )
