"""People of an OpenID Connect provider, who are added when they first come."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

from guardian.model import Role
from guardian.people.providers import Account, sign_in_account
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_first_sign_ins_at_the_same_moment_make_one_person(store: Store) -> None:
    account = Account("https://login.example", "4711", "mara", Role.REVIEWER)
    start = Barrier(4)

    def come(_: int) -> str:
        start.wait()
        with store.begin() as tx:
            return sign_in_account(tx, account, "192.0.2.1", NOON)[1].person.id

    with ThreadPoolExecutor(4) as pool:
        came = set(pool.map(come, range(4)))
    with store.read() as tx:
        people = tx.people.all()
        added = tx.audit.latest(10, action="user.added")
    assert came == {person.id for person in people}
    assert len(people) == 1
    assert len(added) == 1
