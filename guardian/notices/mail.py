"""Drafts of mails. Nothing that a page or a person wrote can add a header."""

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from guardian.notices.mail_address import is_mail_address
from guardian.urls.addresses import host_in
from guardian.views.plain_text import cleaned

_LONGEST_SUBJECT = 300


def mail_draft(
    *, sender: str | None, sender_name: str | None, recipient: str | None, subject: str, text: str, pdf: bytes
) -> bytes:
    """Return a mail as the bytes of an .eml file: the text, and the PDF attached.

    X-Unsent makes mail programs open it as a draft. An address that is none is left out.
    """
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = cleaned(subject)[:_LONGEST_SUBJECT]
    for header, address, name in (("From", sender, sender_name), ("To", recipient, None)):
        party = _party(address.strip(), name) if address is not None and is_mail_address(address) else None
        if party is not None:
            mail[header] = party
    mail["X-Unsent"] = "1"
    mail.set_content(text, cte="quoted-printable")
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename="notice.pdf")
    # The library's own boundary is random; the same notice makes the same file.
    mail.set_boundary(f"guardian-{hashlib.sha256(text.encode() + pdf).hexdigest()[:40]}")
    return mail.as_bytes()


def _party(address: str, name: str | None) -> Address | str | None:
    """Return an address as a header has it, its domain as IDNA writes it; None for one that no header can have."""
    user, _, domain = address.rpartition("@")
    domain = host_in(domain)
    if not user.isascii() or not domain.isascii():
        return None
    try:
        return Address(cleaned(name or "")[:200], username=user, domain=domain)
    except (ValueError, IndexError):
        # Dots that the grammar does not know, but some providers give.
        return f"{user}@{domain}"
