"""Time stamps by authorities (RFC 3161): asked for over a bundle's manifest, and checked without a network."""

import asyncio
import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from guardian.errors import FetchFailed, GuardianError, UsageError
from guardian.evidence.settings import TimestampSettings
from guardian.fetch.trusted import TrustedClient
from guardian.urls.addresses import shown_url

MOST_BYTES = 1 << 20
"""The largest answer of an authority, and the largest chain of certificates, that is read."""

_TIMEOUT = timedelta(seconds=15)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=15)
_LONGEST_CHAIN = 8
_UNREADABLE = (x509.InvalidVersion, UnsupportedAlgorithm)
"""What cryptography raises for certificates that it does not understand, beside ValueError."""
_HEADERS = {"content-type": "application/timestamp-query", "accept": "application/timestamp-reply"}


class NoTimestamp(GuardianError):
    """No authority gave a time stamp; the text says of each why."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """An authority's answer (DER), and the certificates (PEM) from its own to its root."""

    answer: bytes
    chain: bytes


@dataclass(frozen=True, slots=True)
class StampedTime:
    """What a time stamp says: when, by whom (the certificate's subject), and which root certificate vouches for it.

    `root` is the SHA-256 of the root certificate; `root_is_known`: whether this machine or a given file knows it.
    """

    at: datetime
    authority: str
    root: str
    root_name: str
    root_is_known: bool


async def stamp(
    client: TrustedClient,
    authorities: Sequence[TimestampSettings],
    content: bytes,
    patience: timedelta,
    first_pause: timedelta = _FIRST_PAUSE,
) -> Stamp:
    """Return the time stamp of the first authority that gives a good one over some bytes.

    They are asked in turn, and all again after a pause that doubles, until `patience` is over. Raises NoTimestamp.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + patience.total_seconds()
    pause = first_pause.total_seconds()
    while True:
        failures = []
        for authority in authorities:
            try:
                return await _ask(client, authority, content)
            except GuardianError as error:
                failures.append(str(error))
        if loop.time() + pause > until:
            raise NoTimestamp("; ".join(failures))
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE.total_seconds())


async def _ask(client: TrustedClient, authority: TimestampSettings, content: bytes) -> Stamp:
    """Return one authority's time stamp, checked. Raises GuardianError with its address."""
    request = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    # Its address may hold a password; what is said of it may stand on a screen.
    shown = shown_url(authority.url)
    try:
        answer = await client.fetch(
            "POST", authority.url, _HEADERS, request.as_bytes(), timeout=_TIMEOUT, max_bytes=MOST_BYTES
        )
    except FetchFailed as error:
        raise GuardianError(f"{shown} gave no answer: {error.detail or error.reason.value}") from error
    if answer.status != 200:
        raise GuardianError(f"{shown} answered with HTTP status {answer.status}")

    try:
        response = decode_timestamp_response(answer.body)
    except ValueError as error:
        raise GuardianError(f"{shown} answered with something that is no time stamp") from error
    if response.status not in (0, 1):
        said = "; ".join(response.status_string) or f"status {response.status}"
        raise GuardianError(f"{shown} gave no time stamp: {said}")

    roots = roots_in(authority.ca_file) if authority.ca_file is not None else system_roots()
    try:
        chain = _chain(response, roots)
    except (ValueError, *_UNREADABLE) as error:
        raise GuardianError(f"{shown} answered with certificates that cannot be read") from error
    # An answer may bring a root of its own, which anybody can make.
    if not chain or chain[-1].public_bytes(Encoding.DER) not in roots:
        raise GuardianError(
            f"the root certificate of {shown} is not known to this machine: write the file that the authority "
            "publishes it in as `ca_file:` beside its url (evidence.timestamps)"
        )
    try:
        VerifierBuilder.from_request(request).add_root_certificate(chain[-1]).build().verify_message(response, content)
    except (VerificationError, ValueError) as error:
        raise GuardianError(f"the time stamp of {shown} is not good: {error}") from error
    return Stamp(answer.body, b"".join(one.public_bytes(Encoding.PEM) for one in chain))


def check(answer: bytes, chain: bytes, content: bytes, known_roots: Collection[bytes]) -> StampedTime:
    """Return what a time stamp over some bytes says. Raises ValueError, in words, when it is not good.

    The certificates need only have been valid at the time that it states. A root that is not among `known_roots`
    (DER) is taken from `chain`, and reported as not known.
    """
    try:
        certificates = _read_chain(chain)
        root = certificates[-1]
        response = decode_timestamp_response(answer)
        VerifierBuilder().add_root_certificate(root).build().verify_message(response, content)
        signer = _signer(response)
    except (VerificationError, ValueError, OverflowError, *_UNREADABLE) as error:
        raise ValueError(str(error) or "it cannot be read") from error
    if signer is None or signer != certificates[0]:
        raise ValueError("the first certificate is not the one that signed")

    return StampedTime(
        at=response.tst_info.gen_time.astimezone(UTC),
        authority=signer.subject.rfc4514_string(),
        root=root.fingerprint(hashes.SHA256()).hex(),
        root_name=root.subject.rfc4514_string(),
        root_is_known=root.public_bytes(Encoding.DER) in known_roots,
    )


def _read_chain(chain: bytes) -> list[x509.Certificate]:
    """Return certificates, each issued by the next one, the last by itself. Raises ValueError and _UNREADABLE."""
    certificates = x509.load_pem_x509_certificates(chain)
    # Bytes that a reader of PEM passes over would be changed unseen.
    if b"".join(one.public_bytes(Encoding.PEM) for one in certificates) != chain:
        raise ValueError("the certificates are not as they were written")
    if not _is_root(certificates[-1]):
        raise ValueError("the chain of certificates does not end with a root")
    if not all(_is_issued_by(one, issuer) for one, issuer in pairwise(certificates)):
        raise ValueError("a certificate of the chain is not issued by the next one")
    return certificates


def roots_in(path: Path) -> list[bytes]:
    """Return the certificates (DER) of a PEM file that the operator names. Raises UsageError."""
    try:
        return [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(path.read_bytes())]
    except OSError as error:
        raise UsageError(f"cannot read certificates of a time-stamp authority from {path}: {error.strerror}") from error
    except (ValueError, *_UNREADABLE) as error:
        raise UsageError(f"{path} holds no certificate in PEM form") from error


def system_roots() -> list[bytes]:
    """Return the root certificates (DER) that this machine, or the list that httpx brings, knows."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context.get_ca_certs(binary_form=True)


def _chain(response: TimeStampResponse, roots: Sequence[bytes]) -> list[x509.Certificate]:
    """Return the certificates from the authority's own upwards, as far as they are known; `roots` are DER."""
    current = _signer(response)
    chain: list[x509.Certificate] = []
    while current is not None and len(chain) < _LONGEST_CHAIN:
        chain.append(current)
        if _is_root(current):
            break
        # The name is looked for before they are parsed: the system's list is long, and some in it are malformed.
        name = current.issuer.public_bytes()
        named = (der for der in (*roots, *sorted(response.signed_data.certificates)) if name in der)
        issuers = (x509.load_der_x509_certificate(der) for der in named)
        current = next((one for one in issuers if _is_issued_by(chain[-1], one)), None)
    return chain


def _signer(response: TimeStampResponse) -> x509.Certificate | None:
    """Return the certificate of the authority that signed, which the answer carries since it was asked to."""
    certificates = [x509.load_der_x509_certificate(der) for der in sorted(response.signed_data.certificates)]
    named = {(one.issuer, one.serial_number) for one in response.signed_data.signer_infos}
    return next((one for one in certificates if (one.issuer, one.serial_number) in named), None)


def _is_root(certificate: x509.Certificate) -> bool:
    return _is_issued_by(certificate, certificate)


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, *_UNREADABLE):
        return False
    return True
