"""Settings of platforms. Imports nothing heavy."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from guardian.urls.accounts import ACCOUNT, Platform
from guardian.urls.addresses import host_name


def _as_patterns(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _check_pattern(pattern: str) -> str:
    if pattern.count(ACCOUNT) != 1:
        raise ValueError(f"{pattern!r} must hold {ACCOUNT} once, where the name of the account stands")
    if not pattern.startswith("/") and not pattern.startswith(f"{ACCOUNT}."):
        raise ValueError(
            f"{pattern!r} must be a path such as /user/{ACCOUNT}, or a host such as {ACCOUNT}.shops.example"
        )
    return pattern


class PlatformSettings(BaseModel):
    """A site whose accounts are operators of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, AfterValidator(host_name)] = Field(description="the site; its subdomains are meant too")
    account: Annotated[tuple[Annotated[str, AfterValidator(_check_pattern)], ...], BeforeValidator(_as_patterns)] = (
        Field(
            min_length=1, description="where the name of an account stands: /user/{account} or {account}.site.example"
        )
    )
    no_accounts: tuple[str, ...] = Field((), description="names that stand there and are no accounts")

    @property
    def platform(self) -> Platform:
        """The row of the table of platforms that this is."""
        return Platform(self.host, self.account, frozenset(name.lower() for name in self.no_accounts))
