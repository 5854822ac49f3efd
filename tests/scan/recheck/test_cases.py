"""After a notice: still there, gone for certain, moved, back; what could not be seen says nothing."""

import io
import shutil
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from PIL import Image

from guardian.app import App, at_work
from guardian.catalog.wanted import Wanted
from guardian.cli.acting import this_user
from guardian.config import load_config
from guardian.fetch.fetcher import Fetcher
from guardian.matching.features.image import decode
from guardian.matching.features.small import small_fingerprint
from guardian.model import Actor, Case, CaseState, DescribedPicture, NewlySeen, Task, TaskKind
from guardian.model.notices import Notice, NoticeKind, NoticeStep, PlaceState, Recheck, RecheckOutcome
from guardian.model.people import ActorKind
from guardian.notices.drafting import DraftRequest, NoticeConfig, draft
from guardian.notices.steps import StepAuthor, approve, check_licence, consider, mark_sent, note_verified, withdraw
from guardian.scan.context import ScanContext
from guardian.scan.recheck.cases import NoticeRecheckConsumer, RecheckReason, recheck_case
from guardian.scan.recheck.looks import PageVerdict, Place, look_at_page
from guardian.scan.recheck.notice_addresses import dead_addresses
from guardian.scan.recheck.on_request import (
    RequestedRecheckConsumer,
    VerifyNoticeConsumer,
    ask_for_recheck,
    ask_to_verify,
)
from guardian.scan.recheck.one_place import RecheckTarget, look_again
from guardian.scan.recheck.site_search import MOST_PAGES, SiteSearch, search_site
from guardian.scan.runs import scan_source
from guardian.scan.site_answers import SiteAnswers
from guardian.shipped import rules_folder
from guardian.sources.settings import SiteSettings
from guardian.tasks.outcomes import Consumer, Done, Postponed, Settled
from guardian.tasks.runner import Runner
from guardian.views.notices import outcome_text
from tests.kept_workers import run_in_app
from tests.notices.conftest import NOON
from tests.websites import Conditional, Redirect, Says, Site, Status, Varying


@dataclass
class Shop:
    """A site that shows one picture on one page, its scan, and a notice about it."""

    app: App
    web: Site
    start: str
    settings: SiteSettings

    @property
    def consumer(self) -> NoticeRecheckConsumer:
        return NoticeRecheckConsumer(self.app.services, {"shop": self.settings})

    def rechecks(self) -> list[Recheck]:
        with self.app.store.read() as tx:
            return tx.notices.rechecks_of(self.case.id)

    def task_of(self, notice: Notice) -> Task:
        with self.app.store.read() as tx:
            return next(one for one in tx.tasks.list(TaskKind.RECHECK_NOTICE) if one.key.startswith(notice.id))

    @property
    def case(self) -> Case:
        with self.app.store.read() as tx:
            (case,) = tx.cases.list()
        return case

    async def recheck(self, notice: Notice | None = None) -> tuple[RecheckOutcome, Recheck]:
        reason = RecheckReason(notice.id, 1) if notice is not None else RecheckReason(asked_by="mara")
        recheck = await recheck_case(self.app.services, {"shop": self.settings}, self.case, reason)
        assert recheck is not None
        return recheck.outcome, recheck

    def captures(self) -> list[str]:
        """The reasons of the captures that are owed, the oldest first."""
        with self.app.store.read() as tx:
            return [task.key.split()[1] for task in reversed(tx.tasks.list(TaskKind.CAPTURE))]

    def sent_notice(self) -> Notice:
        app = self.app
        notice_config = NoticeConfig(app.config.owner, app.config.notices)
        now = app.services.clock()
        by = StepAuthor("mara", now, this_user())
        notice = draft(
            app.store, [self.case.id], DraftRequest(NoticeKind.DMCA, "mara"), notice_config, now, this_user()
        ).notice
        with app.store.begin() as tx:
            check_licence(tx, notice.id, "no licence was ever sold", by)
            consider(tx, notice.id, "a whole copy in a shop", by)
            approve(tx, notice.id, by, notice_config.settings)
            note_verified(tx, notice.id, {}, by)
            return mark_sent(tx, notice.id, "abuse@shop.example", lambda: "d" * 64, by, notice_config.settings)


def encoded(picture: Image.Image, tag: str, quality: int = 85) -> Conditional:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return Conditional(written.getvalue(), f'"{tag}"', content_type="image/jpeg")


def test_there_gone_back_moved_and_unclear(tmp_path: Path, web: Site, photographs: dict[str, Image.Image]) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s, busy_pause: 100ms}\n"
        "matching: {workers: 1, timeout: 5m}\n"
        "owner: {name: Ada, address: Here, email: ada@example.com, phone: '1', signs_as: Ada}\n"
    )
    photographs["coffee"].save(tmp_path / "coffee.png")
    coffee, rocket = encoded(photographs["coffee"], "coffee"), encoded(photographs["rocket"], "rocket")
    web.put("/coffee.jpg", coffee)
    start = web.put("/", "<a href=/page>page</a> <a href=/else>else</a>")
    web.put("/page", "<img src=/coffee.jpg>")
    web.put("/else", "<p>Nothing here.</p>")

    async def go(app: App) -> None:
        async with at_work(app, "a test") as heartbeat:
            async for added in app.catalog.add([Wanted(tmp_path / "coffee.png", "portfolio")]):
                assert added.asset is not None
            shop = Shop(app, web, start, SiteSettings(name="shop", kind="site", url=start, sitemaps=False))

            async def scan() -> None:
                await scan_source(app.services, heartbeat, shop.settings, lambda _: None)

            await scan()
            notice = shop.sent_notice()
            await live_while_the_work_is_shown(
                shop, notice, rocket, encoded(photographs["coffee"], "again", quality=60)
            )
            web.put("/coffee.jpg", coffee)
            await asked_at_the_desk(shop, heartbeat.id)
            await there_while_anything_is_up(shop, notice)
            await nothing_is_said_of_what_cannot_be_seen(shop, notice)
            await gone_when_page_and_file_are(shop, notice, rocket)
            await back(shop, notice, coffee)
            # Whoever was sent another notice moves the picture, which a scan meets.
            notice = shop.sent_notice()
            web.put("/else", "<img src=/new/coffee.jpg>")
            web.put("/new/coffee.jpg", encoded(photographs["coffee"], "new"))
            web.put("/page", Status("404 Not Found"))
            web.put("/coffee.jpg", Status("404 Not Found"))
            await scan()
            await moved(shop, notice)
            await gone_only_when_the_other_places_were_seen(shop, notice, encoded(photographs["coffee"], "again"))
            await withdrawn(shop, notice)
            await moved_to_where_the_memory_has_seen_it_alike(shop, photographs["coffee"])
            await looked_at_by_itself(shop, coffee, rocket)
            await lists_are_read_like_pages(shop)
            await moved_to_a_page_that_no_scan_has_met(shop, encoded(photographs["coffee"], "unmet"))
            await not_gone_while_every_address_answers_alike(shop)
            await not_gone_while_the_index_lacks_assets(shop, rocket)

    run_in_app(load_config(tmp_path / "config.yaml"), go)


async def live_while_the_work_is_shown(shop: Shop, notice: Notice, other: Conditional, again: Conditional) -> None:
    """The page still names the file: what lies there decides."""
    shop.web.put("/coffee.jpg", other)
    (why,) = (await dead_addresses(shop.app.services, notice)).values()
    assert "another picture lies at the picture's address, in which the work is not recognised" in why
    shop.web.put("/coffee.jpg", again)
    assert await dead_addresses(shop.app.services, notice) == {}
    # A page where the picture was may only keep programs out.
    shop.web.put("/coffee.jpg", "<p>Are you human?</p>")
    assert (await shop.recheck(notice))[0] is RecheckOutcome.UNCLEAR


async def asked_at_the_desk(shop: Shop, owner: str) -> None:
    """No request waits for the sites: the daemon looks, and what came of it stands where results always stand."""
    app, now = shop.app, shop.app.services.clock()
    mara, rita = (Actor(ActorKind.PERSON, name, frozenset(), "192.0.2.1") for name in ("mara", "rita"))
    notice_config = NoticeConfig(app.config.owner, app.config.notices)
    notice = draft(
        app.store, [shop.case.id], DraftRequest(NoticeKind.CEASE, "mara"), notice_config, now, this_user()
    ).notice
    with app.store.begin() as tx:
        ask_for_recheck(tx, shop.case.id, mara, now)
        owed = ask_to_verify(tx, notice.id, mara, now)
        assert ask_to_verify(tx, notice.id, rita, now).id == owed.id, "owed once, whoever asks again"
    consumers: dict[TaskKind, Consumer] = {
        TaskKind.RECHECK_ASKED: RequestedRecheckConsumer(app.services, {"shop": shop.settings}),
        TaskKind.VERIFY_NOTICE: VerifyNoticeConsumer(app.services),
    }
    settled = await Runner(app.store, owner, app.services.clock, consumers).run_due()
    assert {kind: dict(counts) for kind, counts in settled.items()} == {key: {Settled.DONE: 1} for key in consumers}
    assert (shop.rechecks()[-1].asked_by, shop.rechecks()[-1].outcome) == ("mara", RecheckOutcome.THERE)
    with app.store.read() as tx:
        verified = tx.notices.get(notice.id)
        lines = [line for line in tx.audit.lines(subject=notice.id) if line.address == "192.0.2.1"]
        assert not tx.tasks.owed(TaskKind.VERIFY_NOTICE, notice.id)
    assert verified is not None
    assert (verified.history[-1].step, verified.history[-1].by) == (NoticeStep.VERIFIED, "mara")
    assert len(lines) == 1, "the audit log knows from where it was asked"
    with app.store.begin() as tx:
        withdraw(tx, notice.id, StepAuthor("mara", now, this_user()))


async def there_while_anything_is_up(shop: Shop, notice: Notice) -> None:
    assert await dead_addresses(shop.app.services, notice) == {}
    assert shop.case.state is CaseState.NOTICE_SENT
    assert (await shop.recheck(notice))[0] is RecheckOutcome.THERE

    # Taken off the page, while the file is still at its address: not gone.
    shop.web.put("/page", "<p>Taken down.</p>")
    outcome, recheck = await shop.recheck(notice)
    assert outcome is RecheckOutcome.THERE
    assert "the same file lies at the picture's address" in recheck.places[0].detail
    assert await dead_addresses(shop.app.services, notice) == {f"{shop.start}page": "the page no longer shows it"}


async def nothing_is_said_of_what_cannot_be_seen(shop: Shop, notice: Notice) -> None:
    shop.web.put("/coffee.jpg", Status("503 Service Unavailable"))
    shop.web.put("/page", Redirect("/else"))
    before = shop.rechecks()
    # A look of the schedule is tried again.
    assert isinstance(await shop.consumer.perform(shop.task_of(notice)), Postponed)
    assert shop.rechecks() == before

    shop.web.put("/coffee.jpg", "<p>We are under repair.</p>")
    assert (await shop.recheck(notice))[0] is RecheckOutcome.UNCLEAR
    assert shop.case.state is CaseState.NOTICE_SENT


async def gone_when_page_and_file_are(shop: Shop, notice: Notice, other: Conditional) -> None:
    shop.web.put("/page", Status("404 Not Found"))
    shop.web.put("/coffee.jpg", Status("410 Gone"))
    outcome, recheck = await shop.recheck(notice)
    assert outcome is RecheckOutcome.GONE
    assert [look.state for look in recheck.places] == [PlaceState.GONE]
    assert (shop.case.state, shop.captures()[-1]) == (CaseState.GONE, "absence")

    # The same again is no news: no other capture, no line.
    version = shop.case.version
    assert isinstance(await shop.consumer.perform(shop.task_of(notice)), Done)
    assert shop.captures().count("absence") == 1
    # Another picture at its address is gone as well.
    shop.web.put("/coffee.jpg", other)
    assert ((await shop.recheck(notice))[0], shop.case.version) == (RecheckOutcome.GONE, version)


async def back(shop: Shop, notice: Notice, picture: Conditional) -> None:
    shop.web.put("/coffee.jpg", picture)
    shop.web.put("/page", "<img src=/coffee.jpg>")
    before = shop.captures()
    assert (await shop.recheck(notice))[0] is RecheckOutcome.BACK
    # The look is recorded as a scan's would be, which owes the same capture: one is taken, not two.
    assert (shop.case.state, shop.captures()) == (CaseState.OPEN, [*before, "returned"])
    assert (await shop.recheck(notice))[0] is RecheckOutcome.THERE


async def moved(shop: Shop, notice: Notice) -> None:
    outcome, recheck = await shop.recheck(notice)
    assert outcome is RecheckOutcome.MOVED
    assert [look.page_url for look in recheck.elsewhere] == [f"{shop.start}else"]
    assert shop.case.state is CaseState.OPEN
    with shop.app.store.read() as tx:
        line = next(one for one in reversed(tx.case_history.of(shop.case.id)) if one.kind == "relocated")
    assert f"{shop.start}else" in (line.note or "")


async def gone_only_when_the_other_places_were_seen(shop: Shop, notice: Notice, picture: Conditional) -> None:
    """Nothing is left where the notice said; but the copy elsewhere is gone only when somebody could look."""
    for path in ("/else", "/new/coffee.jpg"):
        shop.web.put(path, Status("500 Internal Server Error"))
    outcome, recheck = await shop.recheck(notice)
    assert outcome is RecheckOutcome.UNCLEAR
    assert [(look.page_url, look.state) for look in recheck.elsewhere] == [(f"{shop.start}else", PlaceState.UNCLEAR)]
    shop.web.put("/else", "<p>Nothing here.</p>")
    shop.web.put("/new/coffee.jpg", Status("404 Not Found"))
    outcome, recheck = await shop.recheck(notice)
    assert outcome is RecheckOutcome.GONE
    assert [(look.page_url, look.state) for look in recheck.elsewhere] == [(f"{shop.start}else", PlaceState.GONE)]
    assert shop.case.state is CaseState.GONE

    shop.web.put("/else", "<img src=/new/coffee.jpg>")
    shop.web.put("/new/coffee.jpg", picture)
    assert (await shop.recheck(notice))[0] is RecheckOutcome.MOVED
    assert shop.case.state is CaseState.OPEN


async def withdrawn(shop: Shop, notice: Notice) -> None:
    before = shop.rechecks()
    with shop.app.store.begin() as tx:
        withdraw(tx, notice.id, StepAuthor("mara", shop.app.services.clock(), this_user()))
    assert isinstance(await shop.consumer.perform(shop.task_of(notice)), Done)
    assert shop.rechecks() == before


async def moved_to_where_the_memory_has_seen_it_alike(shop: Shop, original: Image.Image) -> None:
    """Recompressed and scaled copies, which no scan has met since the work was protected, are found by their looks."""
    notice = shop.sent_notice()
    for path in ("/else", "/new/coffee.jpg"):
        shop.web.put(path, Status("404 Not Found"))
    width, height = original.size
    for number, share in enumerate((0.7, 0.5)):
        copy = encoded(original.resize((int(width * share), int(height * share))), f"alike {number}", quality=50)
        page = f"{shop.start}blog" if number == 0 else None
        met = as_remembered(shop, copy.content, shop.web.put(f"/blog/{number}.jpg", copy), page)
        with shop.app.store.begin() as tx:
            memory = shop.app.services.memory
            assert memory is not None
            tx.newly_seen.remember([met], memory.recipe, memory.shard)
    shop.web.put("/blog", "<img src=/blog/0.jpg>")

    outcome, recheck = await shop.recheck(notice)
    assert outcome is RecheckOutcome.MOVED
    seen = {(look.page_url, look.image_url): look.detail for look in recheck.elsewhere}
    assert seen[f"{shop.start}blog", f"{shop.start}blog/0.jpg"] == "the page shows it"
    assert seen[None, f"{shop.start}blog/1.jpg"] == "the picture at its address shows the work"


def as_remembered(shop: Shop, content: bytes, image_url: str, page_url: str | None) -> NewlySeen:
    """A picture as the memory keeps it that a scan met before anything was protected."""
    decoded = decode(content, shop.app.config.matching)
    described = DescribedPicture("JPEG", small_fingerprint(decoded).packed())
    size = decoded.width, decoded.height
    return NewlySeen(sha256(content).hexdigest(), *size, None, image_url, page_url, "shop", NOON, described=described)


async def looked_at_by_itself(shop: Shop, picture: Conditional, other: Conditional) -> None:
    """What was seen on no page: its file decides alone, and what is there is recorded."""
    services, web = shop.app.services, shop.web
    url = web.put("/alone.jpg", picture)
    context = ScanContext("shop", services.clock(), Fetcher.for_person(services.web))
    target = RecheckTarget(frozenset({shop.case.asset_id}))

    async def seen() -> PlaceState:
        place = Place(None, url, frozenset())
        return (await look_again(services, context, place, target, SiteAnswers(services))).state

    def is_absent() -> bool:
        with shop.app.store.read() as tx:
            (finding,) = (one for one in tx.findings.list(shop.case.id) if one.image_url == url)
        assert finding.page_url == url
        return finding.is_absent

    assert (await seen(), is_absent()) == (PlaceState.THERE, False)
    with shop.app.store.begin() as tx:
        tx.findings.lose([one.id for one in tx.findings.list(shop.case.id) if one.image_url == url], services.clock())
    assert is_absent()
    assert (await seen(), is_absent()) == (PlaceState.THERE, False), "there again, so another notice may name it"

    for answer, state in (
        (Status("404 Not Found"), PlaceState.GONE),
        (Status("503 Service Unavailable"), PlaceState.UNCLEAR),
        # It may only keep programs out.
        ("<p>Are you human?</p>", PlaceState.UNCLEAR),
        (other, PlaceState.GONE),
    ):
        web.put("/alone.jpg", answer)
        assert await seen() is state


async def lists_are_read_like_pages(shop: Shop) -> None:
    services, web = shop.app.services, shop.web
    context = ScanContext("shop", services.clock(), Fetcher.for_person(services.web))
    entry = (
        f"<url><loc>{shop.start}page</loc><image:image xmlns:image='http://www.google.com/schemas/sitemap-image/1.1'>"
        f"<image:loc>{shop.start}coffee.jpg</image:loc></image:image></url>"
    )
    begin = "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
    for content, verdict in (
        (f"{begin}{entry}</urlset>", PageVerdict.SHOWS),
        (f"{begin}</urlset>", PageVerdict.WITHOUT),
        ("%PDF-1.7", PageVerdict.NO_PAGE),
    ):
        url = web.put("/list", Says(content, content_type="application/octet-stream"))
        look = await look_at_page(services, context, Place(url, f"{shop.start}coffee.jpg", frozenset()))
        assert look.verdict is verdict


async def moved_to_a_page_that_no_scan_has_met(shop: Shop, picture: Conditional) -> None:
    """Pages that the old page and the front page link to are searched before anything is called gone."""
    web, missing = shop.web, Status("404 Not Found")
    for path in ("/page", "/coffee.jpg", "/new/coffee.jpg", "/blog", "/blog/0.jpg", "/blog/1.jpg", "/alone.jpg"):
        web.put(path, missing)
    far = "".join(f"<a href=/far/{number}>far</a>" for number in range(MOST_PAGES))
    new = "<a href=/prints/new>new</a>"
    web.put("/", f"<a href=https://other.example/>other</a> {far} {new}")
    web.put("/prints/new", "<img src=/unmet.jpg>")
    web.put("/unmet.jpg", picture)
    before = len(web.asked)
    assert (await shop.recheck())[0] is RecheckOutcome.GONE
    far_pages = [one.path for one in web.asked[before:] if one.path.startswith("/far/")]
    assert len(far_pages) == MOST_PAGES - 1, "a bound, of which the front page is one"

    # The nearest come first.
    services = shop.app.services
    context = ScanContext("shop", services.clock(), Fetcher.for_person(services.web))
    for belongs in (False, True):
        search = SiteSearch(frozenset({shop.case.asset_id}), frozenset(), lambda _url, answer=belongs: answer)
        found = await search_site(services, context, [f"{shop.start}prints/old"], search)
        assert [(one.page_url, one.image_url, one.state) for one in found] == [
            (f"{shop.start}prints/new", f"{shop.start}unmet.jpg", PlaceState.THERE)
        ] * belongs

    for path in ("/prints/new", "/unmet.jpg"):
        web.put(path, missing)
    web.put("/", "<a href=/prints/newer>newer</a>")
    web.put("/newest.jpg", picture)
    web.put("/prints/newer", "<img src=/newest.jpg>")
    outcome, recheck = await shop.recheck()
    assert outcome is RecheckOutcome.MOVED
    assert [look.detail for look in recheck.elsewhere if look.page_url == f"{shop.start}prints/newer"] == [
        "another page of the site shows it now, at an address that was not known"
    ]

    # What cannot be seen does not keep it from being gone, and is said.
    for path in ("/prints/newer", "/newest.jpg"):
        web.put(path, missing)
    web.put("/", "<a href=/prints/busy>busy</a> <a href=/missing>missing</a> <img src=/dead.jpg> <img src=/lost.jpg>")
    for path in ("/prints/busy", "/dead.jpg"):
        web.put(path, Status("503 Service Unavailable"))
    outcome, recheck = await shop.recheck()
    assert outcome is RecheckOutcome.GONE
    unseen = [one.image_url or one.page_url for one in recheck.elsewhere if one.state is PlaceState.UNSEEN]
    assert unseen == [f"{shop.start}dead.jpg", f"{shop.start}prints/busy"]
    assert outcome_text(recheck) == "gone, but 1 picture and 1 page of the site could not be seen"
    assert shop.case.state is CaseState.GONE

    # The same page shows it under a new name, and so does the one to which it then leads.
    for path in ("/", "/prints/newer", "/newest.jpg"):
        web.put(path, missing)
    web.put("/renamed.jpg", picture)
    web.put("/page", "<img src=/renamed.jpg>")
    outcome, recheck = await shop.recheck()
    assert outcome is RecheckOutcome.MOVED
    assert [look.detail for look in recheck.elsewhere if look.image_url == f"{shop.start}renamed.jpg"] == [
        "the page shows it now, at an address that was not known"
    ]
    web.put("/renamed.jpg", missing)
    web.put("/page", Redirect("/page-2"))
    web.put("/page-2", "<img src=/renamed-again.jpg>")
    web.put("/renamed-again.jpg", picture)
    assert (await shop.recheck())[0] is RecheckOutcome.MOVED


async def not_gone_while_the_index_lacks_assets(shop: Shop, other: Conditional) -> None:
    """What a search of the site meets may be the work when it was not compared with every asset."""
    web, missing = shop.web, Status("404 Not Found")
    for path in ("/page-2", "/renamed-again.jpg"):
        web.put(path, missing)
    web.put("/page", "<img src=/another.jpg>")
    web.put("/another.jpg", other)
    assert (await shop.recheck())[0] is RecheckOutcome.GONE
    with shop.app.store.begin() as tx:
        now = shop.app.services.clock()
        elsewhere = tx.assets.reserve("e" * 64, title="Dune", collection="shop", path="/p", size=(8, 6), at=now)
        tx.assets.protect([elsewhere.number])
    outcome, recheck = await shop.recheck()
    assert outcome is RecheckOutcome.UNCLEAR
    assert (recheck.elsewhere[-1].image_url, recheck.elsewhere[-1].state) == (f"{shop.start}another.jpg", "unclear")


async def not_gone_while_every_address_answers_alike(shop: Shop) -> None:
    """A page for repairs in the place of all others; of shops that lead what is missing to their front it is gone."""
    services, web = shop.app.services, shop.web
    context = ScanContext("shop", services.clock(), Fetcher.for_person(services.web))
    place = Place(web.put("/shop/old", Redirect("/repairs")), web.put("/old.jpg", Status("404 Not Found")), frozenset())

    async def state(*answers: tuple[str, Says | str]) -> PlaceState:
        for path, answer in answers:
            web.put(path, answer)
        target = RecheckTarget(frozenset({shop.case.asset_id}))
        before = len(web.asked)
        seen = await look_again(services, context, place, target, SiteAnswers(services))
        assert len(web.asked) - before <= 9, "six requests more at most"
        assert ("under repair" in seen.detail) is (seen.state is PlaceState.UNCLEAR)
        return seen.state

    repairs = Says("<p>We are back soon.</p>")
    every, front, page = "*", "/", "/shop/old"
    assert await state((every, Redirect("/repairs")), ("/repairs", repairs), (front, Redirect("/repairs"))) == "unclear"
    assert await state((front, "<p>Welcome.</p>")) == "gone", "only what is missing leads there"
    assert await state((every, Redirect("/")), (page, Redirect("/")), (front, repairs)) == "unclear"
    assert await state((front, "".join(f"<a href=/{name}>{name}</a>" for name in "abc"))) == "gone", "a shop at work"
    # Without any redirect: everything has the same words, pictures too.
    assert await state((every, repairs), (page, repairs), (front, repairs), ("/old.jpg", repairs)) == "unclear"
    assert await state((front, "<p>Welcome.</p>")) == "gone", "pages of 'not found' that answer 200"
    assert await state((every, Status("404 Not Found")), (page, "<p>Taken down.</p>")) == "gone"

    # A text drawn by lot, a token and the time: what two pages that cannot be there have in common is in all.
    varying = Varying("<title>{token}</title><h1>We are back soon</h1><p>{lot}</p><i>{token} 12:30:05</i>")
    old = "/old.jpg"
    assert await state((every, varying), (page, varying), (front, varying), (old, varying)) == "unclear"
    assert await state((front, "<h1>Welcome</h1><p>Prints and posters</p>")) == "gone"
    echo = Varying("<h1>Oh no</h1><p>There is no page here</p><p>{lot}</p>")
    assert await state((every, echo), (page, echo), (old, Status("404 Not Found"))) == "gone"
    assert await state((page, "<p>Taken down.</p>"), (front, varying)) == "gone"

    # The front page is live, and leads to pages that are all under repair; or to others that are not.
    home = "<p>Welcome.</p>" + "".join(f"<a href={path}>{path}</a>" for path in ("/about", "/shop/new", "/shop/sale"))
    gone = Status("404 Not Found")
    assert await state((every, gone), (front, home), (page, repairs), (old, repairs)) == "gone", "two links are dead"
    shut = (("/shop/new", repairs), ("/shop/sale", repairs))
    assert await state(*shut, ("/about", "<p>Us.</p>")) == "unclear", "those in its folder say it"
    assert await state(("/shop/sale", "<p>Half price.</p>")) == "gone"
    assert (
        await state((every, varying), (page, varying), (old, varying), *((path, varying) for path, _ in shut))
        == "unclear"
    )
    assert await state(("/shop/new", "<h1>New</h1><p>Prints and posters</p>")) == "gone"
    assert await SiteAnswers(services).is_one_page(context, place.page_url or "") is False
    web.put("/shop/new", varying)
    assert await SiteAnswers(services).is_one_page(context, place.page_url or "") is True

    # A case with places in many folders asks the site for no more.
    folders = [f"/shelf-{number}" for number in range(4)]
    shut_pages = [f"{folder}/{name}" for folder in folders for name in ("new", "sale")]
    web.put(front, "<p>Welcome.</p>" + "".join(f"<a href={path}>{path}</a>" for path in shut_pages))
    answers, target = SiteAnswers(services), RecheckTarget(frozenset({shop.case.asset_id}))
    places = [replace(place, page_url=web.put(f"{folder}/old", repairs)) for folder in folders]
    for path in (*shut_pages, old):
        web.put(path, repairs)
    web.put(every, gone)
    before = len(web.asked)
    states = [(await look_again(services, context, one, target, answers)).state for one in places]
    asked = [one.path for one in web.asked[before:] if not one.path.endswith(("/old", old))]
    assert states == ["unclear"] * len(places)
    assert (len(asked), len(set(asked) & set(shut_pages))) == (6, 4)

    # What has shown nothing else for more than a month is gone.
    for path in (every, page, front, old):
        web.put(path, varying)
    long_ago = replace(place, last_seen_at=services.clock() - timedelta(days=31))
    target = RecheckTarget(frozenset({shop.case.asset_id}))
    assert (await look_again(services, context, long_ago, target, SiteAnswers(services))).state == "gone"
