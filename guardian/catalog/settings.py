"""What a user may set about the catalogue. Imports nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class CatalogSettings(BaseModel):
    """How assets are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: int = Field(
        256, ge=1, le=4096, description="assets made durable together; an interruption redoes at most these"
    )
    near_duplicate: float = Field(
        0.9, ge=0.5, le=1, description="a new asset at least this probably a copy of another one is named as such"
    )
