"""Reads what people write into the fields of the desk's forms."""

from datetime import date

from guardian.errors import UsageError


def day_in(text: str) -> date | None:
    """Return the day that a field holds; None for an empty one. Raises UsageError for what is no date."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"{text!r} is not a date; write one such as 2026-11-24") from error
