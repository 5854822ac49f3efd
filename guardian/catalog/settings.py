"""Declares the settings of the catalogue. Imports nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field

from guardian.strict_yaml import Duration, duration


class CatalogSettings(BaseModel):
    """How assets are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: int = Field(
        256,
        ge=1,
        le=4096,
        description="assets stored in one step; an interruption loses the work on no more than these",
    )
    near_identical_bits: int = Field(
        24, ge=0, le=64, description="a new asset is reported as nearly identical to another within so many of 256 bits"
    )
    join_versions: bool = Field(
        True,
        description="an asset that shows the same whole picture as another becomes part of its work; false: only "
        "`guardian work join` makes works of several assets",
    )
    found_from: float = Field(
        0.6,
        ge=0,
        le=1,
        description="an asset is named as weak when its half-size or recompressed copy is found with less probability",
    )
    wait: Duration = Field(
        duration("1m"), description="how long adding and rebuilding wait while another process changes the index"
    )
