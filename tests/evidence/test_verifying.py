"""Whatever is done to a bundle is noticed, and where; what was not touched verifies anywhere."""

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from guardian.evidence.bundle import Member, Written
from guardian.evidence.bundle_members import opened_members
from guardian.evidence.case_history import faults_in
from guardian.evidence.manifest import BLOCK_BYTES, MANIFEST, PUBLIC_KEY, SIGNATURE, Listed, Manifest, read_manifest
from guardian.evidence.signing import installation_key
from guardian.evidence.timestamps import roots_in
from guardian.evidence.verifying import NotABundle, Verified, verify
from guardian.evidence.zip_layout import ZipMember, local_header
from tests.evidence.authority import Authority
from tests.evidence.conftest import NOON

LARGE = "captures/1-capture_1/page.wacz"


@pytest.fixture(scope="module")
def small(make_bundle: Callable[..., Written], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a bundle with small members and a time stamp."""
    folder = tmp_path_factory.mktemp("small")
    members = (Member("case.json", b'{"id":"case_1"}', "application/json", "The case."),)
    return make_bundle(folder / "b.zip", members=members).path.read_bytes()


@pytest.fixture
def check(tmp_path: Path) -> Callable[[bytes], Verified]:
    """Return a function that verifies some bytes."""
    path = tmp_path / "played-with.zip"

    def checked(content: bytes) -> Verified:
        path.write_bytes(content)
        return verify(path)

    return checked


def rezipped(content: bytes, change: Callable[[list[tuple[str, bytes]]], None], compression: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        members = [(name, old.read(name)) for name in old.namelist()]
    change(members)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as new:
        for name, data in members:
            new.writestr(zipfile.ZipInfo(name), data, compression)
    return made.getvalue()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_can_be_read_once_or_for_ever_is_no_bundle(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "b.zip")
    with pytest.raises(NotABundle, match="is no file"):
        verify(tmp_path / "b.zip")


def test_a_whole_bundle_says_what_it_is(bundle: Path, authority: Authority) -> None:
    found = verify(bundle)
    assert found.is_whole
    assert found.damage is None
    assert found.manifest is not None
    assert found.manifest.case_id == "case_1"
    assert found.stamped is not None
    assert found.stamped.authority == "CN=Clock of the test"
    assert not found.stamped.root_is_known
    assert any("apart from the time stamp" in note for note in found.notes), "the bundle says that it was made at noon"

    trusted = verify(bundle, roots_in(authority.root)).stamped
    assert trusted is not None
    assert trusted.root_is_known


def test_a_given_key_is_compared(bundle: Path, tmp_path: Path) -> None:
    own = installation_key(bundle.parent).fingerprint
    assert verify(bundle, known_key=own).key_is_known
    other = verify(bundle, known_key=installation_key(tmp_path).fingerprint)
    assert other.damage is None
    assert not other.is_whole


def test_every_flipped_byte_is_noticed(small: bytes, check: Callable[[bytes], Verified]) -> None:
    """Every fifth byte, each with one bit turned; all of them take ten seconds and were tried."""
    seen, bits = set(), random.Random(1)
    for place in range(0, len(small), 5):
        content = bytearray(small)
        content[place] ^= 1 << bits.randrange(8)
        found = check(bytes(content))
        assert found.damage is not None, f"byte {place} of {len(small)}"
        seen.add(found.damage.member)
    assert seen >= {
        "manifest.json",
        "manifest.sig",
        "manifest.pub",
        "manifest.tsr",
        "tsa-chain.pem",
        "VERIFY.txt",
        "SHA256SUMS",
        "case.json",
        "the zip file's directory",
    }


def test_the_part_of_a_large_member_is_named(bundle: Path, check: Callable[[bytes], Verified]) -> None:
    content = bytearray(bundle.read_bytes())
    place = content.index(b"0123456789abcdef") + BLOCK_BYTES + 77
    content[place] ^= 1
    damage = check(bytes(content)).damage
    assert damage is not None
    assert damage.member == LARGE
    assert damage.first <= place < damage.end
    assert damage.end - damage.first == BLOCK_BYTES


@pytest.mark.parametrize(
    ("change", "member"),
    [
        (lambda members: members.append(("extra.txt", b"x")), "the zip file's directory"),
        (lambda members: members.insert(0, ("extra.txt", b"x")), "manifest.json"),
        (lambda members: members.pop(), "case.json"),
        (lambda members: members.__setitem__(-1, ("case2.json", members[-1][1])), "case.json"),
        (lambda members: members.insert(5, members.pop()), "VERIFY.txt"),
        (lambda members: members.append(members[-1]), "the zip file's directory"),
        (lambda members: members.pop(3), "manifest.tsr"),
    ],
    ids=["added", "added before", "removed", "renamed", "reordered", "twice", "without its stamp"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_played_with_are_noticed(
    small: bytes,
    check: Callable[[bytes], Verified],
    change: Callable[[list[tuple[str, bytes]]], None],
    member: str,
) -> None:
    found = check(rezipped(small, change, zipfile.ZIP_STORED))
    assert found.damage is not None
    # Another program writes other headers: the first of them is found before what was done to the members.
    assert found.damage.member in (member, "manifest.json")


def test_the_zip_file_played_with_is_noticed(small: bytes, check: Callable[[bytes], Verified]) -> None:
    with_comment = small[:-2] + b"\x05\x00hello"
    bomb = rezipped(small, lambda members: members.append(("bomb", bytes(10_000_000))), zipfile.ZIP_DEFLATED)
    for content in (
        b"#!/bin/sh\n" + small,
        small + b"more",
        small + small,
        with_comment,
        small[:-1],
        small[: len(small) // 2],
        rezipped(small, lambda members: None, zipfile.ZIP_STORED),
        rezipped(small, lambda members: None, zipfile.ZIP_DEFLATED),
        bomb,
    ):
        assert check(content).damage is not None


def test_a_manifest_that_states_impossible_sizes_ends_the_check(tmp_path: Path) -> None:
    """Somebody else may sign anything: a member of an exabyte must not be read for years."""
    key = installation_key(tmp_path)
    for size in (1 << 60, 1 << 70):
        listed = (Listed("case.json", "0" * 64, size, "application/json", "The case."),)
        content = Manifest("case_1", NOON, "0.1.0", key.fingerprint, False, listed).content()
        file, offset = io.BytesIO(), 0
        for name, data in ((MANIFEST, content), (SIGNATURE, key.sign(content)), (PUBLIC_KEY, key.public_pem)):
            member = ZipMember(name, len(data), zlib.crc32(data), offset)
            file.write(local_header(member) + data)
            offset = member.end
        path = tmp_path / "b.zip"
        path.write_bytes(file.getvalue())
        damage = verify(path).damage
        assert damage is not None
        assert damage.member == "case.json"


def test_no_member_has_the_name_of_one_before_the_manifest() -> None:
    """Of two members with one name some programs would unpack the one that was not looked at."""
    for name in (MANIFEST, SIGNATURE, "manifest.tsr"):
        listed = (Listed(name, "0" * 64, 1, "application/json", "Another one."),)
        with pytest.raises(ValueError, match="twice"):
            read_manifest(Manifest("case_1", NOON, "0.1.0", "0" * 64, False, listed).content())


def test_a_history_that_is_nested_without_end_is_said() -> None:
    assert faults_in(b"[" * 100_000) == ["history.jsonl cannot be read"]


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "history", "content": {}, "sha256": ["0" * 64]},
        {
            "kind": "audit", "before": "", "number": 1, "at": "0001-01-01T00:00:00+23:59", "actor_kind": "guardian",
            "actor": "guardian", "action": "case.history", "subject": "case_1", "address": None,
            "detail": {"sha256": "0"}, "digest": "0",
        },
    ],
    ids=["digest is a list", "before the first year"],
)  # fmt: skip
def test_a_history_of_another_form_is_said(line: dict[str, object]) -> None:
    """Whoever has a key can sign any history."""
    anchored = {"kind": "audit", "before": "", "number": 1, "at": NOON.isoformat(), "actor_kind": "guardian"} | {
        "actor": "guardian", "action": "case.history", "subject": "case_1", "address": None,
        "detail": {"sha256": "0"}, "digest": "0",
    }  # fmt: skip
    assert faults_in(b"\n".join(json.dumps(one).encode() for one in (anchored, line)))


def test_times_in_the_future_are_told(bundle: Path) -> None:
    """The bundle says that it was made at noon, and its time stamp is of now."""
    stamped = verify(bundle).stamped
    assert stamped is not None
    assert not any("still to come" in note for note in verify(bundle, now=stamped.at).notes)
    assert any("still to come" in note for note in verify(bundle, now=stamped.at - timedelta(hours=1)).notes)


def test_a_bundle_of_a_later_version_is_not_only_called_damaged() -> None:
    with pytest.raises(ValueError, match="a later guardian"):
        read_manifest(b'{"format":"guardian-evidence/3"}')


def test_members_are_read_where_the_check_found_them(bundle: Path, tmp_path: Path) -> None:
    verified, path = verify(bundle), tmp_path / "b.zip"
    path.write_bytes(bundle.read_bytes())
    with opened_members(path, verified) as members:
        assert members.content("case.json", 100) == b'{"id":"case_1"}'
        assert members.folders_with("page.wacz") == ["captures/1-capture_1"]
        with pytest.raises(ValueError, match="more than 100"):
            members.content(LARGE, 100)
        with pytest.raises(ValueError, match="not in the bundle"):
            members.content(MANIFEST, 100)
    path.write_bytes(bundle.read_bytes().replace(b'"case_1"}', b'"case_2"}'))
    with opened_members(path, verified) as members, pytest.raises(ValueError, match="changed"):
        members.content("case.json", 100)


def test_what_is_no_bundle_is_said(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr("photo.jpg", b"\xff\xd8\xff")
    for number, content in enumerate(
        (b"", b"PK\x03\x04", b"hello" * 100, made.getvalue().replace(b"manifest", b"document"))
    ):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        with pytest.raises(NotABundle):
            verify(path)


def test_it_is_checked_with_the_network_off(bundle: Path, tmp_path: Path) -> None:
    """Another machine: an empty folder, and no socket may be made."""
    without = (
        "import sys\n"
        "def hook(event, arguments):\n"
        "    if event.startswith('socket.'): raise OSError('the network is off')\n"
        "sys.addaudithook(hook)\n"
        "from guardian.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", without, "evidence", "verify", bundle],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "whole: case case_1" in done.stdout
    assert "by what calls itself the time-stamp authority CN=Clock of the test" in done.stdout
    assert not list(tmp_path.iterdir())


def test_unzip_and_zipfile_read_it(bundle: Path) -> None:
    subprocess.run(["unzip", "-tq", bundle], check=True, capture_output=True)
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "manifest.json"


def test_verify_txt_says_how_to_check_it_without_guardian(bundle: Path, tmp_path: Path) -> None:
    subprocess.run(["unzip", "-q", bundle, "-d", tmp_path], check=True)
    lines = (tmp_path / "VERIFY.txt").read_text().splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    documented = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text()
    assert all(command in documented for command in commands if "storeutl" not in command and "-reply" not in command)
    said = [run_in(tmp_path, command) for command in commands]
    assert [code for code, _ in said] == [0] * len(commands)
    everything = "\n".join(text for _, text in said)
    assert f"{LARGE}: OK" in everything
    assert "Signature Verified Successfully" in everything
    assert "Verification: OK" in everything
    found = verify(bundle)
    assert found.key is not None
    assert found.key in everything

    unnamed = next(one for one in commands if "uniq" in one)
    outer = ["SHA256SUMS", "manifest.json", "manifest.pub", "manifest.sig", "manifest.tsr", "tsa-chain.pem"]
    assert sorted(run_in(tmp_path, unnamed)[1].split()) == outer
    (tmp_path / "captures" / "more.png").write_bytes(b"added")
    assert "captures/more.png" in run_in(tmp_path, unnamed)[1]

    (tmp_path / "case.json").write_text("{}")
    assert run_in(tmp_path, commands[0])[0] != 0
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"case_1", b"case_2"))
    assert run_in(tmp_path, commands[2])[0] != 0
    assert "Verification: FAILED" in run_in(tmp_path, next(one for one in commands if "-verify -data" in one))[1]


def test_a_list_of_digests_that_came_from_a_site_does_not_pass_for_that_of_the_bundle(
    make_bundle: Callable[..., Written], tmp_path: Path
) -> None:
    """A site that foresees a dispute may serve, as a page, the digests of files that it makes up."""
    forged = b'{"id":"case_1","withdrawn":true}'
    served = f"{hashlib.sha256(forged).hexdigest()}  case.json\n".encode()
    members = (
        Member("case.json", b'{"id":"case_1"}', "application/json", "The case."),
        Member("scans/page-1.html", served, "text/plain", "A page."),
    )
    bundle = make_bundle(tmp_path / "b.zip", members=members).path
    folder = tmp_path / "unpacked"
    subprocess.run(["unzip", "-q", bundle, "-d", folder], check=True)
    lines = (folder / "VERIFY.txt").read_text().splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    is_named = next(one for one in commands if "grep" in one)
    assert run_in(folder, is_named)[0] == 0

    (folder / "case.json").write_bytes(forged)
    (folder / "SHA256SUMS").write_bytes(served)
    shutil.rmtree(folder / "scans")
    (folder / "VERIFY.txt").unlink()
    assert run_in(folder, commands[0]) == (0, "case.json: OK\n")
    assert run_in(folder, is_named) == (1, "")


def test_a_link_that_was_added_is_shown(bundle: Path, tmp_path: Path) -> None:
    subprocess.run(["unzip", "-q", bundle, "-d", tmp_path], check=True)
    (tmp_path / "report-final.pdf").symlink_to("report.pdf")
    lines = (tmp_path / "VERIFY.txt").read_text().splitlines()
    unnamed = next(line.removeprefix("$ ") for line in lines if "uniq" in line)
    assert "report-final.pdf" in run_in(tmp_path, unnamed)[1]


def run_in(folder: Path, command: str) -> tuple[int, str]:
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
