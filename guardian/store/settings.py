"""Where guardian's database is. Imports nothing heavy."""

from pydantic import BaseModel, ConfigDict, Field


class StoreSettings(BaseModel):
    """Settings of the database."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of a PostgreSQL database; none: the SQLite file guardian.db in the data folder",
    )
