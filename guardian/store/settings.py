"""Where guardian's database is. Imports nothing heavy."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from guardian.strict_yaml import Duration, duration


class StoreSettings(BaseModel):
    """Settings of the database."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of a PostgreSQL database; none: the SQLite file guardian.db in the data folder",
    )


class ProcessSettings(BaseModel):
    """How processes on one database know of each other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lease: Duration = Field(
        duration("60s"),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="a process not heard of for so long is lost, and another takes over its work; at most 1h",
    )
