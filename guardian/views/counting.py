"""Numbers of things as people say them."""


def counted(number: int, one: str, several: str | None = None) -> str:
    """Return a number with its noun: "1 image", "2 images", "0 copies".

    `several` is the plural where it is not `one` with an s.
    """
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def size_text(size: int) -> str:
    """Return a number of bytes in the largest binary unit of which there is at least one: "20.5 GiB", "999 bytes".

    All sizes that people read have this form: limits are mostly configured in such units, and a measured size stands
    beside its limit.
    """
    for unit, factor in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return counted(size, "byte")
