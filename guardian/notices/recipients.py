"""To whom a notice may go: what captures have found of takedown addresses and contacts, and mail addresses on pages.

Of a letter the addressee: who shows the picture, where the site's imprint names one and no other.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from guardian.errors import GuardianError
from guardian.evidence import Vault
from guardian.evidence.takedown_addresses import AGENT_DIRECTORY
from guardian.model.notices import NoticeKind
from guardian.notices.mail_address import is_mail_address
from guardian.store import Transaction
from guardian.urls.addresses import host_in, host_of, registrable_domain
from guardian.views.operators import contacts_in
from guardian.views.plain_text import cleaned

CONTACTS = "contacts.json"
TO_WHO_SHOWS_IT = (NoticeKind.CEASE, NoticeKind.LICENCE_OFFER)
_MOST = 20
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address to which a notice may go (mail or web), and how it was found."""

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a letter is written to, as imprints say, on these `pages`: a name with a postal or mail address, or both."""

    name: str
    postal: str | None
    mail: str | None
    pages: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """Name and addresses, as they stand above a letter."""
        postal = self.postal.split(",") if self.postal is not None else []
        return tuple(line for part in (self.name, *postal, self.mail or "") if (line := part.strip()))


def addressee_of(tx: Transaction, vault: Vault, case_ids: Sequence[str], operator: str) -> Addressee | None:
    """Return who a letter about these cases of an operator is written to; None where imprints leave a doubt.

    To accuse the wrong one is worse than to leave the address to a person. So every case must have an imprint, they
    must all name the same, and be of the operator's own host or of the one host that shows the pictures. What a
    platform's imprint says is nothing about an account.
    """
    if "/" in operator:
        return None
    urls = [finding.page_url for case_id in case_ids for finding in tx.findings.list(case_id)]
    hosts = {_without_www(host_of(url)) for url in urls}
    imprints: list[dict[str, Any]] = []
    for case_id in case_ids:
        site = _part(_contacts(tx, vault, case_id), "site", dict)
        of_case = [one for one in _part(site, "imprints", list) if _part(one, "url", str)]
        if not of_case:
            return None
        imprints += of_case
    shown_by = {_without_www(host_of(_part(one, "url", str))) for one in imprints}
    if shown_by != {operator} and shown_by != hosts:
        return None

    holders = {name.casefold(): name for one in imprints for name in [cleaned(_part(one, "holder", str))[:_LONGEST]]}
    name = next(iter(holders.values())) if len(holders) == 1 else ""
    mails = {mail for mail in _texts(imprints, "emails") if is_mail_address(mail)}
    own = {one for one in mails if registrable_domain(host_in(one.rpartition("@")[2])) == operator}
    mail = next((next(iter(some)) for some in (mails, own) if len(some) == 1), None)
    postal = _same(_texts(imprints, "postal"))
    if not name or (postal is None and mail is None):
        return None
    pages = dict.fromkeys(cleaned(_part(one, "url", str))[:_LONGEST] for one in imprints)
    return Addressee(name, postal, mail, tuple(pages))


def _without_www(host: str) -> str:
    return host.removeprefix("www.")


def _texts(imprints: Sequence[dict[str, Any]], name: str) -> list[str]:
    texts = [one for imprint in imprints for one in _part(imprint, name, list) if isinstance(one, str)]
    return [text for one in texts if (text := cleaned(one)[:_LONGEST])]


def _same(texts: Sequence[str]) -> str | None:
    """Return the shortest of some texts when all others have its words and more; None when they differ, for none."""
    keys = {" ".join(["", *re.findall(r"\w+", text.casefold()), ""]): text for text in reversed(texts)}
    shortest = min(keys, key=len, default="")
    return keys[shortest] if shortest.strip() and all(shortest in key for key in keys) else None


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
        for one in (*own, *hints) if kind in TO_WHO_SHOWS_IT else (*hints, *own):
            found.setdefault(one.address, one)
    return tuple(found.values())[:_MOST]


def _captured(
    tx: Transaction, vault: Vault, case_id: str, kind: NoticeKind | None
) -> tuple[list[Recipient], list[Recipient]]:
    """Return what the last capture of a case that has any says of where notices go, and of the site's own contacts."""
    told = _contacts(tx, vault, case_id)
    hints = [
        one
        for hint in _part(told, "notices", list)
        for one in _recipient(_part(hint, "address", str), _part(hint, "why", str))
        if kind in (None, NoticeKind.DMCA) or one.address != AGENT_DIRECTORY
    ]
    addresses = _part(_part(told, "site", dict), "emails", list)
    return hints, [one for address in addresses for one in _recipient(address, "a mail address of the site")]


def _contacts(tx: Transaction, vault: Vault, case_id: str) -> object:
    """Return the contacts of the last capture of a case that has any; None without one."""
    files = [capture.file(CONTACTS) for capture in reversed(tx.evidence.of_case(case_id))]
    file = next((one for one in files if one is not None), None)
    if file is None:
        return None
    try:
        return json.loads(vault.get(file.sha256))
    except (GuardianError, OSError, ValueError):
        # `guardian evidence check` names files that are lost or damaged; a notice is drafted without them.
        return None


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
