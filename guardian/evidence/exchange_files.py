"""Writes the exchanges of a visit into files of a capture: for viewers, for readers, and their certificates."""

import hashlib
import json
import ssl
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from guardian import __version__
from guardian.durable import naming
from guardian.errors import CaptureFull
from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.page_visit import PageVisit
from guardian.evidence.wacz import WARC_NAME, ReplayedPage, WaczFacts, write_wacz
from guardian.evidence.warc import WarcEntry, connection_json, head_of, write_warc
from guardian.fetch.recording import Exchange
from guardian.model import EvidenceFile, NotTaken
from guardian.views.plain_text import clipped

WACZ_NAME = "page.wacz"
EXCHANGES_NAME = "exchanges.json"
CERTIFICATES_NAME = "certificates.pem"


def keep_visit(visit: PageVisit, folder: CaptureFolder) -> tuple[list[EvidenceFile], list[NotTaken]]:
    """Write the exchanges of a visit into files of a capture; return these, and what did not fit or was withheld."""
    if not visit.exchanges:
        return [], [NotTaken(WACZ_NAME, "no request could be made")]

    # Written under temporary names: only a file that is whole becomes one of the capture.
    warc, wacz = folder.temporary_path(WARC_NAME), folder.temporary_path(WACZ_NAME)
    at = visit.services.clock()
    with naming(warc):
        entries = write_warc(warc, visit.exchanges, _warc_info(visit), at)
    pages = [_replayed(entries, url, visit) for url in visit.replayed_urls]
    title = clipped(visit.title or visit.subject.page_url or visit.subject.image_url or "", 300)
    facts = WaczFacts(title, f"guardian/{__version__}", at)
    with naming(wacz):
        write_wacz(wacz, warc, entries, [page for page in pages if page is not None], facts)

    keeps = [partial(_keep_wacz, folder, wacz, len(visit.exchanges)), partial(_keep_list, folder, visit.exchanges)]
    if any(exchange.tls for exchange in visit.exchanges):
        keeps.append(partial(_keep_certificates, folder, visit.exchanges))
    files, not_taken = [], []
    for name, keep in zip((WACZ_NAME, EXCHANGES_NAME, CERTIFICATES_NAME), keeps, strict=False):
        try:
            files.append(keep())
        except CaptureFull as error:
            not_taken.append(NotTaken(name, str(error)))
    if any(exchange.withheld for exchange in visit.exchanges):
        reason = "the values of headers by which guardian signs in, and of cookies that it was given then, are withheld"
        not_taken.append(NotTaken("credentials", reason))
    return files, not_taken


def _keep_wacz(folder: CaptureFolder, wacz: Path, number: int) -> EvidenceFile:
    about = (
        "The page, the picture, its style sheets and pictures, and the pages that name who is behind the site, as they "
        f"were sent: {number} exchanges (WACZ, WARC)."
    )
    return folder.add_file(WACZ_NAME, wacz, "application/wacz", about)


def _keep_list(folder: CaptureFolder, exchanges: Sequence[Exchange]) -> EvidenceFile:
    content = json.dumps([_exchange_json(one) for one in exchanges], indent=1).encode("ascii")
    about = "Each exchange with its headers, addresses, times, encryption and digests, to be read without a viewer."
    return folder.add(EXCHANGES_NAME, content, "application/json", about)


def _keep_certificates(folder: CaptureFolder, exchanges: Sequence[Exchange]) -> EvidenceFile:
    chains = dict.fromkeys(exchange.tls.chain for exchange in exchanges if exchange.tls is not None)
    found = dict.fromkeys(certificate for chain in chains for certificate in chain)
    content = "".join(ssl.DER_cert_to_PEM_cert(one) for one in found).encode("ascii")
    about = "The certificates by which the sites proved who they are, up to the roots that vouch for them."
    if any(exchange.tls.problem for exchange in exchanges if exchange.tls is not None):
        about = "The certificates that the sites showed; not all of them verified, which exchanges.json says of each."
    return folder.add(CERTIFICATES_NAME, content, "application/x-pem-file", about)


def _exchange_json(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as JSON values, without the body of its answer."""
    head = head_of(exchange)
    return {
        "url": exchange.url,
        "request": exchange.request.decode("latin-1"),
        "status": head.status if head else None,
        "headers": [list(field) for field in head.fields] if head else [],
        "response_bytes": len(exchange.response),
        "response_sha256": hashlib.sha256(exchange.response).hexdigest(),
    } | connection_json(exchange)


def _warc_info(visit: PageVisit) -> dict[str, str]:
    agent = next((_header(one.request, "user-agent") for one in visit.exchanges if one.request), "")
    return {
        "software": f"guardian/{__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "http-header-user-agent": agent,
        "robots": "ignored: asked for by a person" if visit.services.for_person else "obeyed",
        "isPartOf": visit.subject.case.id,
    }


def _header(request: bytes, name: str) -> str:
    lines = (line.partition(b":") for line in request.split(b"\r\n"))
    return next((value.strip().decode("latin-1") for key, _, value in lines if key.lower() == name.encode()), "")


def _replayed(entries: Sequence[WarcEntry], url: str, visit: PageVisit) -> ReplayedPage | None:
    """Return a page for the list of those that a viewer offers; None when no exchange has its address."""
    entry = next((one for one in entries if one.url == url), None)
    is_own = url in (visit.subject.page_url, visit.subject.image_url)
    title = clipped(visit.title, 300) if is_own else ""
    return None if entry is None else ReplayedPage(entry.url, entry.at, title or entry.url)
