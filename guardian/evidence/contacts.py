"""Takes who is behind a site: its own words, its security.txt, what registries say, and where notices go.

The site is asked for a handful of pages, as a scan asks. What was not asked, and why, is said.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urljoin

from guardian.errors import CaptureFull, FetchFailed, FetchRefused, GuardianError
from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.captured_page import kept_page
from guardian.evidence.exchanges import Exchanges
from guardian.evidence.http_records import records_of
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
from guardian.evidence.taken import Taken
from guardian.evidence.vault import Vault
from guardian.fetch.fetcher import Fetcher
from guardian.matching.workers import Workers
from guardian.media.sniff import is_page
from guardian.model import EvidenceFile, NotTaken, Response
from guardian.urls.addresses import canonical_url, host_of, is_ip_address, registrable_domain, shown_url

FORMAT = "guardian-contacts/1"
_MOST_PAGES = 4
"""Pages that are requested of a site beside security.txt."""

_MOST_PAGE_BYTES = 2 * 1024**2
_NOT_ENABLED = "not asked: evidence.rdap.enabled is false"


@dataclass(frozen=True, slots=True)
class ContactMeans:
    """What looking for contacts needs.

    `site` asks pages as a scan does, `registry` asks registries as a person does. `exchanges` are those of the capture.
    """

    vault: Vault
    workers: Workers
    site: Fetcher
    registry: Fetcher
    settings: EvidenceSettings
    exchanges: Exchanges


@dataclass(slots=True)
class _Found:
    """What was found so far: the pages with what they say, the registrations, and the files and gaps beside them."""

    pages: list[dict[str, Any]] = field(default_factory=list)
    read: list[PageContacts] = field(default_factory=list)
    imprints: list[dict[str, Any]] = field(default_factory=list)
    files: list[EvidenceFile] = field(default_factory=list)
    not_taken: list[NotTaken] = field(default_factory=list)


async def take_contacts(subject: CaptureSubject, folder: CaptureFolder, means: ContactMeans) -> Taken:
    """Look for who is behind the site of a use, and keep what it says. Raises VaultFull, WorkersUnavailable.

    A site of which nothing answered to the exchanges of the capture is not asked again.
    """
    address = subject.page_url or subject.image_url
    if address is None:
        reason = "the picture was not seen on a site of the web"
        return Taken(not_taken=(NotTaken("contacts", reason),))

    found = _Found()
    page = means.exchanges.page or await asyncio.to_thread(_page_of_scan, subject, means.vault, found)
    await _read_site(subject, address, page, (folder, means), found)
    security = await _security_text(subject, address, (folder, means), found)
    remote = await asyncio.to_thread(_remote_address, subject, means)
    domain, network = await _registrations(address, remote, (folder, means), found)

    told = {
        "format": FORMAT,
        "looked_at": subject.now.isoformat(),
        "operator": subject.case.operator,
        "host": host_of(address),
        "site": _site_told(found),
        "security_txt": security,
        "domain": domain,
        "network": {"address": remote, **network},
        "notices": [asdict(hint) for hint in _hints(subject, means.settings, (domain, network))],
    }
    content = json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8", "replace")
    about = "Who is behind the site: its own words, its security.txt, what registries say, and where notices go."
    kept = await asyncio.to_thread(folder.add, "contacts.json", content, "application/json", about)
    return Taken((kept, *found.files), tuple(found.not_taken))


def _page_of_scan(subject: CaptureSubject, vault: Vault, found: _Found) -> Response | None:
    """Return the page as a scan kept it; None where none was kept, or its bytes are gone, which is noted."""
    if subject.page_sha256 is None or subject.page_url is None:
        return None
    try:
        return kept_page(vault, subject.page_sha256, subject.page_url)
    except GuardianError as error:
        found.not_taken.append(NotTaken("contacts on the page", str(error)))
        return None


async def _read_site(
    subject: CaptureSubject,
    address: str,
    page: Response | None,
    given: tuple[CaptureFolder, ContactMeans],
    found: _Found,
) -> None:
    """Read the page of the use, then those of its site that name who is behind it, the linked ones first.

    Links are those of the page, else those of the front page.
    """
    _, means = given
    links: list[str] = []
    if page is not None and is_page(page):
        links = list((await _read_page(page, means.workers, found)).links)
    if means.exchanges.unreachable is not None:
        found.not_taken.append(NotTaken("contacts on other pages", f"not asked: {means.exchanges.unreachable}"))
        return
    if "/" in subject.case.operator:
        # The operator is an account of a platform, and the imprint of the platform does not say whose account it is.
        return

    front = urljoin(address, "/")
    if not links and canonical_url(address) != front:
        # Pages of pictures often have no footer; the front page has one.
        contacts = await _asked_page(front, given, found)
        if _is_enough(contacts):
            return
        links = list(contacts.links)
    for url in (links or _guesses(address))[:_MOST_PAGES]:
        if _is_enough(await _asked_page(url, given, found)):
            return


async def _asked_page(url: str, given: tuple[CaptureFolder, ContactMeans], found: _Found) -> PageContacts:
    """Ask for a page of the site and return what it says; nothing when it cannot be read, which is noted."""
    folder, means = given
    try:
        response = await means.site.get(url, kind="page")
    except (FetchFailed, FetchRefused) as error:
        found.pages.append({"url": url, "problem": str(error)})
        return PageContacts()
    if not is_page(response):
        return PageContacts()
    contacts = await _read_page(response, means.workers, found)
    _keep_page(folder, response, found)
    return contacts


def _is_enough(contacts: PageContacts) -> bool:
    """Return whether a page names whoever is responsible, which is what is looked for."""
    return bool(contacts.emails and (contacts.postal or contacts.phones or contacts.numbers))


def _guesses(address: str) -> list[str]:
    scheme, _, rest = address.partition("://")
    return [f"{scheme}://{rest.partition('/')[0]}{path}" for path in GUESSES]


async def _read_page(response: Response, workers: Workers, found: _Found) -> PageContacts:
    """Return what a page says, read in a worker process, and note it."""
    contacts = await workers.run(contacts_on, response)
    found.read.append(contacts)
    if contacts.imprint is not None:
        found.imprints.append({"url": response.final_url, **asdict(contacts.imprint)})
    digest = hashlib.sha256(response.content).hexdigest()
    found.pages.append({"url": response.final_url, "sha256": digest, "emails": list(contacts.emails)})
    return contacts


def _keep_page(folder: CaptureFolder, response: Response, found: _Found) -> None:
    """Keep a page that was read; its number is that of its kind."""
    number = 1 + sum(file.name.startswith("contacts/page-") for file in found.files)
    if len(response.content) <= _MOST_PAGE_BYTES:
        about = "A page of the site that may name who is behind it, as it was sent."
        # As text: who opens it must not run a stranger's scripts, nor ask the site for anything.
        _keep_beside(folder, f"contacts/page-{number}.html.txt", response.content, "text/plain", about, found)


def _keep_beside(folder: CaptureFolder, name: str, content: bytes, media_type: str, about: str, found: _Found) -> None:
    try:
        found.files.append(folder.add(name, content, media_type, about))
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
        "imprints": found.imprints,
        "pages": found.pages,
    }


async def _security_text(
    subject: CaptureSubject, address: str, given: tuple[CaptureFolder, ContactMeans], found: _Found
) -> dict[str, Any]:
    """Return what the site's security.txt says, or why there is none."""
    folder, means = given
    scheme, _, rest = address.partition("://")
    url = f"{scheme}://{rest.partition('/')[0]}{PATH}"
    if means.exchanges.unreachable is not None:
        return {"url": url, "problem": f"not asked: {means.exchanges.unreachable}"}
    try:
        response = await means.site.get(url, kind="document")
    except (FetchFailed, FetchRefused) as error:
        return {"url": url, "problem": str(error)}

    text = parse_security_txt(response.content, subject.now)
    if text is None:
        return {"url": url, "problem": "what is there is no security.txt"}
    about = "The site's own security.txt (RFC 9116), as it was sent."
    _keep_beside(folder, "contacts/security.txt", response.content[:65_536], "text/plain", about, found)
    return {
        "url": response.final_url,
        "is_expired": text.is_expired,
        **{name: list(of) for name, of in text.fields.items()},
    }


def _remote_address(subject: CaptureSubject, means: ContactMeans) -> str | None:
    """Return the IP address that page or picture last came from; None when that is not known."""
    for response in (means.exchanges.page, means.exchanges.image):
        if response is not None and response.remote_address is not None:
            return response.remote_address
    for digest in (subject.page_sha256, subject.image_sha256):
        records = records_of(means.vault, digest) if digest is not None else []
        for record in reversed(records):
            remote = record.get("remote_address")
            if isinstance(remote, str) and is_ip_address(remote):
                return remote
    return None


async def _registrations(
    address: str, remote: str | None, given: tuple[CaptureFolder, ContactMeans], found: _Found
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what registries say of the domain and of the network, or why they were not asked."""
    folder, means = given
    settings, asking = means.settings, (folder, means.registry)
    host = host_of(address)
    if not settings.rdap.enabled:
        return {"problem": _NOT_ENABLED}, {"problem": _NOT_ENABLED}

    domain: dict[str, Any] = {"problem": "not asked: the site is named by its IP address"}
    if not is_ip_address(host):
        name = registrable_domain(host)
        unknown = f"not asked: IANA's list names no registry of {name}; evidence.rdap.endpoint names one for all"
        domain = await _ask(lambda: domain_address(name, settings.rdap), unknown, "domain", asking, found)

    if remote is None:
        return domain, {"problem": "not asked: the IP address that the site answered from was not kept"}
    private = f"not asked: {remote} belongs to no public network"
    return domain, await _ask(lambda: network_address(remote, settings.rdap), private, "network", asking, found)


async def _ask(
    address: Callable[[], str | None], why_not: str, kind: str, asking: tuple[CaptureFolder, Fetcher], found: _Found
) -> dict[str, Any]:
    """Return what a registry answers at an address, which is kept as it came, or what went wrong."""
    folder, fetcher = asking
    try:
        url = address()
    except ValueError as error:
        return {"problem": f"not asked: {error}"}
    if url is None:
        return {"problem": why_not}
    # The configured endpoint may hold a password.
    shown = shown_url(url)
    try:
        response = await fetcher.get(url, kind="document")
        registration = read_registration(response.content)
    except (FetchFailed, FetchRefused) as error:
        return {"asked": shown, "problem": f"no answer: {error.detail or error.reason.value}"}
    except ValueError as error:
        return {"asked": shown, "problem": f"the answer cannot be read: {error}"}

    about = f"What the registry says of the {kind} (RDAP), as it was sent."
    _keep_beside(folder, f"contacts/rdap-{kind}.json", response.content, "application/rdap+json", about, found)
    return {"asked": shown, "answered_by": host_of(response.final_url), **_registration_told(registration)}


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
