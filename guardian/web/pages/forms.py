"""Reads what people write into the fields of the desk's forms."""

from datetime import date

from starlette.datastructures import UploadFile

from guardian.errors import UsageError

_MOST_PICTURE_BYTES = 50 * 1024**2


def day_in(text: str) -> date | None:
    """Return the day that a field holds; None for an empty one. Raises UsageError for what is no date."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"{text!r} is not a date; write one such as 2026-11-24") from error


async def picture_in(upload: UploadFile, command: str) -> bytes:
    """Return the bytes of a picture that a form sends. Raises as `refuse_large`."""
    content = await upload.read(_MOST_PICTURE_BYTES + 1)
    refuse_large(content, command)
    return content


def refuse_large(content: bytes, command: str) -> None:
    """Raise UsageError for a picture of more than 50 MiB; `command`, in backticks, takes larger ones."""
    if len(content) > _MOST_PICTURE_BYTES:
        raise UsageError(f"a picture may have {_MOST_PICTURE_BYTES >> 20} MiB here; use {command} for larger ones")
