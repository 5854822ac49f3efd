"""Gives back a page that a scan kept, as the answer in which it came."""

from datetime import UTC, datetime

from guardian.evidence.http_records import records_of
from guardian.evidence.vault import Vault
from guardian.model import Response


def kept_page(vault: Vault, sha256: str, url: str) -> Response:
    """Return a kept page as the answer in which it last came. Raises GuardianError when its bytes are gone."""
    content = vault.get(sha256)
    records = [record for record in records_of(vault, sha256) if not record.get("not_modified")]
    last = records[-1] if records else {}
    return Response(
        url=url,
        final_url=str(last.get("final_url") or url),
        status=int(last.get("status") or 200),
        headers=tuple((str(name), str(value)) for name, value in last.get("headers", ())),
        content=content,
        fetched_at=datetime.fromisoformat(last["fetched_at"]) if "fetched_at" in last else datetime.now(UTC),
        remote_address=last.get("remote_address"),
    )
