"""Asks name servers whether a domain takes mail: its MX records, or else an address (RFC 5321, section 5.1).

Nothing is connected to, so nothing has to be guarded: only the machine's own name servers are asked.
"""

from enum import StrEnum

from dns.asyncresolver import Resolver
from dns.exception import DNSException, Timeout
from dns.rdatatype import AAAA, MX, A
from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers, NoResolverConfiguration

_SECONDS = 5.0
"""For one domain, all questions and repetitions together."""

_RESERVED = ("example", "invalid", "localhost", "test", "local", "onion")
"""Top-level names that belong to nobody (RFC 2606, RFC 6761, RFC 6762, RFC 7686): no name server knows them."""


class MailDomain(StrEnum):
    """Whether a domain takes mail, in words that follow its name."""

    TAKES_MAIL = "takes mail"
    REFUSES_MAIL = "refuses all mail (null MX, RFC 7505)"
    HAS_NO_SERVER = "has neither a mail server (MX) nor an address"
    IS_UNKNOWN = "does not exist"
    IS_RESERVED = "was not asked about: it is a reserved name"
    NOT_ASKED = "was not asked about: no name server answers"


async def mail_domain(domain: str, resolver: Resolver | None = None) -> MailDomain:
    """Return whether a domain, as IDNA writes it, takes mail. `resolver`: by default the machine's name servers."""
    labels = domain.rstrip(".").lower().split(".")
    if labels[-1] in _RESERVED:
        return MailDomain.IS_RESERVED
    try:
        resolver = resolver or Resolver()
        resolver.lifetime = _SECONDS
        return await _asked(resolver, domain)
    except NXDOMAIN:
        return MailDomain.IS_UNKNOWN
    except (NoNameservers, NoResolverConfiguration, Timeout, OSError):
        return MailDomain.NOT_ASKED
    except DNSException:
        # The name is none that a name server could be asked about: a label is too long.
        return MailDomain.IS_UNKNOWN


async def _asked(resolver: Resolver, domain: str) -> MailDomain:
    try:
        servers = await resolver.resolve(domain, MX, search=False)
    except NoAnswer:
        for kind in (A, AAAA):
            if (await resolver.resolve(domain, kind, search=False, raise_on_no_answer=False)).rrset is not None:
                return MailDomain.TAKES_MAIL
        return MailDomain.HAS_NO_SERVER
    if all(record.exchange.to_text() == "." for record in servers):
        return MailDomain.REFUSES_MAIL
    return MailDomain.TAKES_MAIL
