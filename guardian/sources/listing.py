"""A source that is a text file of image addresses."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from guardian.crawl.context import CrawlContext, Seen
from guardian.disk_errors import disk_error_text
from guardian.errors import UsageError
from guardian.model import Sighting, Skipped, SkipReason
from guardian.sources.settings import ListingSettings
from guardian.urls.addresses import is_web_address


class ListingSource:
    """A file with one URL a line; empty lines and lines that begin with # are ignored."""

    def __init__(self, settings: ListingSettings) -> None:
        self._settings = settings

    async def discover(self, context: CrawlContext) -> AsyncIterator[Seen]:
        """Yield every URL once, in file order, and other lines as Skipped. Raises UsageError for an unreadable file."""
        path, seen = self._settings.path, set[str]()
        for number, line in enumerate(await asyncio.to_thread(_lines, path), start=1):
            address = line.strip()
            if not address or address.startswith("#") or address in seen:
                continue

            seen.add(address)
            if is_web_address(address):
                yield Sighting(source=self._settings.name, image_url=address, page_url=None, seen_at=context.clock())
            else:
                yield Skipped(address[:200], SkipReason.BAD_ADDRESS, f"{path}:{number}: not a web address")


def _lines(path: Path) -> list[str]:
    try:
        # A byte order mark is what some editors write first.
        return path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise UsageError(f"the listing {path} does not exist") from error
    except OSError as error:
        raise UsageError(f"the listing cannot be read: {disk_error_text(error)}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the listing {path} cannot be read: it is not UTF-8 text") from error
