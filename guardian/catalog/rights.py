"""Reads rights metadata in image files: IPTC-IIM, XMP, EXIF and PNG text. Runs inside worker processes."""

import io
import traceback
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from guardian.matching.features.image import READABLE
from guardian.media.completeness import is_cut_off
from guardian.media.exif_text import as_utf8
from guardian.media.png_chunks import without_pixels
from guardian.model import Description, Rights

log = structlog.get_logger(__name__)
_LONGEST = 2_000
_MOST_PARTS = 5
_MOST_KEYWORDS = 60
_MOST_NODES = 20_000


@dataclass(frozen=True, slots=True)
class AssetMetadata:
    """What a file says about itself. `damaged` names the kinds of metadata that are there and cannot be read.

    `is_cut_off`: the file ends before its format says.
    """

    rights: Rights = field(default_factory=Rights)
    title: str | None = None
    damaged: tuple[str, ...] = ()
    is_cut_off: bool = False
    description: Description = field(default_factory=Description)


def read_metadata(content: bytes) -> AssetMetadata:
    """Return rights and title of an encoded image. XMP overrides IPTC, IPTC overrides EXIF (Metadata Working Group).

    Damaged metadata is left out: it is no reason not to protect a picture.
    """
    readers: tuple[tuple[str, Callable[[Image.Image], dict[str, str]]], ...]
    readers = (("PNG text", _png_words), ("EXIF", _exif), ("IPTC", _iptc), ("XMP", _xmp))
    merged: dict[str, str] = {}
    damaged = []
    try:
        encoded = io.BytesIO(without_pixels(content))
        with warnings.catch_warnings(action="ignore"), Image.open(encoded, formats=READABLE) as image:
            for kind, read in readers:
                try:
                    merged.update(read(image))
                # Readers raise anything on damaged bytes; the other kinds of metadata may still be good.
                except Exception:  # noqa: BLE001 - rich, behind log.exception, itself fails on some of them
                    log.warning("metadata_unreadable", kind=kind, traceback=traceback.format_exc())
                    damaged.append(kind)
    # Whether the picture itself can be read is told where it is decoded.
    except Exception:  # noqa: BLE001 - as above
        log.warning("metadata_unreadable", kind="file", traceback=traceback.format_exc())
        damaged.append("file")

    title = merged.pop("title", None)
    description = Description(merged.pop("keywords", None), merged.pop("caption", None))
    return AssetMetadata(Rights(**merged), title, tuple(damaged), is_cut_off(content), description)


def filled(stated: Rights, found: Rights) -> Rights:
    """Return the rights that the owner stated, each empty one filled from those found in the file."""
    by_owner, in_file = asdict(stated), asdict(found)
    return Rights(**{name: by_owner[name] or in_file[name] for name in by_owner})


def _png_words(image: Image.Image) -> dict[str, str]:
    if image.format != "PNG":
        return {}
    # The keywords that the PNG specification itself gives these meanings.
    words = {"title": "Title", "creator": "Author", "copyright_notice": "Copyright"}
    return _present({name: image.info.get(word) for name, word in words.items()})


def _exif(image: Image.Image) -> dict[str, str]:
    # A PNG's own method would look for its pixels again, which are not here.
    exif = Image.Image.getexif(image)
    tags = {"creator": ExifTags.Base.Artist, "copyright_notice": ExifTags.Base.Copyright}
    return _present({name: as_utf8(exif.get(tag)) for name, tag in tags.items()})


def _iptc(image: Image.Image) -> dict[str, str]:
    # IIM 4.2 records: 2:05 object name, 2:80 by-line, 2:110 credit, 2:116 copyright notice; below, 2:25 keywords and
    # 2:120 caption.
    fields = (IptcImagePlugin.getiptcinfo(image) if isinstance(image, ImageFile.ImageFile) else None) or {}
    records = {"title": (2, 5), "creator": (2, 80), "licensor": (2, 110), "copyright_notice": (2, 116)}
    found = _present({name: fields.get(record) for name, record in records.items()})
    return found | _described(fields.get((2, 25)), fields.get((2, 120)))


def _xmp(image: Image.Image) -> dict[str, str]:
    found = _outermost(image.getxmp())
    described = _described(found.get("subject"), found.get("description"))
    return described | _present(
        {
            "title": found.get("title"),
            "creator": found.get("creator"),
            "copyright_notice": found.get("rights"),
            "licensor": found.get("LicensorName") or found.get("LicensorURL") or found.get("Credit"),
            "web_statement": found.get("WebStatement"),
        }
    )


def _outermost(tree: Any) -> dict[str, Any]:
    """Return the outermost value under each name, whatever the RDF around it looks like."""
    found: dict[str, Any] = {}
    pending = deque([tree])
    seen = 0
    while pending and seen < _MOST_NODES:
        seen += 1
        value = pending.popleft()
        if isinstance(value, dict):
            for name, inner in value.items():
                found.setdefault(name.rpartition(":")[2], inner)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return found


def _described(keywords: Any, caption: Any) -> dict[str, str]:
    """Return keywords, divided by commas, and caption; what is empty is left out."""
    texts = {"keywords": _text(keywords, _MOST_KEYWORDS), "caption": _text(caption)}
    return {name: text for name, text in texts.items() if text}


def _present(values: dict[str, Any]) -> dict[str, str]:
    texts = {name: _text(value) for name, value in values.items()}
    return {name: text for name, text in texts.items() if text}


def _text(value: Any, most: int = _MOST_PARTS) -> str:
    """Return the plain text of bytes, lists of names, RDF containers, and language alternatives (the default).

    Of a list at most so many parts count.
    """
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    if isinstance(value, dict):
        if "Alt" in value:
            return _text(_default_language(value["Alt"]))
        return _text(next((value[key] for key in ("Seq", "Bag", "li", "text") if key in value), ""), most)
    if isinstance(value, list):
        value = ", ".join(text for text in (_text(part) for part in value[:most]) if text)
    line = "".join(sign if sign.isprintable() else " " for sign in str(value or ""))
    return " ".join(line.split())[:_LONGEST]


def _default_language(alternatives: Any) -> Any:
    """Return the x-default entry of an `<rdf:Alt>`, else its first."""
    entries = alternatives.get("li", "") if isinstance(alternatives, dict) else alternatives
    if not isinstance(entries, list):
        return entries
    default = (entry for entry in entries if isinstance(entry, dict) and entry.get("lang") == "x-default")
    return next(default, entries[0] if entries else "")
