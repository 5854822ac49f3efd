"""Links that sign somebody in once."""

from datetime import UTC, datetime, timedelta

import pytest

from guardian.cli.acting import this_user
from guardian.errors import UsageError
from guardian.model import Role
from guardian.people.people import add_person, change_password, remove_person
from guardian.people.sign_in_links import make_link, sign_in_by_link
from guardian.people.signing_in import Lifetime, SignInRefused, session_of
from guardian.store import Store
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=10)
HERE = "127.0.0.1"
LIFETIME = Lifetime(timedelta(hours=1), timedelta(hours=3))


@pytest.fixture
def store(tmp_path) -> Store:
    opened = store_in(tmp_path)
    with opened.begin() as tx:
        for name in ("Anna", "Rita"):
            add_person(tx, this_user(), name, Role.ADMIN, "correct horse battery", NOON)
    return opened


def link(store: Store, name: str = "Rita", lifetime: timedelta = MINUTES) -> str:
    with store.begin() as tx:
        return make_link(tx, this_user(), name, lifetime, NOON)


def test_link_signs_in_once_and_the_log_says_so(store: Store) -> None:
    secret = link(store, "rita")
    cookie, session = sign_in_by_link(store, secret, HERE, NOON + MINUTES - timedelta(seconds=1))
    assert session.person.name == "Rita"
    assert session_of(store, cookie, LIFETIME, NOON + MINUTES) is not None
    with pytest.raises(SignInRefused, match="used already"):
        sign_in_by_link(store, secret, HERE, NOON)

    with store.read() as tx:
        made, signed_in = list(tx.audit.lines())[-2:]
    assert (made.action, made.detail["name"]) == ("user.sign_in_link_made", "Rita")
    assert (signed_in.action, signed_in.detail["by"], signed_in.address) == ("user.signed_in", "sign-in link", HERE)
    assert secret not in str((made, signed_in))


def test_link_ends_with_its_time_another_password_and_its_person(store: Store) -> None:
    late, stale, gone = link(store), link(store), link(store, "Anna")
    with pytest.raises(SignInRefused):
        sign_in_by_link(store, late, HERE, NOON + MINUTES)

    with store.begin() as tx:
        change_password(tx, this_user(), "Rita", "another horse battery", NOON)
        remove_person(tx, this_user(), "Anna", NOON)
    for secret in (stale, gone, "never made", ""):
        with pytest.raises(SignInRefused):
            sign_in_by_link(store, secret, HERE, NOON)


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(minutes=61)])
def test_link_of_no_time_or_too_much_is_refused(store: Store, lifetime: timedelta) -> None:
    with pytest.raises(UsageError, match="up to 60 minutes"):
        link(store, lifetime=lifetime)


def test_link_for_nobody_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="no user nobody"):
        link(store, "nobody")
