"""Settings of the web server. Imports nothing heavy."""

import ipaddress
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from guardian.strict_yaml import Duration, duration


def _network(value: str) -> str:
    """Return an address or network in its usual form. Raises ValueError for anything else."""
    return str(ipaddress.ip_network(value, strict=False))


class WebSettings(BaseModel):
    """Where health, metrics, the desk and its API are served, and how people stay signed in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = Field(
        "127.0.0.1:8765",
        description="address and port; port 0 takes a free one; beyond loopback only /health answers without sign-in, "
        "and a reverse proxy with TLS should stand before it",
    )
    public_url: str | None = Field(
        None, description="address under which people reach the desk, such as https://desk.example; used in messages"
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="addresses or networks of reverse proxies whose X-Forwarded-For and -Proto headers are believed"
    )
    session_idle: Duration = Field(duration("12h"), description="a session that is not used for so long ends")
    session_total: Duration = Field(duration("7d"), description="how long a session lasts at most")

    @field_validator("listen")
    @classmethod
    def _is_address(cls, value: str) -> str:
        # An address and no name: a name could come to mean another interface than loopback.
        host, _, port = value.rpartition(":")
        try:
            ipaddress.ip_address(host.strip("[]"))
            is_port = port.isdecimal() and int(port) < 65536
        except ValueError:
            is_port = False

        if not is_port:
            raise ValueError(f"{value!r} is not ADDRESS:PORT, such as 127.0.0.1:8765 or [::1]:8765")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"{value!r} is not scheme://host or scheme://host:port, such as https://desk.example")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("session_idle", "session_total")
    @classmethod
    def _is_positive(cls, value: timedelta) -> timedelta:
        if value <= timedelta(0):
            raise ValueError("a session must last longer than no time at all")
        return value
