"""What a configuration may say about destinations."""

from typing import Any

import pytest
from pydantic import ValidationError

from guardian.delivery.settings import DeliverySettings, DestinationSettings

GOOD = {"name": "legal", "url": "https://legal.example/hook", "secret_env": "HOOK"}


def test_one_name_or_several() -> None:
    assert DestinationSettings(**GOOD).secret_env == ("HOOK",)
    assert DestinationSettings(**GOOD | {"secret_env": ["NEW", "OLD"]}).secret_env == ("NEW", "OLD")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"secret_env": "whsec_c2VjcmV0c2VjcmV0"}, "never the secret itself"),
        ({"secret_env": "$HOOK"}, "name of an environment variable"),
        ({"secret_env": ()}, "exactly one of secret_env and secret_file"),
        ({"secret_file": "hook.secret"}, "exactly one of secret_env and secret_file"),
        ({"url": "legal.example/hook"}, "full http"),
        ({"url": "ftp://legal.example/hook"}, "full http"),
        ({"url": "https://me:pw@legal.example/hook"}, "user name or password"),
        ({"url": "https://a..b☕.example/hook"}, "not a name that there can be"),
        ({"url": "https://legal.example /hook"}, "not a name that there can be"),
        ({"url": "https://legal.example:99999/hook"}, "port"),
        ({"name": "a b"}, "match pattern"),
        ({"kind": "smoke"}, "webhook"),
        ({"secret": "x"}, "Extra inputs"),
    ],
)
def test_what_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint) as error:
        DestinationSettings(**GOOD | change)
    assert "c2VjcmV0" not in str(error.value)


def test_a_post_always_ends_before_its_lease() -> None:
    assert DeliverySettings(timeout="30s").timeout.total_seconds() == 30
    with pytest.raises(ValidationError, match="at most 30s"):
        DeliverySettings(timeout="31s")


@pytest.mark.parametrize("name", ["first_delay", "longest_delay"])
def test_pauses_are_not_nothing(name: str) -> None:
    with pytest.raises(ValidationError, match="greater than"):
        DeliverySettings(**{name: "0s"})
