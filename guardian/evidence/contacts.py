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

from guardian.errors import CaptureFull, FetchFailed, FetchRefused, GuardianError, WorkerLost
from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.captured_page import kept_page
from guardian.evidence.exchanges import Exchanges
from guardian.evidence.http_records import records_of
from guardian.evidence.rdap import Registration, domain_address, network_address, read_registration
from guardian.evidence.security_txt import PATH, parse_security_txt
from guardian.evidence.settings import EvidenceSettings
from guardian.evidence.site_contacts import GUESSES, PageContacts, contacts_on
from guardian.evidence.step_result import StepResult, reason_of
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
from guardian.urls.addresses import canonical_url, host_of, is_ip_address, registrable_domain, shown_url
from guardian.views.plain_text import clipped

FORMAT = "guardian-contacts/1"
_MOST_PAGES = 4
"""Pages that are requested of a site beside security.txt."""

_MOST_PAGE_BYTES = 2 * 1024**2
_NOT_ENABLED = "not asked: evidence.rdap.enabled is false"


@dataclass(frozen=True, slots=True)
class ContactServices:
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
class _Search:
    """The search for who is behind the site of a use, at `address`, and what it has found so far.

    `pages` are those that were asked for and what came of it, `read` and `imprints` what they say; `files` and
    `not_taken` are what is kept beside contacts.json, and what could not be. `is_worth_repeating`: a worker was lost on
    a page, which another capture may read.
    """

    subject: CaptureSubject
    address: str
    folder: CaptureFolder
    services: ContactServices
    pages: list[dict[str, Any]] = field(default_factory=list)
    read: list[PageContacts] = field(default_factory=list)
    imprints: list[dict[str, Any]] = field(default_factory=list)
    files: list[EvidenceFile] = field(default_factory=list)
    not_taken: list[NotTaken] = field(default_factory=list)
    is_worth_repeating: bool = False

    def keep(self, name: str, content: bytes, media_type: str, about: str) -> None:
        """Keep a file beside contacts.json; one that does not fit any more is noted."""
        try:
            self.files.append(self.folder.add(name, content, media_type, about))
        except CaptureFull as error:
            self.not_taken.append(NotTaken(name, str(error)))

    def at_root(self, path: str) -> str:
        """Return the address of a path of the site."""
        scheme, _, rest = self.address.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}{path}"


async def take_contacts(subject: CaptureSubject, folder: CaptureFolder, services: ContactServices) -> StepResult:
    """Look for who is behind the site of a use, and keep what it says. Raises VaultFull, WorkersUnavailable.

    A site of which nothing answered to the exchanges of the capture is not asked again.
    """
    address = subject.page_url or subject.image_url
    if address is None:
        reason = "the picture was not seen on a site of the web"
        return StepResult(not_taken=(NotTaken("contacts", reason),))

    search = _Search(subject, address, folder, services)
    page = services.exchanges.page or await asyncio.to_thread(_page_of_scan, search)
    await _read_site(search, page)
    security = await _security_text(search)
    remote = await asyncio.to_thread(_remote_address, subject, services)
    domain, network = await _registrations(search, remote)

    told = {
        "format": FORMAT,
        "looked_at": subject.now.isoformat(),
        "operator": subject.case.operator,
        "host": host_of(address),
        "site": _site_told(search),
        "security_txt": security,
        "domain": domain,
        "network": {"address": remote, **network},
        "notices": [asdict(hint) for hint in _hints(subject, services.settings, (domain, network))],
    }
    content = json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8", "replace")
    about = "Who is behind the site: its own words, its security.txt, what registries say, and where notices go."
    kept = await asyncio.to_thread(folder.add, "contacts.json", content, "application/json", about)
    files = (kept, *search.files)
    return StepResult(files, tuple(search.not_taken), is_worth_repeating=search.is_worth_repeating)


def _page_of_scan(search: _Search) -> Response | None:
    """Return the page as a scan kept it; None where none was kept, or its bytes are gone, which is noted."""
    subject = search.subject
    if subject.page_sha256 is None or subject.page_url is None:
        return None
    try:
        return kept_page(search.services.vault, subject.page_sha256, subject.page_url)
    except GuardianError as error:
        search.not_taken.append(NotTaken("contacts on the page", str(error)))
        return None


async def _read_site(search: _Search, page: Response | None) -> None:
    """Read the page of the use, then those of its site that name who is behind it, the linked ones first.

    Links are those of the page, else those of the front page.
    """
    links: list[str] = []
    if page is not None and is_page(page):
        links = list((await _read_page(search, page)).links)
    unreachable = search.services.exchanges.unreachable
    if unreachable is not None:
        search.not_taken.append(NotTaken("contacts on other pages", f"not asked: {unreachable}"))
        return
    if "/" in search.subject.case.operator:
        # The operator is an account of a platform, and the imprint of the platform does not say whose account it is.
        return

    front = urljoin(search.address, "/")
    if not links and canonical_url(search.address) != front:
        # Pages of pictures often have no footer; the front page has one.
        contacts = await _asked_page(search, front)
        if _is_enough(contacts):
            return
        links = list(contacts.links)
    for url in (links or [search.at_root(path) for path in GUESSES])[:_MOST_PAGES]:
        if _is_enough(await _asked_page(search, url)):
            return


async def _asked_page(search: _Search, url: str) -> PageContacts:
    """Ask for a page of the site and return what it says; nothing when it cannot be read, which is noted."""
    try:
        response = await search.services.site.get(url, kind="page")
    except (FetchFailed, FetchRefused) as error:
        search.pages.append({"url": url, "problem": str(error)})
        return PageContacts()
    if not is_page(response):
        return PageContacts()
    contacts = await _read_page(search, response)
    _keep_page(search, response)
    return contacts


def _is_enough(contacts: PageContacts) -> bool:
    """Return whether a page names whoever is responsible, which is what is looked for."""
    return bool(contacts.emails and (contacts.postal or contacts.phones or contacts.numbers))


async def _read_page(search: _Search, response: Response) -> PageContacts:
    """Return what a page says, read in a worker process, and note it; nothing when it ends its worker, which is noted.

    Other pages and the registries may still say who is behind the site.
    """
    try:
        contacts = await search.services.workers.run(contacts_on, response)
    except WorkerLost as error:
        search.pages.append({"url": response.final_url, "problem": str(error)})
        search.not_taken.append(NotTaken(clipped(response.final_url, 500), reason_of(error)))
        search.is_worth_repeating = True
        return PageContacts()

    search.read.append(contacts)
    if contacts.imprint is not None:
        search.imprints.append({"url": response.final_url, **asdict(contacts.imprint)})
    digest = hashlib.sha256(response.content).hexdigest()
    search.pages.append({"url": response.final_url, "sha256": digest, "emails": list(contacts.emails)})
    return contacts


def _keep_page(search: _Search, response: Response) -> None:
    """Keep a page that was read; its number is that of its kind."""
    number = 1 + sum(file.name.startswith("contacts/page-") for file in search.files)
    if len(response.content) <= _MOST_PAGE_BYTES:
        about = "A page of the site that may name who is behind it, as it was sent."
        # As text: who opens it must not run a stranger's scripts, nor ask the site for anything.
        search.keep(f"contacts/page-{number}.html.txt", response.content, "text/plain", about)


def _site_told(search: _Search) -> dict[str, Any]:
    """Return what all pages say together, each thing once."""

    def together(values: Sequence[tuple[str, ...]]) -> list[str]:
        return list(dict.fromkeys(value for several in values for value in several))

    return {
        "names": together([one.names for one in search.read]),
        "emails": together([one.emails for one in search.read]),
        "phones": together([one.phones for one in search.read]),
        "postal": together([one.postal for one in search.read]),
        "numbers": together([one.numbers for one in search.read]),
        "imprints": search.imprints,
        "pages": search.pages,
    }


async def _security_text(search: _Search) -> dict[str, Any]:
    """Return what the site's security.txt says, or why there is none."""
    url, services = search.at_root(PATH), search.services
    if services.exchanges.unreachable is not None:
        return {"url": url, "problem": f"not asked: {services.exchanges.unreachable}"}
    try:
        response = await services.site.get(url, kind="document")
    except (FetchFailed, FetchRefused) as error:
        return {"url": url, "problem": str(error)}

    text = parse_security_txt(response.content, search.subject.now)
    if text is None:
        return {"url": url, "problem": "what is there is no security.txt"}
    about = "The site's own security.txt (RFC 9116), as it was sent."
    search.keep("contacts/security.txt", response.content[:65_536], "text/plain", about)
    return {
        "url": response.final_url,
        "is_expired": text.is_expired,
        **{name: list(of) for name, of in text.fields.items()},
    }


def _remote_address(subject: CaptureSubject, services: ContactServices) -> str | None:
    """Return the IP address that page or picture last came from; None when that is not known."""
    for response in (services.exchanges.page, services.exchanges.image):
        if response is not None and response.remote_address is not None:
            return response.remote_address
    for digest in (subject.page_sha256, subject.image_sha256):
        records = records_of(services.vault, digest) if digest is not None else []
        for record in reversed(records):
            remote = record.get("remote_address")
            if isinstance(remote, str) and is_ip_address(remote):
                return remote
    return None


async def _registrations(search: _Search, remote: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what registries say of the domain and of the network, or why they were not asked."""
    settings, host = search.services.settings, host_of(search.address)
    if not settings.rdap.enabled:
        return {"problem": _NOT_ENABLED}, {"problem": _NOT_ENABLED}

    domain: dict[str, Any] = {"problem": "not asked: the site is named by its IP address"}
    if not is_ip_address(host):
        name = registrable_domain(host)
        unknown = f"not asked: IANA's list names no registry of {name}; evidence.rdap.endpoint names one for all"
        domain = await _ask(search, "domain", lambda: domain_address(name, settings.rdap), unknown)

    if remote is None:
        return domain, {"problem": "not asked: the IP address that the site answered from was not kept"}
    private = f"not asked: {remote} belongs to no public network"
    return domain, await _ask(search, "network", lambda: network_address(remote, settings.rdap), private)


async def _ask(search: _Search, kind: str, address: Callable[[], str | None], why_not: str) -> dict[str, Any]:
    """Return what a registry answers at an address, which is kept as it came, or what went wrong.

    `kind` is what it is asked about, `why_not` says why it is not where there is no address.
    """
    try:
        url = address()
    except ValueError as error:
        return {"problem": f"not asked: {error}"}
    if url is None:
        return {"problem": why_not}
    # The configured endpoint may hold a password.
    shown = shown_url(url)
    try:
        response = await search.services.registry.get(url, kind="document")
        registration = read_registration(response.content)
    except (FetchFailed, FetchRefused) as error:
        return {"asked": shown, "problem": f"no answer: {error.detail or error.reason.value}"}
    except ValueError as error:
        return {"asked": shown, "problem": f"the answer cannot be read: {error}"}

    about = f"What the registry says of the {kind} (RDAP), as it was sent."
    search.keep(f"contacts/rdap-{kind}.json", response.content, "application/rdap+json", about)
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
