"""Reads signing secrets at the moment a message is sent, and never shows them."""

import base64
import binascii
import stat
from collections.abc import Mapping
from pathlib import Path

import structlog

from guardian.delivery.settings import DestinationSettings
from guardian.errors import UsageError

PREFIX = "whsec_"
LEAST_BYTES = 16
"""128 bits, below which a key could be guessed from one signed message."""

log = structlog.get_logger(__name__)


class Secrets:
    """Reads secrets from an environment that was passed in, or from the file that a destination names."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._warned: set[Path] = set()

    def __repr__(self) -> str:
        # The environment holds the secrets, and an object's repr may end up in a log.
        return "Secrets(...)"

    def of(self, destination: DestinationSettings) -> tuple[bytes, ...]:
        """Return the keys to sign with, in the order written: several while a secret is being rotated.

        Files are read anew each time, so that a changed secret needs no restart. Raises UsageError that
        names the variable or file, and the line, but never the secret.
        """
        named = self.lines_of(destination)
        return tuple(dict.fromkeys(_key(text, where, destination.name) for where, text in named))

    def lines_of(self, destination: DestinationSettings) -> list[tuple[str, str]]:
        """Return the secrets of a destination as they are written, each with where it stands. Raises UsageError."""
        if destination.secret_file is not None:
            return self._from_file(destination.secret_file)

        named: list[tuple[str, str]] = []
        for name in destination.secret_env:
            words = self._variable(name, destination.name).split()
            named += [(f"environment variable {name}", word) for word in words]
        return named

    def _variable(self, name: str, destination: str) -> str:
        """Return the text of an environment variable. Raises UsageError when it is not set or blank."""
        value = self._environment.get(name, "")
        if not value.strip():
            raise UsageError(
                f"destination {destination}: environment variable {name} is not set; it must hold its secret"
            )
        return value

    def _from_file(self, file: Path) -> list[tuple[str, str]]:
        """Return the secrets of a file, each with the line it stands on; blank lines and comments are skipped.

        Raises UsageError when the file cannot be read or holds no secret.
        """
        try:
            text = file.read_text(encoding="utf-8")
            mode = file.stat().st_mode
        except (OSError, UnicodeDecodeError) as error:
            problem = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UsageError(f"cannot read secret_file {file}: {problem}") from error

        # Worth a warning, not a refusal: in a container, say, nobody else may be there to read it.
        if mode & (stat.S_IROTH | stat.S_IWOTH) and file not in self._warned:
            self._warned.add(file)
            log.warning("secret_file_open_to_everybody", file=str(file), advice="chmod 600")

        secrets: list[tuple[str, str]] = []
        for number, line in enumerate(text.splitlines(), start=1):
            secret = line.strip()
            if secret and not secret.startswith("#"):
                secrets.append((f"{file}, line {number}", secret))

        if not secrets:
            raise UsageError(f"secret_file {file} holds no secret; it must hold one on a line")
        return secrets


def _key(text: str, where: str, destination: str) -> bytes:
    """Return the key bytes of one whsec_ secret. Raises UsageError, which does not repeat the secret."""
    advice = "make one with: echo whsec_$(openssl rand -base64 32)"
    if not text.startswith(PREFIX):
        raise UsageError(f"destination {destination}: {where} does not hold a secret in the whsec_ form; {advice}")

    encoded = text.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        # Without `from error`: the cause could carry the secret into a traceback.
        raise UsageError(f"destination {destination}: {where} is not base64 after whsec_; {advice}") from None

    if len(key) < LEAST_BYTES:
        raise UsageError(
            f"destination {destination}: {where} holds a secret of {len(key)} bytes, fewer than {LEAST_BYTES}; {advice}"
        )

    return key
