"""Says in words why the certificate of a site did not verify."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509

from guardian.fetch.recording import Exchange, TlsSession
from guardian.model import NotTaken
from guardian.urls.addresses import host_of
from guardian.views.plain_text import cleaned
from guardian.views.timestamps import minute_text

_LONGEST_NAME = 200

GAP = "certificate of "
"""How the name of such a gap begins; the host follows."""


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
            f"it did not verify: {tls.problem}{_facts(tls)}. What came from {host} was taken all the same, over an "
            "encrypted connection for whose other end nobody vouches; no credentials were sent there",
        )


def _facts(tls: TlsSession) -> str:
    """Return in brackets until when the certificate was valid, for whom and by whom; "" when it cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(tls.chain[0])
        names = [cleaned(one.rfc4514_string())[:_LONGEST_NAME] for one in (certificate.subject, certificate.issuer)]
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (IndexError, ValueError):
        return ""
    return f" (valid from {_day(begin)} to {_day(end)}, issued to {names[0] or 'nobody'} by {names[1] or 'nobody'})"


def _day(moment: datetime) -> str:
    return minute_text(moment)
