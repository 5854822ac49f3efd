"""Stores HTTP responses as evidence: the body, and beside it a record of status, headers, addresses and times."""

import hashlib
import json
from datetime import UTC

from guardian.evidence.vault import Vault
from guardian.model import Response

RECORD_FORMAT = 1


def keep_response(vault: Vault, response: Response) -> str:
    """Store a response and return the SHA-256 of its body; all of it is on disk when this returns.

    The record lies in the folder `<body's sha256>.answers` beside the body. Its name holds the day (UTC), a digest of
    the URL and the record's own SHA-256. Of the same bytes from the same URL one record a
    day is kept. Raises as Vault.keep does.
    """
    digest = vault.keep(response.content)
    folder = vault.path_of(digest).with_name(f"{digest}.answers")
    day = response.fetched_at.astimezone(UTC).date().isoformat()
    # A digest of the URL: the URL itself may be too long for a file name, or hold a slash.
    prefix = f"{day}.{hashlib.sha256(response.url.encode()).hexdigest()[:16]}."
    if not any(folder.glob(f"{prefix}*.json")):
        record = _record(response, digest)
        vault.keep_as(folder / f"{prefix}{hashlib.sha256(record).hexdigest()}.json", record)
    return digest


def records_of(vault: Vault, digest: str) -> list[dict[str, object]]:
    """Return the records of the responses that had this body, oldest first. Damaged records are left out."""
    folder = vault.path_of(digest).with_name(f"{digest}.answers")
    records = []
    for path in sorted(folder.glob("*.json")):
        content = path.read_bytes()
        # The name holds the digest of the whole record, so a changed byte shows.
        if path.name.endswith(f".{hashlib.sha256(content).hexdigest()}.json"):
            records.append(json.loads(content))
    return records


def _record(response: Response, digest: str) -> bytes:
    """Return a response without its body as JSON. Headers keep wire order and spelling, which WARC files need."""
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
        "incomplete": response.incomplete,
    }
    return json.dumps(record, indent=1).encode("ascii")
