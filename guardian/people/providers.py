"""People who sign in at an OpenID Connect provider: found by issuer and subject, added when they first come."""

from dataclasses import dataclass
from datetime import datetime

from guardian.errors import UsageError
from guardian.model import BrowserSession, Person, Role
from guardian.people.people import change_role
from guardian.people.signing_in import SignInRefused, actor_of, begin_session
from guardian.store import Transaction
from guardian.store.ids import new_id
from guardian.views.plain_text import cleaned

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Account:
    """An account that a provider vouches for. Only `issuer` and `subject` say whose it is; names may change hands.

    `role`: what its claims make of the person here; None when they say nothing.
    """

    issuer: str
    subject: str
    name: str
    role: Role | None


def sign_in_account(tx: Transaction, account: Account, address: str, at: datetime) -> tuple[str, BrowserSession]:
    """Return the secret and the session of whoever has this account; they are added when they first come.

    Raises SignInRefused for somebody who was removed here, and for one without a role.
    """
    person = tx.people.of_provider(account.issuer, account.subject)
    if person is not None and person.removed_at is not None:
        raise SignInRefused("this account was removed from guardian; an admin can say why")
    if account.role is None:
        raise SignInRefused("your account has no role in guardian; ask an admin for one at the provider")

    if person is None:
        person = _added(tx, account, account.role, address, at)
    if person.role is not account.role:
        person = _with_role(tx, person, account.role, address, at)
    return begin_session(tx, person, address, at, proof=account.issuer)


def _added(tx: Transaction, account: Account, role: Role, address: str, at: datetime) -> Person:
    """Add whoever comes for the first time, and return them; in two windows at once, both are this one person."""
    name = _free_name(tx, account)
    person = Person(new_id("user"), name, role, at, issuer=account.issuer, subject=account.subject)
    if tx.people.add(person, None):
        detail = {"name": name, "role": role.value, "issuer": account.issuer}
        tx.audit.add(actor_of(person, address), "user.added", person.id, at, detail)
        return person

    same = tx.people.of_provider(account.issuer, account.subject)
    if same is None:
        raise SignInRefused("somebody has taken your name at this moment; sign in again")
    return same


def _with_role(tx: Transaction, person: Person, role: Role, address: str, at: datetime) -> Person:
    """Give somebody the role that the provider says; the last admin stays one, or nobody could change it back."""
    try:
        change_role(tx, actor_of(person, address), person.name, role, at)
    except UsageError:
        return person
    return tx.people.named(person.name)[0]  # type: ignore[index]


def _free_name(tx: Transaction, account: Account) -> str:
    """Return a name that nobody has: histories show it, so it must not be taken for another's."""
    name = cleaned(account.name).strip()[:_LONGEST_NAME]
    name = name if name and name.isprintable() else f"account {account.subject[:20]!r}"
    for number in range(1, 1_000):
        tried = name if number == 1 else f"{name} ({number})"
        if tx.people.named(tried) is None:
            return tried
    raise SignInRefused("too many people have this name; an admin must rename some")
