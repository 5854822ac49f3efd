"""What image files say of rights, identity and origin, in every carrier; hostile metadata costs nothing."""

import io
import time

import pytest
from PIL import ExifTags, Image

from guardian.evidence.file_metadata import Carrier, FileMetadata, Meaning, MetadataField, read_file_metadata
from tests.catalog.test_rights import app13, exif, iptc, jpeg, png, tiff, webp, xmp

FIELDS = """
<dc:creator><rdf:Seq><rdf:li>Åsa Öberg</rdf:li><rdf:li>山田太郎</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="de">© Öberg (de)</rdf:li>
<rdf:li xml:lang="x-default">© 2026 Öberg</rdf:li></rdf:Alt></dc:rights>
<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">Only with a licence</rdf:li></rdf:Alt>
</xmpRights:UsageTerms>
<xmpRights:WebStatement>https://oeberg.example/rights?a=1&amp;b=2</xmpRights:WebStatement>
<xmpRights:Marked>True</xmpRights:Marked>
<photoshop:Credit>Bildbyrå AB</photoshop:Credit>
<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorName>Bildbyrå AB</plus:LicensorName>
<plus:LicensorURL>https://bildbyra.example</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>
<plus:LicenseID>L-77</plus:LicenseID><plus:Version>2.0</plus:Version>
<Iptc4xmpExt:DigImageGUID xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">guid-1</Iptc4xmpExt:DigImageGUID>
<d:ID xmlns:d="http://ns.digimarc.com/x/1.0/">D-12</d:ID>
<xmpMM:History><rdf:Seq><rdf:li><rdf:Description dc:title="not this one"/></rdf:li></rdf:Seq></xmpMM:History>
"""
ATTRIBUTES = ' xmpMM:DocumentID="xmp.did:1" xmpMM:InstanceID="xmp.iid:2"'


def by_name(metadata: FileMetadata) -> dict[str, tuple[Meaning, str]]:
    return {field.name: (field.meaning, field.value) for field in metadata.fields}


@pytest.mark.parametrize("write", [jpeg, png, webp, tiff])
def test_xmp(write: object) -> None:
    found = read_file_metadata(write(packet=xmp(FIELDS, ATTRIBUTES)))  # type: ignore[operator]
    assert found.unread == ()
    assert {field.carrier for field in found.fields} == {Carrier.XMP}
    assert by_name(found) == {
        "xmpMM:DocumentID": (Meaning.DOCUMENT_ID, "xmp.did:1"),
        "xmpMM:InstanceID": (Meaning.DOCUMENT_ID, "xmp.iid:2"),
        "dc:creator": (Meaning.CREATOR, "Åsa Öberg; 山田太郎"),
        "dc:rights": (Meaning.NOTICE, "© 2026 Öberg"),
        "xmpRights:UsageTerms": (Meaning.TERMS, "Only with a licence"),
        "xmpRights:WebStatement": (Meaning.LICENCE_URL, "https://oeberg.example/rights?a=1&b=2"),
        "xmpRights:Marked": (Meaning.NOTICE, "marked as copyrighted: True"),
        "photoshop:Credit": (Meaning.CREDIT, "Bildbyrå AB"),
        "plus:Licensor": (Meaning.OWNER, "LicensorName: Bildbyrå AB; LicensorURL: https://bildbyra.example"),
        "plus:LicenseID": (Meaning.IDENTIFIER, "L-77"),
        "Iptc4xmpExt:DigImageGUID": (Meaning.IDENTIFIER, "guid-1"),
        "digimarc:ID": (Meaning.IDENTIFIER, "D-12"),
    }


def test_exif_with_camera_and_place() -> None:
    fields = exif("Jürgen Groß".encode(), "(c) 2026 Groß")
    fields[ExifTags.Base.Make] = "Kamera"
    camera = fields.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.BodySerialNumber] = "12345"
    camera[ExifTags.Base.ImageUniqueID] = "abc"
    place = fields.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLongitudeRef] = "S", "E"
    place[ExifTags.GPS.GPSLatitude], place[ExifTags.GPS.GPSLongitude] = (33.0, 51.0, 36.0), (151.0, 12.0, 0.0)
    found = by_name(read_file_metadata(jpeg(fields=fields)))
    assert found["Artist"] == (Meaning.CREATOR, "Jürgen Groß")
    assert found["Make"] == (Meaning.CAMERA, "Kamera")
    assert found["BodySerialNumber"] == (Meaning.CAMERA, "12345")
    assert found["ImageUniqueID"] == (Meaning.IDENTIFIER, "abc")
    assert found["GPSLatitude"] == (Meaning.PLACE, "-33.860000")
    assert found["GPSLongitude"] == (Meaning.PLACE, "151.200000")


def test_iptc() -> None:
    stream = iptc({(2, 80): ["Zoë".encode()], (2, 110): [b"Agency"], (2, 116): [b"(c)"], (2, 118): [b"x@y.example"]})
    found = by_name(read_file_metadata(jpeg(stream=stream)))
    assert found == {
        "2:80 by-line": (Meaning.CREATOR, "Zoë"),
        "2:110 credit": (Meaning.CREDIT, "Agency"),
        "2:116 copyright notice": (Meaning.NOTICE, "(c)"),
        "2:118 contact": (Meaning.CONTACT, "x@y.example"),
    }


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<x:xmpmeta xmlns:x="adobe:ns:meta/">&c;</x:xmpmeta>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>"""
DEEP = b"<a>" * 200_000 + b"</a>" * 200_000
WIDE = xmp("<plus:P>x</plus:P>" * 25_000)


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (BOMB, "XMP is there and cannot be read (EntitiesForbidden)"),
        (OUTSIDE, "XMP is there and cannot be read (EntitiesForbidden)"),
        (b"<x:xmpmeta", "XMP is there and cannot be read (ParseError)"),
        (WIDE, "XMP has more than 20,000 nodes"),
        (b"<x>" + b" " * 2**20 + b"</x>", "XMP has 1,048,583 bytes; more than 1,048,576 are not read"),
        (b"<x>" + b"y" * 10 * 2**20 + b"</x>", "XMP has 10,485,767 bytes; more than 1,048,576 are not read"),
    ],
)
def test_hostile_xmp_is_bounded_and_said(packet: bytes, words: str) -> None:
    began = time.process_time()
    found = read_file_metadata(webp(packet=packet))
    assert found == FileMetadata(unread=(words,))
    assert time.process_time() - began < 2


def test_deep_xmp_says_nothing_and_does_no_harm() -> None:
    assert read_file_metadata(webp(packet=DEEP)).fields == ()


def test_values_are_one_clean_line_and_bounded() -> None:
    packet = xmp(f"<dc:rights>\u202eevil&#10;\tname {'z' * 5000}</dc:rights>")
    (field,) = read_file_metadata(jpeg(packet=packet)).fields
    assert field.value.startswith("evil name zzz")
    assert len(field.value) == 1_000


@pytest.mark.parametrize("content", [b"", b"GIF89a", jpeg()[:200], b"\x89PNG\r\n\x1a\n" + b"\xff" * 50])
def test_damaged_files_are_said(content: bytes) -> None:
    found = read_file_metadata(content)
    assert found.fields == ()
    assert found.unread == () or "cannot be opened" in found.unread[0]


def test_extended_xmp_is_said() -> None:
    body = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 60
    content = jpeg()
    content = content[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + content[2:]
    assert read_file_metadata(content).unread == ("XMP goes on in extended segments, which are not read",)


def test_damaged_exif_leaves_the_rest() -> None:
    written = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(written, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff", xmp=xmp(FIELDS))
    content = written.getvalue()
    found = read_file_metadata(content[:2] + app13(iptc({(2, 80): [b"Zo"]})) + content[2:])
    assert MetadataField(Carrier.IPTC, "2:80 by-line", Meaning.CREATOR, "Zo") in found.fields
    assert ("Åsa Öberg; 山田太郎") in {field.value for field in found.fields}
