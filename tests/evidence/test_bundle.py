"""Bundles are written once, whole or not at all, and the same from the same."""

import asyncio
import os
import resource
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from guardian.errors import GuardianError, UsageError
from guardian.evidence.bundle import BundleHead, Member, Written, write_bundle
from guardian.evidence.signing import KEY_FILE, installation_key
from guardian.evidence.verifying import verify
from guardian.evidence.zip_layout import ZipMember, directory, local_header
from tests.evidence.conftest import NOON

HEAD = BundleHead("case_1", NOON, "0.1.0")


def write(path: Path, *members: Member) -> Written:
    return asyncio.run(write_bundle(path, HEAD, members, installation_key(path.parent), None))


def test_the_same_contents_make_the_same_bytes(make_bundle: Callable[..., Written], tmp_path: Path) -> None:
    first = make_bundle(tmp_path / "1.zip", is_stamped=False)
    second = make_bundle(tmp_path / "2.zip", is_stamped=False)
    assert first.sha256 == second.sha256
    assert verify(first.path).is_whole
    assert verify(first.path).stamped is None
    with zipfile.ZipFile(first.path) as archive:
        assert "carries no time stamp" in archive.read("VERIFY.txt").decode()


def test_nothing_is_overwritten_and_a_folder_gets_a_name_by_content(tmp_path: Path) -> None:
    taken = tmp_path / "b.zip"
    taken.write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists already"):
        write(taken)
    assert taken.read_bytes() == b"mine"
    folder = tmp_path / "out"
    folder.mkdir()
    written = asyncio.run(write_bundle(folder, HEAD, (), installation_key(tmp_path), None))
    assert written.path == folder / f"case_1-{written.manifest_sha256[:16]}.zip"
    with pytest.raises(UsageError, match="exists already"):
        asyncio.run(write_bundle(folder, HEAD, (), installation_key(tmp_path), None))
    with pytest.raises(UsageError, match="no folder"):
        asyncio.run(write_bundle(tmp_path / "nowhere" / "b.zip", HEAD, (), installation_key(tmp_path), None))


def test_a_damaged_or_missing_file_makes_no_bundle(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"changed")
    with pytest.raises(GuardianError, match="not as it was kept"):
        write(tmp_path / "b.zip", Member("a", kept, "text/plain", "A.", sha256="0" * 64))
    with pytest.raises(GuardianError, match="missing"):
        write(tmp_path / "b.zip", Member("a", tmp_path / "gone", "text/plain", "A."))
    assert sorted(path.name for path in tmp_path.iterdir()) == [KEY_FILE, "kept"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: writing fails half-way in the same way."""
    key = installation_key(tmp_path)
    member = Member("large", os.urandom(200_000), "text/plain", "Large.")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match=r"b\.zip"):
            asyncio.run(write_bundle(tmp_path / "b.zip", HEAD, (member,), key, None))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_killed_export_leaves_nothing(tmp_path: Path) -> None:
    """The process is killed when it has written half of the members."""
    key = installation_key(tmp_path)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)

        class Slow(bytes):
            def __len__(self) -> int:
                os.write(write_end, b"x")
                signal.pause()
                return 0

        members = (Member("a", os.urandom(100_000), "x/y", "A."), Member("b", Slow(b"b"), "x/y", "B."))
        asyncio.run(write_bundle(tmp_path / "b.zip", HEAD, members, key, None))
        os._exit(0)

    os.close(write_end)
    assert os.read(read_end, 1) == b"x"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(read_end)
    assert sorted(path.name for path in tmp_path.iterdir()) == [KEY_FILE]


def test_the_log_comes_before_the_name(tmp_path: Path) -> None:
    """A process that is killed between the two leaves no bundle of which the audit log knows nothing."""
    key, out = installation_key(tmp_path), tmp_path / "b.zip"
    noted: list[Written] = []

    def note(written: Written) -> None:
        assert not out.exists()
        noted.append(written)

    written = asyncio.run(write_bundle(out, HEAD, (), key, None, note))
    assert noted == [written]
    assert verify(out).sha256 == noted[0].sha256


def test_what_cannot_be_noted_does_not_appear(tmp_path: Path) -> None:
    key = installation_key(tmp_path)

    def refuse(written: Written) -> None:
        raise GuardianError("the database is away")

    with pytest.raises(GuardianError, match="away"):
        asyncio.run(write_bundle(tmp_path / "b.zip", HEAD, (), key, None, refuse))
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_large_members_and_offsets_have_the_fields_of_zip64() -> None:
    small = ZipMember("a", 5, 1, 0)
    large = ZipMember("b", 5 << 30, 2, small.end)
    after = ZipMember("c", 7, 3, large.end)
    assert local_header(small)[4:6] == b"\x14\x00"
    assert local_header(large)[4:6] == b"\x2d\x00"
    assert after.offset > 0xFFFFFFFF
    end = directory((small, large, after))
    assert b"PK\x06\x06" in end
    assert b"PK\x06\x07" in end
    assert b"PK\x06\x06" not in directory((small,))


def test_the_key_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    first = installation_key(tmp_path)
    assert first.path.stat().st_mode & 0o777 == 0o600
    assert installation_key(tmp_path).fingerprint == first.fingerprint
    first.path.write_text("nothing")
    with pytest.raises(GuardianError, match="restore"):
        installation_key(tmp_path)
    assert first.path.read_text() == "nothing"
