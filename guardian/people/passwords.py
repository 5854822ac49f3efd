"""Passwords: what is accepted as one, and Argon2id hashes of them (RFC 9106)."""

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from guardian.errors import UsageError

SHORTEST, LONGEST = 12, 1_000
"""Characters of a password. NIST SP 800-63B asks for length and for nothing else; the upper bound bounds the work."""


def hash_of(password: str) -> str:
    """Return the hash to keep of a new password. Raises UsageError for one that is too short or too long."""
    refuse_wrong_length(password)
    return _hasher().hash(password)


def refuse_wrong_length(password: str) -> None:
    """Raise UsageError for a new password that is too short or too long."""
    if len(password) < SHORTEST:
        raise UsageError(f"the password has {len(password)} characters; it needs at least {SHORTEST}")
    if len(password) > LONGEST:
        raise UsageError(f"the password has more than {LONGEST} characters")


def is_password(password: str, hash_: str | None) -> bool:
    """Return whether this is the password of a hash. Takes as long for None, a name that nobody has."""
    try:
        _hasher().verify(hash_ or _of_nobody(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return hash_ is not None


def needs_new_hash(hash_: str) -> bool:
    """Return whether a hash was made with weaker parameters than those of today."""
    return _hasher().check_needs_rehash(hash_)


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@lru_cache(maxsize=1)
def _of_nobody() -> str:
    return _hasher().hash("the password of nobody")
