"""The catalogue's settings: working defaults, and values that make no sense refused."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from guardian.catalog.settings import CatalogSettings


def test_defaults_work_and_every_key_says_why() -> None:
    settings = CatalogSettings()
    assert (settings.batch, settings.near_identical_bits) == (256, 24)
    assert all(field.description for field in CatalogSettings.model_fields.values())


@pytest.mark.parametrize(
    "values",
    [{"batch": 0}, {"batch": 5_000}, {"near_identical_bits": -1}, {"near_identical_bits": 65}, {"batches": 3}],
)
def test_what_makes_no_sense_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=next(iter(values))):
        CatalogSettings(**values)  # type: ignore[arg-type]


def test_reading_settings_loads_nothing_heavy() -> None:
    program = (
        "import sys, guardian.catalog.settings, guardian.catalog\n"
        "assert not {'numpy', 'cv2', 'sqlalchemy', 'PIL'} & set(sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
