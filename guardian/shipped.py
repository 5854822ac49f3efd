"""Finds the rule files that come with guardian, which `guardian init` copies.

In a checkout they are the top-level `rules/`; the wheel carries a copy inside the package (see setup.py).
"""

from pathlib import Path

from guardian.errors import UsageError


def rules_folder() -> Path:
    """Return the folder with the shipped rule files. Raises UsageError when this installation lacks them."""
    package = Path(__file__).resolve().parent
    for folder in (package / "shipped_rules", package.parent / "rules"):
        if any(folder.glob("*.yaml")):
            return folder
    raise UsageError(f"the shipped rule files are missing from this installation ({package}): install guardian again")
