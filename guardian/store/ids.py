"""Mints the ids that are stored and shown. They are random, so that nothing they name can ever change them."""

import secrets

_BYTES = 10


def new_id(kind: str) -> str:
    """Return an id that was never given before: the word for what it names (find, case, msg), `_` and 20 digits.

    Nothing is encoded in it, and its first digits already differ: people type only the beginning of an id.
    """
    return f"{kind}_{secrets.token_hex(_BYTES)}"
