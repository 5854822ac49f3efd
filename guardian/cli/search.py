"""`guardian search`: a search by picture and words, or one of the commands for searches under a name."""

import click

from guardian.cli.named_searches import list_, remove, run, save, watch
from guardian.cli.searching import find


class _Search(click.Group):
    """A search where the first argument names no other command: `guardian search photo.jpg` is `... find photo.jpg`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; what is no command is a picture, or an option of the search."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["find", *args]
        return super().parse_args(ctx, args)


@click.group("search", cls=_Search)
def command() -> None:
    """Show what is like a picture, or has some words: the best first, and why each stands where it does.

    `guardian search PICTURE --text WORDS ...` searches (`guardian search find --help` shows all options); the other
    commands keep a search under a name, run it again, and have it watch for new pictures. A picture that is named
    as one of them is written ./save.
    """


for _one in (find, save, run, list_, remove, watch):
    command.add_command(_one)
