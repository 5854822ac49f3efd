"""Signing in and out: sessions, and how many attempts there may be.

Nobody is locked out for ever: attempts are counted for fifteen minutes, by name and address together, and an address
from which a name has signed in before is not stopped by what others try under that name.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from guardian.errors import GuardianError
from guardian.model import Actor, ActorKind, BrowserSession, Person
from guardian.people.passwords import hash_of, is_password, needs_new_hash, refuse_wrong_length
from guardian.people.people import change_password
from guardian.store import Store, Transaction

WINDOW = timedelta(minutes=15)
"""How long a failed attempt counts."""

MOST_FOR_NAME_AND_ADDRESS = 5
MOST_FOR_ADDRESS = 30
MOST_FOR_NAME = 50
"""Failed attempts within the window after which the next one must wait."""

KEPT = timedelta(days=90)
"""How long attempts are kept, and so how long an address counts as known to a name."""

_USE_NOTED = timedelta(minutes=1)
"""A session's last use is written this often at most: reading a page should not write."""


class SignInRefused(GuardianError):
    """Name and password do not belong together, or there were too many attempts: `wait` says for how long."""

    def __init__(self, message: str, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session may stay unused, and how long it lasts at most."""

    idle: timedelta
    total: timedelta


def sign_in(store: Store, name: str, password: str, address: str, at: datetime) -> tuple[str, BrowserSession]:
    """Return the secret for the cookie, and the new session. Raises SignInRefused.

    `address` is the network address that the attempt comes from. The same sentence is said of a wrong name and of a
    wrong password.
    """
    typed = name.strip().lower()
    with store.begin() as tx:
        wait = _wait(tx, typed, address, at)
        found = tx.people.named(typed)
    if wait is not None:
        raise SignInRefused("too many attempts; wait a while, then try again", wait)

    # Outside of any transaction: hashing takes a while, on purpose.
    person, hash_ = found if found is not None else (None, None)
    is_right = is_password(password, hash_)
    new_hash = hash_of(password) if is_right and hash_ is not None and needs_new_hash(hash_) else None

    with store.begin() as tx:
        tx.sign_ins.note(typed, address, at, succeeded=is_right)
        if is_right and person is not None:
            if new_hash is not None:
                tx.people.set_password(person.id, new_hash)
            return begin_session(tx, person, address, at)

        nobody = Actor(ActorKind.PERSON, name.strip()[:100], frozenset(), address)
        tx.audit.add(nobody, "user.sign_in_failed", person.id if person else None, at)
    raise SignInRefused("name and password do not belong together")


def begin_session(
    tx: Transaction, person: Person, address: str, at: datetime, *, proof: str = ""
) -> tuple[str, BrowserSession]:
    """Begin a session for somebody whose identity is proven; return the cookie's secret and the session.

    `proof`: by what it is proven, for the audit log; empty stands for a password.
    """
    secret = secrets.token_urlsafe(32)
    session = BrowserSession(digest_of(secret), person, secrets.token_urlsafe(32), at, at)
    tx.people.begin_session(session)
    tx.audit.add(actor_of(person, address), "user.signed_in", person.id, at, {"by": proof} if proof else {})
    tx.sign_ins.forget_before(at - KEPT)
    return secret, session


def change_own_password(
    store: Store, person: Person, present: str, new: str, address: str, at: datetime
) -> tuple[str, BrowserSession]:
    """Replace somebody's password, for whoever knows the present one; return a new session, since all others end.

    Raises SignInRefused as `sign_in` does, and UsageError for a new password that is too short or too long.
    """
    # Asked first, so that nothing is begun for a password that is refused.
    refuse_wrong_length(new)
    sign_in(store, person.name, present, address, at)
    with store.begin() as tx:
        change_password(tx, actor_of(person, address), person.name, new, at)
        return begin_session(tx, person, address, at)


def session_of(store: Store, secret: str, lifetime: Lifetime, at: datetime) -> BrowserSession | None:
    """Return the session of a cookie; None when there is none any more."""
    id_ = digest_of(secret)
    with store.read() as tx:
        session = tx.people.session(id_)
    if session is None:
        return None

    if at - session.used_at > lifetime.idle or at - session.began_at > lifetime.total:
        with store.begin() as tx:
            tx.people.forget_sessions(at - lifetime.idle, at - lifetime.total)
        return None

    if at - session.used_at > _USE_NOTED:
        with store.begin() as tx:
            tx.people.use_session(id_, at)
    return session


def sign_out(tx: Transaction, session: BrowserSession, address: str, at: datetime) -> None:
    """End a session."""
    tx.people.end_session(session.id)
    tx.audit.add(actor_of(session.person, address), "user.signed_out", session.person.id, at)


def actor_of(person: Person, address: str | None) -> Actor:
    """Return a person as the one who acts."""
    return Actor(ActorKind.PERSON, person.name, person.role.scopes, address)


def digest_of(secret: str) -> str:
    """Return the SHA-256 under which a secret of guardian's own making is kept.

    It is 256 random bits, so it needs no slow hash as passwords do.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def _wait(tx: Transaction, name: str, address: str, at: datetime) -> timedelta | None:
    """Return how long the next attempt must wait; None when it need not."""
    # A failure may lie in the future, since clocks are set back and differ between machines. One that is far ahead must
    # not lock anybody out until then.
    within = at - WINDOW, at + WINDOW
    of_both = tx.sign_ins.failures(*within, name=name, address=address)
    of_address = tx.sign_ins.failures(*within, address=address)
    of_name = [] if tx.sign_ins.has_succeeded(name, address) else tx.sign_ins.failures(*within, name=name)

    limits = ((of_both, MOST_FOR_NAME_AND_ADDRESS), (of_address, MOST_FOR_ADDRESS), (of_name, MOST_FOR_NAME))
    # Free again when the oldest of the last `most` failures has left the window.
    ends = [failures[-most] + WINDOW for failures, most in limits if len(failures) >= most]
    return max(ends) - at if ends else None
