"""Settings of coverage: when a source counts as in trouble. Imports nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class CoverageSettings(BaseModel):
    """When a source is in trouble, and who is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deliver_to: tuple[str, ...] = Field(
        (), description="destinations that are told when a source fails, falls silent or shrinks; none by default"
    )
    failing_after: int = Field(3, ge=1, description="so many failed scans in a row are trouble")
    silent_after: int = Field(3, ge=1, description="no complete scan for so many of the source's intervals is trouble")
    shrunk_to: float = Field(
        0.5, gt=0, lt=1, description="fewer images than this share of the source's usual scan is trouble"
    )
    usual_scans: int = Field(5, ge=2, le=100, description="the usual scan is the median of so many before the last")
