"""Settings of the database: where it is, and how long it keeps rows. Imports nothing heavy."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from guardian.strict_yaml import Duration, duration


class StoreSettings(BaseModel):
    """Settings of the database."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of a PostgreSQL database; null: the SQLite file guardian.db in the data folder",
    )


class ProcessSettings(BaseModel):
    """How processes on one database know of each other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lease: Duration = Field(
        duration("60s"),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="a process without a heartbeat for so long is lost, and others take over its work; at most 1h",
    )


class RetentionSettings(BaseModel):
    """How long rows are kept that are of no use any more. Cases, findings and their histories are never pruned."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deliveries: Duration = Field(
        duration("365d"),
        description="messages that were delivered; those that are due or dead are always kept",
    )
    scans: Duration = Field(
        duration("365d"), description="reports of scans; the latest, and the latest complete one, of each source stay"
    )
    responses: Duration = Field(
        duration("90d"), description="what sites last answered at an address; counted from the last scan that met it"
    )
    candidates: Duration = Field(
        duration("180d"),
        description="what was measured of pictures that no stored answer leads to; they would be matched anew",
    )
