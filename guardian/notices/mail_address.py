"""What a mail address is."""

import re

# "=?" begins an encoded word (RFC 2047): mail programs would read another address out of it.
_ADDRESS = re.compile(r"(?!.*=\?)[^\s@<>\"(),:;\[\]\\]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63}")


def mail_address(text: str) -> str:
    """Return a mail address as it was written, without blanks around it. Raises ValueError for anything else."""
    address = text.strip()
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise ValueError(f"{text[:200]!r} is no mail address; write one such as rights@example.com")
    return address


def is_mail_address(text: str | None) -> bool:
    """Return whether a text is a mail address and nothing else."""
    return text is not None and _ADDRESS.fullmatch(text.strip()) is not None and text.strip().isprintable()
