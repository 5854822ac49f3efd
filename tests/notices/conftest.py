"""A store with two works, used at two operators, and an owner who signs notices."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardian.cases import Kept, RecordedUse, record
from guardian.cli.acting import this_user
from guardian.model import Action, Asset, Audience, Comparison, Context, Decision, LicenceStatus, Severity, Sighting
from guardian.model.notices import NoticeKind
from guardian.notices.drafting import Drafted, DraftRequest, NoticeConfig, draft
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.notices.steps import StepAuthor
from guardian.store import Store
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OWNER = OwnerSettings(
    name="Ada Example Ltd",
    address="1 High Street, Example Town",
    email="rights@ada.example",
    phone="+1 555 0100",
    signs_as="Ada Example, director",
)


@dataclass
class Bench:
    """The store, and what tests of notices do over and over."""

    store: Store
    assets: list[Asset]
    notice_config: NoticeConfig

    def used(self, page_url: str, number: int = 0, image_url: str = "https://cdn.example/copy.jpg") -> str:
        """The case of a use of a work that was seen on a page."""
        with self.store.begin() as tx:
            finding = record(tx, use_of(self.assets[number], page_url, image_url), Audience())
        return finding.case_id or ""

    def draft(self, *case_ids: str, kind: NoticeKind = NoticeKind.DMCA, by: str = "mara", **wanted: object) -> Drafted:
        return draft(
            self.store, case_ids, replace(DraftRequest(kind, by), **wanted), self.notice_config, NOON, this_user()
        )


def use_of(asset: Asset, page_url: str, image_url: str | None) -> RecordedUse:
    """A use that the rules want told, as a scan records it."""
    return RecordedUse(
        sighting=Sighting("web", image_url, page_url, NOON, Context(alt="a picture")),
        candidate_sha256="c" * 64,
        asset=asset,
        comparison=Comparison(0.99, asset_coverage=0.64, description="cropped to 64 %"),
        licence_status=LicenceStatus.NONE,
        decision=Decision(Action.ALERT, "copies", Severity.HIGH),
        at=NOON,
        kept=Kept("1" * 64, "2" * 64),
    )


def by(name: str, hours: float = 0) -> StepAuthor:
    return StepAuthor(name, NOON + timedelta(hours=hours), this_user())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store = store_in(tmp_path)
    with store.begin() as tx:
        reserved = [
            tx.assets.reserve(
                digit * 64, title=title, collection="shop", path=f"/p/{digit}.jpg", size=(800, 600), at=NOON
            )
            for digit, title in (("a", "Dunes at dusk"), ("b", "Kaffee & <b>Kuchen</b>"))
        ]
        tx.assets.protect([asset.number for asset in reserved])
        assets = tx.assets.list()
    yield Bench(store, assets, NoticeConfig(OWNER, NoticeSettings()))
    store.close()
