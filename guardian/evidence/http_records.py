"""Keeps an HTTP answer: its body, and beside it a record of status, headers, addresses and times."""

import hashlib
import json
from datetime import UTC

from guardian.evidence.vault import Vault
from guardian.model import Response

RECORD_FORMAT = 1


def keep_response(vault: Vault, response: Response) -> str:
    """Keep an answer and return the SHA-256 of its body; all of it is on disk when this returns.

    The record lies in the folder `<body's sha256>.answers` beside the body, named by day, address and its own
    SHA-256. One record a day is kept for the same bytes from the same address: later ones add only their date.
    Raises as Vault.keep does.
    """
    digest = vault.keep(response.content)
    folder = vault.path_of(digest).with_name(f"{digest}.answers")
    day = response.fetched_at.astimezone(UTC).date().isoformat()
    start = f"{day}.{hashlib.sha256(response.url.encode()).hexdigest()[:16]}."
    if not any(folder.glob(f"{start}*.json")):
        record = _record(response, digest)
        vault.keep_as(folder / f"{start}{hashlib.sha256(record).hexdigest()}.json", record)
    return digest


def records_of(vault: Vault, digest: str) -> list[dict[str, object]]:
    """What is recorded about the answers that had this body, oldest first. Damaged records are left out."""
    folder = vault.path_of(digest).with_name(f"{digest}.answers")
    records = []
    for path in sorted(folder.glob("*.json")):
        content = path.read_bytes()
        if path.name.endswith(f".{hashlib.sha256(content).hexdigest()}.json"):
            records.append(json.loads(content))
    return records


def _record(response: Response, digest: str) -> bytes:
    """The answer without its body, as JSON; headers keep the order and spelling of the wire, as WARC needs them."""
    record = {
        "format": RECORD_FORMAT,
        "url": response.url,
        "final_url": response.final_url,
        "status": response.status,
        "headers": [list(header) for header in response.headers],
        "remote_address": response.remote_address,
        "fetched_at": response.fetched_at.astimezone(UTC).isoformat(),
        "not_modified": response.not_modified,
        "body_sha256": digest,
        "body_bytes": len(response.content),
    }
    return json.dumps(record, indent=1).encode("ascii")
