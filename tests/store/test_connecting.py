"""Which file systems may carry an SQLite file."""

from pathlib import Path

import pytest

from guardian.errors import StoreUnusable
from guardian.store.connecting import file_system_of, refuse_network_file_system

MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 0:40 / /srv/nfs rw - nfs4 server:/export rw
31 30 0:41 / /srv/nfs/local rw - xfs /dev/vdb rw
32 27 0:42 / /mnt/my\040share rw - cifs //server/share rw
33 27 0:43 / /home/me/remote rw - fuse.sshfs me@host:/ rw
34 27 0:44 / /mnt/c rw - 9p drvfs rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize(
    "path", ["/srv/nfs/data", "/srv/nfs", "/mnt/my share/guardian/data", "/home/me/remote/x", "/mnt/c/Users/me"]
)
def test_network_file_systems_are_refused(mounts: Path, path: str) -> None:
    with pytest.raises(StoreUnusable, match=r"network file system \((nfs4|cifs|fuse\.sshfs|9p)\).*local disk"):
        refuse_network_file_system(Path(path) / "guardian.db", mounts)


@pytest.mark.parametrize("path", ["/data", "/srv/nfs/local/data", "/srv/nfsdata", "/mnt/my shared"])
def test_local_ones_are_not(mounts: Path, path: str) -> None:
    refuse_network_file_system(Path(path), mounts)
    assert file_system_of(Path(path), mounts) in {"ext4", "xfs"}


def test_a_link_into_a_network_file_system_is_followed(mounts: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to("/srv/nfs/data")
    with pytest.raises(StoreUnusable, match="nfs4"):
        refuse_network_file_system(tmp_path / "data" / "guardian.db", mounts)


def test_the_root_of_a_sandbox_is_its_local_disk(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text("1 0 0:1 / / rw - 9p none rw\n")
    refuse_network_file_system(Path("/data/guardian.db"), tmp_path / "mountinfo")
    assert file_system_of(Path("/data"), tmp_path / "mountinfo") == "root"


def test_without_a_mount_table_nothing_is_refused(tmp_path: Path) -> None:
    refuse_network_file_system(Path("/srv/nfs/data"), tmp_path / "missing")
    assert file_system_of(Path("/srv/nfs/data"), tmp_path / "missing") is None


def test_the_machine_of_these_tests_is_understood(tmp_path: Path) -> None:
    assert file_system_of(tmp_path, Path("/proc/self/mountinfo"))
