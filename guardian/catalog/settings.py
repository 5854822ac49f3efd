"""Declares the settings of the catalogue. Imports nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class CatalogSettings(BaseModel):
    """How assets are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: int = Field(
        256, ge=1, le=4096, description="assets made durable together; an interruption redoes at most these"
    )
    near_identical_bits: int = Field(
        24, ge=0, le=64, description="a new asset whose 256-bit hash differs in no more bits from another's is named"
    )
