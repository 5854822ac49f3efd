"""Signing in: right and wrong passwords, how many attempts there may be, and sessions that end."""

from datetime import UTC, datetime, timedelta

import pytest

from guardian.cli.acting import this_user
from guardian.errors import UsageError
from guardian.model import Permission, Role
from guardian.people.people import add_person, change_password, change_role, remove_person
from guardian.people.signing_in import Lifetime, SignInRefused, actor_of, session_of, sign_in, sign_out
from guardian.people.tokens import add_token, holder_of, revoke_token
from guardian.store import Store
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIFETIME = Lifetime(timedelta(hours=1), timedelta(hours=3))
HOME, ELSEWHERE = "192.0.2.1", "203.0.113.9"
PASSWORD = "correct horse battery"


@pytest.fixture
def store(tmp_path) -> Store:
    opened = store_in(tmp_path)
    with opened.begin() as tx:
        add_person(tx, this_user(), "Anna", Role.ADMIN, PASSWORD, NOON)
    return opened


def refused(store: Store, name: str, password: str, address: str, at: datetime) -> timedelta | None:
    with pytest.raises(SignInRefused) as caught:
        sign_in(store, name, password, address, at)
    return caught.value.wait


def test_right_password_begins_a_session_that_ends(store: Store) -> None:
    secret, session = sign_in(store, " anna ", PASSWORD, HOME, NOON)
    assert session.person.name == "Anna"
    assert secret not in (session.id, session.csrf)
    assert session_of(store, secret, LIFETIME, NOON + timedelta(minutes=59)) is not None
    assert session_of(store, secret, LIFETIME, NOON + timedelta(minutes=118)) is not None, "used within the hour"
    assert session_of(store, secret, LIFETIME, NOON + timedelta(minutes=179)) is None, "unused for an hour"

    secret, session = sign_in(store, "Anna", PASSWORD, HOME, NOON)
    with store.begin() as tx:
        sign_out(tx, session, HOME, NOON)
    assert session_of(store, secret, LIFETIME, NOON) is None


def test_session_lasts_no_longer_than_the_longest(store: Store) -> None:
    secret, _ = sign_in(store, "Anna", PASSWORD, HOME, NOON)
    for minutes in range(0, 181, 45):
        assert session_of(store, secret, LIFETIME, NOON + timedelta(minutes=minutes)) is not None
    assert session_of(store, secret, LIFETIME, NOON + timedelta(minutes=181)) is None


def test_wrong_name_and_wrong_password_are_told_alike_and_noted(store: Store) -> None:
    with pytest.raises(SignInRefused) as of_password:
        sign_in(store, "Anna", "wrong", HOME, NOON)
    with pytest.raises(SignInRefused) as of_name:
        sign_in(store, "Berta", PASSWORD, HOME, NOON)
    assert str(of_password.value) == str(of_name.value)
    with store.read() as tx:
        failed = [line for line in tx.audit.lines() if line.action == "user.sign_in_failed"]
    assert [(line.actor, line.address) for line in failed] == [("Anna", HOME), ("Berta", HOME)]


def test_many_wrong_attempts_must_wait_and_are_free_again(store: Store) -> None:
    for attempt in range(5):
        assert refused(store, "Anna", "wrong", HOME, NOON + attempt * SECOND) is None
    assert refused(store, "Anna", PASSWORD, HOME, NOON + 5 * SECOND) == timedelta(minutes=15) - 5 * SECOND
    sign_in(store, "Anna", PASSWORD, HOME, NOON + timedelta(minutes=15, seconds=1))


def test_attempts_of_strangers_do_not_lock_out_who_has_been_here_before(store: Store) -> None:
    sign_in(store, "Anna", PASSWORD, HOME, NOON)
    with store.begin() as tx:
        for number in range(60):
            tx.sign_ins.note("anna", f"198.51.100.{number}", NOON, succeeded=False)
    assert refused(store, "Anna", PASSWORD, ELSEWHERE, NOON + SECOND) is not None
    sign_in(store, "Anna", PASSWORD, HOME, NOON + SECOND)


def test_attempts_before_the_clock_was_set_back_lock_nobody_out(store: Store) -> None:
    tomorrow = NOON + timedelta(days=1)
    for _ in range(6):
        wait = refused(store, "Anna", "wrong", HOME, tomorrow)
    assert wait == timedelta(minutes=15)
    assert sign_in(store, "Anna", PASSWORD, HOME, NOON)[1].person.name == "Anna"
    for _ in range(6):
        wait = refused(store, "Anna", "wrong", ELSEWHERE, NOON)
    assert wait == timedelta(minutes=15), "those of now count"


def test_one_address_cannot_try_all_names(store: Store) -> None:
    with store.begin() as tx:
        for number in range(30):
            tx.sign_ins.note(f"name {number}", ELSEWHERE, NOON, succeeded=False)
    assert refused(store, "Anna", PASSWORD, ELSEWHERE, NOON + SECOND) is not None


def test_new_password_and_removal_end_sessions(store: Store) -> None:
    secret, _ = sign_in(store, "Anna", PASSWORD, HOME, NOON)
    with store.begin() as tx:
        change_password(tx, this_user(), "anna", "another long password", NOON)
        add_person(tx, this_user(), "Berta", Role.ADMIN, PASSWORD, NOON)
    assert session_of(store, secret, LIFETIME, NOON) is None
    secret, _ = sign_in(store, "Anna", "another long password", HOME, NOON)
    with store.begin() as tx:
        remove_person(tx, this_user(), "Anna", NOON)
    assert session_of(store, secret, LIFETIME, NOON) is None
    assert refused(store, "Anna", "another long password", HOME, NOON) is None
    with store.begin() as tx:
        assert add_person(tx, this_user(), "Anna", Role.VIEWER, PASSWORD, NOON).role is Role.VIEWER, "a new Anna"


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("anna", PASSWORD, "already"),
        ("Berta", "short", "at least 12"),
        ("Berta", "x" * 1001, "more than 1000"),
        ("", PASSWORD, "printable"),
        ("a\x00b", PASSWORD, "printable"),
        ("x" * 101, PASSWORD, "printable"),
    ],
)
def test_people_that_cannot_be_added(store: Store, name: str, password: str, said: str) -> None:
    with store.begin() as tx, pytest.raises(UsageError, match=said):
        add_person(tx, this_user(), name, Role.VIEWER, password, NOON)


def test_last_admin_stays(store: Store) -> None:
    with store.begin() as tx:
        with pytest.raises(UsageError, match="last admin"):
            remove_person(tx, this_user(), "Anna", NOON)
        with pytest.raises(UsageError, match="last admin"):
            change_role(tx, this_user(), "Anna", Role.VIEWER, NOON)


def test_token_opens_what_its_scopes_say_until_it_ends(store: Store) -> None:
    until = NOON + timedelta(days=1)
    with store.begin() as tx:
        secret, token = add_token(tx, this_user(), "importer", [Permission.CASES_READ], until, NOON)
    holder = holder_of(store, secret, HOME, NOON)
    assert holder is not None
    assert (holder.name, holder.may(Permission.CASES_READ), holder.may(Permission.CASES_WRITE)) == (
        "importer",
        True,
        False,
    )
    assert holder_of(store, secret + "x", HOME, NOON) is None
    assert holder_of(store, secret, HOME, until) is None
    with store.begin() as tx:
        revoke_token(tx, this_user(), token, NOON)
    assert holder_of(store, secret, HOME, NOON) is None


def test_token_that_makes_no_sense(store: Store) -> None:
    with store.begin() as tx:
        with pytest.raises(UsageError, match="at least one thing"):
            add_token(tx, this_user(), "x", [], None, NOON)
        with pytest.raises(UsageError, match="ended already"):
            add_token(tx, this_user(), "x", [Permission.CHECK], NOON, NOON)


def test_a_token_is_known_by_the_person_who_made_it_whoever_made_that_token(store: Store) -> None:
    with store.begin() as tx:
        anna = actor_of(tx.people.all()[0], HOME)
        secret, token = add_token(tx, anna, "robot", [Permission.CASES_READ, Permission.PEOPLE], None, NOON)
    robot = holder_of(store, secret, HOME, NOON)
    assert robot is not None
    assert (robot.name, robot.person, token.made_by) == ("robot", "Anna", "Anna")
    with store.begin() as tx:
        _, child = add_token(tx, robot, "child", [Permission.CASES_READ], None, NOON)
    assert child.made_by == "Anna"
