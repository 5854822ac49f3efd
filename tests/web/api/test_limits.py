"""How many requests may be made, by a clock of the test's own; and cursors that are none."""

import pytest

from guardian.errors import UsageError
from guardian.model import Actor, ActorKind
from guardian.web.api import cursors
from guardian.web.api.limits import RequestLimits


def test_requests_are_counted_for_each_program() -> None:
    now = [0.0]
    limits = RequestLimits(a_minute=60, at_once=2, clock=lambda: now[0])
    one, other = (Actor(ActorKind.TOKEN, name, frozenset()) for name in ("one", "other"))
    assert [limits.take(one) for _ in range(3)] == [None, None, 1.0]
    assert limits.take(other) is None
    now[0] = 0.5
    assert limits.take(one) == 0.5
    now[0] = 1.0
    assert limits.take(one) is None


@pytest.mark.parametrize("text", ["", "=", "é", "bm8", cursors.written("cases", 1), cursors.written("other", "a")])
def test_only_cursors_of_the_list_go_on(text: str) -> None:
    with pytest.raises(UsageError, match="leave it out"):
        cursors.read(text, "cases", (str,))


@pytest.mark.parametrize("part", [10**30, -(2**63) - 1, "\ud800", "\0"])
def test_cursor_of_what_no_database_holds_is_none(part: str | int) -> None:
    with pytest.raises(UsageError, match="leave it out"):
        cursors.read(cursors.written("cases", part), "cases", (type(part),))


def test_cursor_comes_back_as_it_was() -> None:
    assert cursors.read(cursors.written("cases", "case_1", 2), "cases", (str, int)) == ["case_1", 2]
