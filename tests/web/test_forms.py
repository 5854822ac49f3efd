"""What fields of forms hold, and what is wrong with them."""

import asyncio
import io

import pytest
from starlette.datastructures import UploadFile

from guardian.errors import UsageError
from guardian.web.pages.forms import day_in, picture_in

MOST_BYTES = 50 * 1024**2


def test_a_picture_is_refused_beyond_50_mib_with_the_command_that_takes_it() -> None:
    def sent(size: int) -> int:
        return len(asyncio.run(picture_in(UploadFile(io.BytesIO(bytes(size))), "`guardian check`")))

    assert sent(MOST_BYTES) == MOST_BYTES
    with pytest.raises(UsageError, match="50 MiB here; use `guardian check` for larger ones"):
        sent(MOST_BYTES + 1)


def test_a_day_is_read_and_anything_else_is_shown_with_an_example() -> None:
    assert day_in("") is None
    assert str(day_in("2026-02-28")) == "2026-02-28"
    with pytest.raises(UsageError, match="'2026-02-30' is not a date"):
        day_in("2026-02-30")
