"""What a file or folder that cannot be used says to people: which one, why, and whose it is."""

import errno
import os
import pwd
from pathlib import Path

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})


def disk_error_text(error: OSError) -> str:
    """Return in one sentence what went wrong with which file, without its full stop."""
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    if not where:
        return str(error.strerror or error)
    if error.errno in _NO_ROOM:
        return f"no room left to write {where} ({error.strerror})"
    if error.errno == errno.EROFS:
        return f"{where} cannot be written: it lies on a read-only disk"
    if error.errno in _FORBIDDEN:
        return f"{where} cannot be used by {current_user()}{_whose(Path(where))}"
    return f"{where}: {error.strerror}"


def current_user() -> str:
    """Return the name of the user who runs this process."""
    return user_name(os.geteuid())


def owner_of(path: Path) -> str:
    """Return the name of the user to whom a file or folder belongs. Raises OSError."""
    return user_name(path.stat().st_uid)


def user_name(user: int) -> str:
    """Return the name of a user, or "user 1000" for one who has none on this machine, as in a container."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _whose(path: Path) -> str:
    """Return ": it belongs to NAME", of the nearest folder above a path that cannot be seen or is not there yet."""
    for one in (path, *path.absolute().parents):
        try:
            owner = owner_of(one)
        except OSError:
            continue
        return f": it belongs to {owner}" if one == path else f": {one} belongs to {owner}"
    return ""
