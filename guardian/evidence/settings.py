"""The settings of keeping evidence."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from guardian.fetch.settings import BrowserSettings
from guardian.model import CaseState
from guardian.strict_yaml import ByteSize, Duration, duration
from guardian.urls.addresses import host_name


def _web_address(url: str) -> str:
    if not url.startswith(("https://", "http://")) or len(url) < 10:
        raise ValueError("must be an address that begins with https:// or http://")
    return url


class TimestampSettings(BaseModel):
    """An authority that stamps bundles with the time (RFC 3161)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="where it answers to time-stamp queries")
    ca_file: Path | None = Field(
        None, description="its root certificate (PEM), where this machine does not know it; counts from this file"
    )

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        return _web_address(url)


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


class KeptFor(BaseModel):
    """How long the evidence of a case is kept after the last news of it, by its state; null is for ever.

    Open and confirmed cases, and those with a notice, are kept for ever: somebody still has to deal with them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dismissed: Duration | None = Field(None, description="of cases that are of no interest")
    licensed: Duration | None = Field(None, description="of cases whose uses are all licensed")
    gone: Duration | None = Field(None, description="of cases whose uses are all gone")
    closed: Duration | None = Field(None, description="of cases that a person has called done (closed or resolved)")

    @property
    def ages(self) -> dict[CaseState, timedelta]:
        """The ages that are set, by state."""
        ages = {
            CaseState.DISMISSED: self.dismissed,
            CaseState.LICENSED: self.licensed,
            CaseState.GONE: self.gone,
            CaseState.CLOSED: self.closed,
            CaseState.RESOLVED: self.closed,
        }
        return {state: age for state, age in ages.items() if age is not None}


class RdapSettings(BaseModel):
    """Whether registries are asked who is behind a site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        False,
        description="ask registries about the domain and the address of a site (RDAP); they learn of the question",
    )
    endpoint: str | None = Field(
        None,
        description="server that is asked, such as https://rdap.org/; null asks the registries that IANA's lists name",
    )
    bootstrap: Path | None = Field(
        None,
        description="folder with newer lists (dns.json, ipv4.json, ipv6.json) of https://data.iana.org/rdap/",
    )

    @field_validator("endpoint")
    @classmethod
    def _is_web_address(cls, url: str | None) -> str | None:
        return url if url is None else _web_address(url)


class TakedownSettings(BaseModel):
    """Where a host wants to be told of copies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, AfterValidator(host_name)] = Field(description="the site; its subdomains are meant too")
    address: str = Field(min_length=3, max_length=500, description="a page with a form, or a mail address")
    note: str = Field("", max_length=500, description="what you want to remember of it")


class EvidenceSettings(BaseModel):
    """How much evidence is kept, and what bundles are stamped with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_bytes: ByteSize = Field(
        20 * 1024**3,
        gt=0,
        description="disk space for kept pages and images; once full, the least important make room for others",
    )
    timestamps: tuple[TimestampSettings, ...] = Field(
        (), description="authorities that stamp bundles with the time, asked in turn: [{url: https://...}]"
    )
    timestamp_patience: Duration = Field(
        duration("60s"), description="how long an export asks again while no authority answers"
    )
    retention: KeptFor = Field(
        KeptFor(), description="how long after the last news of a case its evidence is kept, by state; null is for ever"
    )
    capture: CaptureSettings = Field(
        CaptureSettings(), description="exchanges, pages and pictures captured as proof (docs/evidence.md)"
    )
    rdap: RdapSettings = Field(
        RdapSettings(), description="registries that are asked who is behind a site, for captures; none by default"
    )
    takedown_addresses: tuple[TakedownSettings, ...] = Field(
        (), description="where hosts want to be told of copies, beside what guardian knows: [{host, address, note}]"
    )
    browser: BrowserSettings = Field(
        BrowserSettings(), description="the installed Chromium that takes screenshots; needs guardian[browser]"
    )
