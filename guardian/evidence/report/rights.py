"""Shows what both pictures say of rights in their metadata, as rights.json of a capture says it."""

from collections.abc import Iterator, Mapping
from typing import Any

from reportlab.platypus import Flowable, Paragraph

from guardian.evidence.report.page import CELL, NOTE, WIDTH, foreign, listing, paragraph

_MOST_FIELDS = 60
_MOST_SIGNS = 300


def rights_table(rights: Mapping[str, Any]) -> Iterator[Flowable]:
    """Yield the conclusion in sentences, and a table of the fields that the owner's picture or the copy has."""
    for sentence in _list(rights.get("conclusion")):
        yield foreign(str(sentence))

    fields = [one for one in _list(rights.get("fields")) if isinstance(one, Mapping)]
    told = [one for one in fields if one.get("original") or one.get("found")]
    widths = (WIDTH * 0.22, WIDTH * 0.3, WIDTH * 0.3, WIDTH * 0.18)

    def cell(text: object, column: int) -> Paragraph:
        return foreign(str(text) if text else "–", CELL, widths[column] - 10, _MOST_SIGNS)

    rows = [
        [
            cell(one.get("name"), 0),
            cell(one.get("original"), 1),
            cell(one.get("found"), 2),
            cell(str(one.get("change") or "").replace("_", " "), 3),
        ]
        for one in told[:_MOST_FIELDS]
    ]
    if rows:
        yield listing(("Field", "Owner's picture", "Picture found", "Change"), rows, widths)
    if len(told) > _MOST_FIELDS:
        yield paragraph(f"{len(told) - _MOST_FIELDS} more fields stand in rights.json in the bundle.", NOTE)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
