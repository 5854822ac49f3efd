"""A notice as files: text, the blocks of a form, PDF, and a mail draft with the PDF attached."""

from dataclasses import dataclass
from pathlib import Path

from guardian.durable import write_whole
from guardian.errors import UsageError
from guardian.model.notices import Notice
from guardian.notices.drafting import reference_of
from guardian.notices.mail import mail_draft
from guardian.notices.mail_address import is_mail_address
from guardian.notices.settings import OwnerSettings


@dataclass(frozen=True, slots=True)
class Document:
    """One file of a notice."""

    name: str
    content: bytes
    media_type: str


def documents_of(notice: Notice, owner: OwnerSettings) -> tuple[Document, ...]:
    """Return all files of a notice; their names begin with its reference."""
    from guardian.notices.pdf import pdf_of

    reference = reference_of(notice.id)
    return (
        Document(f"{reference}.txt", text_of(notice).encode(), "text/plain; charset=utf-8"),
        Document(f"{reference}.form.txt", notice.form.encode(), "text/plain; charset=utf-8"),
        Document(f"{reference}.pdf", pdf_of(notice), "application/pdf"),
        Document(f"{reference}.eml", mail_of(notice, owner), "message/rfc822"),
    )


def write_documents(notice: Notice, owner: OwnerSettings, folder: Path) -> list[Path]:
    """Write all files of a notice into a folder, which is made if need be; return their paths.

    Raises UsageError when that cannot be done, or when another file has one of the names.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for document in documents_of(notice, owner):
            path = folder / document.name
            if path.exists() and path.read_bytes() != document.content:
                raise UsageError(f"{path} exists already and is another file; choose another folder")
            write_whole(path, document.content)
            written.append(path)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    return written


def text_of(notice: Notice) -> str:
    """Return a notice as plain text, its subject first."""
    return f"{notice.subject}\n\n{notice.text}"


def mail_of(notice: Notice, owner: OwnerSettings) -> bytes:
    """Return a notice as a mail draft, an .eml file. Without a mail address of the recipient it names nobody."""
    from guardian.notices.pdf import pdf_of

    return mail_draft(
        sender=owner.email,
        sender_name=owner.signs_as or owner.name,
        recipient=notice.recipient if is_mail_address(notice.recipient) else None,
        subject=notice.subject,
        text=notice.text,
        pdf=pdf_of(notice),
    )
