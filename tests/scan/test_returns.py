"""A use that a scan no longer finds, and finds again, is a return; one that could not be looked at is not."""

import io
import shutil
from pathlib import Path

from PIL import Image

from guardian.app import App, at_work
from guardian.cases import Edit, decide
from guardian.catalog.wanted import Wanted
from guardian.config import load_config
from guardian.model import CaseState, Finding, ScanOutcome
from guardian.processes import Heartbeat
from guardian.scan.runs import scan_source
from guardian.shipped import rules_folder
from guardian.sources.settings import PageSettings, SiteSettings
from tests.kept_workers import run_in_app
from tests.websites import Conditional, Redirect, Says, Site, Status, Varying

NAMES = ("coffee", "rocket", "astronaut", "cat", "camera")


def findings_of(app: App) -> dict[str, Finding]:
    """Findings by the name of their picture, whose page has the same name."""
    with app.store.read() as tx:
        return {finding.page_url.rpartition("/")[2]: finding for finding in tx.findings.list()}


def states_of(app: App) -> dict[str, CaseState]:
    with app.store.read() as tx:
        cases = {case.id: case.state for case in tx.cases.list()}
    return {name: cases[finding.case_id or ""] for name, finding in findings_of(app).items()}


async def not_missed_while_its_site_is_under_repair(
    app: App, heartbeat: Heartbeat, page: PageSettings, web: Site
) -> None:
    """A source that is one page: it says nothing while every address of its site is answered alike."""

    async def missed() -> int:
        ended = await scan_source(app.services, heartbeat, page, lambda _: None)
        assert ended.outcome is ScanOutcome.COMPLETED
        return findings_of(app)["coffee"].missed_scans

    front, shop = "/", Says("".join(f"<a href=/{name}>{name}</a>" for name in NAMES))
    assert await missed() == 0
    web.put("/repairs", Varying("<h1>We are back soon</h1><p>{lot}</p><p>Request {token}</p>"))
    for path in ("*", front, "/coffee"):
        web.put(path, Redirect("/repairs"))
    before = len(web.asked)
    assert [await missed(), await missed()] == [0, 0]
    assert len(web.asked) - before <= 2 * 8, "three pages more for each scan, with where they lead"
    for path in ("*", front, "/coffee"):
        web.put(path, Varying("<h1>We are back soon</h1><p>{lot}</p><p>Request {token}</p>"))
    assert await missed() == 0

    # The site is at work, and leads what is missing to its front page.
    web.put("*", Redirect(front))
    web.put("/coffee", Redirect(front))
    web.put(front, shop)
    assert [await missed(), await missed()] == [1, 2]


def test_only_what_was_really_gone_returns(tmp_path: Path, web: Site, photographs: dict[str, Image.Image]) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s, busy_pause: 100ms}\n"
        "matching: {workers: 1}\n"
    )

    def show(name: str) -> None:
        web.put(f"/{name}", Conditional(f"<img src=/{name}.jpg>".encode(), f'"{name}"', content_type="text/html"))

    wanted, pictures = [], dict[str, Conditional]()
    for name in NAMES:
        photographs[name].save(tmp_path / f"{name}.png")
        wanted.append(Wanted(tmp_path / f"{name}.png", "portfolio"))
        encoded = io.BytesIO()
        photographs[name].save(encoded, "JPEG", quality=85)
        pictures[name] = Conditional(encoded.getvalue(), f'"{name}"', content_type="image/jpeg")
        web.put(f"/{name}.jpg", pictures[name])
        show(name)
    start = web.put("/", "".join(f"<a href=/{name}>{name}</a>" for name in NAMES))

    async def go(app: App) -> None:
        async with at_work(app, "a test") as heartbeat:
            async for added in app.catalog.add(wanted):
                assert added.asset is not None
            settings = SiteSettings(name="shop", kind="site", url=start, sitemaps=False)

            async def scan() -> dict[str, Finding]:
                ended = await scan_source(app.services, heartbeat, settings, lambda _: None)
                assert ended.outcome is ScanOutcome.COMPLETED
                return findings_of(app)

            first = await scan()
            assert set(first) == set(NAMES)
            with app.store.begin() as tx:
                for case in tx.cases.list():
                    decide(tx, case.id, CaseState.RESOLVED, Edit("mara", app.services.clock()))

            # Coffee is taken off its page, rocket's page and camera's picture fail, astronaut's page is gone once.
            web.put("/coffee", "<p>Taken down.</p>")
            web.put("/rocket", Status("500 Internal Server Error"))
            web.put("/camera.jpg", Status("503 Service Unavailable"))
            web.put("/astronaut", Status("404 Not Found"))
            await scan()
            show("astronaut")
            gone = await scan()
            assert {name: finding.missed_scans for name, finding in gone.items()} == {
                "coffee": 2,
                "rocket": 0,
                "astronaut": 0,
                "cat": 0,
                "camera": 0,
            }
            # What is unchanged (304) has been seen.
            assert gone["cat"].last_seen_at > first["cat"].last_seen_at
            assert set(states_of(app).values()) == {CaseState.RESOLVED}

            show("coffee")
            show("rocket")
            web.put("/camera.jpg", pictures["camera"])
            back = await scan()
            assert {finding.missed_scans for finding in back.values()} == {0}
            assert states_of(app) == dict.fromkeys(NAMES, CaseState.RESOLVED) | {"coffee": CaseState.OPEN}
            with app.store.read() as tx:
                event = tx.case_history.of(back["coffee"].case_id or "")[-1]
            assert event.kind == "reopened"
            assert "back after it was gone since" in (event.note or "")

            page = PageSettings(name="one", kind="page", url=f"{start}coffee")
            await not_missed_while_its_site_is_under_repair(app, heartbeat, page, web)

    run_in_app(load_config(tmp_path / "config.yaml"), go)
