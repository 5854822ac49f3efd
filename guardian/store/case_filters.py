"""What a filter of cases wants, as conditions in SQL."""

import json

from sqlalchemy import ColumnElement, Select, Text, cast, select, union_all

from guardian.model import CaseFilter
from guardian.store.case_words import cases_saying
from guardian.store.search_tables import stale_case_words
from guardian.store.tables import assets, cases, findings
from guardian.store.works import work_of


def conditions(wanted: CaseFilter, *, is_sqlite: bool) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter but for its host, as SQLite or PostgreSQL understands them."""
    found = _of_case(wanted)
    if wanted.asset_id is not None:
        found.append(cases.c.work_id == work_of(wanted.asset_id))
    if wanted.collection is not None:
        found.append(cases.c.work_id.in_(select(assets.c.work_id).where(assets.c.collection == wanted.collection)))
    if wanted.label is not None:
        # As the JSON of the list spells it, quotes included, on either database.
        found.append(cast(cases.c.labels, Text).contains(json.dumps(wanted.label), autoescape=True))
    if wanted.words is not None:
        found.append(_has_words(wanted.words, is_sqlite=is_sqlite))

    for column, value in (
        (findings.c.source, wanted.source),
        (findings.c.licence, wanted.licence),
        (findings.c.licence_id, wanted.licence_id),
    ):
        if value is not None:
            # Read from an index of the findings once, and not looked up for each case.
            found.append(cases.c.id.in_(select(findings.c.case_id).where(column == value)))
    return found


def _of_case(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    """Return the conditions that look at columns of the case alone."""
    found: list[ColumnElement[bool]] = []
    for column, values in (
        (cases.c.state, wanted.states),
        (cases.c.severity, wanted.severities),
        (cases.c.reason, wanted.reasons),
    ):
        if values:
            found.append(column.in_(values))
    for column, value in (
        (cases.c.operator, wanted.operator),
        (cases.c.assignee, wanted.assignee),
        (cases.c.work_id, wanted.work_id),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.since is not None:
        found.append(cases.c.updated_at >= wanted.since)
    if wanted.due_by is not None:
        found.append(cases.c.due_on <= wanted.due_by)
    if wanted.confidence is not None:
        found.append(cases.c.confidence >= wanted.confidence)
    if wanted.opened_from is not None:
        found.append(cases.c.opened_at >= wanted.opened_from)
    if wanted.opened_before is not None:
        found.append(cases.c.opened_at < wanted.opened_before)
    return found


def _has_words(words: str, *, is_sqlite: bool) -> ColumnElement[bool]:
    """Return the SQL condition that a case, an asset of its work or one of its findings says something.

    Titles, operators and notes are read, findings are asked for in the index of their words.
    """
    # Of a case nothing is named here but what the index of the queue has: each row that is read for more takes longer
    # than all the rest.
    titled = select(assets.c.work_id).where(assets.c.title.icontains(words, autoescape=True))
    noted = cases.alias()
    says_note = (noted.c.review_note.is_not(None), noted.c.review_note.icontains(words, autoescape=True))
    saying = [_changed_cases_saying(words)]
    if (kept := cases_saying(words, is_sqlite=is_sqlite)) is not None:
        saying.append(kept)
    # The findings first: where many say it, they spare the rest.
    return (
        cases.c.number.in_(union_all(*saying))
        | cases.c.operator.icontains(words, autoescape=True)
        | cases.c.number.in_(select(noted.c.number).where(*says_note))
        | cases.c.work_id.in_(titled)
    )


def _changed_cases_saying(words: str) -> Select[tuple[int]]:
    """Return the query for the numbers of cases whose findings say this, of those whose words are not kept yet."""
    # As the JSON of the context spells it, without the quotes.
    spelled = json.dumps(words)[1:-1]
    said = (
        findings.c.page_url.icontains(words, autoescape=True)
        | findings.c.image_url.icontains(words, autoescape=True)
        | cast(findings.c.context, Text).icontains(spelled, autoescape=True)
    )
    changed = cases.alias()
    query = select(changed.c.number).join(findings, findings.c.case_id == changed.c.id)
    return query.where(changed.c.id.in_(select(stale_case_words.c.case_id)), said)


def is_at_host(host: str | None) -> list[ColumnElement[bool]]:
    """Return the SQL condition that a case is of an operator at or below a host, or has a finding there."""
    if host is None:
        return []
    # Only a host below the operator's name can be one of its hosts, which spares reading all other findings.
    parents = [host.split(".", count)[-1] for count in range(1, host.count(".") + 1)]
    at_host = findings.c.page_url.contains(f"://{host}/", autoescape=True)
    below = findings.c.page_url.contains(f".{host}/", autoescape=True)
    seen = select(findings.c.id).where(findings.c.case_id == cases.c.id, at_host | below).exists()
    # The names first, which an index has: they are few beside the cases.
    names = cases.alias()
    is_its_name = (names.c.operator == host) | names.c.operator.endswith(f".{host}", autoescape=True)
    its = select(names.c.operator).where(is_its_name | names.c.operator.in_(parents)).distinct()
    return [cases.c.operator.in_(its), cases.c.operator.not_in(parents) | seen]
