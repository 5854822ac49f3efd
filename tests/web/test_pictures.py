"""Pictures of the desk: made anew, bounded, and only those of a case or an asset."""

import asyncio
import io
import struct
import zlib
from pathlib import Path

import httpx
import pytest
from PIL import Image

from guardian.errors import NotAnImage, OverLimit
from guardian.web.picture_rendering import Bounds
from guardian.web.pictures import FOLDER, Pictures, PictureSize
from tests.web.conftest import Served
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
