"""Settings of destinations and of retries."""

import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from guardian.fetch.hours import hours
from guardian.model import EVENTS, Severity, Subscription
from guardian.strict_yaml import Duration
from guardian.urls.addresses import host_of

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _as_names(value: object) -> object:
    # One name may be written without brackets; several are for the time of a rotation.
    return (value,) if isinstance(value, str) else value


def _check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        # The commonest mistake is to paste the secret where its variable's name belongs. It must not be repeated.
        if name.startswith("whsec_") or not _VARIABLE.fullmatch(name):
            raise ValueError("give the name of an environment variable, never the secret itself")
    return names


def _check_url(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a full http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password: messages are signed with the secret instead")
    # The address is not repeated: that of a chat service is a secret.
    if any(sign.isspace() for sign in url) or not host_of(url) or ".." in host_of(url):
        raise ValueError("its host is not a name that there can be, or there is a blank in the address")
    try:
        is_port = parts.port != 0
    except ValueError:
        is_port = False
    if not is_port:
        raise ValueError("its port is not a number from 1 to 65535")
    return url


def _check_events(events: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in events:
        if not any(fnmatchcase(event, pattern) for event in EVENTS):
            raise ValueError(
                f"there is no event {pattern!r}; events are {', '.join(EVENTS)}, and patterns such as case.*"
            )
    return events


def _check_hours(text: str | None) -> str | None:
    try:
        return str(hours(text)) if text is not None else None
    except ValueError as error:
        raise ValueError(f"{text!r} is not a stretch of the day; write two times: 20:00-07:30") from error


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}; write one such as Europe/Berlin") from error
    return name


def _check_timeout(timeout: timedelta) -> timedelta:
    # The lease on a message is 45 seconds; a post must have ended before somebody else may try it.
    if not timedelta(0) < timeout <= timedelta(seconds=30):
        raise ValueError("must be more than 0s and at most 30s")
    return timeout


class DestinationSettings(BaseModel):
    """One destination of messages. Exactly one of `secret_env` and `secret_file` is set."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="how rules and commands call this destination"
    )
    kind: Literal["webhook", "chat"] = Field(
        "webhook",
        description="webhook: a signed POST as standardwebhooks.com describes; chat: text by e-mail, Slack...",
    )
    url: Annotated[str | None, AfterValidator(_check_url)] = Field(
        None, description="webhook: where to POST; redirects are not followed"
    )
    secret_env: Annotated[tuple[str, ...], BeforeValidator(_as_names), AfterValidator(_check_names)] = Field(
        (),
        description="environment variable with the whsec_ secret (several while rotating), or Apprise's address",
    )
    secret_file: Path | None = Field(None, description="file with the same, one a line; instead of secret_env")

    events: Annotated[tuple[str, ...], AfterValidator(_check_events)] = Field(
        (),
        description="what it is told of: [case.*, licence.lapsing]; by default what calls for attention",
    )
    digest: Literal["hourly", "daily"] | None = Field(
        None, description="cases of the severities in digest_severities come together, in one message an hour or a day"
    )
    digest_severities: tuple[Severity, ...] = Field(
        (Severity.LOW,), description="which cases wait for the digest; all others come at once"
    )
    quiet_hours: Annotated[str | None, AfterValidator(_check_hours)] = Field(
        None, description="nothing is sent from ... to ..., such as 20:00-07:30 in `timezone`; it comes afterwards"
    )
    timezone: Annotated[str, AfterValidator(_check_zone)] = Field(
        "UTC", description="time zone of quiet_hours, such as Europe/Berlin"
    )

    @property
    def subscription(self) -> Subscription:
        """Which events it wants, and how."""
        every = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), None: None}[self.digest]
        return Subscription(self.name, self.events, every, self.digest_severities)

    def quiet_until(self, now: datetime) -> datetime | None:
        """Return when the quiet hours end; None outside of them."""
        if self.quiet_hours is None:
            return None
        quiet = hours(self.quiet_hours)
        # The wall clock of the place decides; Hours reads it as if it were UTC.
        there = now.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=UTC)
        if quiet.until_open(there) > timedelta():
            return None
        began = there.replace(hour=quiet.begin.hour, minute=quiet.begin.minute, second=0, microsecond=0)
        began -= timedelta(days=1) if began > there else timedelta()
        ends = (began + quiet.length).replace(tzinfo=ZoneInfo(self.timezone))
        # When clocks are put back, they may show the end twice.
        moments = (ends.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        return next((moment for moment in moments if moment > now), None)

    @model_validator(mode="after")
    def _one_place_for_secrets(self) -> Self:
        if bool(self.secret_env) == (self.secret_file is not None):
            raise ValueError(f"destination {self.name}: set exactly one of secret_env and secret_file")
        if (self.kind == "webhook") != (self.url is not None):
            what = "set url" if self.kind == "webhook" else "leave out url: the address is the secret"
            raise ValueError(f"destination {self.name}: {what}")
        return self


class DeliverySettings(BaseModel):
    """How patiently messages are sent. With the defaults a silent receiver is tried for about three days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timeout: Annotated[Duration, AfterValidator(_check_timeout)] = Field(
        timedelta(seconds=15), description="a receiver that has not answered by then has failed; at most 30s"
    )
    attempts: int = Field(14, ge=1, le=100, description="tries before a message is dead and waits for a person")
    first_delay: Duration = Field(
        timedelta(seconds=5),
        gt=timedelta(0),
        description="longest pause before the second try; each later one is up to 4 times longer",
    )
    longest_delay: Duration = Field(
        timedelta(days=1),
        gt=timedelta(0),
        description="no pause is longer, whatever the receiver's Retry-After asks",
    )
    desk_url: str | None = Field(
        None, description="address of the desk as people reach it, such as https://guardian.firm.example, for links"
    )
    flood_limit: int = Field(
        1000,
        ge=0,
        description="more messages an hour about one work, or of one rule, wait for a person; 0: no limit",
    )
    ca_file: Path | None = Field(
        None, description="certificate authorities (PEM) to trust beside the usual ones, for destinations of your own"
    )
