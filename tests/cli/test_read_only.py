"""Commands where nothing can be written, or the disk is full: those that ask answer, the others say why."""

import shutil
from pathlib import Path

from PIL import Image

from tests.cli.home import Home
from tests.conftest import Site
from tests.disks import fill, read_only, small_disk

ASKING = (
    ("asset", "list"),
    ("case", "list"),
    ("licence", "list"),
    ("delivery", "list"),
    ("destination", "list"),
    ("source", "list"),
    ("quarantine", "list"),
    ("coverage",),
    ("index", "status"),
    ("index", "verify"),
    ("store", "check"),
)


def assert_asking_works(home: Home, site: Site, photographs: dict[str, Image.Image]) -> None:
    photographs["rocket"].save(site.folder / "rocket.jpg")
    photographs["coffee"].save(site.folder / "coffee.jpg")
    page = site.page("page.html", "rocket.jpg", "coffee.jpg")

    for words in ASKING:
        assert home.guardian(*words).stderr == "", words
    (asset, _) = home.lines("asset", "list", "--json")
    assert asset["id"] in home.guardian("asset", "show", asset["id"]).stdout

    assert home.guardian("check", site.folder / "coffee.jpg", code=1).stderr == ""
    checked = home.guardian("check", page, code=1)
    assert "2 images, compared with 2 protected assets: 1 copy, 1 clear" in checked.stdout


def test_a_read_only_data_folder(own: Home, site: Site, photographs: dict[str, Image.Image], tmp_path: Path) -> None:
    with read_only(own.folder / "data"):
        assert_asking_works(own, site, photographs)
        own.guardian("store", "backup", tmp_path / "backup.db")

        for words in (
            ("licence", "add", "--host", "a.example", "--collection", "press"),
            ("asset", "add", site.folder / "rocket.jpg", "--collection", "press"),
            ("store", "prune"),
            ("index", "rebuild"),
        ):
            refused = own.guardian(*words, code=4).stderr
            assert str(own.folder / "data") in refused, words
            assert "read-only disk" in refused or "cannot be written" in refused or "cannot be used by" in refused
            assert refused.count("\n") == 1

    assert len(own.lines("asset", "list", "--json")) == 2


def test_a_full_disk(own: Home, site: Site, photographs: dict[str, Image.Image]) -> None:
    data, aside = own.folder / "data", own.folder / "aside"
    data.rename(aside)
    data.mkdir()
    with small_disk(data, 20_000):
        shutil.copytree(aside, data, dirs_exist_ok=True)
        fill(data)
        assert_asking_works(own, site, photographs)
        added = own.guardian("asset", "add", site.folder / "rocket.jpg", "--collection", "press", code=4).stderr
        assert "no room" in added or "full disk" in added
        assert str(data) in added
        (data / "filling").unlink()
        own.guardian("asset", "add", site.folder / "rocket.jpg", "--collection", "press")
