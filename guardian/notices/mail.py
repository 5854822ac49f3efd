"""Drafts of mails. Nothing that a page or a person wrote can add a header."""

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from guardian.notices.mail_address import is_mail_address
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
    if sender is not None and is_mail_address(sender):
        mail["From"] = _party(sender.strip(), sender_name)
    if recipient is not None and is_mail_address(recipient):
        mail["To"] = _party(recipient.strip(), None)
    mail["X-Unsent"] = "1"
    mail.set_content(text, cte="quoted-printable")
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename="notice.pdf")
    # The library's own boundary is random; the same notice makes the same file.
    mail.set_boundary(f"guardian-{hashlib.sha256(text.encode() + pdf).hexdigest()[:40]}")
    return mail.as_bytes()


def _party(address: str, name: str | None) -> Address | str:
    user, _, domain = address.rpartition("@")
    try:
        return Address(cleaned(name or "")[:200], username=user, domain=domain)
    except (ValueError, IndexError):
        # A domain beyond ASCII: the library writes it only as it came.
        return address
