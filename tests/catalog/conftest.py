"""A configuration to keep a catalogue by, and photographs to protect."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from guardian.config import Config, load_config
from guardian.shipped import rules_folder


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """One worker, two assets made durable together."""
    shutil.copytree(rules_folder(), tmp_path / "home" / "rules")
    path = tmp_path / "home" / "config.yaml"
    path.write_text("matching: {workers: 1}\ncatalog: {batch: 2}\n")
    return load_config(path)


@pytest.fixture
def mine(tmp_path: Path, photographs: dict[str, Image.Image]) -> Path:
    """A folder of three photographs."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("astronaut", "coffee", "rocket"):
        photographs[name].resize((400, 300)).save(folder / f"{name}.png", compress_level=1)
    return folder
