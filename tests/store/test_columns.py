"""Moments keep their zone, words stay words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import StatementError

from guardian.model import TaskKind
from guardian.store import Store


def test_moments_come_back_in_utc_to_the_microsecond(store: Store) -> None:
    kolkata = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with store.begin() as tx:
        task = tx.tasks.add(TaskKind.DELIVER, "a", b"", due_at=kolkata, at=kolkata)
    assert task is not None
    assert task.due_at == kolkata
    assert task.due_at.tzinfo == UTC


def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    naive = datetime(2026, 11, 24, 12)  # noqa: DTZ001
    with pytest.raises(StatementError, match="without a time zone"), store.begin() as tx:
        tx.scans.start("web", naive)


def test_moments_compare_across_zones(store: Store) -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    with store.begin() as tx:
        tx.tasks.add(TaskKind.DELIVER, "a", b"", due_at=noon, at=noon)
        east = timezone(timedelta(hours=9))
        assert tx.tasks.due_count((noon - timedelta(seconds=1)).astimezone(east)) == 0
        assert tx.tasks.due_count(noon.astimezone(east)) == 1


def test_a_word_that_is_none_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="nonsense"), store.begin() as tx:
        tx.cases.list(state="nonsense")  # type: ignore[arg-type]
