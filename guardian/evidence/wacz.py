"""Writes a WARC file as a WACZ 1.1.1 (specs.webrecorder.net/wacz), which the usual viewers replay."""

import gzip
import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from guardian.evidence.warc import WarcEntry

WACZ_VERSION = "1.1.1"
WARC_NAME = "data.warc.gz"
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReplayedPage:
    """A page that a viewer offers to show: its address, when it was requested, and its title."""

    url: str
    at: datetime
    title: str


@dataclass(frozen=True, slots=True)
class WaczFacts:
    """What a WACZ says of itself: its title, the program that made it, and when."""

    title: str
    software: str
    created: datetime


def write_wacz(
    path: Path, warc: Path, entries: Sequence[WarcEntry], pages: Sequence[ReplayedPage], facts: WaczFacts
) -> None:
    """Write a new WACZ file with one WARC file, an index of its entries, and the list of pages, the main one first.

    Nothing is compressed twice: what is within is stored, so that viewers can read it by ranges.
    """
    index, blocks = _index(entries)
    members: list[tuple[str, bytes | Path]] = [
        ("pages/pages.jsonl", _page_list(pages)),
        (f"archive/{WARC_NAME}", warc),
        ("indexes/index.cdx.gz", index),
        ("indexes/index.idx", blocks),
    ]
    package = _package([_resource(name, content) for name, content in members], pages, facts)
    signed = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(package).hexdigest()}"}
    members += [("datapackage.json", package), ("datapackage-digest.json", _json_bytes(signed))]

    made = facts.created.astimezone(UTC)
    # Zip files know no earlier day; a machine without a clock of its own may start in 1970.
    moment = max((made.year, made.month, made.day, made.hour, made.minute, made.second), (1980, 1, 1, 0, 0, 0))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            member = zipfile.ZipInfo(name, moment)
            member.external_attr = 0o644 << 16
            # Known beforehand, so that a local header has the long form of sizes only where the directory has it too:
            # viewers take the length of the one from the other, and would read each record 20 bytes too early.
            member.file_size = content.stat().st_size if isinstance(content, Path) else len(content)
            with archive.open(member, "w") as file:
                for piece in _pieces(content):
                    file.write(piece)


def surt(url: str) -> str:
    """Return the key by which indexes are sorted: the host's labels from the last to the first, then the path.

    As viewers of WACZ compute it to find an address: in lower case, without www, the parameters of the query in order.
    """
    parts = urlsplit(url.lower())
    labels = (parts.hostname or "").split(".")
    if labels[0].startswith("www") and labels[0][3:].isdigit() | (labels[0] == "www") and len(labels) > 1:
        labels = labels[1:]
    port = f":{parts.port}" if parts.port not in (None, 80 if parts.scheme == "http" else 443) else ""
    query = ""
    if parts.query:
        query = "?" + urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True), key=lambda pair: pair[0]))
    return f"{','.join(reversed(labels))}{port}){parts.path or '/'}{query}"


def _index(entries: Sequence[WarcEntry]) -> tuple[bytes, bytes]:
    """Return a compressed CDXJ index, and the list of its blocks, which is how viewers look into it."""
    lines = sorted(_index_line(entry) for entry in entries)
    block = gzip.compress("".join(lines).encode("utf-8"), mtime=0)
    about = [f"!meta 0 {_json({'format': 'cdxj-gzip-1.0', 'filename': 'index.cdx.gz'})}\n"]
    if lines:
        where = {"offset": 0, "length": len(block), "digest": f"sha256:{hashlib.sha256(block).hexdigest()}"}
        about.append(f"{lines[0].partition('{')[0].strip()} {_json(where)}\n")
    return block, "".join(about).encode("utf-8")


def _index_line(entry: WarcEntry) -> str:
    facts = {
        "url": entry.url,
        "mime": entry.media_type,
        "status": str(entry.status),
        "digest": entry.digest,
        "length": str(entry.length),
        "offset": str(entry.offset),
        "filename": WARC_NAME,
    }
    return f"{surt(entry.url)} {entry.at.astimezone(UTC):%Y%m%d%H%M%S} {_json(facts)}\n"


def _page_list(pages: Sequence[ReplayedPage]) -> bytes:
    lines: list[dict[str, Any]] = [{"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}]
    for page in pages:
        id_ = hashlib.sha256(f"{_instant(page.at)} {page.url}".encode()).hexdigest()[:22]
        lines.append({"id": id_, "url": page.url, "ts": _instant(page.at), "title": page.title})
    return b"".join(_json_bytes(line) + b"\n" for line in lines)


def _package(resources: Sequence[dict[str, Any]], pages: Sequence[ReplayedPage], facts: WaczFacts) -> bytes:
    package: dict[str, Any] = {
        "profile": "data-package",
        "wacz_version": WACZ_VERSION,
        "title": facts.title,
        "software": facts.software,
        "created": _instant(facts.created),
        "resources": list(resources),
    }
    if pages:
        package |= {"mainPageUrl": pages[0].url, "mainPageDate": _instant(pages[0].at)}
    return json.dumps(package, indent=2, ensure_ascii=False).encode("utf-8", "replace")


def _resource(name: str, content: bytes | Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(content):
        digest.update(piece)
        size += len(piece)
    return {"name": name.rpartition("/")[2], "path": name, "hash": f"sha256:{digest.hexdigest()}", "bytes": size}


def _pieces(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        yield from iter(lambda: file.read(_PIECE), b"")


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json_bytes(value: object) -> bytes:
    # Titles of strangers may hold half a character, which UTF-8 does not have.
    return _json(value).encode("utf-8", "replace")
