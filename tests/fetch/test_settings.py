"""What a user may set about visits, and what the mistakes say."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from guardian import __version__
from guardian.errors import ConfigError
from guardian.fetch.settings import FetchSettings
from guardian.strict_yaml import load


def test_the_defaults_visit_nobody_inside_and_say_nothing_false() -> None:
    settings = FetchSettings()
    assert settings.networks == ()
    assert settings.user_agent_header == f"guardian/{__version__}"
    assert settings.robots_token == "guardian"


def test_every_setting_says_why_it_is_there() -> None:
    for name, field in FetchSettings.model_fields.items():
        assert field.description, name
        assert not field.is_required(), name


@pytest.mark.parametrize(
    ("contact", "user_agent", "header", "token"),
    [
        ("me@example.com", None, f"guardian/{__version__} (+me@example.com)", "guardian"),
        ("https://example.com/bot", None, f"guardian/{__version__} (+https://example.com/bot)", "guardian"),
        ("me@example.com", "Watcher/2.0 (+https://w.example)", "Watcher/2.0 (+https://w.example)", "Watcher"),
        (None, "Plain Name", "Plain Name", "Plain"),
    ],
)
def test_sites_are_told_who_asks(contact: str | None, user_agent: str | None, header: str, token: str) -> None:
    settings = FetchSettings(contact=contact, user_agent=user_agent)
    assert (settings.user_agent_header, settings.robots_token) == (header, token)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("contact: nobody", "neither an e-mail address nor"),
        ('contact: "me@example.com\\r\\nx: 1"', "neither"),
        ('user_agent: "a\\nb"', "cannot be a User-Agent"),
        ("user_agent: grüß/1", "cannot be a User-Agent"),
        ('user_agent: "/"', "cannot be a User-Agent"),
        ("allow_networks: [127.0.0.1]", "write ADDRESS/BITS"),
        ("allow_networks: [localhost/8]", "network"),
        ("allow_networks: [10.0.0.1/8]", "the whole network is 10.0.0.0/8"),
        ("delay_per_host: 1", "1 has no unit"),
        ("delay_per_host: -1s", "duration"),
        ("requests_per_host: 0", "greater than or equal to 1"),
        ("max_redirects: 21", "less than or equal to 20"),
        ("max_page_bytes: 0B", "greater than 0"),
        ("max_image_byte: 1MB", "max_image_bytes"),
    ],
)
def test_mistakes_are_named_with_what_to_write(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "fetch.yaml").write_text(line + "\n")
    with pytest.raises(ConfigError, match=said) as wrong:
        load(tmp_path / "fetch.yaml", FetchSettings)
    assert wrong.value.line == 1


def test_networks_are_written_as_they_are_read() -> None:
    settings = FetchSettings(allow_networks=["127.0.0.0/8", "fd00::/8"])  # type: ignore[arg-type]
    assert settings.networks == (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))
    assert settings.model_dump(mode="json")["allow_networks"] == ["127.0.0.0/8", "fd00::/8"]


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError):
        FetchSettings().retries = 3  # type: ignore[misc]
