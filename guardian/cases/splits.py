"""Cases of works that a person has split: what was told of the whole holds for both parts."""

from dataclasses import replace
from datetime import datetime

from guardian.model import Case, CaseEvent, CaseState
from guardian.store import Transaction


def divided_case(tx: Transaction, case: Case, addresses: tuple[str, str], at: datetime) -> Case:
    """Return a new case of a use at the addresses of a page and a picture, in the light of splits.

    Where the picture was seen before as another version of the then undivided work, as much was told and decided of it
    as of that version, and the new case goes on from there. A licence for that version covers this one no longer.
    """
    for parted in tx.works.parted_from(case.asset_id):
        other = parted.asset_id if parted.other_id == case.asset_id else parted.other_id
        known = tx.findings.at(other, *addresses)
        whole = tx.cases.get(known.case_id) if known is not None and known.case_id is not None else None
        if known is None or whole is None or known.first_seen_at > parted.at or whole.state is CaseState.LICENSED:
            continue

        note = f"was part of {whole.id}: the two are different works"
        tx.case_history.note(CaseEvent(case.id, at, "split", note=note))
        return tx.cases.update(replace(whole, id=case.id, updated_at=at))
    return case
