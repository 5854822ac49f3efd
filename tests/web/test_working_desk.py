"""The desk of a daemon at work: real matcher, rules and sites behind its pages and its API."""

import asyncio
import hashlib
import io
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from structlog.testing import capture_logs

from guardian.app import App, at_work, opened_delivery
from guardian.catalog.wanted import Wanted
from guardian.cli.acting import this_user
from guardian.config import load_config
from guardian.daemon.period import WorkPeriod
from guardian.model import Case, CaseState, Permission, Role
from guardian.people.people import add_person
from guardian.people.tokens import add_token
from guardian.shipped import rules_folder
from tests.cli.home import NO_CAPTURES
from tests.kept_workers import run_in_app
from tests.websites import Says, Site

PASSWORD = "correct horse battery"
WATCHED_AT, WATCHED = "/gallery?token=s3cret", "<title>Shop</title><img src=/copy.jpg alt='a cup'>"


def jpeg(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=80)
    return written.getvalue()


async def signed_in(url: str, name: str) -> httpx.AsyncClient:
    """A browser in which somebody signed in; it sends the session's secret with all it sends."""
    client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=60)
    form = re.search(r'name="form" value="([^"]+)"', (await client.get("/login")).text)
    assert form is not None
    data = {"username": name, "password": PASSWORD, "form": form[1]}
    assert (await client.post("/login", data=data)).status_code == 303
    csrf = re.search(r'name="csrf" content="([^"]+)"', (await client.get("/check")).text)
    assert csrf is not None
    client.headers["x-csrf-token"] = csrf[1]
    return client


@dataclass
class Visit:
    """A desk at work, who uses it, and the site that it watches."""

    app: App
    web: Site
    copy: bytes
    stranger: bytes
    anna: httpx.AsyncClient
    rita: httpx.AsyncClient
    vera: httpx.AsyncClient
    program: httpx.AsyncClient


def test_the_desk_of_a_daemon_checks_tries_and_scans(
    tmp_path: Path, web: Site, photographs: dict[str, Image.Image]
) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    own = photographs["coffee"]
    own.save(tmp_path / "own.png")
    copy = jpeg(own.crop((40, 30, 560, 380)))
    web.put("/copy.jpg", Says(copy, content_type="image/jpeg"))
    web.put("/gallery", f"<title>Shop</title><img src=/copy.jpg><img src={web.url}/gone.jpg>")
    watched = web.put(WATCHED_AT, WATCHED)
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        f"matching: {{workers: 1}}\nweb: {{listen: '127.0.0.1:0'}}\n{NO_CAPTURES}\n"
        f"sources:\n  - {{name: the shop, kind: page, url: '{watched}', every: 365d}}\n"
    )

    async def job(app: App) -> None:
        async for added in app.catalog.add([Wanted(tmp_path / "own.png", "portfolio")]):
            assert added.asset is not None
        secret = people_of(app)
        with capture_logs() as said:
            async with (
                opened_delivery(app.config, app) as delivery,
                at_work(app, "guardian run") as heartbeat,
                WorkPeriod(app, delivery, heartbeat).working(),
            ):
                url = next(f"http://{event['address']}" for event in said if event["event"] == "started")
                program = httpx.AsyncClient(base_url=url, trust_env=False, timeout=60)
                program.headers["authorization"] = f"Bearer {secret}"
                people = [await signed_in(url, name) for name in ("Anna", "Rita", "Vera")]
                visit = Visit(app, web, copy, jpeg(photographs["rocket"]), *people, program)
                steps = (scan_now, grant_a_licence, try_a_source, check_by_page, record_by_page, check_by_program)
                for step in (*steps, search_both_ways, read_settings):
                    await step(visit)
                for client in (*people, program):
                    await client.aclose()

    run_in_app(load_config(tmp_path / "config.yaml"), job)


def people_of(app: App) -> str:
    """Add somebody of each role; return the secret of a program's token."""
    now = datetime.now(UTC)
    with app.store.begin() as tx:
        for name, role in (("Anna", Role.ADMIN), ("Rita", Role.REVIEWER), ("Vera", Role.VIEWER)):
            add_person(tx, this_user(), name, role, PASSWORD, now)
        scopes = [Permission.CHECK, Permission.SOURCES_SCAN, Permission.SEARCH]
        return add_token(tx, this_user(), "program", scopes, None, now)[0]


async def scan_now(visit: Visit) -> None:
    """The source was scanned at the start, and is again when somebody asks, long before it is due."""
    rita, program = visit.rita, visit.program
    assert (await visit.vera.post("/sources/scan", data={"name": "the shop"})).status_code == 403
    assert (await rita.post("/sources/scan", data={"name": "nowhere"})).status_code == 400
    answer = await rita.post("/sources/scan", data={"name": "the shop"})
    assert answer.headers["location"] == "/sources?asked=the+shop"
    assert "is scanned as soon as can be" in (await rita.get(answer.headers["location"])).text
    # robots.txt, the page and its picture; then the page again.
    await asyncio.to_thread(visit.web.wait_for, 4)
    with visit.app.store.read() as tx:
        assert tx.scan_requests.open() == {}
        lines = [(line.actor, line.action) for line in tx.audit.lines(subject="the shop")]
    assert lines == [("Rita", "source.scan_asked")]
    assert (await program.post("/api/v1/sources/nowhere/scan")).status_code == 404
    asked = await program.post("/api/v1/sources/the shop/scan")
    assert (asked.status_code, asked.json()["by"]) == (202, "program")


async def grant_a_licence(visit: Visit) -> None:
    """Granted, it makes the case of what was found licensed at once; ended, it is open again."""

    def the_case() -> Case:
        with visit.app.store.read() as tx:
            (case,) = tx.cases.list()
        return case

    assert the_case().state is CaseState.OPEN
    terms = {"host": "127.0.0.1", "scope": "collection", "name": "portfolio", "until": "2999-12-31", "note": "<b>ours"}
    terms |= {"begins": "2020-01-01", "territory": "Europe", "medium": "web"}
    assert (await visit.vera.post("/licences", data=terms)).status_code == 403
    for wrong in ({"host": ""}, {"scope": "planet"}, {"name": " "}, {"until": "soon"}):
        assert (await visit.rita.post("/licences", data=terms | wrong)).status_code == 400, wrong
    assert (await visit.rita.post("/licences", data=terms)).status_code == 303
    assert the_case().state is CaseState.LICENSED

    text = (await visit.vera.get("/licences")).text
    assert "portfolio" in text
    assert "&lt;b&gt;ours" in text
    assert "Europe" in text
    assert "End it" not in text
    with visit.app.store.read() as tx:
        (licence,) = tx.licences.list()
    assert (await visit.vera.post(f"/licences/{licence.id}/end")).status_code == 403
    assert (await visit.rita.post("/licences/lic_none/end")).status_code == 404
    assert (await visit.rita.post(f"/licences/{licence.id}/end")).status_code == 303
    assert the_case().state is CaseState.OPEN
    with visit.app.store.read() as tx:
        lines = [(line.actor, line.action) for line in tx.audit.lines(subject=licence.id)]
    assert lines == [("Rita", "licence.added"), ("Rita", "licence.ended")]
    await change_a_licence(visit, licence.id)
    assert the_case().state is CaseState.OPEN


async def change_a_licence(visit: Visit, licence_id: str) -> None:
    """Its terms are stated anew, its proof is kept and fetched, and many come from a spreadsheet; all or none."""
    path, rita = f"/licences/{licence_id}", visit.rita
    terms = {"valid_from": "2020-01-01", "valid_until": "2999-12-31", "territory": "", "medium": "", "note": "=1+1"}
    assert (await visit.vera.post(path, data=terms)).status_code == 403
    assert (await rita.post(path, data=terms | {"valid_from": "3000-01-01"})).status_code == 400
    assert (await rita.post(path, data=terms)).status_code == 303
    text = (await visit.vera.get(path)).text
    assert "until 2999-12-31 (=1+1)" in text
    assert "Europe" not in text
    assert "holds today" in text

    contract = {"file": ("../Vertrag „A“.html", b"<script>alert(1)</script>", "text/html")}
    assert (await visit.vera.get(f"{path}/proof")).status_code == 400, "none is kept yet"
    assert (await visit.vera.post(f"{path}/proof", files=contract)).status_code == 403
    assert (await rita.post(f"{path}/proof", files=contract)).status_code == 303
    proof = await visit.vera.get(f"{path}/proof")
    assert (proof.content, proof.headers["content-type"]) == (contract["file"][1], "application/octet-stream")
    assert proof.headers["content-disposition"] == "attachment; filename*=utf-8''Vertrag%20%E2%80%9EA%E2%80%9C.html"

    everything = (await visit.vera.get("/licences/licences.csv")).text
    assert "127.0.0.1,,,,portfolio,,2020-01-01,2999-12-31,,,,'=1+1" in everything
    assert (await visit.vera.get("/licences/licences.csv?host=127.0.0.1")).text.count("\n") == 1, "it is licensed now"
    wrong = b"host,collection,proof\na.example,press,/etc/passwd\nco.uk,press,\n"
    refused = await rita.post("/licences/import", files={"file": ("l.csv", wrong)})
    assert refused.status_code == 400
    assert re.findall(r"[\w/]*l\.csv:\d", refused.text) == ["l.csv:2", "l.csv:3"], refused.text
    right = b"host;collection;until\na.example;press;2999-12-31\nb.example;press;\n"
    added = await rita.post("/licences/import", files={"file": ("l.csv", right)})
    assert added.headers["location"] == "/licences?added=2&known=0"
    assert "2 licences added, 0 known already" in (await rita.get(added.headers["location"])).text
    assert "2 like this" in (await visit.vera.get("/licences?words=PRESS")).text
    assert (await rita.post(f"{path}/end")).status_code == 303


async def try_a_source(visit: Visit) -> None:
    """It shows what would be seen; viewers send nobody anywhere."""
    assert (await visit.vera.post("/sources/try", data={"name": "the shop"})).status_code == 403
    text = (await visit.rita.post("/sources/try", data={"name": "the shop"})).text
    assert "1 picture</h2>" in text
    assert f"{visit.web.url}/copy.jpg" in text
    assert "a cup" in text

    assert (await visit.program.post("/api/v1/sources/nowhere/try")).status_code == 404
    assert (await visit.vera.post("/api/v1/sources/the shop/try")).status_code == 403
    found = (await visit.program.post("/api/v1/sources/the shop/try")).json()
    (picture,) = found["pictures"]
    assert (picture["image_url"], picture["context"]["alt"]) == (f"{visit.web.url}/copy.jpg", "a cup")
    assert (found["source"], found["left_out"], found["complete"], found["detail"]) == ("the shop", [], True, None)
    visit.web.put(WATCHED_AT, Says(b"", "500 Oops"))
    found = (await visit.program.post("/api/v1/sources/the shop/try")).json()
    assert ([one["reason"] for one in found["left_out"]], found["complete"]) == (["status_500"], False)
    visit.web.put(WATCHED_AT, WATCHED)
    with visit.app.store.read() as tx:
        tried = [line.actor for line in tx.audit.lines(subject="the shop") if line.action == "source.tried"]
    assert tried == ["Rita", "program", "program"]


async def check_by_page(visit: Visit) -> None:
    """A crop is a copy, and a stranger is not."""
    for content, said in ((visit.copy, "Copy"), (visit.stranger, "Clear")):
        text = (await visit.vera.post("/check", files={"picture": ("a.jpg", content)})).text
        assert f"<strong>{said}</strong>" in text


async def record_by_page(visit: Visit) -> None:
    """What an address shows is recorded when that is asked for, and only then."""
    address = visit.web.put("/elsewhere", "<img src=/copy.jpg>")

    def pages() -> set[str]:
        with visit.app.store.read() as tx:
            (case,) = tx.cases.list()
            return {finding.page_url for finding in tx.findings.list(case.id)}

    assert "<strong>Copy</strong>" in (await visit.rita.post("/check", data={"address": address})).text
    assert address not in pages()
    text = (await visit.rita.post("/check", data={"address": address, "record": "1"})).text
    assert "Recorded, as a scan would" in text
    assert address in pages()
    with visit.app.store.read() as tx:
        lines = [line for line in tx.audit.lines() if line.action == "check.recorded"]
    assert [(line.actor, line.detail["address"]) for line in lines] == [("Rita", address)]


async def check_by_program(visit: Visit) -> None:
    """The same, sent or by its address; what was not seen is never clean."""

    async def checked(**request: Any) -> tuple[set[str | None], bool]:
        found = (await visit.program.post("/api/v1/checks", **request)).json()
        return {item.get("outcome") for item in found["items"]}, found["complete"]

    assert await checked(files={"picture": ("a.jpg", visit.copy)}) == ({"copy"}, True)
    assert await checked(data={"address": f"{visit.web.url}/copy.jpg"}) == ({"copy"}, True)
    assert await checked(files={"picture": ("b.jpg", visit.stranger)}) == ({"clear"}, True)
    assert await checked(files={"picture": ("c.txt", b"no picture")}) == ({"unmatchable"}, False)
    outcomes, is_complete = await checked(data={"address": f"{visit.web.url}/gallery"})
    assert "copy" in outcomes
    assert not is_complete, "one picture of the page is gone"


async def search_both_ways(visit: Visit) -> None:
    """A crop finds the image and where it was seen; so do the words beside it, by page and by program."""
    text = (await searched(visit.vera, files={"picture": ("a.jpg", visit.copy)})).text
    assert "copy: " in text
    assert "data:image/jpeg;base64," in text
    assert "more like this" in text
    text = (await visit.vera.get("/search", params={"text": "cup", "where": "seen"})).text
    assert "“a cup” (alt text)" in text
    assert "<h2>1 result among " in text
    text = (await visit.vera.get("/search", params={"text": "cup", "host": "nowhere.example"})).text
    assert "<h2>Nothing was searched: no picture passes all of these filters</h2>" in text
    assert "no word" in (await visit.vera.get("/search", params={"text": "--"})).text
    await narrow_a_search(visit)
    await keep_a_search(visit)

    found = (await visit.program.post("/api/v1/search", files={"picture": ("a.jpg", visit.copy)})).json()
    assert found["items"][0]["why"].startswith("copy: ")
    assert {item["kind"] for item in found["items"]} == {"asset", "seen"}
    found = (await visit.program.get("/api/v1/search", params={"text": "cup", "in": "seen"})).json()
    assert [item["why"] for item in found["items"]] == ["“a cup” (alt text)"]
    assert found["facets"]["kind"] == {"seen": 1}
    seen = found["items"][0]["seen"]["id"]
    found = (await visit.program.get("/api/v1/search", params={"like": seen, "in": "assets"})).json()
    assert found["items"][0]["kind"] == "asset"
    assert (await visit.program.get("/api/v1/search")).status_code == 400
    assert (await visit.program.post("/api/v1/search", data={"address": "javascript:1"})).status_code == 400


async def searched(who: httpx.AsyncClient, **form: Any) -> httpx.Response:
    """Send the form of a search, and follow to the answer, which has an address of its own."""
    return await who.post("/search", follow_redirects=True, **form)


async def narrow_a_search(visit: Visit) -> None:
    """What was sent is held for whoever sent it: facets, a part and examples go on with it, and cases are named."""
    led = await visit.vera.post("/search", files={"picture": ("a.jpg", visit.copy)})
    digest = hashlib.sha256(visit.copy).hexdigest()
    assert (led.status_code, led.headers["location"]) == (303, f"/search?kept={digest}#found")
    text = (await visit.vera.get(led.headers["location"])).text
    assert "520 × 350" in text
    assert re.search(r'<a href="/cases/case_\w+">Case</a>', text), "from a picture that was seen to its case"
    onward = [unescape(one) for one in re.findall(r'href="(/search\?[^"]+)"', text)]
    assert all(f"kept={digest}" in one for one in onward if "asset=" not in one and "like=seen" not in one)
    (host,) = (one for one in onward if "host=127.0.0.1" in one)
    narrowed = await visit.vera.get(host)
    assert (narrowed.status_code, "host: 127.0.0.1</bdi> ×" in narrowed.text) == (200, True)
    less = next(one for one in onward if "unlike=asset_" in one)
    assert "unlike own</bdi> ×" in (await visit.vera.get(less)).text, "an image is named by its title"
    colours = await visit.vera.get("/search", params={"kept": digest, "colours": "#631, black:1 %"})
    assert re.search(r"\d % #631 and \S+ % black", colours.text), "several colours in one field"

    fields = {"kept": digest, "region": "100,100,300,200"}
    assert "only the part 100,100,300,200" in (await searched(visit.vera, data=fields)).text
    at_once = {"region": "100,100,300,200", "address": f"{visit.web.url}/copy.jpg"}
    assert "only the part 100,100,300,200" in (await searched(visit.vera, data=at_once)).text
    other = await visit.vera.post("/search", data=fields, files={"picture": ("b.jpg", visit.stranger)})
    assert "region" not in other.headers["location"], "it was a part of the picture before"
    beyond = await searched(visit.vera, data=fields | {"region": "0,0,9999,9"})
    assert (beyond.status_code, "the picture, which has 520 x 350 pixels" in beyond.text) == (400, True)
    assert 'value="0,0,9999,9"' in beyond.text, "the form keeps what was typed"
    assert "--region" not in beyond.text, "people at the desk know no options"

    unreadable = (await searched(visit.vera, files={"picture": ("a.jpg", b"no picture")})).text
    gone = (await visit.rita.get("/search", params={"kept": digest, "text": "cup"})).text
    for text in (unreadable, gone):
        assert 'name="kept"' not in text, "words are searched for without it then"
    address = f"{visit.web.url}/gallery"
    assert "://xn--p1ai.test" in (await visit.vera.post("/search", data={"address": "http://xn--p1ai.test/"})).text
    page = await visit.vera.post("/search", data={"address": address, "text": "cup"})
    assert (page.status_code, "this is a page" in page.text) == (400, True)
    assert f'value="{address}"' in page.text, "the form keeps what was typed"
    for problem, sent in (
        ("not held here any more", visit.rita.get("/search", params={"kept": digest})),
        ("cannot be looked at", searched(visit.vera, files={"picture": ("a.jpg", visit.copy[:200])})),
        ("the file of the picture is empty", visit.vera.post("/search", files={"picture": ("a.jpg", b"")})),
        ("there is no asset", visit.vera.get("/search", params={"asset": "asset_none"})),
        ("like seen_none</bdi> ×", visit.vera.get("/search", params={"like": "seen_none"})),
        ("nothing to search with", searched(visit.vera, data={"by": "look"})),
        ("nothing to search with", searched(visit.vera, data={"by": "auto"})),
        ("text: at most 2,000 characters", visit.vera.get("/search", params={"text": "a" * 2_001})),
        ("host: a text has no NUL", visit.vera.get("/search", params={"text": "a", "host": "\0"})),
        ("NAME is one of", visit.program.get("/api/v1/search", params={"text": "cup", "filter": "size=1"})),
    ):
        answer = await sent
        assert (answer.status_code, problem in answer.text) == (400, True), (problem, answer.text)


async def keep_a_search(visit: Visit) -> None:
    """Kept with its picture, run by others, made to watch and removed; each is in the audit log."""
    query = f"kept={hashlib.sha256(visit.copy).hexdigest()}&where=seen&by=look"
    assert "held here" in (await visit.rita.post("/search/keep", data={"name": "style", "query": query})).text
    await visit.rita.post("/search", files={"picture": ("a.jpg", visit.copy)})
    assert (await visit.vera.post("/search/keep", data={"name": "style", "query": query})).status_code == 403
    assert (await visit.rita.post("/search/keep", data={"name": "../style", "query": query})).status_code == 400
    assert (await visit.rita.post("/search/keep", data={"name": "style", "query": query})).status_code == 303
    again = await visit.rita.post("/search/keep", data={"name": "style", "query": query})
    assert "there is a search 'style' already" in again.text

    listed = (await visit.vera.get("/search")).text
    assert "Nobody is told: no destination wants to be" in listed
    assert "/search/keep" not in listed
    assert "End the watch" not in listed
    assert "like a picture; by look; in what was seen" in listed
    (picture,) = re.findall(r'src="(/pictures/searched/\w+/thumb)"', listed)
    assert (await visit.vera.get(picture)).headers["content-type"] == "image/webp"
    for none in ("nothing", "0f" * 32):
        assert (await visit.vera.get(f"/pictures/searched/{none}/thumb")).status_code == 404
    found = await visit.vera.get("/search/run", params={"name": "style"}, follow_redirects=True)
    assert "<h2>1 result among " in found.text
    assert (await visit.vera.get("/search/run", params={"name": "none"})).status_code == 400

    for wrong in ("1.5", "much", "nan", ""):
        refused = await visit.rita.post("/search/watch", data={"name": "style", "above": wrong})
        assert refused.status_code == 400, wrong
    assert (await visit.rita.post("/search/watch", data={"name": "style", "above": "0,7"})).status_code == 303
    assert "above 0.7" in (await visit.rita.get("/search")).text
    assert "It cannot watch" not in (await visit.rita.get("/search")).text
    for step, said in (("keep", True), ("remove", False)):
        sent = await visit.rita.post(f"/search/{step}", data={"name": "words", "query": "text=coffee"})
        assert sent.status_code == 303
        assert ("It cannot watch" in (await visit.rita.get("/search")).text) is said

    removed = await visit.rita.post("/search/remove", data={"name": "style"})
    assert (await visit.vera.get(picture)).status_code == 404
    assert "Removed the search" in (await visit.rita.get(removed.headers["location"])).text
    assert "Removed the search" not in (await visit.anna.get(removed.headers["location"])).text, "it was another person"
    assert (await visit.rita.post("/search/restore")).status_code == 303
    assert (await visit.vera.get(picture)).status_code == 200
    assert "above 0.7" in (await visit.rita.get("/search")).text, "its watch goes on"
    assert (await visit.rita.post("/search/restore")).status_code == 400

    assert (await visit.rita.post("/search/unwatch", data={"name": "style"})).status_code == 303
    assert "above 0.7" not in (await visit.rita.get("/search")).text
    assert (await visit.rita.post("/search/remove", data={"name": "style"})).status_code == 303
    assert (await visit.vera.get(picture)).status_code == 404
    with visit.app.store.read() as tx:
        assert tx.named_searches.list() == []
        actions = [(line.actor, line.action) for line in tx.audit.lines(subject="style")]
    assert sorted(actions) == [
        ("Rita", f"search.{done}") for done in ("kept", "removed", "removed", "restored", "unwatched", "watched")
    ]  # fmt: skip


async def read_settings(visit: Visit) -> None:
    """They say where they were written, and no secret."""
    assert (await visit.rita.get("/settings")).status_code == 403
    text = (await visit.anna.get("/settings")).text
    assert "config.yaml, line 1" in text
    assert "sources scanned at the same time" in text
    assert f"{visit.web.url}/gallery?…" in text
    assert "s3cret" not in text

    assert (await visit.rita.get("/api/v1/settings")).status_code == 403
    answer = await visit.anna.get("/api/v1/settings")
    assert "s3cret" not in answer.text
    groups = {group["name"]: group for group in answer.json()["items"]}
    shown = {one["name"]: one for one in groups["sources: the shop"]["settings"]}
    assert shown["url"]["value"] == f"{visit.web.url}/gallery?…"
    assert shown["url"]["place"].startswith("config.yaml, line ")
    values = {one["name"]: one for one in groups["web"]["settings"]}
    assert (values["listen"]["value"], values["public_url"]["place"]) == ("127.0.0.1:0", None)
