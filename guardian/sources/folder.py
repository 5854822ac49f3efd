"""A source that is a folder of image files."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from guardian.crawl.context import CrawlContext, Seen
from guardian.disk_errors import disk_error_text
from guardian.errors import UsageError
from guardian.model import Sighting
from guardian.sources.files import absolute_path, files_in
from guardian.sources.settings import FolderSettings


class FolderSource:
    """A folder with its subfolders, listed anew at each scan."""

    def __init__(self, settings: FolderSettings) -> None:
        self._settings = settings

    async def discover(self, context: CrawlContext) -> AsyncIterator[Seen]:
        """Yield every file under its file: URL, sorted. Raises UsageError for a missing or unreadable folder."""
        # On a thread: a network drive may take long to answer.
        for path in await asyncio.to_thread(_files, self._settings.path):
            address = absolute_path(path).as_uri()
            yield Sighting(source=self._settings.name, image_url=address, page_url=None, seen_at=context.clock())


def _files(folder: Path) -> list[Path]:
    try:
        if not folder.is_dir():
            raise UsageError(f"the folder {folder} does not exist")
        return list(files_in(folder))
    except OSError as error:
        raise UsageError(f"the folder cannot be read: {disk_error_text(error)}") from error
