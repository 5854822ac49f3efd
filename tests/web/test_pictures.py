"""Pictures of the desk: made anew, bounded, and only those of a case or an asset."""

import asyncio
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from PIL import Image

from guardian.errors import NotAnImage, OverLimit
from guardian.fetch.settings import FetchSettings
from guardian.fetch.web import WebClient
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.model import Audience
from guardian.rules import Rules
from guardian.scan.services import ScanSettings, Services
from guardian.web.picture_rendering import Bounds
from guardian.web.pictures import FOLDER, Pictures, PictureSize
from guardian.web.settings import WebSettings
from tests.matching.pictures import encoded, photograph
from tests.web.conftest import Served, opened_desk, served_desk
from tests.web.uses import picture_bytes, protected, used

BOUNDS = Bounds(max_bytes=10_000_000, max_pixels=10_000_000)


def test_pictures_are_shown_small_and_anew(served: Served) -> None:
    asset = protected(served.desk, picture_bytes(7, (2400, 1200)), "Wide")
    case = used(served.desk, asset, picture_bytes(7), "https://thief.example/7")
    with served.store.read() as tx:
        finding = tx.findings.list(case.id)[0]
    vera = served.signed_in("Vera")
    sizes = {"thumb": (360, 180), "full": (1600, 800)}
    for name, size in sizes.items():
        answer = vera.get(f"/pictures/asset/{asset.id}/{name}")
        assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("image/webp", "nosniff")
        image = Image.open(io.BytesIO(answer.content))
        assert (image.format, image.size) == ("WEBP", size)
    # Sent once, asked for each time.
    assert "no-cache" in answer.headers["cache-control"]
    again = vera.get(f"/pictures/asset/{asset.id}/full", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")

    path = f"/pictures/found/{finding.id}/thumb"
    assert vera.get(path).headers["content-type"] == "image/webp"
    assert vera.get(f"{path}?version={finding.image_sha256}").status_code == 200
    # Bytes that are not this finding's are not shown through it, nor anything to strangers.
    assert vera.get(f"{path}?version={asset.sha256}").status_code == 404
    missing: httpx.Response = vera.get("/pictures/found/find_none/thumb")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "image/svg+xml")
    assert served.client().get(path).status_code == 303


@pytest.fixture
def comparing(tmp_path: Path) -> Iterator[Served]:
    """A desk that can compare pictures."""
    desk = opened_desk(tmp_path, WebSettings())
    services = Services(
        web=WebClient(FetchSettings(), clock=desk.clock),
        workers=Workers(MatchingSettings(workers=1), EmbeddingSettings(), tmp_path / "index"),
        store=desk.store,
        rules=Rules(()),
        vault=desk.vault,
        clock=desk.clock,
        settings=ScanSettings(own_hosts=(), audience=Audience(), max_image_bytes=10**7),
    )
    yield from served_desk(replace(desk, services=services))


def test_the_heat_map_is_measured_when_it_is_asked_for_and_remembered(comparing: Served, tmp_path: Path) -> None:
    original = photograph("coffee", 320)
    asset = protected(comparing.desk, encoded(original), "Coffee")
    found = encoded(original[20:200, 32:288])
    case = used(comparing.desk, asset, found, "https://thief.example/7")
    with comparing.store.read() as tx:
        finding = tx.findings.list(case.id)[0]
    vera = comparing.signed_in("Vera")
    path = f"/pictures/heat-map/{finding.id}"
    page = vera.get(f"/cases/{case.id}").text
    assert f'<img src="{path}" loading="lazy"' in page

    answer = vera.get(path)
    image = Image.open(io.BytesIO(answer.content)).convert("RGB")
    assert (answer.headers["content-type"], image.size) == ("image/webp", (original.shape[1], original.shape[0]))
    red, _, blue = image.resize((1, 1), Image.Resampling.BOX, box=(80, 60, 240, 160)).getpixel((0, 0))
    assert blue > red + 30
    again = vera.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")

    points = vera.get(f"/pictures/points/{finding.id}")
    drawn = Image.open(io.BytesIO(points.content))
    assert points.headers["etag"] != answer.headers["etag"]
    assert drawn.size == (original.shape[1] + 16 + 256, original.shape[0]), "both pictures, side by side"

    # Without its pictures it is still there, as long as it is remembered.
    comparing.desk.vault.remove(finding.image_sha256 or "")
    assert vera.get(path).content == answer.content
    assert vera.get("/pictures/heat-map/find_none").status_code == 404
    assert comparing.client().get(path).status_code == 303


def test_a_desk_that_cannot_compare_has_no_heat_map(served: Served) -> None:
    asset = protected(served.desk, picture_bytes(8), "Plain")
    case = used(served.desk, asset, picture_bytes(8), "https://thief.example/8")
    with served.store.read() as tx:
        finding = tx.findings.list(case.id)[0]
    answer = served.signed_in("Vera").get(f"/pictures/heat-map/{finding.id}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "image/svg+xml")


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")


def test_hostile_pictures_are_refused_and_the_next_one_is_shown(tmp_path: Path) -> None:
    async def go() -> bytes:
        pictures = Pictures(tmp_path, BOUNDS)
        try:
            with pytest.raises(OverLimit):
                await pictures.made(png_of(100_000, 100_000), PictureSize.THUMB)
            for content in (b"", b"<svg onload='alert(1)'/>", picture_bytes(1)[:100]):
                with pytest.raises(NotAnImage):
                    await pictures.made(content, PictureSize.THUMB)
            return await pictures.made(picture_bytes(1), PictureSize.THUMB, frame=5)
        finally:
            await pictures.aclose()

    assert Image.open(io.BytesIO(asyncio.run(go()))).size == (320, 240)


def test_what_is_kept_of_them_stays_within_a_bound(tmp_path: Path, served: Served) -> None:
    digests = [served.desk.vault.keep(picture_bytes(seed)) for seed in range(20, 32)]

    async def go() -> None:
        pictures = Pictures(tmp_path, BOUNDS, max_bytes=8_000)
        for digest in digests:
            await pictures.shown(served.desk.vault, digest, PictureSize.THUMB)
        await pictures.aclose()

    asyncio.run(go())
    kept = list((tmp_path / FOLDER).rglob("*.webp"))
    assert 0 < sum(path.stat().st_size for path in kept) <= 8_000
    assert len(kept) < len(digests)
