"""Reads local files as if they were HTTP responses, so that a folder is scanned in the same way as a web site."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Response, SkipReason


def path_of(url: str) -> Path:
    """Return the path that a file: URL names. Raises FetchRefused (scheme) when it names another machine."""
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise FetchRefused(SkipReason.SCHEME, url, "not a file on this machine")
    return Path(os.fsdecode(unquote_to_bytes(parts.path)))


def read(url: str, max_bytes: int) -> Response:
    """Return a regular file of at most `max_bytes` as a response with status 200; symbolic links are followed.

    Raises FetchFailed (missing, unreadable) and FetchRefused (scheme, not_a_file, too_large).
    """
    path = path_of(url)
    try:
        # Without O_NONBLOCK, a pipe that nobody writes to would block for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise FetchRefused(SkipReason.NOT_A_FILE, url, f"{path} is not a regular file")
            with open(descriptor, "rb", closefd=False) as file:
                # One byte more than allowed tells a file that is too large without reading all of it.
                content = file.read(max_bytes + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise FetchFailed(SkipReason.MISSING, url, f"there is no file {path}") from error
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "not a name of a file"
        raise FetchFailed(SkipReason.UNREADABLE, url, f"{path} cannot be read: {why}") from error

    if len(content) > max_bytes:
        raise FetchRefused(SkipReason.TOO_LARGE, url, f"{path} has more than {max_bytes} bytes")
    return Response(
        url=url,
        final_url=url,
        status=200,
        headers=_headers(facts.st_mtime),
        content=content,
        fetched_at=datetime.now(UTC),
    )


def _headers(modified: float) -> tuple[tuple[str, str], ...]:
    """Return the time of a file's last change as a web server would state it; nothing for a time that no date has."""
    try:
        at = datetime.fromtimestamp(modified, UTC)
    except (ValueError, OverflowError, OSError):
        # File systems keep whatever was set, such as the year 60056.
        return ()
    return (("last-modified", at.strftime("%a, %d %b %Y %H:%M:%S GMT")),)
