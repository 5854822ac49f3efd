"""Settings of destinations and of retries."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from guardian.strict_yaml import Duration

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


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a full http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password: messages are signed with the secret instead")
    return url


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
    kind: Literal["webhook"] = Field("webhook", description="webhook: a signed POST as standardwebhooks.com describes")
    url: Annotated[str, AfterValidator(_check_url)] = Field(description="where to POST; redirects are not followed")
    secret_env: Annotated[tuple[str, ...], BeforeValidator(_as_names), AfterValidator(_check_names)] = Field(
        (), description="name of the environment variable holding the whsec_ secret; several names while rotating"
    )
    secret_file: Path | None = Field(
        None, description="file holding the whsec_ secret, one a line while rotating; instead of secret_env"
    )

    @model_validator(mode="after")
    def _one_place_for_secrets(self) -> Self:
        if bool(self.secret_env) == (self.secret_file is not None):
            raise ValueError(f"destination {self.name}: set exactly one of secret_env and secret_file")
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
    ca_file: Path | None = Field(
        None, description="certificate authorities (PEM) to trust beside the usual ones, for destinations of your own"
    )
