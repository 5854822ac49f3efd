"""`guardian scan SOURCE`: one pass, shown as it goes, and what is owed afterwards. Crawls are in test_source."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.home import Home


@pytest.fixture
def watched(own: Home, site: Any, receiver: Any, photographs: dict[str, Image.Image]) -> Home:
    """A page that shows a mirrored copy and a stranger, and somebody to tell."""
    photographs["coffee"].transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(site.folder / "copy.jpg", quality=70)
    photographs["cat"].save(site.folder / "cat.jpg")
    page = site.page("gallery.html", "copy.jpg", "cat.jpg")
    with (own.folder / "config.yaml").open("a") as config:
        config.write(
            f"sources:\n  - {{name: gallery, kind: page, url: '{page}'}}\n"
            f"destinations:\n  - {{name: legal, kind: webhook, url: '{receiver.url}', secret_env: LEGAL_SECRET}}\n"
        )
    return own


def test_a_scan_shows_what_it_found_and_what_is_owed(watched: Home, site: Any, receiver: Any) -> None:
    said = watched.guardian("scan", "gallery", code=1).stdout.splitlines()
    assert said[0].split() == ["COPY", f"{site.url}/gallery.html"]
    assert any("“coffee”" in line for line in said)
    assert not any("cat.jpg" in line for line in said), "what is clear is only counted"
    assert said[-2] == "1 page, 2 images, compared with 2 protected assets: 1 copy, 1 clear"
    assert said[-1] == "1 message waits to be sent; `guardian run` sends it"
    assert receiver.posts == [], "a scan needs no secret and sends nothing"
    again = watched.guardian("scan", "gallery", code=1).stdout
    assert again.endswith("1 message waits to be sent; `guardian run` sends it\n"), "the same copy is told once"


def test_nothing_owed_is_not_spoken_of(watched: Home, site: Any) -> None:
    site.page("gallery.html", "cat.jpg")
    assert watched.guardian("scan", "gallery").stdout == (
        "1 page, 1 image, compared with 2 protected assets: 1 clear\n"
    )


def test_what_could_not_be_fetched_is_3(watched: Home, site: Any) -> None:
    site.page("gallery.html", "cat.jpg", "gone.jpg")
    said = watched.guardian("scan", "gallery", code=3).stdout
    assert f"{site.url}/gone.jpg" in said
    assert "1 clear, 1 error" in said


def test_a_source_that_is_none_and_a_missing_contact_are_2(watched: Home) -> None:
    refused = watched.guardian("scan", "galery", code=2).stderr
    assert "there is no source 'galery'" in refused
    assert "sources are: gallery" in refused
    config = watched.folder / "config.yaml"
    config.write_text(config.read_text().replace("contact: test@example.com, ", ""))
    assert "fetch.contact is not set" in watched.guardian("scan", "gallery", code=2).stderr


def test_a_page_that_is_gone_ends_the_scan_in_one_line(watched: Home, site: Any) -> None:
    (site.folder / "gallery.html").unlink()
    said = watched.guardian("scan", "gallery", code=3)
    assert said.stdout == ""
    assert said.stderr.count("\n") == 1
    assert "404" in said.stderr


def test_the_second_scan_of_a_day_has_what_the_first_one_left_of_the_budget(watched: Home, site: Any) -> None:
    config = watched.folder / "config.yaml"
    config.write_text(config.read_text().replace("fetch: {", "fetch: {requests_per_host_and_day: 8, "))
    site.page("gallery.html", "cat.jpg")
    # Each would ask for a robots.txt, a page and a picture.
    *_, last = [watched.guardian("scan", "gallery", code=None) for _ in range(4)]
    assert len(site.requests) <= 8
    assert last.returncode == 3
    assert "127.0.0.1 has been asked 8 times today" in last.stderr


def test_damage_of_the_index_is_mended_and_the_scan_goes_on(watched: Home) -> None:
    (descriptors,) = (watched.folder / "data" / "index").glob("*/segment-*/descriptors.npy")
    content = bytearray(descriptors.read_bytes())
    content[len(content) // 2] ^= 1
    descriptors.write_bytes(content)
    said = watched.guardian("scan", "gallery", code=1)
    assert "1 copy, 1 clear" in said.stdout
    assert "damaged" in said.stderr
    assert "the index is sound: 2 assets" in watched.guardian("index", "verify").stdout


def test_files_of_a_folder_are_scanned_like_a_site(own: Home, tmp_path: Path, photographs: Any) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    photographs["astronaut"].rotate(90, expand=True).save(incoming / "turned.jpg")
    with (own.folder / "config.yaml").open("a") as config:
        config.write(f"sources:\n  - {{name: dropbox, kind: folder, path: '{incoming}'}}\n")
    assert "turned 90°" in own.guardian("scan", "dropbox", code=1).stdout
    (case,) = own.lines("case", "list", "--json")
    assert case["operator"] == "folder:dropbox"
