"""What is said of the mail address that a notice is written to."""

import asyncio

import pytest

from guardian.scan.recheck.notice_addresses import recipient_doubt
from tests.notices.conftest import Bench, bench

__all__ = ["bench"]


@pytest.mark.parametrize(
    ("recipient", "said"),
    [
        (None, None),
        ("Thief Ltd", None),
        ("https://thief.example/form", None),
        (
            "abuse@Thief.example",
            "abuse@Thief.example: thief.example was not asked about: it is a reserved name",
        ),
    ],
)
def test_a_reserved_or_unknown_domain_is_named(bench: Bench, recipient: str | None, said: str | None) -> None:
    notice = bench.draft(bench.used("https://thief.example/1"), recipient=recipient).notice
    assert asyncio.run(recipient_doubt(notice)) == said
