"""`guardian index`: status, verify, rebuild; a flipped byte is found and mended."""

from pathlib import Path

from PIL import Image

from tests.cli.home import Home


def flip(home: Home) -> None:
    path = next((home.folder / "data" / "index").rglob("descriptors.npy"))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def test_status_and_verify(own: Home) -> None:
    said = own.guardian("index", "status").stdout
    assert "assets      2 protected" in said
    assert "recipe      v5-" in said
    assert "the index is sound: 2 assets" in own.guardian("index", "verify").stdout


def test_a_flipped_byte_is_found_and_rebuilt(own: Home, tmp_path: Path, photographs: dict[str, Image.Image]) -> None:
    flip(own)
    refused = own.guardian("index", "verify", code=4)
    assert "descriptors.npy" in refused.stderr
    assert "index rebuild" in refused.stderr
    assert "rebuilt: 2 assets" in own.guardian("index", "rebuild").stdout
    own.guardian("index", "verify")
    flip(own)
    photographs["coffee"].save(tmp_path / "copy.jpg", quality=60)
    checked = own.guardian("check", tmp_path / "copy.jpg", code=1)
    assert "it is made anew now" in checked.stderr, "a check mends what it needs"
    assert "COPY" in checked.stdout
    own.guardian("index", "verify")
