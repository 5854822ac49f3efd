"""Takes values out of JSON that others wrote: what has another type than is expected counts as nothing."""

from typing import Any


def as_list(value: object) -> list[Any]:
    """Return a JSON array; an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_object(value: object) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects_in(value: object) -> list[dict[str, Any]]:
    """Return the objects of a JSON array, without its other values; none for anything else."""
    return [one for one in as_list(value) if isinstance(one, dict)]


def texts_in(value: object) -> list[str]:
    """Return the texts of a JSON array, without its other values; none for anything else."""
    return [one for one in as_list(value) if isinstance(one, str)]
