"""Names the memory folder of a machine in the database that several machines may share. Imports nothing heavy."""

from pathlib import Path

from guardian.disk_errors import refuse_root_in
from guardian.durable import sync_folder
from guardian.file_locks import locked
from guardian.store.ids import new_id

FOLDER = "memory"
"""Its name in the data folder."""

DERIVED = "derived"
"""In it, beside the recipes: what can always be made again of their segments."""

_KIND = "shard"


def shard_of(folder: Path) -> str:
    """Return the name of this memory folder in the database; it is minted when the folder is first used.

    Several machines may share a database: each has a folder of its own, and remembers there what it has met. The name
    is that of an empty file, in which nothing can be damaged.
    """
    refuse_root_in(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "shard.lock"):
        known = sorted(path.name for path in folder.glob(f"{_KIND}_*"))
        if known:
            return known[0]
        name = new_id(_KIND)
        (folder / name).touch()
        sync_folder(folder)
        return name
