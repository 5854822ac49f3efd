"""To whom a notice may go: what captures have found of takedown addresses and contacts, and mail addresses on pages."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from guardian.errors import GuardianError
from guardian.evidence import Vault
from guardian.evidence.takedown_addresses import AGENT_DIRECTORY
from guardian.model.notices import NoticeKind
from guardian.store import Transaction
from guardian.views.operators import contacts_in
from guardian.views.plain_text import cleaned

CONTACTS = "contacts.json"
_TO_WHO_SHOWS_IT = (NoticeKind.CEASE, NoticeKind.LICENCE_OFFER)
_MOST = 20
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address to which a notice may go (mail or web), and how it was found."""

    address: str
    why: str


def recipients_of(
    tx: Transaction, vault: Vault, case_ids: Sequence[str], kind: NoticeKind | None = None
) -> tuple[Recipient, ...]:
    """Return whom a notice about these cases may go to, the likeliest first, each address once, at most 20.

    `kind` is what the notice is; None for one of any kind. Letters and offers are for who shows the picture, so what
    belongs to hosts comes last; the directory of agents under 17 U.S.C. 512(c) serves notifications under it alone.
    """
    found: dict[str, Recipient] = {}
    for case_id in case_ids:
        hints, site = _captured(tx, vault, case_id, kind)
        own = [*site, *_on_pages(tx, case_id)]
        for one in (*own, *hints) if kind in _TO_WHO_SHOWS_IT else (*hints, *own):
            found.setdefault(one.address, one)
    return tuple(found.values())[:_MOST]


def _captured(
    tx: Transaction, vault: Vault, case_id: str, kind: NoticeKind | None
) -> tuple[list[Recipient], list[Recipient]]:
    """Return what the last capture of a case that has any says of where notices go, and of the site's own contacts."""
    files = [capture.file(CONTACTS) for capture in reversed(tx.evidence.of_case(case_id))]
    file = next((one for one in files if one is not None), None)
    if file is None:
        return [], []
    try:
        told = json.loads(vault.get(file.sha256))
    except (GuardianError, OSError, ValueError):
        # The check of the evidence names what is lost or damaged; a draft goes on without.
        return [], []
    hints = [
        one
        for hint in _part(told, "notices", list)
        for one in _recipient(_part(hint, "address", str), _part(hint, "why", str))
        if kind in (None, NoticeKind.DMCA) or one.address != AGENT_DIRECTORY
    ]
    addresses = _part(_part(told, "site", dict), "emails", list)
    return hints, [one for address in addresses for one in _recipient(address, "a mail address of the site")]


def _on_pages(tx: Transaction, case_id: str) -> Iterator[Recipient]:
    for address in contacts_in([finding.context for finding in tx.findings.list(case_id)]):
        yield from _recipient(address, "stands beside the picture")


def _recipient(address: object, why: str) -> Iterator[Recipient]:
    text = cleaned(address)[:_LONGEST] if isinstance(address, str) else ""
    if text:
        yield Recipient(text, cleaned(why)[:_LONGEST])


def _part(told: object, name: str, kind: type[Any]) -> Any:
    """Return a part of a JSON object, or an empty one where there is none of this kind."""
    part = told.get(name) if isinstance(told, dict) else None
    return part if isinstance(part, kind) else kind()
