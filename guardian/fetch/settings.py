"""The settings of visits to other people's sites. Imports nothing heavy."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, PlainSerializer, field_validator

from guardian import __version__
from guardian.fetch.hours import Hours, hours
from guardian.strict_yaml import ByteSize, Duration, duration


def _network(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        network = None
    if network is None or "/" not in value:
        raise ValueError(f"{value!r} is not a network; write ADDRESS/BITS, such as 127.0.0.0/8 or ::1/128")
    if str(network.network_address) != value.partition("/")[0]:
        raise ValueError(f"{value!r} is an address within a network; the whole network is {network}")
    return network


Network = Annotated[IPvAnyNetwork, BeforeValidator(_network), PlainSerializer(str, return_type=str)]


def _hours(value: object) -> object:
    if value is None or isinstance(value, Hours):
        return value
    if isinstance(value, str):
        return hours(value)
    raise ValueError(f"{value!r} is not a stretch of the day; write two times in UTC: 22:00-06:00")


WorkingHours = Annotated[Hours, BeforeValidator(_hours), PlainSerializer(str, return_type=str)]


class FetchSettings(BaseModel):
    """How guardian visits other people's sites."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contact: str | None = Field(
        None, description="your e-mail address or page, told to every site; required before the first scan"
    )
    user_agent: str | None = Field(
        None,
        description="null sends guardian/VERSION and the contact; robots.txt is read for the name before the slash",
    )
    allow_networks: tuple[Network, ...] = Field(
        (), description="private networks that may be visited nevertheless, such as 127.0.0.0/8; by default none"
    )
    delay_per_host: Duration = Field(duration("1s"), description="pause between two requests to one host in scans")
    max_delay: Duration = Field(
        duration("30s"), description="a longer crawl-delay in a robots.txt is shortened to this"
    )
    requests_per_host: int = Field(2, ge=1, le=64, description="requests to one host at the same time")
    requests_at_once: int = Field(64, ge=1, le=1024, description="requests in flight over all hosts")
    requests_per_host_and_day: int = Field(
        100_000, ge=1, description="requests of all scans to one host in a day (UTC); the rest is left out and named"
    )
    hours: WorkingHours | None = Field(
        None, description="scans send requests only at these hours (UTC), such as 22:00-06:00; null means at any hour"
    )
    max_bandwidth: ByteSize | None = Field(
        None, gt=0, description="bytes a second over all answers, such as 2MB; null means no limit"
    )
    connect_timeout: Duration = Field(duration("10s"), description="how long a site may take to accept a connection")
    read_timeout: Duration = Field(duration("15s"), description="how long a site may send nothing within an answer")
    timeout: Duration = Field(duration("60s"), description="how long one answer may take in all")
    max_page_bytes: ByteSize = Field(20 * 1024**2, gt=0, description="a larger page is not read")
    max_image_bytes: ByteSize = Field(50 * 1024**2, gt=0, description="a larger image is not fetched to its end")
    longest_freshness: Duration = Field(
        duration("1h"),
        description="a picture its site calls fresh (max-age) is not asked for again within this time; 0s asks always",
    )
    max_redirects: int = Field(5, ge=0, le=20, description="a longer chain of redirects is refused")
    retries: int = Field(1, ge=0, le=5, description="how often a broken or overloaded answer is asked for again")
    busy_pause: Duration = Field(
        duration("5s"), description="first pause for a host that answers 429 or 503 and does not say how long"
    )
    max_retry_after: Duration = Field(
        duration("2m"), description="a host that asks for a longer pause (429, 503) is left alone for this scan"
    )

    @field_validator("contact")
    @classmethod
    def _is_contact(cls, value: str | None) -> str | None:
        if value is not None and (("@" not in value and "://" not in value) or not value.isprintable()):
            raise ValueError(f"{value!r} is neither an e-mail address nor the address of a page")
        return value

    @field_validator("user_agent")
    @classmethod
    def _is_header(cls, value: str | None) -> str | None:
        if value is not None and (not value.isascii() or not value.isprintable() or not value.strip("/ ")):
            raise ValueError(f"{value!r} cannot be a User-Agent header: printable ASCII only")
        return value

    @property
    def user_agent_header(self) -> str:
        """The User-Agent that is sent."""
        return self.user_agent or f"guardian/{__version__}" + (f" (+{self.contact})" if self.contact else "")

    @property
    def robots_token(self) -> str:
        """The name under which robots.txt files are read (RFC 9309)."""
        return self.user_agent_header.split("/")[0].split()[0]

    @property
    def closed(self) -> timedelta:
        """How long each day scans may not ask."""
        return timedelta() if self.hours is None else timedelta(days=1) - self.hours.length

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks that the guard lets through besides public ones."""
        return tuple(self.allow_networks)


class BrowserSettings(BaseModel):
    """The browser that takes screenshots as evidence. guardian uses one that is installed and never downloads any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="whether pages are also captured by a browser, where there is one")
    executable: Path | None = Field(
        None, description="the program of Chromium or Chrome, an absolute path; null looks in the usual places"
    )
    timeout: Duration = Field(duration("45s"), description="how long the browser may take for one page in all")
    max_memory: ByteSize = Field(2 * 1024**3, gt=0, description="memory of all processes of the browser together")
    max_bytes: ByteSize = Field(200 * 1024**2, gt=0, description="what one page may transfer in the browser")

    @field_validator("executable")
    @classmethod
    def _is_absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            raise ValueError(f"{value} is not an absolute path, such as /usr/bin/chromium")
        return value
