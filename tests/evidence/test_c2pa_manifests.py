"""C2PA manifests: what they say and whether they hold, without any network."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from guardian.evidence.c2pa_manifests import read_manifests
from guardian.evidence.file_metadata import FileMetadata, Meaning
from tests.websites import Site, running

MANIFEST: dict[str, Any] = {
    "claim_generator_info": [{"name": "camera", "version": "1"}],
    "title": "Düne",
    "format": "image/jpeg",
    "assertions": [
        {
            "label": "c2pa.actions",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
                    }
                ]
            },
        },
        {
            "label": "stds.schema-org.CreativeWork",
            "data": {
                "@context": "https://schema.org",
                "@type": "CreativeWork",
                "author": [{"@type": "Person", "name": "Anna"}],
            },
        },
        {
            "label": "cawg.training-mining",
            "data": {"entries": {"cawg.ai_generative_training": {"use": "notAllowed"}}},
        },
    ],
}

Key = ec.EllipticCurvePrivateKey


def certificate(name: str, signed_by: tuple[x509.Certificate, Key] | None = None) -> tuple[x509.Certificate, Key]:
    """A certificate of its own, or one that signs claims, signed by the first."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
    issuer, issuer_key = (signed_by[0].subject, signed_by[1]) if signed_by else (subject, key)
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    usage = [signed_by is not None, False, False, False, False, signed_by is None, signed_by is None, False, False]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=signed_by is None, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(*usage), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if signed_by:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256()), key


@pytest.fixture(scope="module")
def signed() -> Callable[..., bytes]:
    """signed(remote) is a JPEG with a manifest in it, or with the address of one."""
    root = certificate("Test Root")
    own, key = certificate("Test Agency", root)
    chain = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (own, root[0]))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    def make(remote: str | None = None) -> bytes:
        plain, written = io.BytesIO(), io.BytesIO()
        Image.effect_noise((64, 64), 50).convert("RGB").save(plain, "JPEG")
        plain.seek(0)
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, private, None))
        with c2pa.Builder(json.dumps(MANIFEST)) as builder:
            if remote is not None:
                builder.set_no_embed()
                builder.set_remote_url(remote)
            builder.sign(signer, "image/jpeg", plain, written)
        return written.getvalue()

    return make


def by_name(metadata: FileMetadata) -> dict[str, str]:
    return {field.name: field.value for field in metadata.fields}


def test_a_manifest_is_read_and_checked(signed: Callable[..., bytes]) -> None:
    found = read_manifests(signed(), installed=True)
    said = by_name(found)
    assert said.pop("active manifest").startswith("urn:c2pa:")
    assert said == {
        "title": "Düne",
        "author": "Anna",
        "signed by": "Test Agency",
        "made with": "camera",
        "actions": "c2pa.created",
        "training and data mining": "cawg.ai_generative_training: notAllowed",
        "validation": "Valid (trust in the signer is not judged)",
    }
    assert {field.name: field.meaning for field in found.fields}["author"] is Meaning.CREATOR
    assert found.unread == ()


def test_a_picture_that_was_changed_after_signing_is_not_valid(signed: Callable[..., bytes]) -> None:
    content = bytearray(signed())
    content[-200] ^= 1
    said = by_name(read_manifests(bytes(content), installed=True))
    assert said["validation"].startswith("Invalid: assertion.dataHash.mismatch")
    assert said["author"] == "Anna"


def test_a_manifest_elsewhere_is_named_and_never_asked_for(signed: Callable[..., bytes]) -> None:
    site: Site
    for site in running():
        address = f"{site.url}/m.c2pa"
        found = read_manifests(signed(address), installed=True)
        assert by_name(found) == {"remote manifest": address}
        assert "which is not asked" in found.unread[0]
        assert site.asked == []


def test_pictures_without_a_manifest_say_nothing() -> None:
    written = io.BytesIO()
    Image.new("RGB", (40, 40)).save(written, "JPEG")
    assert read_manifests(written.getvalue(), installed=True) == FileMetadata()
    for odd in (b"", b"BM" + b"\0" * 60, b"GIF89a", b"nonsense"):
        assert read_manifests(odd, installed=True).fields == ()


def test_a_damaged_manifest_is_said(signed: Callable[..., bytes]) -> None:
    content = signed()
    at = content.index(b"c2pa.claim")
    broken = content[: at - 40] + b"\xff" * 80 + content[at + 40 :]
    found = read_manifests(broken, installed=True)
    assert found.unread or "Invalid" in by_name(found)["validation"]


def test_without_the_extra_a_manifest_is_noticed_and_not_read(signed: Callable[..., bytes]) -> None:
    assert "pip install 'guardian[c2pa]'" in read_manifests(signed(), installed=False).unread[0]
    written = io.BytesIO()
    Image.new("RGB", (40, 40)).save(written, "JPEG")
    assert read_manifests(written.getvalue(), installed=False) == FileMetadata()
