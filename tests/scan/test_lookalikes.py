"""A picture that was called not mine is quiet wherever it is met, in another size too; one's own never is."""

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from guardian.app import App, archive_of, at_work
from guardian.cases import Edit, call_not_mine, undo
from guardian.catalog.wanted import Wanted
from guardian.config import load_config
from guardian.errors import UsageError
from guardian.model import LOOKALIKE_RULE
from guardian.outbox import mint
from guardian.scan.lookalikes import find_same_pictures
from guardian.scan.message_pictures import pictures_of
from guardian.scan.runs import scan_source
from guardian.shipped import rules_folder
from guardian.sources.settings import SiteSettings
from tests.kept_workers import run_in_app
from tests.websites import Says, Site


def jpeg(picture: Image.Image, quality: int) -> bytes:
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()


def cases_of(app: App) -> dict[str, tuple[str, str]]:
    """By account, the id and the state of its case."""
    with app.store.read() as tx:
        return {case.operator.rpartition("/")[2]: (case.id, case.state.value) for case in tx.cases.list()}


def test_kin_is_quiet_and_ones_own_is_not(tmp_path: Path, web: Site, photographs: dict[str, Image.Image]) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    (tmp_path / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        "matching: {workers: 1}\n"
    )
    own = photographs["coffee"]
    own.save(tmp_path / "own.png")
    # Another's poster, half of which shows the picture.
    poster = Image.new("RGB", (own.width * 2, own.height))
    poster.paste(own, (0, 0))
    poster.paste(photographs["rocket"].resize(own.size), (own.width, 0))
    shown = {
        "alice": jpeg(poster, 92),
        "bob": jpeg(poster.resize((poster.width * 3 // 4, poster.height * 3 // 4)), 85),
        "carol": jpeg(own, 85),
        "dave": jpeg(poster, 80),
    }
    for name, content in shown.items():
        web.put(f"/{name}.jpg", Says(content, content_type="image/jpeg"))
        web.put(f"/user/{name}", f"<img src=/{name}.jpg>")
    start = web.put("/", "".join(f"<a href=/user/{name}>{name}</a>" for name in ("alice", "bob", "carol")))

    async def go(app: App) -> None:
        async with at_work(app, "a test") as heartbeat:
            async for added in app.catalog.add([Wanted(tmp_path / "own.png", "portfolio")]):
                assert added.asset is not None
            settings = SiteSettings(name="shop", kind="site", url=start, sitemaps=False)

            async def scan() -> dict[str, tuple[str, str]]:
                await scan_source(app.services, heartbeat, settings, lambda _: None)
                return cases_of(app)

            cases = await scan()
            assert {name: state for name, (_, state) in cases.items()} == dict.fromkeys(
                ("alice", "bob", "carol"), "open"
            )
            archive = archive_of(app.config, app.store, app.services.workers)
            with app.store.read() as tx:
                found = tx.findings.list(cases["alice"][0])[0]
                (asset,) = tx.assets.list()
            data = {"asset": {"sha256": asset.sha256}, "evidence": {"image_sha256": found.image_sha256}}
            message = mint("case.opened", data, app.services.clock())
            pictures = {one.name: one.content for one in await pictures_of(archive, message)}
            assert pictures.keys() == {"yours.jpg", "found.jpg"}
            assert all(Image.open(io.BytesIO(content)).format == "JPEG" for content in pictures.values())
            assert pictures["found.jpg"] != shown["alice"], "never the bytes of strangers"
            assert await pictures_of(archive, mint("digest", {"count": 0, "events": []}, app.services.clock())) == []

            with pytest.raises(UsageError, match="so it is yours"):
                await find_same_pictures(archive, cases["carol"][0])
            with app.store.read() as tx:
                (kin,) = tx.findings.list(cases["bob"][0])
            archive.vault.path_of(kin.candidate_sha256).write_bytes(b"damaged")
            same = await find_same_pictures(archive, cases["alice"][0])
            assert (len(same.digests), same.not_compared) == (0, 1), "what is lost is not compared, and that is said"
            archive.vault.keep(shown["bob"])
            same = await find_same_pictures(archive, cases["alice"][0])
            assert (len(same.digests), same.not_compared) == (1, 0)
            edit = Edit("mara", app.services.clock())
            with app.store.begin() as tx:
                done = call_not_mine(tx, cases["alice"][0], same.digests, edit)
            assert [case.id for case in done.closed] == [cases["bob"][0]]

            web.put("/", "".join(f"<a href=/user/{name}>{name}</a>" for name in shown))
            after = await scan()
            assert "dave" not in after
            assert after["carol"][1] == "open"
            with app.store.read() as tx:
                rules = {one.page_url.rpartition("/")[2]: one.decision.rule for one in tx.findings.list()}
            assert rules["dave"] == LOOKALIKE_RULE != rules["carol"]

            with app.store.begin() as tx:
                undo(tx, cases["alice"][0], edit, lambda: app.services.judging)
            assert {name: state for name, (_, state) in (await scan()).items()} == dict.fromkeys(shown, "open")

    run_in_app(load_config(tmp_path / "config.yaml"), go)
