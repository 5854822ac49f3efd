"""A folder in which two photographs are protected, made once: tests that change it take a copy."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.home import Home, made_home


@pytest.fixture(scope="session")
def protected(tmp_path_factory: pytest.TempPathFactory, photographs: dict[str, Image.Image]) -> Home:
    """Astronaut and coffee are protected. Only for tests that change nothing."""
    folder = tmp_path_factory.mktemp("protected")
    (folder / "mine").mkdir()
    for name in ("astronaut", "coffee"):
        photographs[name].save(folder / "mine" / f"{name}.png", compress_level=1)
    home = made_home(folder / "home")
    home.guardian("asset", "add", folder / "mine", "--collection", "press")
    return home


@pytest.fixture
def own(protected: Home, tmp_path: Path) -> Home:
    """The same, to change at will."""
    shutil.copytree(protected.folder, tmp_path / "home")
    return Home(tmp_path / "home")
