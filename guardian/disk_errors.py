"""Says to people which file or folder cannot be used, why, and whose it is; keeps root out of another user's folder."""

import errno
import os
import pwd
from pathlib import Path

from guardian.errors import UsageError

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


def refuse_root_in(data_dir: Path) -> None:
    """Raise UsageError when root is about to write into the data folder of another user.

    What root makes there that user could not write again, so that a service would fail at its next step. Whose the
    folder is says what stands in it, once there is something: a container may work as root in a folder of its host.
    """
    if os.geteuid() != 0:
        return
    told_by = (data_dir / "locks", data_dir / "guardian.db", data_dir, *data_dir.absolute().parents)
    owner = next(path for path in told_by if path.exists()).stat().st_uid
    if owner != 0:
        raise UsageError(
            f"{data_dir} belongs to {user_name(owner)}, who could not use what root writes there: "
            f"run this as that user (sudo -u {_sudo_name(owner)} guardian ...)"
        )


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


def _sudo_name(user: int) -> str:
    """Return how sudo names a user; also how to name one without a name."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"'#{user}'"


def _whose(path: Path) -> str:
    """Return ": it belongs to NAME", of the nearest folder above a path that cannot be seen or is not there yet."""
    for one in (path, *path.absolute().parents):
        try:
            owner = owner_of(one)
        except OSError:
            continue
        return f": it belongs to {owner}" if one == path else f": {one} belongs to {owner}"
    return ""
