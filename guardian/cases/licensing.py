"""Licences as people give them: named, read from CSV, drafted from what an operator uses, edited and ended.

Whatever changes one judges recorded uses again at once (see `rejudging`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from guardian.cases.deciding import GRANTED, Edit, note_change
from guardian.cases.rejudging import Judging, Rejudged, judge_if_any, uses_under
from guardian.csv_files import read_rows
from guardian.errors import ConfigError, UsageError
from guardian.model import Asset, Case, CaseFilter, Licence
from guardian.store import Transaction
from guardian.urls.accounts import account_of
from guardian.urls.addresses import host_in, is_public_suffix, registrable_domain
from guardian.views.short_ids import only_one, with_prefix

COLUMNS = (
    "host",
    "path",
    "asset",
    "work",
    "collection",
    "tag",
    "from",
    "until",
    "territory",
    "medium",
    "proof",
    "note",
)
"""The columns of a CSV file of licences."""

LAPSES_SOON = timedelta(days=30)
"""Licences that end within so many days are shown."""

KeepProof = Callable[[Path], str]
"""Keeps a proof file and returns its SHA-256. Raises OSError."""


def place_named(text: str) -> tuple[str, str | None]:
    """Return the host that a person means, and the path if they name an account of a platform there.

    Raises UsageError for what is no host, and for a public suffix such as co.uk.
    """
    host = host_in(text)
    if not host:
        raise UsageError(f"{text!r} is not a host; write one such as customer.example")
    # A licence for co.uk would cover all of its shops.
    if is_public_suffix(host):
        raise UsageError(
            f"everybody may have a name below {host}, so it names nobody; write the licensee's own host, "
            f"such as customer.{host}"
        )
    account = account_of(text if "://" in text else f"https://{text}")
    domain = registrable_domain(host)
    if account is None or not account.startswith(f"{domain}/"):
        return host, None
    return domain, account.removeprefix(domain)


def add(tx: Transaction, terms: Licence, judging: Callable[[], Judging], at: datetime) -> tuple[Licence, Rejudged]:
    """Write a licence and judge recorded uses again; return it and what changed. `judging` is called if there are any.

    Raises UsageError for terms that make no sense, and what `judging` raises.
    """
    licence = tx.licences.grant(terms, at)
    return licence, judge_if_any(tx, uses_under(tx, licence), judging, at)


def edit(tx: Transaction, licence: Licence, judging: Callable[[], Judging], at: datetime) -> Rejudged:
    """Write other terms of a licence that there is, and judge again what it spoke of and speaks of. Raises as `add`."""
    before = tx.licences.get(licence.id)
    if before is None:
        raise UsageError(f"there is no licence {licence.id}")
    tx.licences.edit(licence)
    uses = dict.fromkeys([*uses_under(tx, before), *uses_under(tx, licence)])
    return judge_if_any(tx, uses, judging, at)


def remove(tx: Transaction, licence: Licence, judging: Callable[[], Judging], at: datetime) -> Rejudged:
    """Take a licence out, as if it had never been, and judge again what it spoke of."""
    tx.licences.remove(licence.id)
    return judge_if_any(tx, uses_under(tx, licence), judging, at)


def call_licensed(
    tx: Transaction, case_id: str, judging: Judging, edit: Edit, *, until: date | None = None
) -> tuple[Case, Licence]:
    """Write that the operator of a case may use its work, as a licence; return the case and the licence.

    The case is licensed from now on, as the rules say of licensed uses; `undo` takes the licence out again. Raises as
    `decide`, and UsageError for a case of local files, which have no host.
    """
    with note_change(tx, case_id, edit, GRANTED) as change:
        case = change.case
        terms = replace(_terms_for(case), valid_until=until, note=edit.note or f"said by {edit.by} at {case.id}")
        licence, _ = add(tx, terms, lambda: judging, edit.at)
        change.detail = licence.id
    return tx.cases.get(case.id) or case, licence


def suggested(tx: Transaction, operator: str) -> list[Licence]:
    """Return drafts of licences, without ids, that would cover what an operator uses now: one for each work.

    Cases that are dismissed or licensed already are left out. Raises UsageError for local files.
    """
    found = tx.cases.matching(CaseFilter(operator=operator, by_priority=True))
    return [_terms_for(case) for case in found if case.state.value not in ("dismissed", "licensed")]


def _terms_for(case: Case) -> Licence:
    if case.operator.startswith("folder:"):
        raise UsageError(f"{case.id} is about local files, which have no host; dismiss it as permitted instead")
    host, path = place_named(case.operator)
    return Licence(id="", host=host, path=path, asset_id=case.asset_id)


def read_licences(tx: Transaction, path: Path, keep_proof: KeepProof | None) -> list[Licence]:
    """Return the licences of a CSV file, without ids; nothing is written but the proofs of a file that is right.

    A work is named by one of its assets, or by its own id. Relative paths of proofs start at the file's folder; without
    `keep_proof`, for a file from another machine, no row may name one. Raises ConfigError for a file that cannot be
    read; UsageError with a line for each row that is wrong.
    """
    terms, proofs, wrong = [], [], []
    for line, values in read_rows(path, COLUMNS, required="host"):
        try:
            if keep_proof is None and values.get("proof"):
                raise UsageError("a proof cannot be read from here; leave it out, and add it to the licence afterwards")
            licence, proof = _row(tx, path, values)
            terms.append(licence)
            proofs.append(proof)
        except UsageError as error:
            wrong.append(str(ConfigError(str(error), file=path, line=line)))
    if wrong:
        raise UsageError("\n".join([*wrong, "nothing was imported"]))

    kept = [keep_proof(proof) if proof is not None and keep_proof is not None else None for proof in proofs]
    return [replace(one, proof_sha256=digest) for one, digest in zip(terms, kept, strict=True)]


def _row(tx: Transaction, path: Path, values: Mapping[str, str]) -> tuple[Licence, Path | None]:
    """Return the licence of one row, and its proof. Raises UsageError that says what to write instead."""
    host, account = place_named(values["host"])
    scopes = {name: values[name] for name in ("asset", "work", "collection", "tag") if values.get(name)}
    if len(scopes) != 1:
        raise UsageError("name exactly one of asset, work, collection and tag")

    ((scope, name),) = scopes.items()
    proof = (path.parent / values["proof"]).expanduser() if values.get("proof") else None
    if proof is not None and not proof.is_file():
        raise UsageError(f"the proof {proof} is not there")
    first, last = (_day(values.get(column, ""), column) for column in ("from", "until"))
    if first is not None and last is not None and last < first:
        raise UsageError(f"it would end ({last}) before it begins ({first})")
    return Licence(
        id="",
        host=host,
        path=path_named(values["path"]) if values.get("path") else account,
        asset_id=asset_named(tx, name).id if scope in ("asset", "work") else None,
        collection=name if scope == "collection" else None,
        tag=name if scope == "tag" else None,
        valid_from=first,
        valid_until=last,
        territory=values.get("territory") or None,
        medium=values.get("medium") or None,
        note=values.get("note") or None,
        proof_file=str(proof.absolute()) if proof is not None else None,
    ), proof


def path_named(text: str) -> str:
    """Return the path of a part of a site as licences have it. Raises UsageError for what is none."""
    path = urlsplit(text).path.rstrip("/").lower()
    if not text.startswith("/") or not path:
        raise UsageError(f"{text!r} is not a part of a site; write one such as /blog, or nothing for the whole site")
    return path


def asset_named(tx: Transaction, text: str) -> Asset:
    """Return the asset that an id names, its beginning too; of a work its first. Raises UsageError for none."""
    work = tx.works.get(text) if text.startswith("work_") else None
    if work is not None:
        return work.assets[0]
    prefix = with_prefix(text, "asset_")
    found = [asset for asset in tx.assets.list() if asset.id.startswith(prefix)]
    return only_one(found, [asset.id for asset in found], text, "asset", "`guardian asset list` shows them")


def _day(text: str, column: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(
            f"{text!r} in the column {column} is not a date; write one such as 2026-11-24, or nothing"
        ) from error
