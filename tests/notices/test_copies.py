"""Copies of what was sent: kept when a notice says so, and only then."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from guardian.errors import UsageError
from guardian.evidence import Vault
from guardian.notices.copies import keep_copy, sent_copy
from guardian.notices.settings import NoticeSettings
from guardian.notices.steps import approve, check_licence, consider, mark_sent, note_verified
from tests.notices.conftest import Bench, by

SENT = b"From: rights@ada.example\r\n\r\nDear Sir or Madam"


@pytest.fixture
def copies(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "notices", 1_000_000)


def kept(copies: Vault) -> set[str]:
    return {path.name for path in copies.folder.glob("??/*")}


def test_a_refused_step_leaves_no_copy(bench: Bench, copies: Vault) -> None:
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    with bench.store.begin() as tx, pytest.raises(UsageError, match="nobody has approved it"):
        mark_sent(tx, notice.id, "a@thief.example", lambda: keep_copy(tx, copies, SENT), by("jo"), NoticeSettings())
    assert kept(copies) == set()


def test_a_copy_without_a_notice_is_removed_when_the_next_one_is_kept(bench: Bench, copies: Vault) -> None:
    case_id = bench.used("https://thief.example/1")
    for content in (SENT, b"another letter"):
        notice = bench.draft(case_id).notice
        # A process that ended after it had kept its copy, two hours ago; and one that is at work now.
        left, at_work = (copies.keep(content + end) for end in (b" left behind", b" just now"))
        two_hours_ago = time.time() - 7_200
        os.utime(copies.path_of(left), (two_hours_ago, two_hours_ago))
        with bench.store.begin() as tx:
            check_licence(tx, notice.id, "asked the sales team, none was sold", by("mara"))
            consider(tx, notice.id, "a full copy in a shop, no comment on it", by("mara"))
            approve(tx, notice.id, by("jo"), NoticeSettings())
            note_verified(tx, notice.id, {}, by("jo"))
            keep = lambda content=content: keep_copy(tx, copies, content)  # noqa: E731
            sent = mark_sent(tx, notice.id, "a@thief.example", keep, by("jo"), NoticeSettings())

        digest = hashlib.sha256(content).hexdigest()
        assert sent_copy(sent, copies) == (digest, content)
        assert {digest, at_work} <= kept(copies)
        assert left not in kept(copies)
        # What an earlier notice names stays, however old.
        os.utime(copies.path_of(digest), (two_hours_ago, two_hours_ago))
    assert len(kept(copies)) == 4


def test_what_cannot_be_removed_does_not_stop_a_notice_from_being_recorded(bench: Bench, copies: Vault) -> None:
    left = copies.folder / "ab" / "lost+found"
    left.mkdir(parents=True)
    two_hours_ago = time.time() - 7_200
    os.utime(left, (two_hours_ago, two_hours_ago))
    with bench.store.begin() as tx:
        digest = keep_copy(tx, copies, SENT)
    assert copies.get(digest) == SENT
