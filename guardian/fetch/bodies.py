"""Receives the bodies of answers: decoded, within bounds, and with a note when only a part came."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import aiohttp
import httpx

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch import robots
from guardian.fetch.bandwidth import Bandwidth
from guardian.fetch.decoding import Decoder, NotDecodable, coding_of
from guardian.fetch.settings import FetchSettings
from guardian.media.sniff import begins_as_picture
from guardian.model import SkipReason

Kind = Literal["page", "image", "document", "robots"]
"""What is expected at an address."""

_NEVER: Mapping[Kind, tuple[str, ...]] = {
    "page": ("video/", "audio/", "font/", "application/zip", "application/pdf"),
    "image": ("video/", "audio/", "font/"),
    "document": ("video/", "audio/", "font/"),
    "robots": (),
}
"""Media types that servers do not state by mistake: such an answer is refused before its body is read."""

_NOT_OF_KIND: Mapping[Kind, SkipReason] = {
    "page": SkipReason.NOT_A_PAGE,
    "image": SkipReason.NOT_AN_IMAGE,
    "document": SkipReason.WRONG_TYPE,
    "robots": SkipReason.WRONG_TYPE,
}

_FIRST_BYTES = 16
"""Enough to tell a picture by."""

_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Received:
    """A decoded body; `incomplete` says why it is only the beginning of one, None when it is whole."""

    content: bytes = b""
    incomplete: str | None = None


class BodyReader:
    """Reads bodies within the limits of the settings. All of a client share one `bandwidth`."""

    def __init__(self, settings: FetchSettings, bandwidth: Bandwidth) -> None:
        self._settings, self._bandwidth = settings, bandwidth

    async def picture_of_error(self, answer: httpx.Response, url: str, deadline: asyncio.Timeout) -> Received:
        """Return the body of an answer with an error status if it is a picture; else nothing."""
        try:
            return await self.read(answer, url, "image", deadline, keep_part=True, only_picture=True)
        except (FetchRefused, FetchFailed, httpx.HTTPError, aiohttp.ClientError):
            # The status says what is wrong.
            return Received()

    async def of_error(self, answer: httpx.Response, url: str, kind: Kind, deadline: asyncio.Timeout) -> Received:
        """Return the body of a redirect or of an answer with an error status, as far as it comes within the limits."""
        try:
            return await self.read(answer, url, kind, deadline, keep_part=True)
        except (FetchRefused, FetchFailed) as error:
            return Received(incomplete=error.detail)
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            return Received(incomplete=str(error) or "the connection ended early")

    async def read(
        self,
        answer: httpx.Response,
        url: str,
        kind: Kind,
        deadline: asyncio.Timeout,
        *,
        keep_part: bool,
        only_picture: bool = False,
    ) -> Received:
        """Return the decoded body. Its size is checked while it comes, before and after decompression.

        `keep_part`: when the connection is cut off, what came is the answer. `only_picture`: nothing is returned, and
        no more read than its first bytes, of what does not begin as pictures do.
        """
        limit = self._most_bytes(kind)
        _refuse_by_headers(answer, url, kind, limit)
        body, received, incomplete = bytearray(), 0, None
        try:
            decoder = Decoder(coding_of(answer.headers.get("content-encoding", "")))
            async for chunk in answer.aiter_raw():
                received += len(chunk)
                body += decoder.feed(chunk, limit - len(body))
                if only_picture and len(body) >= _FIRST_BYTES and not begins_as_picture(bytes(body[:_FIRST_BYTES])):
                    return Received()
                # Both sizes: endless padding decodes to nothing.
                if len(body) > limit or received > limit:
                    break
                await self._wait_for_bandwidth(len(chunk), deadline)
            else:
                decoder.finish()
        except NotDecodable as error:
            # Nothing is gained by asking again: the transfer was whole.
            if not body:
                raise FetchFailed(SkipReason.ENCODING, url, str(error)) from error
            incomplete = str(error)
        except (httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout) as error:
            if not (keep_part and body):
                raise
            how = "the site fell silent" if isinstance(error, httpx.ReadTimeout) else "the connection ended early"
            incomplete = f"{how}, after {received} bytes"

        if kind != "robots" and (len(body) > limit or received > limit):
            raise FetchRefused(SkipReason.TOO_LARGE, url, f"more than the limit of {limit} bytes")
        return Received(bytes(body[:limit]), incomplete)

    async def _wait_for_bandwidth(self, size: int, deadline: asyncio.Timeout) -> None:
        """Wait until so many bytes fit into the limit of bandwidth, and put off the deadline by as much."""
        waited = await self._bandwidth.take(size)
        if waited:
            # Time that our own limit of bandwidth takes is not the site's slowness.
            deadline.reschedule((deadline.when() or 0.0) + waited)

    def _most_bytes(self, kind: Kind) -> int:
        """Return how many bytes of body an answer of this kind may have."""
        if kind == "robots":
            return robots.MAX_BYTES
        return self._settings.max_image_bytes if kind == "image" else self._settings.max_page_bytes


def _refuse_by_headers(answer: httpx.Response, url: str, kind: Kind, limit: int) -> None:
    """Raise FetchRefused for an answer of which the headers say that it is of another kind, or has too many bytes."""
    content_type, stated = answer.headers.get("content-type", ""), answer.headers.get("content-length", "")
    if content_type.strip().lower().startswith(_NEVER[kind]):
        raise FetchRefused(_NOT_OF_KIND[kind], url, f"the site says it is {content_type[:100]}")
    if kind != "robots" and stated.isdecimal() and int(stated[:18]) > limit:
        raise FetchRefused(SkipReason.TOO_LARGE, url, f"{stated} bytes, more than the limit of {limit}")


def missing_of_range(answer: httpx.Response) -> str | None:
    """Return what is missing of an answer with a part of the file (206); None when it holds the whole."""
    found = _RANGE.search(answer.headers.get("content-range", "")) if answer.status_code == 206 else None
    if found is None:
        return None
    first, last, total = int(found[1]), int(found[2]), found[3]
    is_whole = first == 0 and (total == "*" or last + 1 == int(total))
    return None if is_whole else f"the site sent a part, bytes {first} to {last} of {total}"
