"""Reads what an image file says of rights, identity and origin: EXIF, IPTC-IIM and XMP. Runs inside worker processes.

Hostile files cost no more than their bounds: no entity is expanded, no packet beyond a megabyte parsed, every value is
one cleaned line.
"""

import io
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import structlog
from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from guardian.matching.features.image import READABLE
from guardian.media.exif_text import as_utf8
from guardian.media.png_chunks import without_pixels
from guardian.views.plain_text import cleaned

log = structlog.get_logger(__name__)

_LONGEST = 1_000
_MOST_FIELDS = 400
_MOST_NODES = 20_000
_MOST_XMP = 1024**2


class Carrier(StrEnum):
    """Where in a file something is said."""

    EXIF = "EXIF"
    IPTC = "IPTC"
    XMP = "XMP"
    C2PA = "C2PA"


class Meaning(StrEnum):
    """What a field says. The values read well in a sentence."""

    TITLE = "title"
    CREATOR = "creator"
    OWNER = "owner of the copyright"
    NOTICE = "copyright notice"
    CREDIT = "credit line"
    TERMS = "terms of use"
    LICENCE_URL = "address of the licence"
    CONTACT = "contact"
    IDENTIFIER = "identifier of the picture"
    DOCUMENT_ID = "identifier of the document"
    CAMERA = "camera"
    PLACE = "place"
    PROVENANCE = "provenance"
    HISTORY = "history"
    CHECK = "check of the provenance"


MANAGEMENT_INFORMATION = frozenset(
    {
        Meaning.TITLE,
        Meaning.CREATOR,
        Meaning.OWNER,
        Meaning.NOTICE,
        Meaning.CREDIT,
        Meaning.TERMS,
        Meaning.LICENCE_URL,
        Meaning.CONTACT,
        Meaning.IDENTIFIER,
        Meaning.PROVENANCE,
    }
)
"""What may be copyright management information in the sense of 17 U.S.C. 1202(c): title, author, owner, terms and
conditions, identifying numbers, and links to such information."""


@dataclass(frozen=True, slots=True)
class MetadataField:
    """One statement of a file: where it stands, under which name of that standard, what it means, and its value."""

    carrier: Carrier
    name: str
    meaning: Meaning
    value: str


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """What a file says. `unread`: in sentences, what is there and could not be read."""

    fields: tuple[MetadataField, ...] = ()
    unread: tuple[str, ...] = ()


_EXIF_TAGS = {
    ExifTags.Base.Artist: ("Artist", Meaning.CREATOR),
    ExifTags.Base.XPAuthor: ("XPAuthor", Meaning.CREATOR),
    ExifTags.Base.Copyright: ("Copyright", Meaning.NOTICE),
    ExifTags.Base.ImageDescription: ("ImageDescription", Meaning.TITLE),
    ExifTags.Base.XPTitle: ("XPTitle", Meaning.TITLE),
    ExifTags.Base.Make: ("Make", Meaning.CAMERA),
    ExifTags.Base.Model: ("Model", Meaning.CAMERA),
}
_EXIF_CAMERA_TAGS = {
    ExifTags.Base.ImageUniqueID: ("ImageUniqueID", Meaning.IDENTIFIER),
    ExifTags.Base.CameraOwnerName: ("CameraOwnerName", Meaning.CREATOR),
    ExifTags.Base.BodySerialNumber: ("BodySerialNumber", Meaning.CAMERA),
    ExifTags.Base.LensSerialNumber: ("LensSerialNumber", Meaning.CAMERA),
}
_IPTC_RECORDS = {
    (2, 5): ("2:05 object name", Meaning.TITLE),
    (2, 40): ("2:40 special instructions", Meaning.TERMS),
    (2, 80): ("2:80 by-line", Meaning.CREATOR),
    (2, 103): ("2:103 transmission reference", Meaning.IDENTIFIER),
    (2, 110): ("2:110 credit", Meaning.CREDIT),
    (2, 115): ("2:115 source", Meaning.OWNER),
    (2, 116): ("2:116 copyright notice", Meaning.NOTICE),
    (2, 118): ("2:118 contact", Meaning.CONTACT),
}

_DC, _DCTERMS = "http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/"
_RIGHTS, _MM = "http://ns.adobe.com/xap/1.0/rights/", "http://ns.adobe.com/xap/1.0/mm/"
_PHOTOSHOP, _CC = "http://ns.adobe.com/photoshop/1.0/", "http://creativecommons.org/ns#"
_IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_PLUS, _AUX = "http://ns.useplus.org/ldf/xmp/1.0/", "http://ns.adobe.com/exif/1.0/aux/"
_EXIF_NS, _EXIF_EX = "http://ns.adobe.com/exif/1.0/", "http://cipa.jp/exif/1.0/"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_XMP_PROPERTIES = {
    f"{{{_DC}}}title": ("dc:title", Meaning.TITLE),
    f"{{{_DC}}}creator": ("dc:creator", Meaning.CREATOR),
    f"{{{_DC}}}rights": ("dc:rights", Meaning.NOTICE),
    f"{{{_DC}}}identifier": ("dc:identifier", Meaning.IDENTIFIER),
    f"{{{_DCTERMS}}}license": ("dcterms:license", Meaning.LICENCE_URL),
    f"{{{_DCTERMS}}}provenance": ("dcterms:provenance", Meaning.PROVENANCE),
    f"{{{_RIGHTS}}}Marked": ("xmpRights:Marked", Meaning.NOTICE),
    f"{{{_RIGHTS}}}Owner": ("xmpRights:Owner", Meaning.OWNER),
    f"{{{_RIGHTS}}}UsageTerms": ("xmpRights:UsageTerms", Meaning.TERMS),
    f"{{{_RIGHTS}}}WebStatement": ("xmpRights:WebStatement", Meaning.LICENCE_URL),
    f"{{{_RIGHTS}}}Certificate": ("xmpRights:Certificate", Meaning.LICENCE_URL),
    f"{{{_MM}}}DocumentID": ("xmpMM:DocumentID", Meaning.DOCUMENT_ID),
    f"{{{_MM}}}OriginalDocumentID": ("xmpMM:OriginalDocumentID", Meaning.DOCUMENT_ID),
    f"{{{_MM}}}InstanceID": ("xmpMM:InstanceID", Meaning.DOCUMENT_ID),
    f"{{{_PHOTOSHOP}}}Credit": ("photoshop:Credit", Meaning.CREDIT),
    f"{{{_PHOTOSHOP}}}Source": ("photoshop:Source", Meaning.OWNER),
    f"{{{_PHOTOSHOP}}}Instructions": ("photoshop:Instructions", Meaning.TERMS),
    f"{{{_PHOTOSHOP}}}TransmissionReference": ("photoshop:TransmissionReference", Meaning.IDENTIFIER),
    f"{{{_IPTC_CORE}}}CreatorContactInfo": ("Iptc4xmpCore:CreatorContactInfo", Meaning.CONTACT),
    f"{{{_IPTC_EXT}}}DigImageGUID": ("Iptc4xmpExt:DigImageGUID", Meaning.IDENTIFIER),
    f"{{{_IPTC_EXT}}}RegistryId": ("Iptc4xmpExt:RegistryId", Meaning.IDENTIFIER),
    f"{{{_CC}}}license": ("cc:license", Meaning.LICENCE_URL),
    f"{{{_CC}}}attributionName": ("cc:attributionName", Meaning.CREDIT),
    f"{{{_CC}}}attributionURL": ("cc:attributionURL", Meaning.CONTACT),
    f"{{{_AUX}}}OwnerName": ("aux:OwnerName", Meaning.CREATOR),
    f"{{{_AUX}}}SerialNumber": ("aux:SerialNumber", Meaning.CAMERA),
    f"{{{_AUX}}}LensSerialNumber": ("aux:LensSerialNumber", Meaning.CAMERA),
    f"{{{_EXIF_EX}}}BodySerialNumber": ("exifEX:BodySerialNumber", Meaning.CAMERA),
    f"{{{_EXIF_NS}}}ImageUniqueID": ("exif:ImageUniqueID", Meaning.IDENTIFIER),
    f"{{{_EXIF_NS}}}GPSLatitude": ("exif:GPSLatitude", Meaning.PLACE),
    f"{{{_EXIF_NS}}}GPSLongitude": ("exif:GPSLongitude", Meaning.PLACE),
}
_PLUS_MEANINGS = {
    "Licensor": Meaning.OWNER,
    "CopyrightOwner": Meaning.OWNER,
    "ImageCreator": Meaning.CREATOR,
    "ImageSupplier": Meaning.CREDIT,
    "CreditLineRequired": Meaning.CREDIT,
    "LicenseID": Meaning.IDENTIFIER,
    "ImageSupplierImageID": Meaning.IDENTIFIER,
    "CopyrightRegistrationNumber": Meaning.IDENTIFIER,
}
"""Of the Picture Licensing Universal System; what else it says are terms."""

# Marks that services write into files so that they are recognised: each names them in namespaces of its own.
_TRACING_SERVICE = re.compile(r"digimarc|imatag|digiguard|pixsy|picscout|imagerights", re.IGNORECASE)


def read_file_metadata(content: bytes) -> FileMetadata:
    """Return what an encoded picture says of rights, identity and origin, the fields in the order of their standards.

    Nothing is raised: what cannot be read is said.
    """
    fields: list[MetadataField] = []
    unread: list[str] = []
    readers: tuple[tuple[Carrier, Callable[[Image.Image], Iterator[MetadataField]]], ...]
    readers = ((Carrier.EXIF, _exif), (Carrier.IPTC, _iptc), (Carrier.XMP, _xmp))
    try:
        encoded = io.BytesIO(without_pixels(content))
        with warnings.catch_warnings(action="ignore"), Image.open(encoded, formats=READABLE) as image:
            for carrier, read in readers:
                try:
                    fields += read(image)
                except _TooLarge as error:
                    unread.append(str(error))
                # Readers raise anything on damaged bytes; the other carriers may still be good.
                except Exception as error:  # noqa: BLE001 - rich, behind log.exception, itself fails on some of them
                    log.warning("metadata_unreadable", kind=carrier.value, traceback=traceback.format_exc())
                    unread.append(f"{carrier.value} is there and cannot be read ({type(error).__name__})")
    except Exception as error:  # noqa: BLE001 - as above
        log.warning("metadata_unreadable", kind="file", traceback=traceback.format_exc())
        unread.append(f"the file cannot be opened ({type(error).__name__})")

    if b"http://ns.adobe.com/xmp/extension/" in content:
        unread.append("XMP goes on in extended segments, which are not read")
    if len(fields) > _MOST_FIELDS:
        unread.append(f"{len(fields) - _MOST_FIELDS} more fields are left out")
    return FileMetadata(tuple(fields[:_MOST_FIELDS]), tuple(unread))


class _TooLarge(Exception):
    """Metadata has more bytes than are read."""


def _field(carrier: Carrier, named: tuple[str, Meaning], value: Any) -> Iterator[MetadataField]:
    """Yield a field, cleaned; nothing for an empty value."""
    text = _text(value)
    if text:
        yield MetadataField(carrier, named[0], named[1], text)


def _exif(image: Image.Image) -> Iterator[MetadataField]:
    # A PNG's own method would look for its pixels again, which are not here.
    exif = Image.Image.getexif(image)
    for tag, named in _EXIF_TAGS.items():
        yield from _field(Carrier.EXIF, named, as_utf8(exif.get(tag)))
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    for tag, named in _EXIF_CAMERA_TAGS.items():
        yield from _field(Carrier.EXIF, named, as_utf8(camera.get(tag)))

    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    for name, at, side in (
        ("GPSLatitude", ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef),
        ("GPSLongitude", ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef),
    ):
        if at in place:
            yield from _field(Carrier.EXIF, (name, Meaning.PLACE), _degrees(place[at], place.get(side)))


def _degrees(parts: Any, side: Any) -> str:
    """Return degrees, minutes and seconds as a decimal, negative in the south and west."""
    degrees, minutes, seconds = (float(part) for part in parts)
    sign = -1 if str(side).upper() in ("S", "W") else 1
    return f"{sign * (degrees + minutes / 60 + seconds / 3600):.6f}"


def _iptc(image: Image.Image) -> Iterator[MetadataField]:
    if not isinstance(image, ImageFile.ImageFile):
        return
    found = IptcImagePlugin.getiptcinfo(image) or {}
    for record, named in _IPTC_RECORDS.items():
        yield from _field(Carrier.IPTC, named, found.get(record))


def _xmp(image: Image.Image) -> Iterator[MetadataField]:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    if len(packet) > _MOST_XMP:
        raise _TooLarge(f"XMP has {len(packet):,} bytes; more than {_MOST_XMP:,} are not read")
    if not packet:
        return
    content = packet.encode() if isinstance(packet, str) else packet
    root = defusedxml.ElementTree.fromstring(content.rstrip(b"\0 \r\n\t"))

    nodes = 0
    # Those within others are parts of structures: the title of a step of the history, say.
    for description in (one for rdf in root.iter(f"{_RDF}RDF") for one in rdf.findall(f"{_RDF}Description")):
        nodes += len(description) + 1
        if nodes > _MOST_NODES:
            raise _TooLarge(f"XMP has more than {_MOST_NODES:,} nodes")
        for name, value in description.attrib.items():
            yield from _property(name, value)
        for child in description:
            yield from _property(str(child.tag), _flattened(child))


def _property(name: str, value: str) -> Iterator[MetadataField]:
    """Yield a property that is known, by its name in Clark's notation: {namespace}name."""
    namespace, _, local = name.removeprefix("{").rpartition("}")
    if local == "Marked" and namespace == _RIGHTS:
        value = f"marked as copyrighted: {value}"
    if name in _XMP_PROPERTIES:
        yield from _field(Carrier.XMP, _XMP_PROPERTIES[name], value)
    elif namespace == _PLUS and local != "Version":
        yield from _field(Carrier.XMP, (f"plus:{local[:60]}", _PLUS_MEANINGS.get(local, Meaning.TERMS)), value)
    elif service := _TRACING_SERVICE.search(namespace):
        yield from _field(Carrier.XMP, (f"{service[0].lower()}:{local[:60]}", Meaning.IDENTIFIER), value)


def _flattened(element: Element) -> str:
    """Return the texts within an element, those of structures after their names; of languages the default one."""
    default = next((one for one in element.iter(f"{_RDF}li") if one.get(_XML_LANG) == "x-default"), None)
    if default is not None:
        return default.text or ""

    parts: dict[str, None] = {}
    for number, one in enumerate(element.iter()):
        if number > _MOST_NODES or len(parts) > 40:
            break
        text = (one.text or one.get(f"{_RDF}resource") or "").strip()
        if text:
            parts[text if one is element or one.tag == f"{_RDF}li" else f"{_local(one.tag)}: {text}"] = None
        for name, value in one.attrib.items():
            if not name.startswith((_RDF, _XML_LANG)):
                parts[f"{_local(name)}: {value}"] = None
    return "; ".join(parts)


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]


def _text(value: Any) -> str:
    """Return a value as one cleaned line, bounded: bytes are UTF-8 or else Latin-1, lists are joined."""
    if isinstance(value, list | tuple):
        return "; ".join(filter(None, (_text(part) for part in value[:20])))[:_LONGEST]
    if isinstance(value, bytes):
        # Windows' own tags are UTF-16, which is full of zeros.
        is_wide = len(value) >= 4 and value[1:8:2].count(0) > 1
        try:
            value = value.decode("utf-16-le" if is_wide else "utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    return cleaned(str("" if value is None else value)[: 4 * _LONGEST])[:_LONGEST]
