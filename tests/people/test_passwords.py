"""How passwords are hashed."""

import subprocess
import sys

from guardian.people.passwords import hash_of, is_password, needs_new_hash

PASSWORD = "correct horse battery"


def test_a_hash_takes_the_memory_and_time_that_rfc_9106_recommends() -> None:
    """Asked of another process: tests of other things hash with less. See section 4, the second recommended option."""
    program = f"from guardian.people.passwords import hash_of; print(hash_of({PASSWORD!r}))"
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert is_password(PASSWORD, made)
    assert not is_password("another horse battery", made)


def test_a_hash_of_other_parameters_is_to_be_made_anew() -> None:
    assert not needs_new_hash(hash_of(PASSWORD))
    assert needs_new_hash(hash_of(PASSWORD).replace(",t=1,", ",t=2,"))
