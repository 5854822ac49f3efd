"""Errors travel from worker processes: each arrives as it was, with everything that callers look at."""

import copy
import inspect
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardian import errors
from guardian.errors import (
    CaseChanged,
    ConfigError,
    DecidedAlready,
    DeliveryFailed,
    FetchFailed,
    FetchRefused,
    GuardianError,
    NotAnImage,
    NoticeIncomplete,
    OverLimit,
    TooPlain,
    UsageError,
    WorkerLost,
)
from guardian.model import Case, CaseEvent, CaseState, SkipReason
from guardian.model.notices import NoticeStep, OpenPoint

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CASE = Case("case_1", "asset_1", "work_1", "shop.example", CaseState.CONFIRMED, None, NOON, NOON, 1)
EXAMPLES: list[GuardianError] = [
    ConfigError("unknown key", file=Path("config.yaml"), line=3, column=5),
    ConfigError("empty", file=Path("config.yaml")),
    FetchRefused(SkipReason.ROBOTS, "http://example.org/a.jpg", "robots.txt forbids it"),
    FetchFailed(SkipReason.HTTP_STATUS, "http://example.org/a.jpg", status=404),
    NotAnImage("an HTML page"),
    TooPlain("12 x 12 pixels"),
    OverLimit("too many frames"),
    WorkerLost(SkipReason.TIMED_OUT, "busy for more than 30 s"),
    CaseChanged("confirmed meanwhile", CASE, (CaseEvent(CASE.id, CASE.opened_at, "confirmed", by="mara"),)),
    DecidedAlready("case_1 is confirmed already, by mara", CASE),
    NoticeIncomplete("notice_1 cannot be approved yet", [OpenPoint("nobody has approved it", NoticeStep.APPROVED)]),
    DeliveryFailed("410 Gone", permanent=True, disable=True, retry_after=timedelta(minutes=5)),
]
KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, GuardianError)]


def same(one: GuardianError, other: GuardianError) -> bool:
    return type(one) is type(other) and str(one) == str(other) and one.args == other.args and vars(one) == vars(other)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_with_all_it_knows(error: GuardianError, protocol: int) -> None:
    assert vars(error)
    assert same(pickle.loads(pickle.dumps(error, protocol)), error)
    assert same(copy.copy(error), error)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_pickles(kind: type[GuardianError]) -> None:
    """Also those to come: an example above, or a constructor that takes the message alone."""
    examples = [error for error in EXAMPLES if type(error) is kind] or [kind("said")]
    for error in examples:
        assert same(pickle.loads(pickle.dumps(error)), error)


def test_notes_travel_too() -> None:
    error = WorkerLost(SkipReason.CRASHED, "died twice")
    error.add_note("while adding coffee.jpg")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["while adding coffee.jpg"]


def test_messages_say_where_and_why() -> None:
    assert str(EXAMPLES[0]) == "config.yaml:3:5: unknown key"
    assert str(EXAMPLES[1]) == "config.yaml: empty"
    assert "robots.txt forbids it" in str(EXAMPLES[2])
    assert "status_404" in str(EXAMPLES[3])
    assert issubclass(ConfigError, UsageError)


def test_unmatchable_kinds_have_words_of_their_own() -> None:
    assert [kind("x").reason for kind in (NotAnImage, TooPlain, OverLimit)] == [
        "not_an_image",
        "too_plain",
        "over_limit",
    ]


def test_the_tree_in_the_docstring_names_every_kind() -> None:
    assert errors.__doc__
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in errors.__doc__] == []
