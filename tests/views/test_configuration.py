"""Settings as people read them: none shows a secret, and addresses are shown as far as anybody may know them."""

import pytest
from pydantic import BaseModel, Field

from guardian.views.configuration import setting_groups


class Section(BaseModel):
    """A section with addresses, as the sections of the configuration are."""

    address: str | None = None
    addresses: tuple[dict[str, str], ...] = ()
    takedown_addresses: tuple[dict[str, str], ...] = ()


class Whole(BaseModel):
    """A configuration with the sections that have addresses."""

    sources: Section = Field(Section())
    destinations: Section = Field(Section())
    store: Section = Field(Section())
    evidence: Section = Field(Section())
    web: Section = Field(Section())


ADDRESS = "https://me:s3cret@api.example:8443/v1/k3y/stamp?token=s3cret#x"
SECRET = "https://api.example:8443/…?…"
PUBLIC = "https://api.example:8443/v1/k3y/stamp?…"


@pytest.mark.parametrize(
    ("section", "shown"),
    [("sources", PUBLIC), ("web", PUBLIC), ("destinations", SECRET), ("store", SECRET), ("evidence", SECRET)],
)
def test_address_is_shown_without_what_may_be_a_secret(section: str, shown: str) -> None:
    whole = Whole.model_validate({section: {"address": ADDRESS, "addresses": [{"url": ADDRESS}]}})
    groups = {group.name: group for group in setting_groups(whole, lambda path: None)}
    values = {setting.name: setting.value for setting in groups[section].settings}
    assert (values["address"], values["addresses"]) == (shown, f"url: {shown}")


def test_pages_for_takedowns_are_public() -> None:
    whole = Whole.model_validate({"evidence": {"takedown_addresses": [{"address": "https://host.example/legal"}]}})
    groups = {group.name: group for group in setting_groups(whole, lambda path: None)}
    assert any("https://host.example/legal" in setting.value for setting in groups["evidence"].settings)
