"""After a notice: still there, gone for certain, moved, back; what could not be seen says nothing."""

import asyncio
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from guardian.app import App, at_work, opened_app
from guardian.catalog.wanted import Wanted
from guardian.cli.acting import this_user
from guardian.config import load_config
from guardian.model import Case, CaseState, TaskKind
from guardian.model.notices import Notice, NoticeKind, PlaceState, Recheck, RecheckOutcome
from guardian.notices.drafting import House, Wish, draft
from guardian.notices.steps import By, approve, check_licence, consider, mark_sent, note_verified, withdraw
from guardian.scan.notice_recheck import NoticeRecheckConsumer, Occasion, recheck_case
from guardian.scan.runs import scan_source
from guardian.scan.verifying import dead_addresses
from guardian.shipped import rules_folder
from guardian.sources.settings import SiteSettings
from guardian.tasks.outcomes import Done, Postponed
from tests.websites import Conditional, Redirect, Site, Status, running


@pytest.fixture
def web() -> Iterator[Site]:
    yield from running()


@dataclass
class Shop:
    """A site that shows one picture on one page, its scan, and a notice about it."""

    app: App
    web: Site
    start: str
    picture: Conditional
    settings: SiteSettings

    @property
    def case(self) -> Case:
        with self.app.store.read() as tx:
            (case,) = tx.cases.list()
        return case

    async def recheck(self, notice: Notice | None = None) -> tuple[RecheckOutcome, Recheck]:
        occasion = Occasion(notice.id, 1) if notice is not None else Occasion(asked_by="mara")
        recheck = await recheck_case(self.app.services, {"shop": self.settings}, self.case, occasion)
        assert recheck is not None
        return recheck.outcome, recheck

    def captures(self) -> list[str]:
        """The reasons of the captures that are owed, the oldest first."""
        with self.app.store.read() as tx:
            return [task.key.split()[1] for task in reversed(tx.tasks.list(TaskKind.CAPTURE))]

    def sent_notice(self) -> Notice:
        app = self.app
        house = House(app.config.owner, app.config.notices)
        now = app.services.clock()
        by = By("mara", now, this_user())
        notice = draft(app.store, [self.case.id], Wish(NoticeKind.DMCA, "mara"), house, now, this_user()).notice
        with app.store.begin() as tx:
            check_licence(tx, notice.id, "no licence was ever sold", by)
            consider(tx, notice.id, "a whole copy in a shop", by)
            approve(tx, notice.id, by, house.settings)
            note_verified(tx, notice.id, {}, by)
            return mark_sent(tx, notice.id, "abuse@shop.example", "d" * 64, by, house.settings)


def test_there_gone_back_moved_and_unclear(tmp_path: Path, web: Site, photographs: dict[str, Image.Image]) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s, busy_pause: 100ms}\n"
        "matching: {workers: 1, timeout: 5m}\n"
        "owner: {name: Ada, address: Here, email: ada@example.com, phone: '1', signs_as: Ada}\n"
    )
    photographs["coffee"].save(tmp_path / "coffee.png")
    encoded = io.BytesIO()
    photographs["coffee"].save(encoded, "JPEG", quality=85)
    picture = Conditional(encoded.getvalue(), '"coffee"', content_type="image/jpeg")
    web.put("/coffee.jpg", picture)
    other = io.BytesIO()
    photographs["rocket"].save(other, "JPEG", quality=85)
    start = web.put("/", "<a href=/page>page</a> <a href=/else>else</a>")
    web.put("/page", "<img src=/coffee.jpg>")
    web.put("/else", "<p>Nothing here.</p>")

    async def go() -> None:
        async with opened_app(load_config(tmp_path / "config.yaml")) as app, at_work(app, "a test") as heartbeat:
            async for added in app.catalog.add([Wanted(tmp_path / "coffee.png", "portfolio")]):
                assert added.asset is not None
            settings = SiteSettings(name="shop", kind="site", url=start, sitemaps=False)
            await scan_source(app.services, heartbeat, settings, lambda _: None)
            shop = Shop(app, web, start, picture, settings)

            # All addresses are live.
            notice = shop.sent_notice()
            assert await dead_addresses(app.services, notice) == {}
            assert shop.case.state is CaseState.NOTICE_SENT
            outcome, _ = await shop.recheck(notice)
            assert outcome is RecheckOutcome.THERE

            # Taken off the page, while the file is still at its address: not gone.
            web.put("/page", "<p>Taken down.</p>")
            outcome, recheck = await shop.recheck(notice)
            assert outcome is RecheckOutcome.THERE
            assert "the same file lies at the picture's address" in recheck.places[0].detail
            assert await dead_addresses(app.services, notice) == {f"{start}page": "the page no longer shows it"}

            # Page and file fail, or lead elsewhere: nothing can be said, and a scheduled look is tried again.
            web.put("/coffee.jpg", Status("503 Service Unavailable"))
            web.put("/page", Redirect("/else"))
            consumer = NoticeRecheckConsumer(app.services, {"shop": settings})
            with app.store.read() as tx:
                tasks = tx.tasks.list(TaskKind.RECHECK_NOTICE)
                rechecks = tx.notices.rechecks_of(shop.case.id)
            assert isinstance(await consumer.perform(tasks[0]), Postponed)
            with app.store.read() as tx:
                assert tx.notices.rechecks_of(shop.case.id) == rechecks
            web.put("/coffee.jpg", "<p>We are under repair.</p>")
            outcome, _ = await shop.recheck(notice)
            assert outcome is RecheckOutcome.UNCLEAR
            assert shop.case.state is CaseState.NOTICE_SENT

            # Both gone: the case is gone, with proof of absence; again is no news.
            web.put("/page", Status("404 Not Found"))
            web.put("/coffee.jpg", Status("410 Gone"))
            outcome, recheck = await shop.recheck(notice)
            assert outcome is RecheckOutcome.GONE
            assert [look.state for look in recheck.places] == [PlaceState.GONE]
            assert (shop.case.state, shop.captures()[-1]) == (CaseState.GONE, "absence")
            assert isinstance(await consumer.perform(tasks[0]), Done)
            assert shop.captures().count("absence") == 1
            version = shop.case.version

            # Another picture at its address is still gone.
            web.put("/coffee.jpg", Conditional(other.getvalue(), '"rocket"', content_type="image/jpeg"))
            outcome, _ = await shop.recheck(notice)
            assert (outcome, shop.case.version) == (RecheckOutcome.GONE, version)

            # Back: the case is open again and names what was captured before.
            web.put("/coffee.jpg", picture)
            web.put("/page", "<img src=/coffee.jpg>")
            outcome, _ = await shop.recheck(notice)
            assert outcome is RecheckOutcome.BACK
            assert shop.case.state is CaseState.OPEN
            assert shop.captures()[-1] == "returned"
            outcome, _ = await shop.recheck(notice)
            assert outcome is RecheckOutcome.THERE

            # Moved: a scan meets it elsewhere on the host, and the old place is gone.
            notice = shop.sent_notice()
            web.put("/else", "<img src=/new/coffee.jpg>")
            web.put("/new/coffee.jpg", Conditional(encoded.getvalue(), '"new"', content_type="image/jpeg"))
            web.put("/page", Status("404 Not Found"))
            web.put("/coffee.jpg", Status("404 Not Found"))
            await scan_source(app.services, heartbeat, settings, lambda _: None)
            outcome, recheck = await shop.recheck(notice)
            assert outcome is RecheckOutcome.MOVED
            assert [look.page_url for look in recheck.elsewhere] == [f"{start}else"]
            assert shop.case.state is CaseState.OPEN
            with app.store.read() as tx:
                line = next(one for one in reversed(tx.cases.history(shop.case.id)) if one.kind == "relocated")
            assert f"{start}else" in (line.note or "")

            # A notice that was withdrawn is not followed any more.
            with app.store.begin() as tx:
                before = tx.notices.rechecks_of(shop.case.id)
                withdraw(tx, notice.id, By("mara", app.services.clock(), this_user()))
                task = next(one for one in tx.tasks.list(TaskKind.RECHECK_NOTICE) if one.key.startswith(notice.id))
            assert isinstance(await consumer.perform(task), Done)
            with app.store.read() as tx:
                assert tx.notices.rechecks_of(shop.case.id) == before

    asyncio.run(go())
