"""What makes the next request conditional."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from guardian.model import Remembered
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ANSWER = Remembered("https://site.example/a?x=1", '"v1"', "Tue, 24 Nov 2026", "a" * 64, NOON, NOON, '{"images": []}')


def test_remembered_confirmed_replaced_and_forgotten(store: Store) -> None:
    later = NOON + timedelta(days=1)
    with store.begin() as tx:
        assert tx.responses.known(ANSWER.url) is None
        tx.responses.remember(ANSWER)
        assert tx.responses.known("https://SITE.example:443/a?x=1&utm_source=y#z") == ANSWER
        assert tx.responses.known("http://site.example/a?x=1") is None
        tx.responses.confirm(ANSWER.url, later)
        assert tx.responses.known(ANSWER.url) == replace(ANSWER, checked_at=later)
        newer = replace(ANSWER, etag=None, sha256="b" * 64, extract=None)
        tx.responses.remember(newer)
        assert tx.responses.known(ANSWER.url) == newer
        tx.responses.forget(ANSWER.url)
        assert tx.responses.known(ANSWER.url) is None


def test_what_nobody_confirmed_can_be_dropped(store: Store) -> None:
    with store.begin() as tx:
        tx.responses.remember(ANSWER)
        tx.responses.remember(replace(ANSWER, url="https://site.example/b", checked_at=NOON - timedelta(days=90)))
        assert tx.responses.forget_before(NOON, limit=10) == 1
        assert tx.responses.known(ANSWER.url) == ANSWER
