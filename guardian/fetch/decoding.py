"""Content codings undone within bounds: however much a few bytes would become, no more than asked for is made."""

import zlib

CODINGS = frozenset(["gzip", "x-gzip", "deflate"])
"""What guardian asks for and can undo; `br` and `zstd` come only from servers that do not listen."""

_GZIP_MAGIC = b"\x1f\x8b"


class NotDecodable(ValueError):
    """The bytes are not what their coding says."""


class Decoder:
    """Undoes one coding (RFC 9110, 8.4.1) as chunks come in. `coding` is one of CODINGS, or "" for none."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | (16 if "gzip" in coding else 0)) if coding else None
        self._begun = False

    def feed(self, chunk: bytes, room: int) -> bytes:
        """At most `room` + 1 bytes: one byte too many tells the caller that there is more. Raises NotDecodable."""
        if self._inflater is None:
            return chunk[: room + 1]
        out, left = bytearray(), chunk
        while left and len(out) <= room:
            if self._inflater.eof:
                # gzip allows several members; anything else after the end is padding, which browsers pass over.
                if "gzip" not in self._coding or not left.startswith(_GZIP_MAGIC):
                    break
                self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            out += self._inflate(left, room + 1 - len(out))
            left = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
        return bytes(out)

    def finish(self) -> None:
        """The body has ended. Raises NotDecodable when its coding had not."""
        if self._inflater is not None and self._begun and not self._inflater.eof:
            raise NotDecodable(f"the {self._coding} body ends too early")

    def _inflate(self, chunk: bytes, most: int) -> bytes:
        assert self._inflater is not None
        try:
            inflated = self._inflater.decompress(chunk, most)
        except zlib.error as error:
            if self._begun or self._coding != "deflate":
                raise NotDecodable(f"not {self._coding}: {error}") from error
            # Half of all servers leave out the zlib wrapping that `deflate` means.
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            self._begun = True
            return self._inflate(chunk, most)
        self._begun = True
        return inflated


def gunzipped(content: bytes, limit: int) -> bytes:
    """A gzip file unpacked, or any other bytes as they are. Raises NotDecodable, also above `limit` bytes."""
    if not content.startswith(_GZIP_MAGIC):
        return content
    decoder = Decoder("gzip")
    plain = decoder.feed(content, limit)
    if len(plain) > limit:
        raise NotDecodable(f"unpacks to more than {limit} bytes")
    decoder.finish()
    return plain
