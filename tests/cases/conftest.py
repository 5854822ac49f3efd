"""A store with two protected assets, and uses of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from guardian.cases import Kept, RecordedUse
from guardian.cases.rejudging import Judging
from guardian.errors import UsageError
from guardian.model import Action, Asset, Comparison, Context, Decision, LicenceStatus, Severity, Sighting, Transform
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Use = Callable[..., RecordedUse]


def no_rules() -> Judging:
    """Stand for rules that are not there: only a licence is judged when a decision is undone."""
    raise UsageError("the rules are not here")


@pytest.fixture
def assets(store: Store) -> list[Asset]:
    with store.begin() as tx:
        reserved = [
            tx.assets.reserve(
                digit * 64,
                title=f"Picture {digit}",
                collection="shop",
                path=f"/p/{digit}.jpg",
                size=(800, 600),
                at=NOON,
            )
            for digit in "ab"
        ]
        tx.assets.protect([asset.number for asset in reserved])
        return tx.assets.list()


@pytest.fixture
def use(assets: list[Asset]) -> Use:
    """Makes uses: use("https://shop.example/p") is an alert there; keywords change any part."""
    transform = Transform(
        (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), True, 12.5, 0.1 + 0.2, (0.0, 0.1, 0.9, 1.0), (0.0, 0.0, 1.0, 1.0)
    )
    comparison = Comparison(
        probability=0.987654321, keypoint_inliers=120, transform=transform, description="mirrored, cropped to 41 %"
    )

    def make(
        page_url: str | None = "https://www.thief.example/page",
        image_url: str | None = "https://cdn.example/copy.jpg",
        *,
        action: Action = Action.ALERT,
        severity: Severity | None = Severity.MEDIUM,
        deliver_to: tuple[str, ...] = (),
        minutes: int = 0,
        source: str = "web",
        **changes: object,
    ) -> RecordedUse:
        at = NOON + timedelta(minutes=minutes)
        made = RecordedUse(
            sighting=Sighting(source, image_url, page_url, at, Context(alt="a picture")),
            candidate_sha256="c" * 64,
            asset=assets[0],
            comparison=comparison,
            licence_status=LicenceStatus.NONE,
            decision=Decision(action, "copies", severity, deliver_to),
            at=at,
            kept=Kept("1" * 64, "2" * 64),
        )
        return replace(made, **changes)

    return make
