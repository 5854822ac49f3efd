"""Captures and their files, as rows. The bytes of the files are in the vault."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select, update

from guardian.model import EvidenceCapture, EvidenceFile
from guardian.store.chunks import in_chunks
from guardian.store.evidence_tables import evidence_captures, evidence_files


@dataclass(frozen=True, slots=True)
class CapturedSize:
    """A file of a capture of a case, and its size in bytes. Several captures may share its bytes."""

    case_id: str
    name: str
    sha256: str
    size_bytes: int


class Evidence:
    """The tables evidence_captures and evidence_files.

    Whoever adds a capture holds the evidence (`tx.released_evidence.share`) and sees that all its files are in the
    vault before the transaction ends.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, capture: EvidenceCapture) -> None:
        """Write a capture with its files."""
        self._connection.execute(
            insert(evidence_captures).values(
                id=capture.id,
                case_id=capture.case_id,
                finding_id=capture.finding_id,
                reason=capture.reason,
                asked_by=capture.asked_by,
                began_at=capture.began_at,
                ended_at=capture.ended_at,
                page_url=capture.page_url,
                image_url=capture.image_url,
                guardian_version=capture.guardian_version,
                not_taken=capture.not_taken,
                differences=capture.differences,
            )
        )
        rows = [
            {
                "capture_id": capture.id,
                "name": file.name,
                "position": position,
                "sha256": file.sha256,
                "size_bytes": file.size_bytes,
                "media_type": file.media_type,
                "about": file.about,
            }
            for position, file in enumerate(capture.files)
        ]
        if rows:
            self._connection.execute(insert(evidence_files), rows)

    def get(self, id_: str) -> EvidenceCapture | None:
        """Return a capture; None when there is none of this id."""
        rows = self._connection.execute(select(evidence_captures).where(evidence_captures.c.id == id_)).all()
        return next(iter(self._captures(rows)), None)

    def of_case(self, case_id: str) -> list[EvidenceCapture]:
        """Return the captures of a case, oldest first."""
        query = (
            select(evidence_captures)
            .where(evidence_captures.c.case_id == case_id)
            .order_by(evidence_captures.c.began_at, evidence_captures.c.id)
        )
        return self._captures(self._connection.execute(query).all())

    def kept_digests(self) -> list[tuple[str, str]]:
        """Return the SHA-256 of every file of a capture, each with the id of a capture that has it."""
        query = select(evidence_files.c.sha256, evidence_files.c.capture_id).order_by(evidence_files.c.capture_id)
        found: dict[str, str] = {}
        for row in self._connection.execute(query):
            found.setdefault(row.sha256, row.capture_id)
        return list(found.items())

    def delete(self, capture_ids: Collection[str]) -> None:
        """Delete captures; their bytes are released by whoever deletes them."""
        wanted = list(capture_ids)
        self._connection.execute(delete(evidence_files).where(evidence_files.c.capture_id.in_(wanted)))
        self._connection.execute(delete(evidence_captures).where(evidence_captures.c.id.in_(wanted)))

    def sizes(self) -> list[CapturedSize]:
        """Return the size of every file of every capture, with its case, by case and file."""
        query = (
            select(
                evidence_captures.c.case_id,
                evidence_files.c.name,
                evidence_files.c.sha256,
                evidence_files.c.size_bytes,
            )
            .join(evidence_files, evidence_files.c.capture_id == evidence_captures.c.id)
            .order_by(evidence_captures.c.case_id, evidence_files.c.name)
        )
        return [
            CapturedSize(row.case_id, row.name, row.sha256, row.size_bytes) for row in self._connection.execute(query)
        ]

    def move(self, finding_ids: Iterable[str], case_id: str) -> None:
        """Make the captures of these findings those of another case."""
        statement = update(evidence_captures).where(evidence_captures.c.finding_id.in_(list(finding_ids)))
        self._connection.execute(statement.values(case_id=case_id))

    def _captures(self, rows: Sequence[Row[tuple[object, ...]]]) -> list[EvidenceCapture]:
        """Return the captures of these rows, each with its files in the order in which they were taken."""
        files: dict[str, list[EvidenceFile]] = {row.id: [] for row in rows}
        ids = list(files)
        for chunk in in_chunks(ids):
            query = (
                select(evidence_files).where(evidence_files.c.capture_id.in_(chunk)).order_by(evidence_files.c.position)
            )
            for row in self._connection.execute(query):
                files[row.capture_id].append(
                    EvidenceFile(row.name, row.sha256, row.size_bytes, row.media_type, row.about)
                )
        return [EvidenceCapture(**row._mapping, files=tuple(files[row.id])) for row in rows]


def needed_by_captures(connection: Connection, digests: Collection[str]) -> set[str]:
    """Return those of these digests of evidence that are files of captures, so that their bytes must stay."""
    wanted, found = list(digests), set[str]()
    for chunk in in_chunks(wanted):
        query = select(evidence_files.c.sha256).where(evidence_files.c.sha256.in_(chunk))
        found |= set(connection.execute(query).scalars())
    return found
