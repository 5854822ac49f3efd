"""Says in words why the certificate of a site did not verify: what OpenSSL said first, and what else can be known."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from guardian.fetch.recording import Exchange, TlsSession
from guardian.model import NotTaken
from guardian.urls.addresses import host_of, is_ip_address
from guardian.views.plain_text import cleaned
from guardian.views.timestamps import minute_text

_LONGEST_NAME = 200

GAP = "certificate of "
"""Begins the name under which a capture says that a certificate did not verify; the host follows."""

_UNREADABLE = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What is raised for certificates that OpenSSL let pass and cryptography does not read."""


def certificate_gaps(exchanges: Sequence[Exchange]) -> Iterator[NotTaken]:
    """Yield for each host whose certificate did not verify what was wrong with it."""
    seen = set()
    for exchange in exchanges:
        host, tls = host_of(exchange.url), exchange.tls
        if tls is None or tls.problem is None or host in seen:
            continue
        seen.add(host)
        yield NotTaken(
            f"{GAP}{host}",
            f"it did not verify: {_reasons(tls, host, exchange.began_at)}. What came from {host} was taken all the "
            "same, over an encrypted connection for whose other end nobody vouches; no credentials were sent there",
        )


def _reasons(tls: TlsSession, host: str, at: datetime) -> str:
    """Return every reason that can be known, and in brackets whose the certificate is and until when it was valid.

    OpenSSL stops at the first thing that is wrong. The others are read from the certificates; of one that cannot be
    read only what OpenSSL said is known.
    """
    first = tls.problem or ""
    try:
        own, *others = (x509.load_der_x509_certificate(one) for one in tls.chain)
        subject, issuer, begin, end = *_names(own), own.not_valid_before_utc, own.not_valid_after_utc
        reasons = [words for sign, words in _faults(own, host, at) if sign not in first.lower().replace(" ", "-")]
        reasons += [
            f"that of {_names(one)[0]}, shown with it, was valid until {minute_text(one.not_valid_after_utc)}"
            for one in others
            if at > one.not_valid_after_utc
        ]
    except _UNREADABLE:
        return first
    validity = f"valid from {minute_text(begin)} to {minute_text(end)}"
    return f"{'; '.join((first, *reasons))} ({validity}, issued to {subject} by {issuer})"


def _names(certificate: x509.Certificate) -> tuple[str, str]:
    """Return to whom a certificate was issued and by whom. Raises ValueError when that cannot be read."""
    subject, issuer = (
        cleaned(one.rfc4514_string())[:_LONGEST_NAME] or "nobody" for one in (certificate.subject, certificate.issuer)
    )
    return subject, issuer


def _faults(certificate: x509.Certificate, host: str, at: datetime) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a certificate at a time, behind the words by which OpenSSL says so, joined by hyphens.

    Raises ValueError when a part of it cannot be read.
    """
    if _is_self_signed(certificate):
        yield "self-signed", "it is self-signed"
    if at > certificate.not_valid_after_utc:
        yield "expired", f"it had expired when it was shown, {minute_text(at)}"
    if at < certificate.not_valid_before_utc:
        yield "not-yet-valid", f"it was not yet valid when it was shown, {minute_text(at)}"
    if not _is_for(certificate, host):
        yield "mismatch", f"it does not name {host}"


def _is_self_signed(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False
    return True


def _is_for(certificate: x509.Certificate, host: str) -> bool:
    """Return whether a certificate names a host (RFC 9525): an alternative name, of which the first part may be `*`."""
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    if is_ip_address(host):
        return ip_address(host) in named.get_values_for_type(x509.IPAddress)
    wanted = host.lower().rstrip(".")
    patterns = {one.lower() for one in named.get_values_for_type(x509.DNSName)}
    return wanted in patterns or f"*.{wanted.partition('.')[2]}" in patterns
