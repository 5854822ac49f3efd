"""Decodes content codings within bounds: a few bytes that expand to gigabytes yield no more than was asked for."""

import zlib

CODINGS = frozenset(["gzip", "x-gzip", "deflate"])
"""What guardian accepts and decodes; `br` and `zstd` come only from servers that ignore Accept-Encoding."""

_GZIP_MAGIC = b"\x1f\x8b"


class NotDecodable(ValueError):
    """The bytes are not in the coding that the answer states."""


class Decoder:
    """Decodes one coding (RFC 9110, 8.4.1) as chunks come in. `coding` is one of CODINGS, or "" for none."""

    def __init__(self, coding: str) -> None:
        self._coding, self._held = coding, b""
        self._inflater: zlib._Decompress | None = None

    def feed(self, chunk: bytes, limit: int) -> bytes:
        """Return what a chunk decodes to, at most `limit` + 1 bytes. Raises NotDecodable.

        The one byte more than `limit` tells the caller that there is more.
        """
        if not self._coding:
            return chunk[: limit + 1]

        out, left = bytearray(), self._held + chunk
        self._held = b""
        while left and len(out) <= limit:
            if self._inflater is None or self._inflater.eof:
                if len(left) < len(_GZIP_MAGIC):
                    # The format is told by the first two bytes, so wait for the second.
                    self._held = left
                    break
                if not self._start_member(left):
                    break

            assert self._inflater is not None
            try:
                out += self._inflater.decompress(left, limit + 1 - len(out))
            except zlib.error as error:
                raise NotDecodable(f"not {self._coding}: {error}") from error
            left = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
        return bytes(out)

    def finish(self) -> None:
        """Note the end of the body. Raises NotDecodable when the coded data ended too early."""
        if (self._held and self._inflater is None) or (self._inflater is not None and not self._inflater.eof):
            raise NotDecodable(f"the {self._coding} body ends too early")

    def _start_member(self, start: bytes) -> bool:
        """Open a decompressor for the data that begins here; False when it is padding, which browsers ignore.

        A gzip body may have several members (RFC 1952, 2.2).
        """
        if "gzip" in self._coding:
            if self._inflater is not None and not start.startswith(_GZIP_MAGIC):
                return False
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            return True

        if self._inflater is not None:
            return False

        # Many servers leave out the zlib header (RFC 1950) that `deflate` means, so it is told by its checksum.
        is_wrapped = start[0] & 15 == 8 and int.from_bytes(start[:2], "big") % 31 == 0
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS if is_wrapped else -zlib.MAX_WBITS)
        return True
