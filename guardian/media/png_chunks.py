"""Takes PNG files apart, so that what they say about themselves can be read without decoding their pixels."""

from collections.abc import Iterator

_START = b"\x89PNG\r\n\x1a\n"


def without_pixels(content: bytes) -> bytes:
    """Return a PNG without its pixels: Pillow decodes them all to look for metadata that may come after them.

    Other files are returned as they are.
    """
    if not content.startswith(_START):
        return content
    return _START + b"".join(chunk for kind, chunk in chunks_of(content) if kind not in (b"IDAT", b"fdAT"))


def chunks_of(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and bytes of each chunk of a PNG: 4 bytes length, 4 type, data, 4 checksum."""
    at = len(_START)
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        yield content[at + 4 : at + 8], content[at : at + 12 + length]
        at += 12 + length
