"""Rights metadata inside an image file: IPTC-IIM, XMP and EXIF. Runs inside worker processes."""

import hashlib
import io
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from guardian.model import Rights

log = structlog.get_logger(__name__)
_LONGEST = 2_000
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """What a file says about itself."""

    rights: Rights = field(default_factory=Rights)
    title: str | None = None


def read_metadata(content: bytes) -> FileMetadata:
    """Rights and title of an encoded image; XMP counts before IPTC, IPTC before EXIF (Metadata Working Group).

    What cannot be read is left out: metadata is a courtesy, its damage no reason not to protect a picture.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            xmp, iptc, exif = _xmp(image), _iptc(image), _exif(image)
    except Exception:
        # Decoders raise anything on damaged metadata; the picture itself is judged elsewhere.
        log.exception("metadata_unreadable", sha256=hashlib.sha256(content).hexdigest())
        return FileMetadata()
    merged = {**exif, **iptc, **xmp}
    title = merged.pop("title", None)
    return FileMetadata(Rights(**merged), title)


def filled(said: Rights, found: Rights) -> Rights:
    """What the owner said, and what the file says where they said nothing."""
    mine, theirs = asdict(said), asdict(found)
    return Rights(**{name: mine[name] or theirs[name] for name in mine})


def _exif(image: Image.Image) -> dict[str, str]:
    exif = image.getexif()
    tags = {"creator": ExifTags.Base.Artist, "copyright_notice": ExifTags.Base.Copyright}
    return _present({name: exif.get(tag) for name, tag in tags.items()})


def _iptc(image: Image.Image) -> dict[str, str]:
    # IIM 4.2 records: 2:05 object name, 2:80 by-line, 2:110 credit, 2:116 copyright notice.
    fields = (IptcImagePlugin.getiptcinfo(image) if isinstance(image, ImageFile.ImageFile) else None) or {}
    records = {"title": (2, 5), "creator": (2, 80), "licensor": (2, 110), "copyright_notice": (2, 116)}
    return _present({name: fields.get(record) for name, record in records.items()})


def _xmp(image: Image.Image) -> dict[str, str]:
    found: dict[str, Any] = {}
    _collect(image.getxmp(), found, 0)
    return _present(
        {
            "title": found.get("title"),
            "creator": found.get("creator"),
            "copyright_notice": found.get("rights"),
            "licensor": found.get("LicensorName") or found.get("LicensorURL") or found.get("Credit"),
            "web_statement": found.get("WebStatement"),
        }
    )


def _collect(value: Any, found: dict[str, Any], depth: int) -> None:
    """The outermost value under each name, whatever the RDF around it looks like."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            found.setdefault(name.rpartition(":")[2], inner)
        for inner in value.values():
            _collect(inner, found, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found, depth + 1)


def _present(values: dict[str, Any]) -> dict[str, str]:
    texts = {name: _text(value) for name, value in values.items()}
    return {name: text for name, text in texts.items() if text}


def _text(value: Any) -> str:
    """The plain text of bytes, of RDF containers, and of language alternatives (the first one)."""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    if isinstance(value, dict):
        inner = next((value[key] for key in ("Alt", "Seq", "Bag", "li", "text") if key in value), "")
        return _text(inner)
    if isinstance(value, list):
        return ", ".join(text for text in (_text(part) for part in value[:5]) if text)
    line = "".join(sign if sign.isprintable() else " " for sign in str(value or ""))
    return " ".join(line.split())[:_LONGEST]
