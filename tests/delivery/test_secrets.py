"""Secrets are read when something is sent, checked, and never shown."""

import base64
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DestinationSettings
from guardian.errors import UsageError

KEYS = [bytes([number]) * 32 for number in (1, 2, 3)]
ONE, TWO, THREE = ("whsec_" + base64.b64encode(key).decode() for key in KEYS)


def destination(**where: Any) -> DestinationSettings:
    return DestinationSettings(name="legal", url="https://legal.example/hook", **where)


def test_one_secret_or_several_while_rotating() -> None:
    secrets = Secrets({"NEW": ONE, "OLD": f"{TWO} {THREE}\n"})
    assert secrets.of(destination(secret_env="NEW")) == (KEYS[0],)
    assert secrets.of(destination(secret_env=["NEW", "OLD"])) == tuple(KEYS)


def test_a_file_may_hold_several_and_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"# rotated in November\n{TWO}\n\n{ONE}\n{TWO}\n")
    file.chmod(0o600)
    secrets = Secrets({})
    with capture_logs() as logs:
        assert secrets.of(destination(secret_file=file)) == (KEYS[1], KEYS[0])
        assert logs == []
        file.write_text(THREE)
        file.chmod(0o644)
        assert secrets.of(destination(secret_file=file)) == (KEYS[2],)
        secrets.of(destination(secret_file=file))
    assert [entry["event"] for entry in logs] == ["secret_file_open_to_everybody"], "said once"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (None, "HOOK_SECRET is not set"),
        ("  ", "HOOK_SECRET is not set"),
        ("hunter2hunter2hunter2", "not hold a secret in the whsec_ form"),
        ("whsec_hunter2!hunter2!hunter2!", "not base64"),
        ("whsec_aHVudGVyMg==", "7 bytes, fewer than 16"),
        ("whsec_", "0 bytes"),
    ],
)
def test_bad_secrets_are_named_and_never_shown(value: str | None, complaint: str) -> None:
    secrets = Secrets({} if value is None else {"HOOK_SECRET": value})
    with pytest.raises(UsageError, match=complaint) as error:
        secrets.of(destination(secret_env="HOOK_SECRET"))
    assert "HOOK_SECRET" in str(error.value)
    for hidden in ("hunter2", "aHVudGVy"):
        assert hidden not in str(error.value)
        assert hidden not in repr(secrets)
        assert hidden not in repr(error.value.__cause__)


def test_a_missing_or_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere: No such file"):
        Secrets({}).of(destination(secret_file=tmp_path / "nowhere"))
    (tmp_path / "empty").write_text("# nothing\n")
    with pytest.raises(UsageError, match="holds no secret"):
        Secrets({}).of(destination(secret_file=tmp_path / "empty"))
