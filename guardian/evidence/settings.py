"""The settings of keeping evidence."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from guardian.fetch.settings import BrowserSettings
from guardian.strict_yaml import ByteSize


class CaptureSettings(BaseModel):
    """What is captured of each use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: tuple[Literal["opened", "changed", "returned"], ...] = Field(
        ("opened", "changed", "returned"),
        description="when a use is captured: its case opened, what is shown changed, it is back; [] only when asked",
    )
    max_requests: int = Field(
        60, ge=1, description="requests of one capture: page, picture, style sheets and pictures of the page"
    )
    max_bytes: ByteSize = Field(
        100 * 1024**2, gt=0, description="what one capture holds at most; what was left out is said in it"
    )


class EvidenceSettings(BaseModel):
    """How much evidence is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_bytes: ByteSize = Field(
        20 * 1024**3,
        gt=0,
        description="disk space for kept pages and images; once full, the least important make room for others",
    )
    capture: CaptureSettings = Field(
        CaptureSettings(), description="exchanges, pages and pictures captured as proof (docs/evidence.md)"
    )
    browser: BrowserSettings = Field(
        BrowserSettings(), description="the installed Chromium that takes screenshots; needs guardian[browser]"
    )
