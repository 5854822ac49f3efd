"""Stores HTTP responses as evidence: the body, and beside it a record of status, headers, addresses and times."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

import structlog

from guardian.disk_errors import disk_error_text
from guardian.evidence.vault import Vault, records_folder
from guardian.model import Response
from guardian.urls.addresses import address_key

RECORD_FORMAT = 1

log = structlog.get_logger(__name__)


def keep_response(vault: Vault, response: Response) -> str:
    """Store a response and return the SHA-256 of its body; all of it is on disk when this returns.

    The record lies in the folder `<body's sha256>.answers` beside the body. Its name holds the day (UTC), a digest of
    the URL and the record's own SHA-256. Of the same bytes from the same URL the first record is kept, the last, and
    those with another status or final URL than the one before; at most one a day. Raises as Vault.keep does.
    """
    digest = vault.keep(response.content)
    folder = records_folder(vault.path_of(digest))
    day = response.fetched_at.astimezone(UTC).date().isoformat()
    # A digest of the URL: the URL itself may be too long for a file name, or hold a slash.
    address = hashlib.sha256(address_key(response.url).encode()).hexdigest()[:16]
    earlier = _records_in(folder, address)

    record = _record(response, digest)
    is_repeat = bool(earlier) and _says_the_same(earlier[-1][1], record)
    if is_repeat and earlier[-1][0].name.startswith(day):
        return digest

    content = json.dumps(record, indent=1).encode("ascii")
    vault.keep_as(folder / f"{day}.{address}.{hashlib.sha256(content).hexdigest()}.json", content)
    # What is asked for every day would otherwise have hundreds of records that say the same.
    if is_repeat and len(earlier) > 1 and _says_the_same(earlier[-2][1], earlier[-1][1]):
        vault.remove_at(earlier[-1][0])
    return digest


def records_of(vault: Vault, digest: str) -> list[dict[str, Any]]:
    """Return the records of the responses that had this body, oldest first; without damaged and unreadable ones."""
    return [record for _, record in _records_in(records_folder(vault.path_of(digest)))]


def _records_in(folder: Path, address: str = "*") -> list[tuple[Path, dict[str, Any]]]:
    """Return the intact records in a folder with their paths, those of one address or all, oldest first."""
    found = []
    for path in folder.glob(f"*.{address}.*.json"):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            # Another process has just put a later one in its place.
            continue
        except OSError as error:
            # What it says is lost, as of a damaged one; that must not stop what comes anew.
            log.warning("record_not_read", path=str(path), reason=disk_error_text(error))
            continue
        # The name holds the digest of the whole record, so a changed byte shows.
        if path.name.endswith(f".{hashlib.sha256(content).hexdigest()}.json"):
            found.append((path, json.loads(content)))
    return sorted(found, key=lambda one: (one[1]["fetched_at"], one[0].name))


def damaged_records(vault: Vault, digest: str) -> list[Path]:
    """Return the records of the responses that had this body and are not as they were written; reads all of them."""
    folder = records_folder(vault.path_of(digest))
    return [path for path in sorted(folder.glob("*.json")) if not _is_as_written(path)]


def _is_as_written(path: Path) -> bool:
    """Return whether a record has the digest that its name holds; one that cannot be read has not."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return path.name.endswith(f".{hashlib.sha256(content).hexdigest()}.json")


def _says_the_same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether two records of some bytes have the same status and final URL; 304 says that nothing changed."""
    same_status = after["not_modified"] or before["not_modified"] or after["status"] == before["status"]
    return same_status and address_key(after["final_url"]) == address_key(before["final_url"])


def _record(response: Response, digest: str) -> dict[str, Any]:
    """Return a response without its body. Headers keep wire order and spelling, which WARC files need."""
    return {
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
