"""Reads the page of a capture from the vault: which other pictures it shows, and which pages it links to."""

import asyncio
from datetime import UTC, datetime

from guardian.evidence.http_records import records_of
from guardian.evidence.vault import Vault
from guardian.extract.html import HtmlReading
from guardian.extract.html_sandbox import read_guarded
from guardian.model import PageImage, Response

_MOST_PICTURES = 500


async def pictures_of_page(vault: Vault, sha256: str, url: str) -> list[str]:
    """Return the addresses of the pictures that a kept page shows, the best of each, in its order.

    Raises GuardianError when its bytes are gone, FetchRefused when they cannot be read in bounded time.
    """
    reading = await read_kept_page(vault, sha256, url)
    shown = [one.image_url for one in reading.seen[:_MOST_PICTURES] if isinstance(one, PageImage)]
    return [address for address in dict.fromkeys(shown) if address is not None]


async def read_kept_page(vault: Vault, sha256: str, url: str) -> HtmlReading:
    """Return what a kept page shows and links to. Raises as `pictures_of_page` does."""
    return await read_guarded(await asyncio.to_thread(kept_page, vault, sha256, url))


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
