"""Counts the disk space that evidence takes: by case, and by kind of file."""

from collections import defaultdict
from dataclasses import dataclass

from guardian.evidence.vault import Vault
from guardian.store import Transaction


@dataclass(frozen=True, slots=True)
class CaseUsage:
    """What one case takes: its captures and what scans kept of it. Bytes that cases share count in each of them."""

    case_id: str
    files: int
    captured_bytes: int
    scanned_bytes: int
    is_held: bool

    @property
    def total(self) -> int:
        """The bytes of both."""
        return self.captured_bytes + self.scanned_bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """What all evidence takes, in bytes: the largest cases first, kinds by name, and the folder on disk."""

    cases: tuple[CaseUsage, ...]
    kinds: tuple[tuple[str, int], ...]
    on_disk: int
    allowed: int


def usage(tx: Transaction, vault: Vault) -> Usage:
    """Return what evidence takes. Bytes count once in a kind, and once in each case that has them."""
    captured: dict[str, dict[str, int]] = defaultdict(dict)
    scanned: dict[str, dict[str, int]] = defaultdict(dict)
    kinds: dict[str, dict[str, int]] = defaultdict(dict)
    for file in tx.evidence.sizes():
        captured[file.case_id][file.sha256] = file.size_bytes
        kinds[_kind(file.name)][file.sha256] = file.size_bytes
    for case_id, kind, digest in tx.versions.kept_by_case():
        path = vault.path_of(digest)
        size = path.stat().st_size if path.is_file() else 0
        scanned[case_id][digest] = size
        kinds[kind][digest] = size

    held = {one.case_id for one in tx.holds.list()}
    cases = [
        CaseUsage(
            case_id,
            len(captured[case_id]) + len(scanned[case_id]),
            sum(captured[case_id].values()),
            sum(scanned[case_id].values()),
            case_id in held,
        )
        for case_id in sorted({*captured, *scanned, *held})
    ]
    return Usage(
        cases=tuple(sorted(cases, key=lambda one: -one.total)),
        kinds=tuple((kind, sum(sizes.values())) for kind, sizes in sorted(kinds.items())),
        on_disk=vault.used_bytes(),
        allowed=vault.max_bytes,
    )


def _kind(name: str) -> str:
    """Return the kind of a file of a capture: its folder, or its own name."""
    folder, _, _ = name.partition("/")
    return folder
