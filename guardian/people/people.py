"""Adds and removes people, changes their roles and passwords."""

from datetime import datetime

from guardian.errors import UsageError
from guardian.model import Actor, Person, Role
from guardian.people.passwords import hash_of
from guardian.store import Transaction
from guardian.store.ids import new_id

_LONGEST_NAME = 100


def add_person(tx: Transaction, actor: Actor, name: str, role: Role, password: str, at: datetime) -> Person:
    """Add somebody who signs in with a password. Raises UsageError for a name that is taken, or no name or password."""
    name = checked_name(name)
    person = Person(new_id("user"), name, role, at)
    # Case does not count in names. Somebody else may add the same one at this moment.
    if tx.people.named(name) is not None or not tx.people.add(person, hash_of(password)):
        raise UsageError(f"there is a user {name} already; `guardian user list` shows all")
    tx.audit.add(actor, "user.added", person.id, at, {"name": name, "role": role.value})
    return person


def change_password(tx: Transaction, actor: Actor, name: str, password: str, at: datetime) -> None:
    """Replace a person's password, and sign them out everywhere."""
    person = person_named(tx, name)
    if person.issuer is not None:
        raise UsageError(f"{name} signs in at {person.issuer}; the password is changed there")
    tx.people.set_password(person.id, hash_of(password))
    tx.people.end_sessions(person.id)
    tx.audit.add(actor, "user.password_changed", person.id, at, {"name": person.name})


def change_role(tx: Transaction, actor: Actor, name: str, role: Role, at: datetime) -> None:
    """Give a person another role. Raises UsageError when no admin would be left."""
    person = person_named(tx, name)
    if role is not Role.ADMIN:
        _keep_an_admin(tx, person)
    tx.people.set_role(person.id, role)
    tx.audit.add(actor, "user.role_changed", person.id, at, {"name": person.name, "role": role.value})


def remove_person(tx: Transaction, actor: Actor, name: str, at: datetime) -> Person:
    """Let somebody sign in no more; sessions end at once. Raises UsageError when no admin would be left."""
    person = person_named(tx, name)
    _keep_an_admin(tx, person)
    tx.people.remove(person.id, at)
    tx.audit.add(actor, "user.removed", person.id, at, {"name": person.name})
    return person


def person_named(tx: Transaction, name: str) -> Person:
    """Return the person of this name. Raises UsageError when there is none."""
    found = tx.people.named(name)
    if found is None:
        raise UsageError(f"there is no user {name}; `guardian user list` shows all")
    return found[0]


def checked_name(name: str) -> str:
    """Return a name as it is kept. Raises UsageError for none, one that is too long, or one with control characters."""
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(f"a name has 1 to {_LONGEST_NAME} printable characters")
    return name


def _keep_an_admin(tx: Transaction, person: Person) -> None:
    tx.people.hold()
    admins = [other for other in tx.people.all() if other.role is Role.ADMIN]
    if [other.id for other in admins] == [person.id]:
        raise UsageError(f"{person.name} is the last admin; make another one first")
