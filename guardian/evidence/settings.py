"""The settings of keeping evidence."""

from pydantic import BaseModel, ConfigDict, Field

from guardian.fetch.settings import BrowserSettings
from guardian.strict_yaml import ByteSize


class EvidenceSettings(BaseModel):
    """How much evidence is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_bytes: ByteSize = Field(
        20 * 1024**3,
        gt=0,
        description="disk space for kept pages and images; once full, the least important make room for others",
    )
    browser: BrowserSettings = Field(
        BrowserSettings(), description="the installed Chromium that takes screenshots; needs guardian[browser]"
    )
