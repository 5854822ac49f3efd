"""What a user may set about matching."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from guardian.matching.settings import EmbeddingSettings, MatchingSettings


def test_nothing_set_is_the_working_default() -> None:
    settings = MatchingSettings()
    assert (settings.profile, settings.workers, settings.timeout) == ("full", 0, timedelta(seconds=30))
    assert EmbeddingSettings().model is None
    assert settings.max_bytes < settings.max_memory


def test_every_setting_says_what_it_is_for() -> None:
    for model in (MatchingSettings, EmbeddingSettings):
        assert [name for name, field in model.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"workers": -1},
        {"workers": 1000},
        {"max_pixels": 0},
        {"max_frames": 0},
        {"max_bytes": "lots"},
        {"timeout": "soon"},
        {"profile": "quick"},
        {"wokers": 2},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MatchingSettings.model_validate(wrong)


def test_sizes_and_times_are_written_with_units() -> None:
    settings = MatchingSettings.model_validate({"max_bytes": "20MB", "max_memory": "2GiB", "timeout": "1m"})
    assert (settings.max_bytes, settings.max_memory) == (20_000_000, 2 * 1024**3)
    assert settings.timeout == timedelta(minutes=1)


def test_settings_are_hashable_and_cannot_change() -> None:
    """A worker keeps the matcher that it opened for them."""
    assert hash(MatchingSettings(workers=2)) == hash(MatchingSettings(workers=2))
    with pytest.raises(ValidationError):
        MatchingSettings().workers = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("weights", "is_file"),
    [
        ("laion2b_s34b_b79k", False),
        ("openai", False),
        (None, False),
        ("sscd.torchscript", True),
        ("weights/clip.pt", True),
        ("~/clip", True),
        ("model.safetensors", True),
    ],
)
def test_tags_are_told_from_files(weights: str | None, is_file: bool) -> None:
    assert EmbeddingSettings(model="ViT-B-32", weights=weights).names_a_file == is_file
