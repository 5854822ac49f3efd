"""Cases of two operators in the desk's database, and programs with tokens."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from guardian.cases import RecordedUse, record
from guardian.cases.uses import Kept
from guardian.cli.acting import this_user
from guardian.model import (
    Action,
    Audience,
    Case,
    Comparison,
    Context,
    Decision,
    LicenceStatus,
    Permission,
    Severity,
    Sighting,
    Transform,
)
from guardian.people.tokens import add_token
from tests.web.conftest import Served

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
"""Yesterday: what is opened then is of the last weeks, whenever the tests run."""

Program = Callable[..., httpx.Client]


def add_asset(served: Served, digit: str, collection: str = "shop") -> None:
    with served.store.begin() as tx:
        made = tx.assets.reserve(
            digit * 64, title=f"Picture {digit}", collection=collection, path=f"/p/{digit}.jpg", size=(8, 6), at=NOON
        )
        tx.assets.protect([made.number])


def add_use(served: Served, page: str, asset: int = 0, minutes: int = 0) -> Case:
    """A use of an asset that a scan saw on a page; returns its case."""
    transform = Transform((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), True, 12.5, 0.3, (0.0, 0.1, 0.9, 1.0), (0.0, 0.0, 1.0, 1.0))
    at = NOON + timedelta(minutes=minutes)
    with served.store.begin() as tx:
        seen = RecordedUse(
            sighting=Sighting("web", f"{page}.jpg", page, at, Context(page_title="=SUM(A1)")),
            candidate_sha256="c" * 64,
            asset=tx.assets.list()[asset],
            comparison=Comparison(probability=0.98, keypoint_inliers=120, transform=transform, description="cropped"),
            licence_status=LicenceStatus.NONE,
            decision=Decision(Action.ALERT, "copy", Severity.HIGH),
            at=at,
            kept=Kept(None, None, None),
        )
        recorded = record(tx, seen, Audience())
        case = tx.cases.get(recorded.case_id or "")
    assert case is not None
    return case


@pytest.fixture
def program(served: Served) -> Program:
    """program(Permission.CASES_READ) is a client that shows a token with these scopes."""

    def make(*scopes: Permission, name: str = "program") -> httpx.Client:
        with served.store.begin() as tx:
            secret, _ = add_token(tx, this_user(), name, scopes, None, datetime.now(UTC))
        client = served.client()
        client.headers["authorization"] = f"Bearer {secret}"
        return client

    return make


def actions(served: Served, subject: str) -> Iterable[tuple[str, str, str | None]]:
    """What the audit log says of a subject: who, what, from where; without guardian's own lines."""
    with served.store.read() as tx:
        return [
            (line.actor, line.action, line.address)
            for line in tx.audit.lines(subject=subject)
            if line.action != "case.history"
        ]
