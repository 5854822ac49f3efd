"""Settings of the web server. Imports nothing heavy."""

import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from guardian.errors import UsageError
from guardian.model import Role
from guardian.strict_yaml import Duration, duration


def _network(value: str) -> str:
    """Return an address or network in its usual form. Raises ValueError for anything else."""
    return str(ipaddress.ip_network(value, strict=False))


class OidcSettings(BaseModel):
    """An OpenID Connect provider at which people sign in, so that they need no second password."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(description="the provider's address, exactly as its discovery document calls itself")
    client_id: str = Field(min_length=1, description="guardian's name at the provider")
    client_secret_env: str | None = Field(None, description="environment variable that holds the client's secret")
    client_secret_file: Path | None = Field(None, description="file that holds it; write one of the two")
    label: str = Field("single sign-on", min_length=1, description="what the button on the sign-in page says")
    scope: str = Field("openid profile email", description="what is asked of the provider")
    role_claim: str = Field("roles", description="the claim that names a person's roles or groups")
    roles: dict[str, Role] = Field({}, description="which of its values makes somebody viewer, reviewer or admin")
    default_role: Role | None = Field(None, description="the role of everybody else; null: they are not let in")
    ca_file: Path | None = Field(None, description="certificate authorities (PEM) to trust beside the usual ones")

    @model_validator(mode="after")
    def _is_usable(self) -> "OidcSettings":
        parts = urlsplit(self.issuer)
        is_loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback)):
            raise ValueError(f"issuer {self.issuer!r} is no https: address, such as https://login.example/realms/us")
        if (self.client_secret_env is None) == (self.client_secret_file is None):
            raise ValueError("write either client_secret_env or client_secret_file")
        if "openid" not in self.scope.split():
            raise ValueError("scope must hold openid")
        return self

    def client_secret(self, environment: Mapping[str, str]) -> str:
        """Return the client's secret, read anew each time. Raises UsageError that never shows it."""
        if self.client_secret_env is not None:
            secret = environment.get(self.client_secret_env, "").strip()
            where = f"environment variable {self.client_secret_env}"
        else:
            where = f"client_secret_file {self.client_secret_file}"
            try:
                secret = self.client_secret_file.read_text(encoding="utf-8").strip() if self.client_secret_file else ""
            except (OSError, UnicodeDecodeError):
                secret = ""
        if not secret:
            raise UsageError(f"web.oidc: {where} holds no secret, or cannot be read")
        return secret


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
    oidc: OidcSettings | None = Field(None, description="an OpenID Connect provider at which people sign in")
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
