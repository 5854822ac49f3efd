"""Addresses that sign somebody in once, without a password: short-lived, kept as digests, for this machine only."""

import secrets
from datetime import datetime, timedelta

from guardian.errors import UsageError
from guardian.model import Actor, BrowserSession
from guardian.people.people import person_named
from guardian.people.signing_in import SignInRefused, begin_session, digest_of
from guardian.store import Store, Transaction

LONGEST = timedelta(hours=1)
"""How long a link may last: it is as good as a password until it is used."""


def make_link(tx: Transaction, actor: Actor, name: str, lifetime: timedelta, at: datetime) -> str:
    """Return the secret of a new link for the person of this name, which is shown this once. Raises UsageError."""
    if not timedelta(0) < lifetime <= LONGEST:
        raise UsageError(f"a sign-in link lasts up to {LONGEST.total_seconds() / 60:.0f} minutes")
    person = person_named(tx, name)

    secret, until = secrets.token_urlsafe(32), at + lifetime
    tx.sign_in_links.forget_ended(at)
    tx.sign_in_links.add(digest_of(secret), person.id, until)
    detail = {"name": person.name, "until": until.isoformat(timespec="seconds")}
    tx.audit.add(actor, "user.sign_in_link_made", person.id, at, detail)
    return secret


def sign_in_by_link(store: Store, secret: str, address: str, at: datetime) -> tuple[str, BrowserSession]:
    """Use up a link; return the secret for the cookie, and the new session.

    Raises SignInRefused for a link that never was, was used, has ended, or whose person was removed.
    """
    with store.begin() as tx:
        person = tx.sign_in_links.take(digest_of(secret), at)
        if person is not None:
            return begin_session(tx, person, address, at, proof="sign-in link")
    raise SignInRefused("this address was used already, or its time is over; sign in, or make another one")
