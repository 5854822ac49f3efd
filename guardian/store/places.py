"""Conditions on tables that hold places: a page and a picture, each with its host and registrable domain."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from guardian.urls.addresses import registrable_domain


def is_on(table: Any, host: str) -> ColumnElement[bool]:
    """Return the condition that the page or the image of a place lies on a host or below it."""
    domain, below = registrable_domain(host), f".{host}"
    columns = table.c

    def one(of_domain: Any, of_host: Any) -> ColumnElement[bool]:
        is_it = or_(of_host == host, of_host.endswith(below, autoescape=True))
        return and_(of_domain == domain, is_it)

    return or_(one(columns.domain, columns.host), one(columns.image_domain, columns.image_host))
