"""Hashes passwords in this process with the least that Argon2 takes: guardian's parameters cost a fifth of a second.

What these are is held by `tests/people/test_passwords.py`, which asks a process of its own.
"""

from functools import lru_cache

from argon2 import PasswordHasher

from guardian.people import passwords


def hash_quickly() -> None:
    """Have guardian hash and verify with these parameters from now on."""
    passwords._hasher = _hasher


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
