"""Rights fields as cameras, Photoshop and Lightroom write them, built byte by byte in real image files."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from guardian.catalog.rights import AssetMetadata, filled, read_metadata
from guardian.model import Description, Rights

PICTURE = Image.fromarray(np.random.default_rng(3).integers(0, 256, (60, 80, 3), dtype=np.uint8))

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"{attributes}>{fields}</rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""

FIELDS = """
<xmpMM:History><rdf:Seq><rdf:li rdf:parseType="Resource"><dc:title>not this one</dc:title></rdf:li></rdf:Seq>
</xmpMM:History>
<dc:title><rdf:Alt><rdf:li xml:lang="de">Düne bei Regen</rdf:li><rdf:li xml:lang="x-default">Dune in rain</rdf:li>
</rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Åsa Öberg</rdf:li><rdf:li>山田太郎</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© 2026 Åsa Öberg</rdf:li></rdf:Alt></dc:rights>
<xmpRights:WebStatement>https://oeberg.example/rights?a=1&amp;b=2</xmpRights:WebStatement>
<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorName>Bildbyrå AB</plus:LicensorName>
<plus:LicensorURL>https://bildbyra.example</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>"""

FROM_XMP = Rights("Åsa Öberg, 山田太郎", "© 2026 Åsa Öberg", "Bildbyrå AB", "https://oeberg.example/rights?a=1&b=2")


def xmp(fields: str = FIELDS, attributes: str = "") -> bytes:
    return PACKET.format(fields=fields, attributes=attributes).encode()


def exif(artist: str | bytes | None = None, notice: str | None = None) -> Image.Exif:
    made = Image.Exif()
    if artist is not None:
        made[ExifTags.Base.Artist] = artist
    if notice is not None:
        made[ExifTags.Base.Copyright] = notice
    return made


def iptc(records: dict[tuple[int, int], list[bytes]]) -> bytes:
    """An IIM stream."""
    return b"".join(
        struct.pack(">BBBH", 0x1C, *record, len(value)) + value
        for record, values in records.items()
        for value in values
    )


def app13(stream: bytes) -> bytes:
    """The JPEG segment in which Photoshop keeps an IIM stream."""
    padded = stream + b"\0" * (len(stream) % 2)
    body = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(stream)) + padded
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def jpeg(*, packet: bytes | None = None, fields: Image.Exif | None = None, stream: bytes | None = None) -> bytes:
    written = io.BytesIO()
    PICTURE.save(written, "JPEG", **({"xmp": packet} if packet else {}), **({"exif": fields} if fields else {}))
    content = written.getvalue()
    return content if stream is None else content[:2] + app13(stream) + content[2:]


def png(*, packet: bytes | None = None, fields: Image.Exif | None = None, stream: bytes | None = None) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    if packet:
        chunks.add_itxt("XML:com.adobe.xmp", packet.decode())
    written = io.BytesIO()
    PICTURE.save(written, "PNG", pnginfo=chunks, **({"exif": fields} if fields else {}))
    return written.getvalue()


def webp(*, packet: bytes | None = None, fields: Image.Exif | None = None, stream: bytes | None = None) -> bytes:
    written = io.BytesIO()
    PICTURE.save(written, "WEBP", **({"xmp": packet} if packet else {}), **({"exif": fields} if fields else {}))
    return written.getvalue()


def tiff(*, packet: bytes | None = None, fields: Image.Exif | None = None, stream: bytes | None = None) -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in (fields or {}).items():
        tags[tag] = value
    for tag, kind, content in ((700, 1, packet), (33723, 7, stream)):
        if content:
            tags.tagtype[tag] = kind
            tags[tag] = content
    written = io.BytesIO()
    PICTURE.save(written, "TIFF", tiffinfo=tags)
    return written.getvalue()


Writer = Callable[..., bytes]
every_format = pytest.mark.parametrize("write", [jpeg, png, webp, tiff])


@every_format
def test_a_file_without_metadata_says_nothing(write: Writer) -> None:
    assert read_metadata(write()) == AssetMetadata()


@every_format
def test_xmp(write: Writer) -> None:
    assert read_metadata(write(packet=xmp())) == AssetMetadata(FROM_XMP, "Dune in rain")


def test_keywords_and_captions_of_xmp_and_iptc() -> None:
    packet = xmp(
        "<dc:subject><rdf:Bag>" + "".join(f"<rdf:li>word {at}</rdf:li>" for at in range(8)) + "</rdf:Bag></dc:subject>"
        '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Dunes, 沙丘</rdf:li></rdf:Alt></dc:description>'
    )
    assert read_metadata(jpeg(packet=packet)).description == Description(
        ", ".join(f"word {at}" for at in range(8)), "Dunes, 沙丘"
    )
    stream = iptc({(2, 25): [b"sand", "Düne".encode()], (2, 120): [b"A caption"]})
    assert read_metadata(jpeg(stream=stream)).description == Description("sand, Düne", "A caption")


@every_format
def test_exif(write: Writer) -> None:
    found = read_metadata(write(fields=exif("Ansel Adams", "(c) 1942 Ansel Adams")))
    assert found == AssetMetadata(Rights("Ansel Adams", "(c) 1942 Ansel Adams"))


@pytest.mark.parametrize("write", [jpeg, tiff])
@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
def test_iptc(write: Writer, charset: str) -> None:
    stream = iptc(
        {
            (1, 90): [b"\x1b%G"] if charset == "utf-8" else [],
            (2, 5): ["Düne".encode(charset)],
            (2, 80): ["Jürgen Groß".encode(charset), "Zoë".encode(charset)],
            (2, 110): ["Bildagentur Süd".encode(charset)],
            (2, 116): ["© Jürgen Groß".encode(charset)],
        }
    )
    found = read_metadata(write(stream=stream))
    assert found == AssetMetadata(Rights("Jürgen Groß, Zoë", "© Jürgen Groß", "Bildagentur Süd"), "Düne")


@pytest.mark.parametrize("write", [jpeg, tiff])
def test_xmp_counts_before_iptc_before_exif_field_by_field(write: Writer) -> None:
    stream = iptc({(2, 80): [b"iptc creator"], (2, 116): [b"iptc notice"], (2, 5): [b"iptc title"]})
    packet = xmp("<dc:creator><rdf:Seq><rdf:li>xmp creator</rdf:li></rdf:Seq></dc:creator>")
    fields = exif("exif creator", "exif notice")
    all_three = read_metadata(write(packet=packet, fields=fields, stream=stream))
    assert all_three == AssetMetadata(Rights("xmp creator", "iptc notice"), "iptc title")
    assert read_metadata(write(packet=packet, fields=fields)) == AssetMetadata(Rights("xmp creator", "exif notice"))


def test_exif_in_utf8_against_the_rule_and_in_latin1_are_both_read() -> None:
    utf8 = jpeg(fields=exif("Jürgen Groß".encode(), "© Jürgen"))
    assert read_metadata(utf8).rights.creator == "Jürgen Groß"
    latin = jpeg(fields=exif("Jürgen Groß".encode("latin-1")))
    assert read_metadata(latin).rights.creator == "Jürgen Groß"


def test_xmp_as_attributes_and_with_only_some_fields() -> None:
    packet = xmp("", ' photoshop:Credit="Agence Presse" xmpRights:WebStatement="https://a.example/r"')
    found = read_metadata(jpeg(packet=packet))
    assert found == AssetMetadata(Rights(licensor="Agence Presse", web_statement="https://a.example/r"))


def test_xmp_without_a_default_language_gives_the_first() -> None:
    packet = xmp(
        '<dc:title><rdf:Alt><rdf:li xml:lang="sv">Dyn</rdf:li><rdf:li xml:lang="de">Düne</rdf:li></rdf:Alt></dc:title>'
    )
    assert read_metadata(png(packet=packet)).title == "Dyn"


def test_a_licensor_known_only_by_address() -> None:
    packet = xmp(
        '<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorURL>https://l.example</plus:LicensorURL>'
        "</rdf:li></rdf:Seq></plus:Licensor>"
    )
    assert read_metadata(webp(packet=packet)).rights.licensor == "https://l.example"


def test_png_keeps_words_and_metadata_behind_its_pixels_too() -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "Émile", zip=True)
    words.add_itxt("Copyright", "© Émile 東京")
    words.add_text("Title", "Dune")
    written = io.BytesIO()
    PICTURE.save(written, "PNG", pnginfo=words)
    assert read_metadata(written.getvalue()) == AssetMetadata(Rights("Émile", "© Émile 東京"), "Dune")
    data = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp()
    late = struct.pack(">I", len(data)) + b"iTXt" + data + struct.pack(">I", zlib.crc32(b"iTXt" + data))
    end = written.getvalue().index(b"IEND") - 4
    behind = written.getvalue()[:end] + late + written.getvalue()[end:]
    assert read_metadata(behind) == AssetMetadata(FROM_XMP, "Dune in rain")


@pytest.mark.parametrize("cut", [9, 20, 33, 50, 70])
def test_a_png_that_is_cut_off_is_no_trouble(cut: int) -> None:
    assert read_metadata(png(packet=xmp())[:cut]).rights == Rights()


@every_format
@pytest.mark.parametrize(
    "packet",
    [
        b"<not xml",
        xmp()[:400],
        xmp().replace(b"</rdf:Seq>", b""),
        b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
    ],
)
def test_damaged_xmp_leaves_the_rest(write: Writer, packet: bytes) -> None:
    found = read_metadata(write(packet=packet, fields=exif("Ann")))
    assert found == AssetMetadata(Rights("Ann"), damaged=("XMP",))


def test_xmp_in_no_encoding_at_all() -> None:
    assert read_metadata(jpeg(packet=b"\xff\xfe\x00", fields=exif("Ann"))).rights == Rights("Ann")


def test_damaged_exif_and_iptc_leave_the_rest() -> None:
    whole = jpeg(packet=xmp(), fields=exif("Ann", "(c) Ann"), stream=iptc({(2, 80): [b"Ann"]}))
    at = whole.index(b"Exif\0\0") + 6
    for damage in (b"\xff" * 12, b"II*\0\xff\xff\xff\x7f", b"MM\0*\0\0\0\x08\xff\xff"):
        found = read_metadata(whole[:at] + damage + whole[at + len(damage) :])
        assert (found.rights, found.title) == (FROM_XMP, "Dune in rain")
    at = whole.index(b"8BIM") + 12
    cut = whole[:at] + b"\x1c\x02\x50\xff\xff" + whole[at + 5 :]
    assert read_metadata(cut).rights == FROM_XMP


def test_any_flipped_byte_of_the_metadata_is_survived() -> None:
    whole = jpeg(packet=xmp(), fields=exif("Ann", "(c) Ann"), stream=iptc({(2, 80): [b"Ann"]}))
    heads = whole.index(b"\xff\xdb")
    generator = np.random.default_rng(5)
    titles = set()
    for at in generator.integers(2, heads, 250):
        flipped = bytearray(whole)
        flipped[at] ^= int(generator.integers(1, 256))
        titles.add(read_metadata(bytes(flipped)).title)
    assert "Dune in rain" in titles


def test_deep_and_long_metadata_is_bounded() -> None:
    deep = xmp("<dc:creator>" * 9_000 + "</dc:creator>" * 9_000)
    assert read_metadata(png(packet=deep)).rights.creator is None
    long = xmp(f"<dc:creator><rdf:Seq>{'<rdf:li>Ann</rdf:li>' * 50}</rdf:Seq></dc:creator>")
    assert read_metadata(jpeg(packet=long)).rights.creator == "Ann, Ann, Ann, Ann, Ann"
    endless = read_metadata(jpeg(fields=exif(None, "n" * 9_000))).rights.copyright_notice
    assert endless == "n" * 2_000


def test_signs_that_move_the_cursor_are_taken_out() -> None:
    found = read_metadata(jpeg(fields=exif("Ann\x1b[2J\r\nBob\0Editor", " \t ")))
    assert found.rights == Rights("Ann [2J Bob Editor")


def test_what_is_no_image_has_no_metadata() -> None:
    assert read_metadata(b"").damaged == ("file",)
    assert read_metadata(b"%PDF-1.7 rest") == AssetMetadata(damaged=("file",))


def test_what_the_owner_says_counts_before_what_the_file_says() -> None:
    said = Rights(creator="Owner", registration="VA 1-234")
    found = Rights(creator="File", licensor="Agency")
    assert filled(said, found) == Rights(creator="Owner", licensor="Agency", registration="VA 1-234")
    assert filled(Rights(), Rights()) == Rights()
