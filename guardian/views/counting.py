"""Numbers of things as people say them."""


def counted(number: int, one: str, several: str | None = None) -> str:
    """Return a number with its noun: "1 image", "2 images", "0 copies".

    `several` is the plural where it is not `one` with an s.
    """
    return f"{number} {one if number == 1 else several or f'{one}s'}"
