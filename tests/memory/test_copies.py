"""Copies among remembered pictures, where nothing is remembered yet."""

import io
from pathlib import Path

import pytest
from PIL import Image

from guardian.errors import Unmatchable
from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings
from guardian.memory.copies import CopiesFound, copies_of
from guardian.memory.reading import MemoryReader
from tests.memory.made import picture


def test_an_empty_memory_knows_no_copies(tmp_path: Path) -> None:
    reader, matcher = MemoryReader(tmp_path, "recipe"), Matcher(MatchingSettings(), None)
    reader.refresh()
    written = io.BytesIO()
    Image.fromarray(picture(1).rgb).save(written, "PNG")

    assert copies_of(reader, matcher, written.getvalue()) == CopiesFound((), 0, is_complete=True)
    with pytest.raises(Unmatchable):
        copies_of(reader, matcher, b"no picture")
