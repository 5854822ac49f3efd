"""The two pictures of a message about a case, one's own and the one that was found, for mail and chat.

Both are encoded anew in a worker process, and bounded: nobody is sent the bytes that a stranger chose.
"""

import asyncio
import json

import structlog

from guardian.delivery.channels.channel import Picture
from guardian.errors import GuardianError
from guardian.evidence import Vault
from guardian.model import Message
from guardian.scan.lookalikes import Archive

_MAX_BYTES = 2_000_000

log = structlog.get_logger(__name__)


async def pictures_of(archive: Archive, message: Message) -> list[Picture]:
    """Return what is there of the two pictures; what is not kept here, or cannot be decoded, is left out."""
    try:
        data = json.loads(message.body)["data"]
        own, found = data["asset"]["sha256"], data["evidence"]["image_sha256"]
    except (ValueError, KeyError, TypeError):
        # A message about something else, or one that names no evidence.
        return []

    pictures = [
        await _picture(archive, archive.originals, own, "yours.jpg"),
        await _picture(archive, archive.vault, found, "found.jpg"),
    ]
    return [picture for picture in pictures if picture is not None]


async def _picture(archive: Archive, folder: Vault, digest: str | None, name: str) -> Picture | None:
    if digest is None or not folder.holds(digest):
        return None
    try:
        content = await asyncio.to_thread(folder.get, digest)
        small, _ = await archive.workers.easy_copies(content)
    except GuardianError as error:
        log.warning("message_without_picture", digest=digest, reason=str(error))
        return None
    return Picture(name, small) if len(small) <= _MAX_BYTES else None
