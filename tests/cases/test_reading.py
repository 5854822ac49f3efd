"""What is read of a case for those who show it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from guardian.cases import RecordedUse, record
from guardian.cases.reading import case_detail, case_starting_with
from guardian.errors import UsageError
from guardian.model import Audience
from guardian.store import Store

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)

Use = Callable[..., RecordedUse]


@pytest.fixture
def ids(store: Store, use: Use) -> list[str]:
    """Two cases; the bytes of the first one's only finding changed once."""
    with store.begin() as tx:
        findings = [
            record(tx, use("https://thief.example/1"), Audience(("legal",))),
            record(tx, use("https://thief.example/1", minutes=5, candidate_sha256="d" * 64), Audience(("legal",))),
            record(tx, use("https://pirate.example/"), Audience()),
        ]
    return [finding.case_id or "" for finding in findings[1:]]


def test_a_case_by_the_beginning_of_its_id(store: Store, ids: list[str]) -> None:
    with store.read() as tx:
        assert case_starting_with(tx, ids[0][:14]).id == ids[0]
        assert case_starting_with(tx, ids[0].removeprefix("case_")).id == ids[0]
        with pytest.raises(UsageError, match="2 cases start with case_"):
            case_starting_with(tx, "case_")
        with pytest.raises(UsageError, match="no case zzz"):
            case_starting_with(tx, "zzz")


def test_a_case_has_its_findings_history_and_all_versions(store: Store, ids: list[str]) -> None:
    with store.read() as tx:
        detail = case_detail(tx, case_starting_with(tx, ids[0]), NOON)
    assert detail.asset is not None
    assert [event.kind for event in detail.history] == ["opened"]
    (finding,) = detail.findings
    assert [version.candidate_sha256[0] for version in detail.versions[finding.id]] == ["c", "d"]
