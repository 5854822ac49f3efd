"""A store in a data folder, and a configuration that may visit loopback."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from guardian.config import Config, load_config
from guardian.shipped import rules_folder
from guardian.store import Store
from tests.databases import store_in


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = store_in(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A configuration that may visit loopback, told to nobody."""
    shutil.copytree(rules_folder(), tmp_path / "rules")
    path = tmp_path / "config.yaml"
    path.write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        "matching: {workers: 1}\n"
    )
    return load_config(path)
