"""The vault: what it keeps is durable and intact, and it stays within its room."""

import fcntl
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from guardian.errors import GuardianError
from guardian.evidence import Vault, VaultFull

MEGABYTE = 1024 * 1024


def parts_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name.endswith(".part")]


def test_keeps_bytes_under_their_digest_for_their_owner_only(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", MEGABYTE)
    digest = vault.keep(b"a page")
    path = tmp_path / "evidence" / digest[:2] / digest
    assert digest == hashlib.sha256(b"a page").hexdigest()
    assert path.read_bytes() == b"a page" == vault.get(digest)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == stat.S_IMODE((tmp_path / "evidence").stat().st_mode) == 0o700


def test_keeping_again_changes_nothing(tmp_path: Path) -> None:
    vault = Vault(tmp_path, MEGABYTE)
    digest = vault.keep(b"x" * 1000)
    before = vault.path_of(digest).stat()
    assert vault.keep(b"x" * 1000) == digest
    after = vault.path_of(digest).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert vault.used_bytes() == 1000


def test_the_cap_is_said_and_obeyed_and_nothing_is_evicted(tmp_path: Path) -> None:
    vault = Vault(tmp_path, 2500)
    kept = [vault.keep(bytes([number]) * 1000) for number in (1, 2)]
    with pytest.raises(VaultFull, match="1000 bytes do not fit, 2000 of 2500 bytes are used"):
        vault.keep(b"3" * 1000)
    assert vault.keep(b"4" * 500)
    assert [vault.get(digest)[0] for digest in kept] == [1, 2]
    assert vault.used_bytes() == 2500
    assert vault.keep(bytes([1]) * 1000) == kept[0], "what is kept already needs no room"


def test_a_second_vault_counts_what_the_first_kept(tmp_path: Path) -> None:
    Vault(tmp_path, 10_000).keep(b"x" * 1500)
    second = Vault(tmp_path, 2000)
    assert second.used_bytes() == 1500
    with pytest.raises(VaultFull):
        second.keep(b"y" * 501)


def test_changed_and_missing_bytes_are_noticed(tmp_path: Path) -> None:
    vault = Vault(tmp_path, MEGABYTE)
    digest = vault.keep(b"the evidence")
    vault.path_of(digest).write_bytes(b"the evidenxe")
    with pytest.raises(GuardianError, match="damaged"):
        vault.get(digest)
    assert vault.keep(b"the evidence") == digest
    assert vault.get(digest) == b"the evidence"
    vault.path_of(digest).unlink()
    with pytest.raises(GuardianError, match="is not in"):
        vault.get(digest)
    # Whoever runs the tests can read everything; a link to itself nobody can.
    vault.path_of(digest).symlink_to(vault.path_of(digest))
    with pytest.raises(GuardianError, match="cannot be read"):
        vault.get(digest)
    assert vault.keep(b"the evidence") == digest
    assert vault.get(digest) == b"the evidence"


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "0" * 63])
def test_what_is_not_a_digest_never_becomes_a_path(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Vault(tmp_path, MEGABYTE).get(digest)


def test_threads_share_the_cap(tmp_path: Path) -> None:
    vault = Vault(tmp_path, 10_000)
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def keep_five(number: int) -> None:
        start.wait()
        for turn in range(5):
            try:
                vault.keep(f"{number}.{turn}".encode() * 250)
                outcomes.append("kept")
            except VaultFull:
                outcomes.append("full")

    threads = [threading.Thread(target=keep_five, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    on_disk = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert on_disk == vault.used_bytes() <= 10_000
    assert outcomes.count("kept") == 13, "13 files of 750 bytes fit in 10,000"


FILL = """
import resource, sys
sys.dont_write_bytecode = True
from pathlib import Path
from guardian.evidence import Vault, VaultFull
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
if limit:
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
vault = Vault(folder, 10**9)
small = vault.keep(b"s" * 1000)
try:
    vault.keep(b"l" * 3_000_000)
except VaultFull as error:
    print("full:", error)
assert vault.get(small) == b"s" * 1000
print("used", vault.used_bytes())
"""


def fill(folder: Path, file_limit: int) -> str:
    command = [sys.executable, "-c", FILL, str(folder), str(file_limit)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_write_that_is_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    told = fill(tmp_path, file_limit=1_000_000)
    assert "full: not kept: no room on the disk" in told
    assert "used 1000" in told
    assert parts_below(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tiny file system needs root")
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "guardian-test", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no mounts here: {mounted.stderr.decode()}")
    try:
        told = fill(tmp_path, file_limit=0)
        assert "No space left on device" in told
        assert "used 1000" in told
        assert parts_below(tmp_path) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


KILLED = """
import resource, signal, sys
sys.dont_write_bytecode = True
from pathlib import Path
from guardian.evidence import Vault
vault = Vault(Path(sys.argv[1]), 10**9)
vault.keep(b"kept before")
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
vault.keep(b"k" * 9000)
"""


def test_a_part_of_a_killed_process_is_removed_and_one_being_written_is_not(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGXFSZ
    (left,) = parts_below(tmp_path)
    with left.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_SH)
        assert Vault(tmp_path, MEGABYTE).used_bytes() == len(b"kept before") + 5000
        assert left.exists()
    assert Vault(tmp_path, MEGABYTE).used_bytes() == len(b"kept before")
    assert not left.exists()


KEPT_BY_A_USER = """
import os, sys
sys.dont_write_bytecode = True
from pathlib import Path
from guardian.evidence import Vault
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(54_321)
vault = Vault(Path(), 10**6)
digest = vault.keep(b"a page")
print(vault.get(digest).decode(), vault.used_bytes())
"""


def test_a_folder_that_cannot_be_read_is_not_counted_and_stops_nothing(tmp_path: Path) -> None:
    """As on a disk of its own, in whose `lost+found` only root can look."""
    folder = tmp_path / "evidence"
    (folder / "lost+found").mkdir(parents=True)
    (folder / "lost+found").chmod(0)
    if os.geteuid() == 0:
        os.chown(folder, 54_321, 54_321)
    kept = subprocess.run([sys.executable, "-c", KEPT_BY_A_USER, str(folder)], check=True, stdout=subprocess.PIPE)
    assert kept.stdout.endswith(b"a page 6\n")


def test_files_are_kept_as_their_bytes_are_and_counted(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"page" * MEGABYTE)
    vault = Vault(tmp_path / "evidence", 9 * MEGABYTE)
    digest = vault.keep_file(source)
    assert vault.get(digest) == source.read_bytes()
    assert vault.used_bytes() == 4 * MEGABYTE
    assert vault.keep_file(source) == digest

    # A damaged one is written again.
    vault.path_of(digest).write_bytes(b"else")
    assert vault.is_whole(vault.keep_file(source))

    source.write_bytes(b"more" * MEGABYTE)
    with pytest.raises(VaultFull, match="do not fit"):
        vault.keep_file(source)
    assert parts_below(tmp_path) == []
