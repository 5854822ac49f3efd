"""The desk of a daemon at work: real matcher, rules and sites behind its pages and its API."""

import asyncio
import io
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from PIL import Image
from structlog.testing import capture_logs

from guardian.app import App, at_work, opened_delivery
from guardian.catalog.wanted import Wanted
from guardian.cli.acting import this_user
from guardian.config import load_config
from guardian.daemon.period import WorkPeriod
from guardian.model import Permission, Role
from guardian.people.people import add_person
from guardian.people.tokens import add_token
from guardian.shipped import rules_folder
from tests.kept_workers import run_in_app
from tests.websites import Says, Site, running

PASSWORD = "correct horse battery"


@pytest.fixture
def web() -> Iterator[Site]:
    yield from running()


def jpeg(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=80)
    return written.getvalue()


async def signed_in(url: str, name: str) -> httpx.AsyncClient:
    """A browser in which somebody signed in; it sends the session's secret with all it sends."""
    client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)
    form = re.search(r'name="form" value="([^"]+)"', (await client.get("/login")).text)
    assert form is not None
    data = {"username": name, "password": PASSWORD, "form": form[1]}
    assert (await client.post("/login", data=data)).status_code == 303
    csrf = re.search(r'name="csrf" content="([^"]+)"', (await client.get("/check")).text)
    assert csrf is not None
    client.headers["x-csrf-token"] = csrf[1]
    return client


def test_the_desk_of_a_daemon_checks_tries_and_scans(
    tmp_path: Path, web: Site, photographs: dict[str, Image.Image]
) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    own = photographs["coffee"]
    own.save(tmp_path / "own.png")
    copy = jpeg(own.crop((40, 30, 560, 380)))
    picture = web.put("/copy.jpg", Says(copy, content_type="image/jpeg"))
    gallery = web.put("/gallery", f"<title>Shop</title><img src=/copy.jpg alt='a cup'><img src={web.url}/gone.jpg>")
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        "matching: {workers: 1}\nweb: {listen: '127.0.0.1:0'}\n"
        f"sources:\n  - {{name: the shop, kind: page, url: '{gallery}?token=s3cret', every: 365d}}\n"
    )
    web.put("/gallery?token=s3cret", "<title>Shop</title><img src=/copy.jpg alt='a cup'>")

    async def job(app: App) -> None:
        async for added in app.catalog.add([Wanted(tmp_path / "own.png", "portfolio")]):
            assert added.asset is not None
        now = datetime.now(UTC)
        with app.store.begin() as tx:
            for name, role in (("Anna", Role.ADMIN), ("Rita", Role.REVIEWER), ("Vera", Role.VIEWER)):
                add_person(tx, this_user(), name, role, PASSWORD, now)
            scopes = [Permission.CHECK, Permission.SOURCES_SCAN, Permission.OPERATIONS_READ]
            secret, _ = add_token(tx, this_user(), "program", scopes, None, now)

        with capture_logs() as said:
            async with (
                opened_delivery(app.config, app) as delivery,
                at_work(app, "guardian run") as heartbeat,
                WorkPeriod(app, delivery, heartbeat).working(),
            ):
                url = next(f"http://{event['address']}" for event in said if event["event"] == "started")
                rita, vera, anna = [await signed_in(url, name) for name in ("Rita", "Vera", "Anna")]
                program = httpx.AsyncClient(base_url=url, trust_env=False, timeout=60)
                program.headers["authorization"] = f"Bearer {secret}"
                await scanned(rita, vera, program, app)
                await tried(rita, vera)
                await checked(vera, program)
                await configured(anna, rita)
                for client in (rita, vera, anna, program):
                    await client.aclose()

    async def scanned(rita: httpx.AsyncClient, vera: httpx.AsyncClient, program: httpx.AsyncClient, app: App) -> None:
        """The source was scanned at the start, and is again when somebody asks, long before it is due."""
        assert (await vera.post("/sources/scan", data={"name": "the shop"})).status_code == 403
        assert (await rita.post("/sources/scan", data={"name": "nowhere"})).status_code == 400
        answer = await rita.post("/sources/scan", data={"name": "the shop"})
        assert answer.headers["location"] == "/sources?asked=the+shop"
        assert "is scanned as soon as can be" in (await rita.get(answer.headers["location"])).text
        # robots.txt, the page and its picture; then the page again.
        await asyncio.to_thread(web.wait_for, 4)
        with app.store.read() as tx:
            assert tx.scan_requests.open() == {}
            lines = [(line.actor, line.action) for line in tx.audit.lines(subject="the shop")]
        assert lines == [("Rita", "source.scan_asked")]
        assert (await program.post("/api/v1/sources/nowhere/scan")).status_code == 404
        asked = await program.post("/api/v1/sources/the shop/scan")
        assert (asked.status_code, asked.json()["by"]) == (202, "program")

    async def tried(rita: httpx.AsyncClient, vera: httpx.AsyncClient) -> None:
        assert (await vera.post("/sources/try", data={"name": "the shop"})).status_code == 403
        text = (await rita.post("/sources/try", data={"name": "the shop"})).text
        assert "1 picture</h2>" in text
        assert f"{web.url}/copy.jpg" in text
        assert "a cup" in text

    async def checked(vera: httpx.AsyncClient, program: httpx.AsyncClient) -> None:
        """A crop is a copy, by page and by API, sent or by its address; a stranger is not."""
        stranger = jpeg(photographs["rocket"])
        assert "<strong>Copy</strong>" in (await vera.post("/check", files={"picture": ("a.jpg", copy)})).text
        assert "<strong>Clear</strong>" in (await vera.post("/check", files={"picture": ("b.jpg", stranger)})).text
        for request in ({"files": {"picture": ("a.jpg", copy)}}, {"data": {"address": picture}}):
            found = (await program.post("/api/v1/checks", **request)).json()  # type: ignore[arg-type]
            assert [item["outcome"] for item in found["items"]] == ["copy"], found
            assert found["complete"]
        found = (await program.post("/api/v1/checks", data={"address": gallery})).json()
        assert {item.get("outcome") for item in found["items"]} >= {"copy"}
        assert not found["complete"], "one picture of the page is gone"
        found = (await program.post("/api/v1/checks", files={"picture": ("b.jpg", stranger)})).json()
        assert [item["outcome"] for item in found["items"]] == ["clear"]
        found = (await program.post("/api/v1/checks", files={"picture": ("c.txt", b"no picture")})).json()
        assert [item["outcome"] for item in found["items"]] == ["unmatchable"]
        assert not found["complete"]

    async def configured(anna: httpx.AsyncClient, rita: httpx.AsyncClient) -> None:
        """The settings say where they were written, and no secret."""
        assert (await rita.get("/settings")).status_code == 403
        text = (await anna.get("/settings")).text
        assert "config.yaml, line 1" in text
        assert "sources scanned at the same time" in text
        assert "s3cret" not in text
        assert f"{gallery}?…" in text

    run_in_app(load_config(tmp_path / "config.yaml"), job)
