"""Makes the ids that are stored and shown. They are random: a change of what they name never changes them."""

import secrets

_BYTES = 10


def new_id(kind: str) -> str:
    """Return a new random id: a word for what it names (find, case, msg), `_` and 20 hex digits.

    It carries no timestamp, so that the first digits already differ: people type only the beginning of an id.
    """
    return f"{kind}_{secrets.token_hex(_BYTES)}"


def part_of_batch(batch: str, case_id: str) -> str:
    """Return the id of the part of a decision about several cases that is about one of them."""
    return f"{batch}.{case_id}"


def is_of_batch(id_: str | None, batch: str) -> bool:
    """Return whether an id is that of a decision about several cases, or of a part of it."""
    return id_ is not None and (id_ == batch or id_.startswith(part_of_batch(batch, "")))
