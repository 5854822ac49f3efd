"""What became of each field, and what may be concluded of it: no more than files can show."""

import pytest

from guardian.evidence.file_metadata import Carrier, FileMetadata, Meaning, MetadataField
from guardian.evidence.rights_changes import FieldChange, ReadFile, compared, conclusion

CREATOR = MetadataField(Carrier.XMP, "dc:creator", Meaning.CREATOR, "Anna")
BY_LINE = MetadataField(Carrier.IPTC, "2:80 by-line", Meaning.CREATOR, "Anna")
NOTICE = MetadataField(Carrier.XMP, "dc:rights", Meaning.NOTICE, "© Anna")
OTHER = MetadataField(Carrier.XMP, "dc:creator", Meaning.CREATOR, "Otto")
DOCUMENT = MetadataField(Carrier.XMP, "xmpMM:DocumentID", Meaning.DOCUMENT_ID, "xmp.did:1")
CAMERA = MetadataField(Carrier.EXIF, "Make", Meaning.CAMERA, "Kamera")
NOTHING = FileMetadata()
MINE = FileMetadata((CREATOR, NOTICE, DOCUMENT))

NOT_KNOWN = "the files do not say"


def words(original: FileMetadata, found: FileMetadata, control: FileMetadata | None = None) -> str:
    read = ReadFile(control, "https://host.example/other.jpg") if control is not None else None
    return " ".join(conclusion(original, found, read))


def test_every_field_is_named_with_what_became_of_it() -> None:
    rows = compared(MINE, FileMetadata((OTHER, DOCUMENT, CAMERA)), FileMetadata((BY_LINE,)))
    assert {row.name: row.change for row in rows} == {
        "dc:creator": FieldChange.ALTERED,
        "dc:rights": FieldChange.REMOVED,
        "xmpMM:DocumentID": FieldChange.KEPT,
        "Make": FieldChange.ADDED,
        "2:80 by-line": None,
    }
    assert [row.control for row in rows if row.control] == ["Anna"]
    assert {row.name: row.is_management_information for row in rows}["xmpMM:DocumentID"] is False


def test_a_file_that_states_nothing_has_lost_nothing() -> None:
    told = words(FileMetadata((DOCUMENT, CAMERA)), NOTHING, NOTHING)
    assert "has lost none" in told
    assert "1202" not in told


def test_what_is_kept_is_said_without_any_suspicion() -> None:
    told = words(MINE, MINE, NOTHING)
    assert told == (
        "The owner's file states in its metadata: creator (“Anna”), copyright notice (“© Anna”). "
        "The picture that was found states all of this too."
    )


def test_the_same_words_in_another_carrier_are_kept() -> None:
    assert "states all of this too" in words(FileMetadata((CREATOR,)), FileMetadata((BY_LINE,)))
    told = words(FileMetadata((CREATOR, BY_LINE, NOTICE)), FileMetadata((BY_LINE,)), NOTHING)
    assert "still states: creator (“Anna”)" in told
    assert "does not state: copyright notice (“© Anna”)" in told


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (NOTHING, "has no metadata either. Sites that re-encode what is uploaded remove all of it"),
        (FileMetadata((OTHER,)), "does state such information (creator (“Otto”)): the host does not remove it from"),
        (FileMetadata((CAMERA,)), "states nothing of rights, but has other metadata"),
        (None, "No other picture of the same host could be looked at"),
    ],
)
def test_the_control_picture_tells_a_host_that_strips_from_one_that_does_not(
    control: FileMetadata | None, said: str
) -> None:
    told = words(MINE, NOTHING, control)
    assert "does not state: creator (“Anna”), copyright notice (“© Anna”)" in told
    assert said in told
    assert NOT_KNOWN in told


def test_what_could_not_be_read_is_not_called_removed() -> None:
    """Metadata that is damaged or too large in the picture that was found is no reason to accuse anybody."""
    unread = FileMetadata((NOTICE,), ("XMP is there and cannot be read (ParseError)",))
    told = words(MINE, unread, FileMetadata((OTHER,)))
    assert "does not state" not in told
    assert "could be read (XMP is there and cannot be read (ParseError)), so it may state this all the same" in told
    rows = {row.name: row.change for row in compared(MINE, unread, None)}
    assert rows == {
        "dc:creator": FieldChange.NOT_READ,
        "dc:rights": FieldChange.KEPT,
        "xmpMM:DocumentID": FieldChange.NOT_READ,
    }

    told = words(MINE, NOTHING, FileMetadata((), ("XMP is there and cannot be read (ParseError)",)))
    assert "has no metadata either" not in told
    assert "it is not known whether the host removes metadata" in told


def test_another_name_is_said_as_it_stands() -> None:
    told = words(FileMetadata((CREATOR,)), FileMetadata((OTHER,)), NOTHING)
    assert "states another creator: “Otto” instead of “Anna”." in told
    # Whether the host strips pictures does not matter for what is there.
    assert "re-encode" not in told
    assert NOT_KNOWN in told


def test_a_second_statement_of_a_kind_is_not_taken_for_a_replacement() -> None:
    marked = MetadataField(Carrier.XMP, "xmpRights:Marked", Meaning.NOTICE, "marked as copyrighted: True")
    told = words(FileMetadata((NOTICE, marked)), FileMetadata((NOTICE,)), NOTHING)
    assert "another" not in told.replace("Another picture", "").replace("from another version", "")
    assert "does not state: copyright notice (“marked as copyrighted: True”)" in told


def test_what_was_added_is_named() -> None:
    told = words(FileMetadata((NOTICE,)), FileMetadata((NOTICE, OTHER)))
    assert told.endswith("The picture that was found adds: creator (“Otto”).")


def test_long_values_and_lists_are_bounded() -> None:
    many = FileMetadata(
        tuple(
            MetadataField(Carrier.XMP, f"plus:T{number}", Meaning.TERMS, f"{number} {'x' * 900}")
            for number in range(50)
        )
    )
    told = words(many, NOTHING, NOTHING)
    assert "and 38 more" in told
    assert len(told) < 6_000
