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
        self._coding, self._held = coding, b""
        self._inflater: zlib._Decompress | None = None

    def feed(self, chunk: bytes, room: int) -> bytes:
        """At most `room` + 1 bytes: one byte too many tells the caller that there is more. Raises NotDecodable."""
        if not self._coding:
            return chunk[: room + 1]
        out, left = bytearray(), self._held + chunk
        self._held = b""
        while left and len(out) <= room:
            if self._inflater is None or self._inflater.eof:
                if len(left) < len(_GZIP_MAGIC):
                    # What begins here is told from its first two bytes.
                    self._held = left
                    break
                if not self._begins(left):
                    break
            assert self._inflater is not None
            try:
                out += self._inflater.decompress(left, room + 1 - len(out))
            except zlib.error as error:
                raise NotDecodable(f"not {self._coding}: {error}") from error
            left = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
        return bytes(out)

    def finish(self) -> None:
        """The body has ended. Raises NotDecodable when its coding had not."""
        if (self._held and self._inflater is None) or (self._inflater is not None and not self._inflater.eof):
            raise NotDecodable(f"the {self._coding} body ends too early")

    def _begins(self, start: bytes) -> bool:
        """Make ready for what begins here; False when it is padding after the end, which browsers pass over."""
        if "gzip" in self._coding:
            if self._inflater is not None and not start.startswith(_GZIP_MAGIC):
                return False
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            return True
        if self._inflater is not None:
            return False
        # Half of all servers leave out the zlib wrapping (RFC 1950) that `deflate` means.
        is_wrapped = start[0] & 15 == 8 and int.from_bytes(start[:2], "big") % 31 == 0
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS)
        return True
