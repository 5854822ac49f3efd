"""What is recorded beside a kept body."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from guardian.evidence import Vault, VaultFull, keep_response, records_of
from guardian.model import Response

ANSWER = Response(
    url="https://example.com/a.jpg",
    final_url="https://cdn.example.com/a.jpg",
    status=200,
    headers=(("Content-Type", "image/jpeg"), ("set-cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Odd", "caf\xe9")),
    content=b"\xff\xd8 a picture",
    fetched_at=datetime(2026, 11, 24, 23, 30, tzinfo=timezone(timedelta(hours=-2))),
    remote_address="192.0.2.7",
)


def test_body_and_record_are_kept(tmp_path: Path) -> None:
    vault = Vault(tmp_path, 10**6)
    digest = keep_response(vault, ANSWER)
    assert digest == hashlib.sha256(ANSWER.content).hexdigest()
    assert vault.get(digest) == ANSWER.content
    (record,) = records_of(vault, digest)
    assert record["headers"] == [list(header) for header in ANSWER.headers]
    assert record["fetched_at"] == "2026-11-25T01:30:00+00:00"
    assert (record["status"], record["final_url"], record["remote_address"]) == (200, ANSWER.final_url, "192.0.2.7")
    assert (record["body_sha256"], record["body_bytes"]) == (digest, len(ANSWER.content))


def test_one_record_a_day_for_the_same_bytes_from_the_same_address(tmp_path: Path) -> None:
    vault = Vault(tmp_path, 10**6)
    digest = keep_response(vault, ANSWER)
    used = vault.used_bytes()
    keep_response(vault, replace(ANSWER, fetched_at=ANSWER.fetched_at + timedelta(minutes=15)))
    assert vault.used_bytes() == used
    keep_response(vault, replace(ANSWER, fetched_at=ANSWER.fetched_at + timedelta(days=1)))
    keep_response(vault, replace(ANSWER, url="https://example.com/b.jpg"))
    assert sorted((record["url"], record["fetched_at"][:10]) for record in records_of(vault, digest)) == [
        ("https://example.com/a.jpg", "2026-11-25"),
        ("https://example.com/a.jpg", "2026-11-26"),
        ("https://example.com/b.jpg", "2026-11-25"),
    ]


def test_of_answers_that_say_the_same_the_first_and_the_last_are_recorded(tmp_path: Path) -> None:
    vault = Vault(tmp_path, 10**6)

    def answered(day: int, **changes: object) -> str:
        return keep_response(vault, replace(ANSWER, fetched_at=ANSWER.fetched_at + timedelta(days=day), **changes))

    used = []
    for day in range(9):
        digest = answered(day)
        used.append(vault.used_bytes())
    assert used[1:] == used[1:2] * 8
    assert answered(9, status=404) == answered(10, status=404) == answered(11, status=404) == digest
    answered(11, final_url="https://elsewhere.example/a.jpg", status=404)
    answered(12, final_url="https://elsewhere.example/a.jpg", status=304, not_modified=True)
    assert [(record["fetched_at"][:10], record["status"]) for record in records_of(vault, digest)] == [
        ("2026-11-25", 200),
        ("2026-12-03", 200),
        ("2026-12-04", 404),
        ("2026-12-06", 404),
        ("2026-12-06", 404),
        ("2026-12-07", 304),
    ]


def test_signatures_and_session_ids_make_no_address_of_its_own(tmp_path: Path) -> None:
    vault = Vault(tmp_path, 10**6)
    for visit in range(5):
        digest = keep_response(vault, replace(ANSWER, url=f"{ANSWER.url}?PHPSESSID={visit}"))
    assert len(records_of(vault, digest)) == 1


def test_a_changed_record_is_not_believed(tmp_path: Path) -> None:
    vault = Vault(tmp_path, 10**6)
    digest = keep_response(vault, ANSWER)
    (path,) = vault.path_of(digest).with_name(f"{digest}.answers").iterdir()
    path.write_bytes(path.read_bytes().replace(b"192.0.2.7", b"192.0.2.8"))
    assert records_of(vault, digest) == []


def test_records_count_against_the_cap(tmp_path: Path) -> None:
    vault = Vault(tmp_path, len(ANSWER.content) + 10)
    with pytest.raises(VaultFull):
        keep_response(vault, replace(ANSWER, fetched_at=datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_record_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    vault = Vault(tmp_path, 10**6)
    digest = keep_response(vault, ANSWER)
    (record,) = vault.path_of(digest).with_name(f"{digest}.answers").iterdir()
    record.unlink()
    # Not even root can read a folder as a file.
    record.mkdir()
    later = replace(ANSWER, fetched_at=ANSWER.fetched_at + timedelta(days=1))
    assert keep_response(vault, later) == digest
    assert [one["fetched_at"] for one in records_of(vault, digest)] == ["2026-11-26T01:30:00+00:00"]
