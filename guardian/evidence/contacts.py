"""Takes who is behind a site: its own words, its security.txt, what registries say, and where notices go.

The site is asked for a handful of pages, as a scan asks. What was not asked, and why, is said.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from guardian.errors import CaptureFull, FetchFailed, FetchRefused, GuardianError
from guardian.evidence.captured_page import kept_page
from guardian.evidence.http_records import records_of
from guardian.evidence.keeper import Keeper, Taken
from guardian.evidence.rdap import Registration, domain_address, network_address, read_registration
from guardian.evidence.security_txt import PATH, parse_security_txt
from guardian.evidence.settings import EvidenceSettings
from guardian.evidence.site_contacts import GUESSES, PageContacts, contacts_on
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.takedown_addresses import (
    TakedownAddress,
    TakedownHint,
    directory_hint,
    network_hints,
    platform_hints,
)
from guardian.evidence.vault import Vault
from guardian.fetch.fetcher import Fetcher
from guardian.matching.workers import Workers
from guardian.media.sniff import is_page
from guardian.model import EvidenceFile, NotTaken, Response
from guardian.urls.addresses import host_of, is_ip_address, registrable_domain

FORMAT = "guardian-contacts/1"
_MOST_PAGES = 4
"""Pages that are requested of a site beside security.txt."""

_MOST_PAGE_BYTES = 2 * 1024**2
_NOT_ENABLED = "not asked: evidence.rdap.enabled is false"


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom requests are made by: `site` asks pages as a scan does, `registry` asks registries as a person does."""

    site: Fetcher
    registry: Fetcher


@dataclass(slots=True)
class _Found:
    """What was found so far: the pages with what they say, the registrations, and the files and gaps beside them."""

    pages: list[dict[str, Any]] = field(default_factory=list)
    read: list[PageContacts] = field(default_factory=list)
    files: list[EvidenceFile] = field(default_factory=list)
    not_taken: list[NotTaken] = field(default_factory=list)


async def take_contacts(
    subject: CaptureSubject,
    keeper: Keeper,
    vault: Vault,
    workers: Workers,
    asking: Asking,
    settings: EvidenceSettings,
) -> Taken:
    """Look for who is behind the site of a use, and keep what it says. Raises VaultFull, WorkersUnavailable."""
    address = subject.page_url or subject.image_url
    if address is None:
        reason = "the picture was not seen on a site of the web"
        return Taken(not_taken=(NotTaken("contacts", reason),))

    found = _Found()
    await _read_site(subject, address, (keeper, vault, workers, asking.site), found)
    security = await _security_text(address, asking.site, keeper, found, subject.now)
    remote = await asyncio.to_thread(_remote_address, vault, subject)
    domain, network = await _registrations(address, remote, (keeper, asking.registry), settings, found)

    told = {
        "format": FORMAT,
        "looked_at": subject.now.isoformat(),
        "operator": subject.case.operator,
        "host": host_of(address),
        "site": _site_told(found),
        "security_txt": security,
        "domain": domain,
        "network": {"address": remote, **network},
        "notices": [asdict(hint) for hint in _hints(subject, settings, (domain, network))],
    }
    content = json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8", "replace")
    about = "Who is behind the site: its own words, its security.txt, what registries say, and where notices go."
    kept = await asyncio.to_thread(keeper.keep, "contacts.json", content, "application/json", about)
    return Taken((kept, *found.files), tuple(found.not_taken))


async def _read_site(
    subject: CaptureSubject, address: str, means: tuple[Keeper, Vault, Workers, Fetcher], found: _Found
) -> None:
    """Read the kept page, then the pages of the site that name who is behind it, the linked ones first."""
    keeper, vault, workers, fetcher = means
    links: list[str] = []
    if subject.page_sha256 is not None and subject.page_url is not None:
        try:
            page = await asyncio.to_thread(kept_page, vault, subject.page_sha256, subject.page_url)
            links = list((await _read_page(page, workers, found)).links)
        except GuardianError as error:
            found.not_taken.append(NotTaken("contacts on the page", str(error)))

    if "/" in subject.case.operator:
        # An account of a platform: whose imprint the platform has says nothing of who has the account.
        return
    for url in (links or _guesses(address))[:_MOST_PAGES]:
        try:
            response = await fetcher.get(url, kind="page")
        except (FetchFailed, FetchRefused) as error:
            found.pages.append({"url": url, "problem": str(error)})
            continue
        if is_page(response):
            contacts = await _read_page(response, workers, found)
            _keep_page(keeper, response, found)
            # One page that names whoever is responsible is what was looked for.
            if contacts.emails and (contacts.postal or contacts.phones or contacts.numbers):
                break


def _guesses(address: str) -> list[str]:
    scheme, _, rest = address.partition("://")
    return [f"{scheme}://{rest.partition('/')[0]}{path}" for path in GUESSES]


async def _read_page(response: Response, workers: Workers, found: _Found) -> PageContacts:
    """Return what a page says, read in a worker process, and note it."""
    contacts = await workers.run(contacts_on, response)
    found.read.append(contacts)
    digest = hashlib.sha256(response.content).hexdigest()
    found.pages.append({"url": response.final_url, "sha256": digest, "emails": list(contacts.emails)})
    return contacts


def _keep_page(keeper: Keeper, response: Response, found: _Found) -> None:
    """Keep a page that was read; its number is that of its kind."""
    number = 1 + sum(file.name.startswith("contacts/page-") for file in found.files)
    if len(response.content) <= _MOST_PAGE_BYTES:
        about = "A page of the site that may name who is behind it, as it was sent."
        _keep_beside(keeper, f"contacts/page-{number}.html", response.content, "text/html", about, found)


def _keep_beside(keeper: Keeper, name: str, content: bytes, media_type: str, about: str, found: _Found) -> None:
    try:
        found.files.append(keeper.keep(name, content, media_type, about))
    except CaptureFull as error:
        found.not_taken.append(NotTaken(name, str(error)))


def _site_told(found: _Found) -> dict[str, Any]:
    """Return what all pages say together, each thing once."""

    def together(values: Sequence[tuple[str, ...]]) -> list[str]:
        return list(dict.fromkeys(value for several in values for value in several))

    return {
        "names": together([one.names for one in found.read]),
        "emails": together([one.emails for one in found.read]),
        "phones": together([one.phones for one in found.read]),
        "postal": together([one.postal for one in found.read]),
        "numbers": together([one.numbers for one in found.read]),
        "pages": found.pages,
    }


async def _security_text(
    address: str, fetcher: Fetcher, keeper: Keeper, found: _Found, now: datetime
) -> dict[str, Any]:
    """Return what the site's security.txt says, or why there is none."""
    scheme, _, rest = address.partition("://")
    url = f"{scheme}://{rest.partition('/')[0]}{PATH}"
    try:
        response = await fetcher.get(url, kind="document")
    except (FetchFailed, FetchRefused) as error:
        return {"url": url, "problem": str(error)}

    text = parse_security_txt(response.content, now)
    if text is None:
        return {"url": url, "problem": "what is there is no security.txt"}
    about = "The site's own security.txt (RFC 9116), as it was sent."
    _keep_beside(keeper, "contacts/security.txt", response.content[:65_536], "text/plain", about, found)
    return {
        "url": response.final_url,
        "is_expired": text.is_expired,
        **{name: list(of) for name, of in text.fields.items()},
    }


def _remote_address(vault: Vault, subject: CaptureSubject) -> str | None:
    """Return the IP address that page or picture last came from; None when that was not kept."""
    for digest in (subject.page_sha256, subject.image_sha256):
        records = records_of(vault, digest) if digest is not None else []
        for record in reversed(records):
            remote = record.get("remote_address")
            if isinstance(remote, str) and is_ip_address(remote):
                return remote
    return None


async def _registrations(
    address: str,
    remote: str | None,
    means: tuple[Keeper, Fetcher],
    settings: EvidenceSettings,
    found: _Found,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what registries say of the domain and of the network, or why they were not asked."""
    host = host_of(address)
    if not settings.rdap.enabled:
        return {"problem": _NOT_ENABLED}, {"problem": _NOT_ENABLED}

    endpoint = settings.rdap.endpoint
    domain: dict[str, Any] = {"problem": "not asked: the site is named by its IP address"}
    if not is_ip_address(host):
        name = registrable_domain(host)
        asked = domain_address(name, endpoint)
        unknown = f"not asked: guardian knows no registry of {name}; evidence.rdap.endpoint names one for all"
        domain = await _ask(asked, unknown, "domain", means, found)

    if remote is None:
        return domain, {"problem": "not asked: the IP address that the site answered from was not kept"}
    private = f"not asked: {remote} belongs to no public network"
    return domain, await _ask(network_address(remote, endpoint), private, "network", means, found)


async def _ask(
    url: str | None, why_not: str, kind: str, means: tuple[Keeper, Fetcher], found: _Found
) -> dict[str, Any]:
    """Return what a registry answers at an address, which is kept as it came, or what went wrong."""
    keeper, fetcher = means
    if url is None:
        return {"problem": why_not}
    try:
        response = await fetcher.get(url, kind="document")
        registration = read_registration(response.content)
    except (FetchFailed, FetchRefused) as error:
        return {"asked": url, "problem": f"no answer: {error}"}
    except ValueError as error:
        return {"asked": url, "problem": f"the answer cannot be read: {error}"}

    about = f"What the registry says of the {kind} (RDAP), as it was sent."
    _keep_beside(keeper, f"contacts/rdap-{kind}.json", response.content, "application/rdap+json", about, found)
    return {"asked": url, "answered_by": host_of(response.final_url), **_registration_told(registration)}


def _registration_told(registration: Registration) -> dict[str, Any]:
    """Return what is said, without what is not."""
    return {name: value for name, value in asdict(registration).items() if value}


def _hints(
    subject: CaptureSubject, settings: EvidenceSettings, registrations: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> list[TakedownHint]:
    """Return where notices go: what is configured and known of the hosts, then whom the registries name."""
    own = [TakedownAddress(one.host, one.address, one.note) for one in settings.takedown_addresses]
    urls = [url for url in (subject.page_url, subject.image_url) if url is not None]
    hints = platform_hints([host_of(url) for url in urls], own)

    domain, network = registrations
    hints += network_hints(str(network.get("name", "")))
    named = f"for abuse, of the network {network.get('name', '')}".rstrip()
    hints += [TakedownHint(mail, f"the contact {named}") for mail in network.get("abuse_emails", ())]
    registrar = f"for abuse, of the registrar {domain.get('registrar', '')}".rstrip()
    hints += [TakedownHint(mail, f"the contact {registrar}") for mail in domain.get("abuse_emails", ())]

    once: dict[str, TakedownHint] = {}
    for hint in (*hints, directory_hint()):
        once.setdefault(hint.address, hint)
    return list(once.values())
