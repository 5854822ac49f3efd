"""`guardian source`, `guardian scan` of a crawl, and `guardian coverage`: what a person sees of a source."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.home import Home
from tests.websites import Raw, RawLocation, Site


@pytest.fixture
def crawled(own: Home, site: Any, photographs: dict[str, Image.Image]) -> Home:
    """A site of three pages; the last one, two links away, shows a mirrored copy."""
    photographs["coffee"].transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(site.folder / "copy.jpg", quality=70)
    photographs["cat"].save(site.folder / "cat.jpg")
    (site.folder / "deep.html").write_text(
        '<title>deep</title><img src="copy.jpg"><img src="icon.png" width="9" height="9">'
    )
    (site.folder / "middle.html").write_text('<title>m</title><img src="cat.jpg"><a href="deep.html">on</a>')
    (site.folder / "index.html").write_text('<title>i</title><a href="middle.html">on</a><img src="gone.jpg">')
    with (own.folder / "config.yaml").open("a") as config:
        config.write(f"sources:\n  - {{name: rival, kind: site, url: '{site.url}/index.html'}}\n")
    return own


def test_try_shows_what_a_source_would_yield_and_stores_nothing(crawled: Home, site: Any) -> None:
    said = crawled.guardian("source", "try", "rival").stdout
    for name in ("copy.jpg", "cat.jpg", "gone.jpg"):
        assert f"  PICTURE   {site.url}/{name}" in said
    assert f"{site.url}/deep.html  “deep”\n  PICTURE   {site.url}/copy.jpg" in said, "under its page"
    assert "LEFT OUT, too small to be a picture  (too_small: 1)\n" in said
    assert f"  {site.url}/icon.png  shown at 9x9 pixels\n" in said
    assert said.splitlines()[-1] == "3 pictures, 1 left out"
    with sqlite3.connect(crawled.folder / "data" / "guardian.db") as database:
        assert [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("frontier", "scans")] == [
            0,
            0,
        ]
    assert f"{site.url}/copy.jpg" not in crawled.guardian("source", "try", "rival", "--pages", "1").stdout
    lines = crawled.lines("source", "try", f"{site.url}/deep.html", "--json")
    assert [line.get("image_url") or line["left_out"] for line in lines] == [
        f"{site.url}/copy.jpg",
        f"{site.url}/icon.png",
    ]


def test_try_names_pictures_that_robots_may_not_have(crawled: Home, site: Any) -> None:
    (site.folder / "robots.txt").write_text("User-agent: *\nDisallow: /copy.jpg\n")
    said = crawled.guardian("source", "try", f"{site.url}/deep.html").stdout
    assert f"(robots: 1)\n  {site.url}/copy.jpg  its robots.txt forbids it\n" in said
    assert "PICTURE" not in said
    assert said.endswith("0 pictures, 2 left out\n")


def test_a_source_that_is_none(crawled: Home) -> None:
    assert "sources are: rival" in crawled.guardian("source", "try", "rivals", code=2).stderr


def test_a_site_is_scanned_to_its_last_page_and_accounted_for(crawled: Home) -> None:
    said = crawled.guardian("scan", "rival", code=1).stdout
    assert "mirrored" in said
    assert "deep.html" in said
    (coverage,) = crawled.lines("coverage", "--json")
    assert coverage["pages"] == 3
    assert coverage["images"] == 3
    assert coverage["compared"] == 2
    assert coverage["not_seen"] == {"status_404": 1, "too_small": 1}
    shown = crawled.guardian("coverage", "rival").stdout
    assert "no longer there (404)" in shown
    assert "too small to be a picture" in shown
    listed = crawled.guardian("source", "list")
    assert listed.stdout.startswith("rival  site  completed 2")
    assert "index.html  every 1h  3 pages, 1 copy, 1 clear, 1 error, 2 not seen\n" in listed.stdout
    assert "no `guardian run` works on this database" in listed.stderr
    shown = crawled.on_terminal("source", "list", code=0)
    assert shown[0].split() == ["SOURCE", "KIND", "LAST", "SCAN", "NEXT", "SCAN"]
    assert shown[1].startswith("rival   site  completed ")
    assert shown[1].endswith(" minutes")
    assert shown[3:5] == ["  every 1h", "  3 pages, 1 copy, 1 clear, 1 error, 2 not seen"]
    (listed_json,) = crawled.lines("source", "list", "--json")
    assert (listed_json["rhythm"], listed_json["last"]["outcome"]) == ("every 1h", "completed")
    started, following = (
        datetime.fromisoformat(at) for at in (listed_json["last"]["started_at"], listed_json["next_at"])
    )
    assert following - started == timedelta(hours=1)
    assert crawled.guardian("case", "list").stdout.count("case_") == 1


def test_no_contact_no_visit(crawled: Home) -> None:
    config = crawled.folder / "config.yaml"
    config.write_text(config.read_text().replace("contact: test@example.com, ", ""))
    for words in (("scan", "rival"), ("source", "try", "rival"), ("run", "--once")):
        assert "fetch.contact is not set" in crawled.guardian(*words, code=2).stderr


def test_a_folder_as_a_source(own: Home, tmp_path: Path, photographs: dict[str, Image.Image]) -> None:
    (tmp_path / "in").mkdir()
    photographs["astronaut"].rotate(90, expand=True).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    with (own.folder / "config.yaml").open("a") as config:
        config.write(f"sources:\n  - {{name: inbox, kind: folder, path: {tmp_path / 'in'}}}\n")
    config_file = own.folder / "config.yaml"
    config_file.write_text(config_file.read_text().replace("contact: test@example.com, ", ""))
    assert "a.png" in own.guardian("source", "try", "inbox").stdout, "no site is asked, so no contact is needed"
    said = own.guardian("scan", "inbox", code=1).stdout
    assert "turned 90°" in said
    assert own.lines("coverage", "--json")[0]["not_seen"] == {"not_an_image": 1}


def test_try_shows_the_words_and_all_addresses_and_no_terminal_is_moved(own: Home, site: Any) -> None:
    others = ", ".join(f"p-{width}x{width}.jpg {width}w" for width in range(100, 800, 100))
    (site.folder / "p.html").write_text(
        f"<title>Title\x1b[2J</title><figure><img src='p.jpg' srcset='{others}' alt='\x1b[31mRed'>"
        "<figcaption>Words</figcaption></figure><img src='x\x1b.svg'>"
    )
    said = own.guardian("source", "try", f"{site.url}/p.html").stdout
    assert "\x1b" not in said
    assert f"PICTURE   {site.url}/p.jpg\n            also {site.url}/p-700x700.jpg\n" in said
    assert "also 2 more addresses" in said
    assert "caption  Words" in said
    assert "a drawing (SVG), not a photograph  (vector: 1)" in said


def test_a_person_is_told_where_scans_may_not_go(own: Home, site: Any, photographs: dict[str, Image.Image]) -> None:
    photographs["coffee"].save(site.folder / "coffee.png")
    page = site.page("page.html", "coffee.png")
    (site.folder / "robots.txt").write_text("User-agent: *\nDisallow: /page\n")
    said = own.guardian("check", page, code=1)
    assert "COPY" in said.stdout
    assert "robots.txt forbids this to scans; it was fetched because you asked" in said.stderr
    assert "robots.txt forbids 1 picture" not in said.stderr
    assert "robots.txt" not in own.guardian("check", f"{site.url}/coffee.png", code=1).stderr
    refused = own.guardian("source", "try", page, code=3)
    assert f"LEFT OUT, forbidden by robots.txt  (robots: 1)\n  {page}  its robots.txt forbids it" in refused.stdout
    with (own.folder / "config.yaml").open("a") as config:
        config.write(f"sources:\n  - {{name: closed, kind: page, url: '{page}'}}\n")
    assert "robots.txt forbids it" in own.guardian("scan", "closed", code=3).stderr
    (site.folder / "robots.txt").write_text("User-agent: *\nDisallow: /coffee\n")
    told = f"robots.txt forbids 1 picture to scans; fetched because you asked: {site.url}/coffee.png\n"
    assert own.guardian("check", page, code=1).stderr == f"guardian: {told}"


def test_check_looks_into_style_sheets_too(own: Home, site: Any, photographs: dict[str, Image.Image]) -> None:
    photographs["coffee"].save(site.folder / "coffee.png")
    (site.folder / "s.css").write_text(".a{background:url(coffee.png)}")
    (site.folder / "p.html").write_text("<title>t</title><link rel=stylesheet href=s.css><p>Words")
    assert "COPY" in own.guardian("check", f"{site.url}/p.html", code=1).stdout


def test_no_error_of_a_site_moves_a_terminal(own: Home, web: Site) -> None:
    web.put("/film", Raw(b"HTTP/1.1 200 OK\r\ncontent-type: video/\x9b2J\r\ncontent-length: 0\r\n\r\n"))
    web.put("/moved", RawLocation("gopher://x/\u202e\x9b2J".encode()))
    with (own.folder / "config.yaml").open("a") as config:
        config.write(f"sources:\n  - {{name: film, kind: page, url: '{web.url}/film'}}\n")
        config.write(f"  - {{name: moved, kind: page, url: '{web.url}/moved'}}\n")
    said = [own.guardian("scan", name, code=3) for name in ("film", "moved")]
    said += [own.guardian(*words) for words in (("source", "list"), ("coverage",), ("coverage", "--json"))]
    assert "video/\ufffd2J" in said[2].stdout
    for one in said:
        assert not {"\x9b", "\u202e"} & set(one.stdout + one.stderr)
    assert own.lines("coverage", "--json")[0]["last"]["error"].endswith("video/\x9b2J"), "nothing is lost"
