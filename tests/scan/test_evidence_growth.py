"""A site that changes at each visit does not fill the disk, and a full vault makes room for what matters more."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

from PIL import Image

from guardian.app import App, at_work
from guardian.catalog.wanted import Wanted
from guardian.config import load_config
from guardian.evidence import Vault
from guardian.model import Case, Finding, FindingDigest, Importance
from guardian.scan.runs import scan_source
from guardian.shipped import rules_folder
from guardian.sources.settings import PageSettings
from tests.kept_workers import run_in_app
from tests.websites import Asked, Says, Site, Wire

PICTURES = 3
PADDING = 100_000


class WithToken(Says):
    """A page of 100 kB with several pictures, and a token and a counter that are new at each visit."""

    def __init__(self) -> None:
        self.visits = 0

    def say(self, asked: Asked, wire: Wire) -> None:
        self.visits += 1
        images = "".join(f"<img src=/{number}.jpg alt='picture {number}'>" for number in range(PICTURES))
        noise = f"<script>let token = '{self.visits:08x}'</script><!--{'x' * PADDING}-->"
        wire.answer(f"<title>A shop ({self.visits})</title>{noise}<p>Visit {self.visits}</p>{images}".encode())


def encoded(photograph: Image.Image, quality: int) -> bytes:
    held = io.BytesIO()
    photograph.convert("RGB").save(held, "JPEG", quality=quality)
    return held.getvalue()


def evidence_of(app: App) -> tuple[list[Case], dict[str, Finding], dict[str, list[FindingDigest]]]:
    """Cases, findings by the last part of their picture's address, and their versions."""
    with app.store.read() as tx:
        findings = {finding.image_url.rpartition("/")[2]: finding for finding in tx.findings.list()}
        versions = {name: tx.versions.of(finding.id) for name, finding in findings.items()}
        return tx.cases.list(), findings, versions


def test_a_page_that_changes_at_each_visit(tmp_path: Path, web: Site, photographs: dict[str, Image.Image]) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        "matching: {workers: 1}\n"
    )
    photographs["coffee"].save(tmp_path / "mine.png")
    for number in range(PICTURES):
        web.put(f"/{number}.jpg", encoded(photographs["coffee"], 80 + number), content_type="image/jpeg")
    shop, page = WithToken(), "shop.html"
    web.put(f"/{page}", shop)
    web.put("/new.html", "<img src=/new.jpg>" + " " * PADDING)
    web.put("/new.jpg", encoded(photographs["coffee"], 83), content_type="image/jpeg")

    async def go(app: App) -> None:
        async with at_work(app, "a test") as heartbeat:
            async for added in app.catalog.add([Wanted(tmp_path / "mine.png", "portfolio")]):
                assert added.asset is not None

            async def scan(path: str, vault: Vault) -> None:
                settings = PageSettings(name=path, kind="page", url=f"{web.url}/{path}")
                await scan_source(replace(app.services, vault=vault), heartbeat, settings, lambda _: None)

            vault = app.services.vault
            for _ in range(5):
                await scan(page, vault)

            (case,), findings, versions = evidence_of(app)
            assert (case.finding_count, shop.visits) == (PICTURES, 5)
            assert all(len(of_one) == 2 for of_one in versions.values()), "the first and the last"
            firsts = {of_one[0].page_sha256 for of_one in versions.values()}
            lasts = {of_one[1].page_sha256 for of_one in versions.values()}
            assert (len(firsts), len(lasts)) == (1, 1), "one capture of the page serves all pictures on it"
            assert {finding.page_sha256 for finding in findings.values()} == lasts
            bodies = [path for path in vault.folder.rglob("*") if len(path.name) == 64]
            assert len(bodies) == PICTURES + 2

            # A vault in which nothing more has room: the last capture of the shop goes, the first ones stay.
            full = Vault(vault.folder, vault.used_bytes() + 60_000)
            await scan("new.html", full)
            _, findings, versions = evidence_of(app)
            new = findings["new.jpg"]
            assert full.holds(new.image_sha256 or "")
            assert full.holds(new.page_sha256 or "")
            assert new.evidence_note is None
            assert full.used_bytes() <= full.max_bytes
            assert not any(full.holds(digest or "") for digest in lasts)
            for name in ("0.jpg", "1.jpg", "2.jpg"):
                first, last = versions[name]
                assert full.holds(first.image_sha256 or "")
                assert full.holds(first.page_sha256 or "")
                assert (last.importance, last.dropped_at is None) == (Importance.LATEST, False)
                assert findings[name].page_sha256 == first.page_sha256
                assert "to make room" in (findings[name].evidence_note or "")

    run_in_app(load_config(tmp_path / "config.yaml"), go)
