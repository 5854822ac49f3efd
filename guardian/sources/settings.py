"""The settings of a source: where to look, and how often. Imports nothing heavy."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from guardian.fetch.credentials import CredentialSettings
from guardian.strict_yaml import Duration, duration
from guardian.urls.addresses import host_of, is_web_address


def _web_address(value: str) -> str:
    if any(sign.isspace() for sign in value):
        raise ValueError(f"{value!r} has a blank in it, which no web address has; browsers write it as %20")
    if not (is_web_address(value) and host_of(value)):
        raise ValueError(f"{value!r} is not a web address; write it whole: https://example.com/page")
    try:
        port = urlsplit(value).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"{value!r}: its port is not a number from 1 to 65535")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]


def _time_zone(value: str) -> str:
    # Only configurations that name a zone pay for looking it up.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {value!r}; write one such as Europe/Berlin or UTC") from None
    return value


TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""The name of a time zone in the IANA database."""


def _cron(value: str) -> str:
    # Only configurations with cron lines pay for loading their reader.
    from guardian.sources.cron import read_cron

    return read_cron(value)


Cron = Annotated[str, AfterValidator(_cron)]
"""Five cron fields, as `guardian.sources.cron` reads them."""


class _Watched(BaseModel):
    """What every kind of source has: a name, a schedule and perhaps credentials."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asks_sites: ClassVar[bool] = True
    """Whether a scan sends requests, whose receivers must be told a contact."""

    name: str = Field(
        min_length=1, max_length=64, pattern=r"^[\w][\w .-]*$", description="how reports and commands call this source"
    )
    every: Duration = Field(duration("1h"), description="time from one scan's start to the next one's")
    cron: Cron | None = Field(None, description="five cron fields, or @daily and the like, instead of `every`")
    timezone: TimeZone | None = Field(
        None, description="time zone of `cron`, such as Europe/Berlin; by default schedule.timezone"
    )
    jitter: Duration = Field(
        duration("0s"), description="scans start later by a random time up to this, so that none is foreseen"
    )
    credentials: CredentialSettings | None = Field(
        None, description="what the site asks for before it shows its pages; sent to that site only"
    )

    @field_validator("every")
    @classmethod
    def _is_a_while(cls, value: object) -> object:
        if value < duration("1s"):  # type: ignore[operator]
            raise ValueError("a source cannot be scanned more often than every second")
        return value

    @model_validator(mode="after")
    def _has_one_rhythm(self) -> "_Watched":
        if {"every", "cron"} <= self.model_fields_set and self.cron is not None:
            raise ValueError("`every` and `cron` are both set; keep one")
        if self.timezone is not None and self.cron is None:
            raise ValueError("`timezone` is that of `cron`, which is not set")
        return self


class PageSettings(_Watched):
    """One web page: all the pictures it shows, and with `depth` those of the pages it links to."""

    kind: Literal["page"]
    url: WebAddress = Field(description="the page's address")
    depth: int = Field(0, ge=0, le=5, description="how many links away pages of the same host are visited too")
    max_pages: int = Field(200, ge=1, description="pages of one scan; the rest is left out and named")


class SiteSettings(_Watched):
    """A whole site, or a part of it: from one page along its links and sitemaps."""

    kind: Literal["site"]
    url: WebAddress = Field(description="the page to start from; only its host is visited")
    below: str = Field("/", pattern=r"^/\S*$", description="only pages whose path begins so")
    sitemaps: bool = Field(True, description="also visit the pages that the sitemaps named in robots.txt list")
    max_pages: int = Field(2_000, ge=1, description="pages of one scan; the rest is left out and named")
    max_depth: int = Field(8, ge=0, le=50, description="links from the start to a page")


class SitemapSettings(_Watched):
    """A sitemap (XML, index, text; gzip too): the pictures it names and those of the pages it lists."""

    kind: Literal["sitemap"]
    url: WebAddress = Field(description="the sitemap's address")
    pages: bool = Field(
        True, description="visit the listed pages; false takes only the pictures that the sitemap names"
    )
    max_pages: int = Field(5_000, ge=1, description="pages of one scan; the rest is left out and named")


class FeedSettings(_Watched):
    """A feed (RSS, Atom, JSON Feed): the pictures in its entries and those of the pages they lead to."""

    kind: Literal["feed"]
    url: WebAddress = Field(description="the feed's address")
    pages: bool = Field(True, description="visit each entry's page; false takes only what the feed carries")
    max_pages: int = Field(200, ge=1, description="pages of one scan; the rest is left out and named")


class ListingSettings(_Watched):
    """A text file of image addresses, one a line."""

    kind: Literal["listing"]
    path: Path = Field(description="the file; beside the configuration unless absolute")


class FolderSettings(_Watched):
    """A folder of image files, subfolders included."""

    asks_sites: ClassVar[bool] = False

    kind: Literal["folder"]
    path: Path = Field(description="the folder; beside the configuration unless absolute")


SourceSettings = Annotated[
    PageSettings | SiteSettings | SitemapSettings | FeedSettings | ListingSettings | FolderSettings,
    Field(discriminator="kind"),
]
"""One source of the configuration. A new kind is one class here, one file, and one case in `kinds`."""
