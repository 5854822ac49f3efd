"""Reads a case with all that is shown of it, for the command line and for web pages alike."""

from collections.abc import Sequence
from datetime import date, datetime

from guardian.cases.operators import operator
from guardian.cases.priority import priority_of
from guardian.errors import UsageError
from guardian.licences import status_of
from guardian.model import Asset, Case, CaseFilter, Finding
from guardian.store import Transaction
from guardian.store.case_order import CaseOrder, CasePlace, place_of
from guardian.urls.accounts import Platform
from guardian.urls.addresses import host_in, host_is_under, host_of
from guardian.views.cases import CaseDetail
from guardian.views.operators import OperatorDetail, contacts_in
from guardian.views.short_ids import only_one, with_prefix


def case_with_id(tx: Transaction, case_id: str) -> Case:
    """Return the case of an id, or the one that it was merged into. Raises UsageError when there is none."""
    case = tx.cases.get(case_id)
    if case is None:
        raise UsageError(f"there is no case {case_id}; `guardian case list` shows them")
    return case


def case_starting_with(tx: Transaction, start: str) -> Case:
    """Return the only case whose id begins with `start`, which may lack "case_".

    Raises UsageError when there is no such case, or more than one.
    """
    found = tx.cases.starting_with(with_prefix(start, "case_"))
    return only_one(found, [case.id for case in found], start, "case", "`guardian case list` shows them")


def cases_matching(tx: Transaction, wanted: CaseFilter, limit: int | None = None) -> list[Case]:
    """Return the cases that a filter wants, in its order, at most `limit` of them."""
    if wanted.host is None:
        return tx.cases.matching(wanted, limit)
    found = [case for case in tx.cases.matching(wanted) if _is_of_host(tx, case, wanted.host)]
    return found[:limit]


def page_of_cases(
    tx: Transaction, wanted: CaseFilter, order: CaseOrder, limit: int, after: CasePlace | None
) -> list[Case]:
    """Return the cases that a filter wants, in this order and after a place in it (None: all), at most `limit`."""
    found: list[Case] = []
    while len(found) < limit:
        # Hosts are compared here and not in SQL, so as many are read as are wanted, and more where some fall away.
        read = tx.cases.page(wanted, order, limit, after)
        found += [case for case in read if wanted.host is None or _is_of_host(tx, case, wanted.host)]
        if len(read) < limit:
            break
        after = place_of(read[-1], order)
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


def operator_named(text: str, platforms: Sequence[Platform]) -> str:
    """Return the operator that a person means by its name, a host or an address of it. Raises UsageError for none."""
    if text.startswith("folder:"):
        return text
    address = text if "://" in text else f"https://{text}"
    if not host_in(text):
        raise UsageError(f"{text!r} is no operator; write its host, such as thief.example, or an address of it")
    return operator(address, None, "", platforms)


def operator_detail(tx: Transaction, name: str, on: date) -> OperatorDetail:
    """Return an operator with all that is known of it on a day. Raises UsageError for one without cases."""
    summaries = tx.operators.summaries(name)
    if not summaries:
        raise UsageError(f"no case is about {name}; `guardian operator list` shows all operators")

    found = tx.cases.matching(CaseFilter(operator=name, by_priority=True))
    host = host_in(name)
    granted = [licence for licence in tx.licences.list() if host and host_is_under(licence.host, host)]
    granted += [licence for licence in tx.licences.for_host(host) if licence not in granted] if host else []
    return OperatorDetail(
        summary=summaries[0],
        cases=[(case, tx.assets.get(case.asset_id)) for case in found],
        licences=[(licence, status_of(licence, on)) for licence in granted],
        contacts=contacts_in([finding.context for case in found for finding in tx.findings.list(case.id)]),
    )


def case_detail(tx: Transaction, case: Case, now: datetime) -> CaseDetail:
    """Return a case with its asset, its findings, every version of the bytes seen at each, its history and priority."""
    findings = tx.findings.list(case.id)
    work = tx.works.of_asset(case.asset_id)

    return CaseDetail(
        case=case,
        asset=tx.assets.get(case.asset_id),
        findings=findings,
        history=tx.case_history.of(case.id),
        priority=priority_of(case, tx.operators.count_cases(case.operator), now),
        versions=tx.versions.of_all([finding.id for finding in findings]),
        assets=work.assets if work is not None else (),
    )
