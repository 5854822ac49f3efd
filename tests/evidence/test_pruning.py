"""What goes when the vault is full, in which order, and what never goes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardian.errors import VaultFull
from guardian.evidence import Vault, remove_needless, with_room
from guardian.model import (
    Action,
    CaseState,
    Comparison,
    Decision,
    Finding,
    FindingDigest,
    Importance,
    LicenceStatus,
)
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SIZE = 100


def content(word: str) -> bytes:
    return word.encode().ljust(SIZE)


def seen(store: Store, vault: Vault, state: CaseState, *importances: Importance) -> list[str]:
    """Write a finding whose page was captured once for each importance; return the digests of the captures."""
    digests = [vault.keep(content(f"{state} {importance}")) for importance in importances]
    picture = vault.keep(content(f"{state} picture"))
    with store.begin() as tx:
        asset = tx.assets.reserve("a" * 64, title="t", collection="c", path="/a", size=(8, 6), at=NOON)
        case, _ = tx.cases.insert(asset.id, f"{state}.example", Action.ALERT, None, NOON)
        page = f"https://{state}.example/"
        finding, _ = tx.findings.upsert(
            Finding(
                f"find_{state}",
                asset.id,
                case.id,
                "web",
                page,
                f"{page}i.jpg",
                NOON,
                NOON,
                LicenceStatus.NONE,
                Decision(Action.ALERT, "copies"),
                Comparison(0.9),
                picture,
                picture,
                digests[-1],
            )
        )
        tx.cases.update(replace(case, state=state))
        for minute, (digest, importance) in enumerate(zip(digests, importances, strict=True)):
            at = NOON + timedelta(minutes=minute)
            tx.versions.note(finding.id, FindingDigest(picture, picture, digest, at, at, importance))
    return [picture, *digests]


def test_the_least_important_goes_first_and_what_was_told_never(store: Store, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 100 * SIZE)
    kinds = (Importance.FIRST, Importance.TOLD, Importance.CHANGED, Importance.LATEST)
    of_open = seen(store, vault, CaseState.OPEN, *kinds)
    of_dismissed = seen(store, vault, CaseState.DISMISSED, *kinds)
    full = Vault(vault.folder, vault.used_bytes())

    def keep(word: str) -> str:
        return with_room(store, full, lambda: NOON, SIZE, lambda: full.keep(content(word)))

    # One round drops what is of one rank.
    assert [full.holds(keep(word)) for word in ("one", "two")] == [True, True]
    assert [full.holds(digest) for digest in of_open] == [True, True, True, True, False]
    assert [full.holds(digest) for digest in of_dismissed] == [True, True, True, True, False]
    keep("three")
    assert [full.holds(digest) for digest in of_dismissed] == [True, True, True, False, False]
    keep("four")
    assert [full.holds(digest) for digest in of_open] == [True, True, True, False, False]
    keep("five")
    assert [full.holds(digest) for digest in of_dismissed] == [True, False, True, False, False]
    assert [full.holds(digest) for digest in of_open] == [True, True, True, False, False]
    with pytest.raises(VaultFull, match=r"evidence.max_bytes"):
        keep("six")
    with store.read() as tx:
        assert tx.released_evidence.list(100) == []


def test_what_is_larger_than_the_limit_drops_nothing(store: Store, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 10 * SIZE)
    kept = seen(store, vault, CaseState.OPEN, Importance.FIRST, Importance.LATEST)
    with pytest.raises(VaultFull):
        with_room(store, vault, lambda: NOON, 11 * SIZE, lambda: vault.keep(b"x" * 11 * SIZE))
    assert all(vault.holds(digest) for digest in kept)


def test_released_evidence_goes_unless_a_version_needs_it_again(store: Store, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 100 * SIZE)
    picture, first, last = seen(store, vault, CaseState.OPEN, Importance.FIRST, Importance.LATEST)
    with store.begin() as tx:
        versions = tx.versions.of("find_open")
        tx.versions.supersede("find_open", versions[1:], NOON)
        tx.versions.supersede("find_open", versions[:1], NOON)
        # Seen again meanwhile.
        tx.versions.note("find_open", versions[0])
    assert remove_needless(store, vault) == SIZE
    assert [vault.holds(digest) for digest in (picture, first, last)] == [True, True, False]
    with store.read() as tx:
        assert tx.released_evidence.list(100) == []
    assert remove_needless(store, vault) == 0


def test_evidence_in_the_folder_of_another_process_is_left_to_it(store: Store, tmp_path: Path) -> None:
    theirs, ours = Vault(tmp_path / "theirs", 100 * SIZE), Vault(tmp_path / "ours", 100 * SIZE)
    *_, last = seen(store, theirs, CaseState.OPEN, Importance.FIRST, Importance.LATEST)
    with store.begin() as tx:
        tx.versions.supersede("find_open", tx.versions.of("find_open")[1:], NOON)
    assert remove_needless(store, ours) == 0
    assert theirs.holds(last)
    assert remove_needless(store, theirs) == SIZE
    assert not theirs.holds(last)
