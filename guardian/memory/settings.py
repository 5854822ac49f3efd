"""The settings of the memory. Imports nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field

from guardian.strict_yaml import ByteSize, Duration, duration


class MemorySettings(BaseModel):
    """What is remembered of the pictures that scans compare, and for how long."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        True, description="remember every picture that scans compare: where it was seen, a small fingerprint, a preview"
    )
    max_bytes: ByteSize = Field(
        10 * 1024**3,
        gt=0,
        description="disk space for fingerprints and previews, 12 kB a picture; those not seen for longest go first",
    )
    keep: Duration = Field(duration("1y"), description="a picture that was not seen again for so long is forgotten")
