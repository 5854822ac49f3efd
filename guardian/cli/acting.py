"""Who acts when somebody uses the command line."""

import getpass

from guardian.model import Actor, ActorKind, Permission


def this_user() -> Actor:
    """Return the user of this machine: whoever can write the database may do everything."""
    return Actor(ActorKind.COMMAND_LINE, user_name(), frozenset(Permission))


def user_name() -> str:
    """Return the name of this machine's user. In a container the user may have none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
