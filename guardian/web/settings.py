"""Settings of the web server. Imports nothing heavy."""

import ipaddress

from pydantic import BaseModel, ConfigDict, Field, field_validator


class WebSettings(BaseModel):
    """Where health, readiness and metrics are served."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = Field(
        "127.0.0.1:8765", description="address and port; keep it on loopback, it has no login; port 0 takes a free one"
    )

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
