"""The settings of notices, and who the owner of the works is."""

from datetime import date
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from guardian.model.notices import NoticeLanguage
from guardian.notices.mail_address import mail_address
from guardian.strict_yaml import Duration, duration


class Capacity(StrEnum):
    """In which capacity somebody signs: as the owner of the rights, or authorised to act for the owner."""

    OWNER = "owner"
    AGENT = "agent"


class OwnerSettings(BaseModel):
    """Who owns the works and signs notices. Nothing of it is needed before a notice is drafted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, description="the owner of the rights: a person or a company")
    address: str | None = Field(None, description="postal address; commas or line breaks part its lines")
    email: str | None = Field(None, description="mail address for answers")
    phone: str | None = Field(None, description="telephone number, with the country's code")
    website: str | None = Field(None, description="where the works are published, if anywhere")
    signs_as: str | None = Field(None, description="the person who signs: full name, and position in a company")
    capacity: Capacity = Field(Capacity.OWNER, description="owner, or agent: authorised to act for the owner")

    @field_validator("email")
    @classmethod
    def _is_address(cls, text: str | None) -> str | None:
        return None if text is None else mail_address(text)


class NoticeSettings(BaseModel):
    """How notices are drafted, who may let them go, and which days are no business days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    templates: Path | None = Field(
        None, description="folder of your own templates (`guardian notice templates --to FOLDER`); null: those shipped"
    )
    language: NoticeLanguage = Field(NoticeLanguage.ENGLISH, description="of notices for which none is named")
    four_eyes: bool = Field(
        False,
        description="whoever approves a notice must be a person, and not who drafted it or made the token that did",
    )
    answer_within: Duration = Field(
        duration("7d"),
        description="the time that notices set; it ends on a working day; when it is over, that is told of",
    )
    holidays: tuple[date, ...] = Field(
        (), description="no working days, beside weekends and, for counter notices, US federal holidays: [2026-12-24]"
    )
