"""The key of this installation: made once, it signs the bundles that are made here (Ed25519, RFC 8032)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from guardian.durable import new_file, sync_file
from guardian.errors import GuardianError, UsageError

KEY_FILE = "evidence.key"
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key of this installation, as it lies at `path`."""

    path: Path
    private: Ed25519PrivateKey

    @property
    def public_pem(self) -> bytes:
        """The public key as a PEM file, as openssl reads it."""
        return public_pem(self.private.public_key())

    @property
    def fingerprint(self) -> str:
        """What names the public key."""
        return fingerprint(self.private.public_key())

    def sign(self, content: bytes) -> bytes:
        """Return the signature of some bytes, 64 bytes itself."""
        return self.private.sign(content)


def installation_key(data_dir: Path) -> SigningKey:
    """Return the key of the installation with this data folder, made now if there is none.

    The file is readable by its owner only. Raises GuardianError when it holds no such key: a new one is never made in
    its place, since bundles that others hold name the old one.
    """
    path = data_dir / KEY_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = _made(path)

    try:
        private = load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise GuardianError(f"{path} is damaged: restore the signing key from a backup") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise GuardianError(f"{path} is no Ed25519 key: restore the signing key from a backup")
    return SigningKey(path, private)


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key as a PEM file."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return what names a public key: the SHA-256 of its DER form (SubjectPublicKeyInfo)."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def read_public_key(content: bytes) -> Ed25519PublicKey:
    """Return the public key of a PEM file. Raises ValueError when it holds none, or one of another kind."""
    try:
        key = load_pem_public_key(content)
    except UnsupportedAlgorithm as error:
        raise ValueError("is of an unknown kind") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("is no Ed25519 key")
    return key


def is_signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    """Return whether a signature is this key's over some bytes."""
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def known_key(path: Path) -> str:
    """Return the fingerprint of the public key in a file that a person names. Raises UsageError."""
    try:
        return fingerprint(read_public_key(path.read_bytes()))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} holds no Ed25519 public key; `guardian evidence key` prints one") from error


def _made(path: Path) -> bytes:
    """Write a new key and return it; when another process was faster, return the one that it wrote."""
    content = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with new_file(path) as file:
            file.write(content)
            sync_file(file)
    except FileExistsError:
        return path.read_bytes()
    return content
