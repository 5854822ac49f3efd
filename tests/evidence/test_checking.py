"""The vault's own check finds any flipped byte; two copies of a vault are compared."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from guardian.evidence import Vault
from guardian.evidence.checking import VaultFault, check_vault, compare_copies


def faults(vault: Vault, needed: dict[str, str]) -> list[tuple[VaultFault, str, str | None]]:
    return [(one.fault, one.path.name, one.owner) for one in check_vault(vault, needed)]


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 10_000)
    needed = {vault.keep(content): "capture_1" for content in (b"one", b"two")}
    assert faults(vault, needed) == []
    for digest in needed:
        path = vault.path_of(digest)
        whole = path.read_bytes()
        for place in range(len(whole)):
            changed = bytearray(whole)
            changed[place] ^= 1
            path.write_bytes(changed)
            assert faults(vault, needed) == [(VaultFault.DAMAGED, digest, "capture_1")]
        path.write_bytes(whole)


def test_what_is_missing_or_belongs_to_nothing_is_said(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 10_000)
    kept, stray = vault.keep(b"kept"), vault.keep(b"stray")
    vault.keep_as(tmp_path / "evidence" / kept[:2] / f"{kept}.answers" / "2026.json", b"{}")
    (tmp_path / "evidence" / "notes.txt").write_text("mine")
    found = faults(vault, {kept: "find_1", "0" * 64: "find_2"})
    assert set(found) == {
        (VaultFault.MISSING, "0" * 64, "find_2"),
        (VaultFault.UNKNOWN, stray, None),
        (VaultFault.UNKNOWN, "notes.txt", None),
        (VaultFault.DAMAGED, "2026.json", "find_1"),
    }


CHECKED_BY_A_USER = """
import os, sys
sys.dont_write_bytecode = True
from pathlib import Path
from guardian.evidence import Vault
from guardian.evidence.checking import check_vault
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(54_321)
print(*(one.fault.value for one in check_vault(Vault(Path(), 10**6), {sys.argv[2]: "capture_1"})))
"""


def test_a_folder_that_cannot_be_read_is_not_called_missing(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 10_000)
    digest = vault.keep(b"one")
    if os.geteuid() == 0:
        os.chown(vault.folder, 54_321, 54_321)
    vault.path_of(digest).parent.chmod(0)
    command = [sys.executable, "-c", CHECKED_BY_A_USER, str(vault.folder), digest]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    vault.path_of(digest).parent.chmod(0o700)
    assert told == "unreadable\n"


def test_two_copies_are_compared(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 10_000)
    same, changed = vault.keep(b"same"), vault.keep(b"changed")
    shutil.copytree(tmp_path / "evidence", tmp_path / "copy")
    here, there = tmp_path / "evidence", tmp_path / "copy"
    assert list(compare_copies(here, there)) == []

    only_here = vault.keep(b"new")
    vault.path_of(same).unlink()
    vault.path_of(changed).write_bytes(b"other")
    found = {(one.fault, one.path.name, one.fault.is_loss) for one in compare_copies(here, there)}
    assert found == {
        (VaultFault.ONLY_HERE, only_here, False),
        (VaultFault.ONLY_THERE, same, True),
        (VaultFault.DIFFERS, changed, True),
    }


def test_files_of_two_copies_that_cannot_be_read_are_not_called_alike(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        # Reading it is an error for everybody, as on a disk that fails.
        (tmp_path / name / "file").symlink_to("/proc/self/mem")
    assert [one.fault for one in compare_copies(tmp_path / "here", tmp_path / "there")] == [VaultFault.UNREADABLE]
