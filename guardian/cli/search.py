"""`guardian search`: a search by picture and words, or one of the commands for searches under a name."""

import click

from guardian.cli.named_searches import list_, remove, run, save, unwatch, watch
from guardian.cli.searching import find


class _Search(click.Group):
    """A search where the first argument names no other command: `guardian search photo.jpg` is `... find photo.jpg`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; what is no command is a picture, or an option of the search."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["find", *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name; for any other word the search, of which it is the picture."""
        return super().get_command(ctx, cmd_name) or find

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of the search itself, which may stand without a word for it, and then the commands."""
        find.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group("search", cls=_Search)
def command() -> None:
    """Show what is like a picture, or has some words: the best first, and why each stands where it does.

    `guardian search PICTURE --text WORDS ...` searches; the commands save a search under a name, run it again, and have
    it watch for new pictures. PICTURE is a file, an address, or the id of an asset; one that is named as a command is
    written ./save.
    """


for _one in (find, save, run, list_, remove, watch, unwatch):
    command.add_command(_one)
