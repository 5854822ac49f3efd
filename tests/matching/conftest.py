"""What the tests of matching share."""

import pytest

from guardian.matching.settings import MatchingSettings


@pytest.fixture(scope="session")
def settings() -> MatchingSettings:
    """The shipped settings."""
    return MatchingSettings()
