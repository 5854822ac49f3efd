"""Content codings undone within bounds."""

import gzip
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from guardian.fetch.decoding import Decoder, NotDecodable


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


CODED = {
    "": lambda content: content,
    "gzip": gzip.compress,
    "x-gzip": lambda content: gzip.compress(content[:3]) + gzip.compress(content[3:]),
    "deflate": zlib.compress,
}


@given(some.binary(max_size=3000), some.sampled_from(sorted(CODED)), some.integers(1, 50))
def test_whatever_was_coded_comes_back_however_it_is_cut(content: bytes, coding: str, step: int) -> None:
    coded = CODED[coding](content)
    decoder, plain = Decoder(coding), b""
    for start in range(0, len(coded), step):
        plain += decoder.feed(coded[start : start + step], 5000 - len(plain))
    decoder.finish()
    assert plain == content


@given(some.binary(min_size=1, max_size=3000), some.integers(1, 50))
def test_deflate_without_its_wrapping_comes_back_too(content: bytes, step: int) -> None:
    coded = raw_deflate(content)
    decoder, plain = Decoder("deflate"), b""
    for start in range(0, len(coded), step):
        plain += decoder.feed(coded[start : start + step], 5000)
    decoder.finish()
    assert plain == content


@given(some.binary(max_size=500), some.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_decoded_or_refused(content: bytes, coding: str) -> None:
    decoder = Decoder(coding)
    with suppress(NotDecodable):
        assert len(decoder.feed(content, 10_000)) <= 10_001
        decoder.finish()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_makes_no_more_than_was_asked_for(coding: str) -> None:
    bomb = CODED[coding](bytes(50_000_000))
    assert len(bomb) < 60_000
    assert len(Decoder(coding).feed(bomb, 1000)) == 1001
