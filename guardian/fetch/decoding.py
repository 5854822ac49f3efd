"""Decodes content codings within bounds: a few bytes that expand to gigabytes yield no more than was asked for."""

import zlib

_CODINGS = frozenset(["gzip", "x-gzip", "deflate"])
_UNDECODABLE = frozenset(["br", "zstd", "compress", "x-compress", "dcb", "dcz"])
"""Codings that were not asked for, and come only from servers that ignore Accept-Encoding."""

_GZIP_MAGIC = b"\x1f\x8b"
_START_OF_TRAILER = bytes(4)
"""Too few for the trailer of gzip (RFC 1952, 2.3), and enough for a decompressor to find that it is wrong."""


class NotDecodable(ValueError):
    """The bytes are not in the coding that the answer states."""


def coding_of(header: str) -> str:
    """Return the one content coding that a Content-Encoding header states, "" for none. Raises NotDecodable.

    A name that is no coding, such as UTF-8, none or aws-chunked, is passed over, as browsers do.
    """
    stated = [part.strip() for part in header.lower().split(",")]
    codings = [name for name in stated if name in _CODINGS | _UNDECODABLE]
    if len(codings) > 1 or not _CODINGS.issuperset(codings):
        raise NotDecodable(f"content-encoding {', '.join(codings)} was not asked for")
    return codings[0] if codings else ""


class Decoder:
    """Decodes one coding (RFC 9110, 8.4.1) as chunks come in: what `coding_of` returned."""

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
                raise NotDecodable(f"its {self._coding} data is damaged, or is something else") from error
            left = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
        return bytes(out)

    def finish(self) -> None:
        """Note the end of the body. Raises NotDecodable when the coded data ended too early.

        A checksum that is missing at the end is no loss: some servers forget it.
        """
        if self._inflater is None:
            ends_too_early = bool(self._held)
        else:
            ends_too_early = not self._inflater.eof and not self._lacks_only_trailer()
        if ends_too_early:
            raise NotDecodable(f"the {self._coding} body ends too early")

    def _lacks_only_trailer(self) -> bool:
        """Return whether all data came, and only the checksum or length behind it is missing."""
        assert self._inflater is not None
        try:
            self._inflater.copy().decompress(_START_OF_TRAILER)
        except zlib.error as error:
            # Within the data, four bytes too few make a decompressor wait, or complain of the data.
            return "incorrect data check" in str(error) or "incorrect length check" in str(error)
        return False

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
