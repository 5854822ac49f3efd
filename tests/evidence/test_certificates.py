"""Every reason why a certificate does not verify is said, not only the first at which OpenSSL stops."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from guardian.evidence.certificates import certificate_gaps
from guardian.fetch.recording import Exchange, TlsSession

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEY, ISSUERS_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
EXPIRED, EARLY = (AT - timedelta(days=60), AT - timedelta(days=1)), (AT + timedelta(days=1), AT + timedelta(days=60))
VALID = (AT - timedelta(days=60), AT + timedelta(days=60))
ADDRESS = x509.IPAddress(ip_address("192.0.2.7"))


def certificate(
    period: tuple[datetime, datetime], *names: x509.GeneralName, subject: str = "shop", issuer: str = "shop"
) -> bytes:
    """A certificate in DER form, signed by its own key when it is its own issuer, for hosts and addresses."""
    subject_name, issuer_name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (subject, issuer))
    made = x509.CertificateBuilder().subject_name(subject_name).issuer_name(issuer_name).public_key(KEY.public_key())
    made = made.serial_number(7).not_valid_before(period[0]).not_valid_after(period[1])
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(KEY if subject == issuer else ISSUERS_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def said(problem: str, *chain: bytes, host: str = "www.shop.example") -> str:
    """What is said of a certificate, without what follows for the capture."""
    tls = TlsSession("TLSv1.3", "", chain, problem)
    exchange = Exchange(f"https://{host}/", AT, AT, b"", b"", (), None, None, tls, None)
    (gap,) = certificate_gaps([exchange, exchange])
    return gap.reason.removeprefix("it did not verify: ").partition(". What came")[0]


SELF, OLD = "self-signed certificate", "certificate has expired"
BY = "issued to CN=shop by CN=shop)"


def test_reasons_behind_the_first_are_read_from_the_certificate() -> None:
    shop = x509.DNSName("*.Shop.example")
    expired = "it had expired when it was shown, 2026-11-29 12:00Z"
    dates = "(valid from 2026-09-30 12:00Z to 2026-11-28 12:00Z"
    assert said(SELF, certificate(EXPIRED, shop)) == f"{SELF}; {expired} {dates}, {BY}"
    assert said("self signed certificate", certificate(VALID, shop)).startswith("self signed certificate (valid")
    assert said(OLD, certificate(EXPIRED, shop)).startswith(f"{OLD}; it is self-signed (")
    assert said(SELF, certificate(EARLY, shop)).startswith(f"{SELF}; it was not yet valid when it was shown, ")
    unknown = "unable to get local issuer certificate"
    assert said(unknown, certificate(EXPIRED, shop, issuer="CA")).startswith(f"{unknown}; {expired} (")


@pytest.mark.parametrize(
    ("names", "host", "is_named"),
    [
        ((x509.DNSName("shop.example"),), "SHOP.example", True),
        ((x509.DNSName("shop.example"),), "www.shop.example", False),
        ((x509.DNSName("*.shop.example"),), "shop.example", False),
        ((x509.DNSName("*.shop.example"),), "a.b.shop.example", False),
        ((x509.DNSName("other.example"), ADDRESS), "192.0.2.7", True),
        ((x509.DNSName("192.0.2.7"),), "192.0.2.7", False),
        ((), "shop", False),
    ],
)
def test_a_certificate_for_another_host_is_said_to_be_one(
    names: tuple[x509.GeneralName, ...], host: str, is_named: bool
) -> None:
    assert ("it does not name" in said(SELF, certificate(VALID, *names), host=host)) is not is_named


def test_one_above_that_has_expired_is_named_and_what_cannot_be_read_adds_nothing() -> None:
    own = certificate(VALID, x509.DNSName("www.shop.example"), issuer="CA")
    above = certificate(EXPIRED, subject="CA", issuer="Root")
    assert said(OLD, own, above).startswith(f"{OLD}; that of CN=CA, shown with it, was valid until 2026-11-28 12:00Z (")
    assert said(SELF) == said(SELF, b"nonsense") == SELF
    # A version that does not exist, which OpenSSL lets pass: no error may lose what was taken beside it.
    unknown_version = own.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", 1)
    assert said(SELF, unknown_version) == SELF
