"""Shows what both pictures say of rights in their metadata, as a capture compared them: rights.json."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from guardian.evidence.json_values import as_object, objects_in, texts_in
from guardian.evidence.report.page import CELL, NOTE, WIDTH, foreign, heading, listing, paragraph

_MOST_SENTENCES = 20
_MOST_FIELDS = 40
_LONGEST = 300


def rights_in_files(rights: Mapping[str, Any] | None, number: int, *, is_of_another: bool) -> Iterator[Flowable]:
    """Yield the chapter about rights information in the files; `rights` is rights.json, None where none was taken.

    `is_of_another`: there is one of another use of the case, which says nothing of the use that the report tells of.
    """
    yield from heading(number, "Rights information in the files")
    if rights is None:
        yield paragraph("No capture of the use on the first page has compared the metadata of the files.", NOTE)
        if is_of_another:
            elsewhere = "Captures of other places of this case have: see their rights.json in the list of exhibits."
            yield paragraph(elsewhere, NOTE)
        return

    for sentence in texts_in(rights.get("conclusion"))[:_MOST_SENTENCES]:
        # Metadata may say anything: these sentences hold words of others.
        yield foreign(sentence, most=2_000)
    fields = [one for one in objects_in(rights.get("fields")) if one.get("management_information")]
    if fields:
        yield Spacer(1, 6)
        yield _table(fields[:_MOST_FIELDS])
    if len(fields) > _MOST_FIELDS:
        yield paragraph(f"{len(fields) - _MOST_FIELDS} more fields stand in rights.json.", NOTE)
    yield paragraph("Other fields (camera, place, identifiers of documents) stand in rights.json.", NOTE)


def rights_not_read(rights: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield labels of what could not be read of the metadata of the files, each with the reason."""
    for name, label in (
        ("original", "Metadata of the owner's file"),
        ("found", "Metadata of the picture found"),
        ("control", "Metadata of the control picture"),
    ):
        unread = texts_in(as_object(rights.get(name)).get("unread"))
        for sentence in unread[:_MOST_SENTENCES]:
            yield label, sentence
    c2pa = rights.get("c2pa", "read")
    if c2pa != "read":
        yield "Provenance (C2PA)", str(c2pa)


def _table(fields: Sequence[Mapping[str, Any]]) -> Flowable:
    """Return the fields with what each of the three files says."""
    others = (WIDTH - 64 * mm) / 3
    widths = (44 * mm, others, others, others, 20 * mm)
    rows = [
        [
            foreign(f"{one.get('carrier', '')} {one.get('name', '')}", CELL, widths[0] - 10, 120),
            *(
                foreign(str(one.get(file) or "-"), CELL, width - 10, _LONGEST)
                for file, width in zip(("original", "found", "control"), widths[1:4], strict=True)
            ),
            foreign(str(one.get("change") or "-"), CELL, widths[4] - 10, 20),
        ]
        for one in fields
    ]
    return listing(("Field", "Owner's file", "Picture found", "Control picture", "Became"), rows, widths)
