"""The manifest of a bundle: its members with their digests, as JSON of which there is one form only (RFC 8785)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from guardian.model import LostMember, LostState

FORMAT = "guardian-evidence/1"
PARTIAL_FORMAT = "guardian-evidence/2"
"""Of bundles that lack something. A guardian that does not know what they may lack must not call them whole."""

BLOCK_BYTES = 1 << 20
"""Members that are larger than this have a digest of each such part too, so that a change is found more exactly."""

MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.json", "manifest.sig", "manifest.pub"
TIMESTAMP, AUTHORITIES = "manifest.tsr", "tsa-chain.pem"
INSTRUCTIONS, SUMS, REPORT = "VERIFY.txt", "SHA256SUMS", "report.pdf"
CASE, HISTORY, SIGHTINGS = "case.json", "history.jsonl", "sightings.csv"

_OUTER = (MANIFEST, SIGNATURE, PUBLIC_KEY, TIMESTAMP, AUTHORITIES)
"""Members that stand before those of the manifest, which cannot name them."""

NAME = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
"""What a member may be called: no spaces, no way out of the folder that it is unpacked to."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 240


@dataclass(frozen=True, slots=True)
class Listed:
    """One member as the manifest names it. `blocks`: digests of its parts of BLOCK_BYTES, when it has several."""

    name: str
    sha256: str
    size_bytes: int
    media_type: str
    about: str
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is signed and stamped."""

    case_id: str
    """The case that the bundle is of."""

    made_at: datetime

    guardian_version: str

    key: str
    """SHA-256 of the public key (DER) that signs."""

    is_stamped: bool
    """Whether the bundle carries a time stamp."""

    members: tuple[Listed, ...]

    lost: tuple[LostMember, ...] = ()
    """Members that were lost before the bundle was made."""

    left_out: tuple[str, ...] = ()
    """What was left out on purpose, in sentences."""

    @property
    def is_partial(self) -> bool:
        """Whether the bundle lacks something of its case."""
        return bool(self.lost or self.left_out)

    def content(self) -> bytes:
        """Return the manifest as the bytes that are signed."""
        told: dict[str, Any] = {
            "format": PARTIAL_FORMAT if self.is_partial else FORMAT,
            "case": self.case_id,
            "made_at": self.made_at.astimezone(UTC).isoformat(timespec="seconds"),
            "guardian": self.guardian_version,
            "key": self.key,
            "timestamp": self.is_stamped,
            "members": [_listed_json(member) for member in self.members],
        }
        if self.is_partial:
            told["missing"] = [_lost_json(member) for member in self.lost]
            told["left_out"] = list(self.left_out)
        return canonical_json(told)


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """Return JSON as RFC 8785 wants it: UTF-8, keys in order, no blanks. Numbers must be integers, keys ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace")


def read_manifest(content: bytes) -> Manifest:
    """Return a manifest that was read. Raises ValueError, in words, for what is none of this format."""
    try:
        read = json.loads(content)
    except ValueError as error:
        raise ValueError("it is not JSON") from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(read, dict) or read.get("format") not in (FORMAT, PARTIAL_FORMAT):
        raise ValueError(
            f"its format is neither {FORMAT} nor {PARTIAL_FORMAT}; a bundle of a later guardian needs that one"
        )

    try:
        manifest = Manifest(
            case_id=_text(read["case"]),
            made_at=datetime.fromisoformat(_text(read["made_at"])),
            guardian_version=_text(read["guardian"]),
            key=_digest(read["key"]),
            is_stamped=read["timestamp"] is True,
            members=tuple(_listed(one) for one in read["members"]),
            lost=tuple(_lost(one) for one in read.get("missing", ())),
            left_out=tuple(_text(one) for one in read.get("left_out", ())),
        )
        same = manifest.content() == content
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ValueError("a field is missing or has another form") from error
    if not same:
        raise ValueError("it is not in canonical form")

    names = [*(member.name for member in manifest.members), *(member.name for member in manifest.lost)]
    # Of two members with one name some programs show the first and some the last.
    if len({*names, *_OUTER}) < len(names) + len(_OUTER):
        raise ValueError("it names a member twice")
    return manifest


def is_member_name(name: str) -> bool:
    """Return whether a member may have this name."""
    return len(name) <= _LONGEST_NAME and NAME.fullmatch(name) is not None


def _listed_json(member: Listed) -> dict[str, Any]:
    listed: dict[str, Any] = {
        "name": member.name,
        "sha256": member.sha256,
        "bytes": member.size_bytes,
        "media_type": member.media_type,
        "about": member.about,
    }
    if member.blocks:
        listed["blocks"] = list(member.blocks)
    return listed


def _listed(one: Mapping[str, Any]) -> Listed:
    size, name = one["bytes"], _text(one["name"])
    blocks = tuple(_digest(block) for block in one.get("blocks", ()))
    if type(size) is not int or size < 0 or not is_member_name(name):
        raise ValueError("a size or a name is impossible")
    if blocks and len(blocks) != -(-size // BLOCK_BYTES):
        raise ValueError("the parts of a member do not make its size")
    return Listed(name, _digest(one["sha256"]), size, _text(one["media_type"]), _text(one["about"]), blocks)


def _lost_json(member: LostMember) -> dict[str, Any]:
    return {
        "name": member.name,
        "sha256": member.sha256,
        "bytes": member.size_bytes,
        "about": member.about,
        "found": member.state.value,
    }


def _lost(one: Mapping[str, Any]) -> LostMember:
    size, name = one["bytes"], _text(one["name"])
    is_size = size is None or (type(size) is int and size >= 0)
    if not is_size or not is_member_name(name):
        raise ValueError("a size or a name is impossible")
    return LostMember(name, _digest(one["sha256"]), size, _text(one["about"]), LostState(one["found"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise TypeError
    return value
