"""Images whose worker process died or ran out of time: when each is tried again, and which are set aside."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Row, delete, select

from guardian.model import QuarantinedImage, read_reason
from guardian.store.inserting import insert_into
from guardian.store.tables import quarantine


class Quarantine:
    """The quarantine table: one row for each digest and recipe; another recipe decodes in other ways."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, sha256: str, recipe: str) -> QuarantinedImage | None:
        """Return what is known of an image that failed under this recipe, None when it never did."""
        query = select(quarantine).where(quarantine.c.sha256 == sha256, quarantine.c.recipe == recipe)
        row = self._connection.execute(query).first()
        return None if row is None else _image(row)

    def put(self, image: QuarantinedImage, recipe: str) -> None:
        """Write what is now known of an image, in place of what was before."""
        values = {
            # PostgreSQL takes no NUL in a text.
            "image_url": image.image_url.replace("\x00", ""),
            "reason": image.reason.value,
            "detail": image.detail.replace("\x00", ""),
            "attempts": image.attempts,
            "failures": image.failures,
            "failed_at": image.failed_at,
            "retry_at": image.retry_at,
        }
        statement = insert_into(self._connection, quarantine).values(sha256=image.sha256, recipe=recipe, **values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["sha256", "recipe"], set_=values))

    def list(self, recipe: str) -> list[QuarantinedImage]:
        """Return the images that wait or are set aside under this recipe, the one that failed last first."""
        query = select(quarantine).where(quarantine.c.recipe == recipe)
        query = query.order_by(quarantine.c.failed_at.desc(), quarantine.c.sha256)
        return [_image(row) for row in self._connection.execute(query)]

    def free(self, digests: Collection[str]) -> int:
        """Forget images under every recipe, so that they are tried when next met; return how many there were."""
        chosen = quarantine.c.sha256.in_(list(digests))
        freed = self._connection.execute(delete(quarantine).where(chosen).returning(quarantine.c.sha256))
        return len(set(freed.scalars()))

    def forget_other_recipes(self, recipe: str, before: datetime) -> None:
        """Forget images that failed under another recipe before then; under this one they are tried anew."""
        is_old = (quarantine.c.recipe != recipe, quarantine.c.failed_at < before)
        self._connection.execute(delete(quarantine).where(*is_old))


def _image(row: Row[tuple[object, ...]]) -> QuarantinedImage:
    return QuarantinedImage(
        sha256=row.sha256,
        image_url=row.image_url,
        reason=read_reason(row.reason)[0],
        detail=row.detail,
        attempts=row.attempts,
        failures=row.failures,
        failed_at=row.failed_at,
        retry_at=row.retry_at,
    )
