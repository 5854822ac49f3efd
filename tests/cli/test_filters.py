"""What people give as names, before the database is asked."""

import pytest

from guardian.cli.filters import collection_name
from guardian.errors import UsageError


@pytest.mark.parametrize("text", ["", " ", "press\n2026", "\x1b[31m"])
def test_a_collection_has_a_name_that_can_be_read(text: str) -> None:
    with pytest.raises(UsageError, match="--collection: a name has at least one letter"):
        collection_name(text)
    assert (collection_name("Messe Köln"), collection_name(None)) == ("Messe Köln", None)
