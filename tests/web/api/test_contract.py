"""The described API is what is served: requests made from the description get answers that it describes.

Schemathesis takes a second to import: only the process that runs this pays.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from guardian.cli.acting import this_user
from guardian.model import Permission, TaskKind
from guardian.people.tokens import add_token
from guardian.web.api.limits import RequestLimits
from guardian.web.app import build_app
from guardian.web.metrics import Metrics
from guardian.web.settings import WebSettings
from tests.granting import grant_licence
from tests.web.conftest import opened_desk
from tests.web.uses import picture_bytes, protected, used

REQUESTS = 5
"""Of each kind for each operation: a few seconds of CPU for all."""


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The description of an application in this process, with a case, and what a program of all scopes sends."""
    import schemathesis

    desk = opened_desk(tmp_path_factory.mktemp("contract"), WebSettings())
    app = build_app(Metrics(desk.store, desk.vault, desk.clock), dict, list, desk)
    # The requests of all tests come at once; refused for their number alone they would show nothing.
    app.state.limits = RequestLimits(a_minute=1e6, at_once=1e6)
    used(desk, protected(desk, picture_bytes(1), "Lake"), picture_bytes(1), "https://thief.example/lake")
    now = datetime.now(UTC)
    with desk.store.begin() as tx:
        secret, _ = add_token(tx, this_user(), "contract", list(Permission), None, now)
        tx.tasks.add(TaskKind.DELIVER, "one", due_at=now, at=now, destination="legal")
        grant_licence(tx, "customer.example", collection="portfolio", at=now)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    schema.config.update(headers={"Authorization": f"Bearer {secret}"})
    yield schema
    asyncio.run(desk.pictures.aclose())
    desk.store.close()


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_what_is_described_is_served(described: Any, mode: str) -> None:
    refused: dict[str, str] = {}
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 30
    for operation in operations:
        # A stream that does not end has no answer to look at.
        if not operation.path.endswith("/events"):
            refused |= faults_of(operation, mode)
    assert not refused, "\n\n".join(f"{name}\n{text}" for name, text in refused.items())


def faults_of(operation: Any, mode: str) -> dict[str, str]:
    """What is wrong with the answers to some requests of one operation, under its name."""
    from schemathesis import GenerationMode
    from schemathesis.checks import ignored_auth, not_a_server_error, positive_data_acceptance

    @settings(
        max_examples=REQUESTS,
        deadline=timedelta(seconds=60),
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    def ask(case: Any) -> None:
        answer = case.call()
        # What is no host, cursor or day is refused with 400, which no schema can say beforehand.
        # A made-up token is replaced by the one that is sent with all; what tokens may do is tested beside this.
        excluded = [positive_data_acceptance, ignored_auth]
        # Without a matcher some things are described to be impossible, and are.
        if answer.status_code == 503:
            excluded.append(not_a_server_error)
        case.validate_response(answer, excluded_checks=excluded)

    try:
        ask()
    except Unsatisfiable:
        # It takes nothing that could be wrong.
        return {}
    except BaseExceptionGroup as error:
        texts = [f"{one}: {getattr(one, 'message', '')}" for one in error.exceptions]
        return {f"{operation.method.upper()} {operation.path}": "\n".join(texts)}
    return {}


def test_what_is_there_is_as_described(described: Any) -> None:
    def answer(path: str, **parts: Any) -> Any:
        headers = described.config.headers
        return described[path]["GET"].Case(**parts).call_and_validate(headers=headers).json()

    def items(path: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = answer(path, query=query)["items"]
        return found

    (case,) = items("/api/v1/cases")
    shown = answer("/api/v1/cases/{case_id}", path_parameters={"case_id": case["id"]})
    assert shown["findings"][0]["page_url"] == "https://thief.example/lake"
    (asset,) = items("/api/v1/assets")
    shown = answer("/api/v1/assets/{asset_id}", path_parameters={"asset_id": asset["id"]})
    assert shown["title"] == "Lake"
    assert [one["operator"] for one in items("/api/v1/operators", operator="thief.example")] == ["thief.example"]
    for noun in ("licences", "deliveries"):
        assert len(items(f"/api/v1/{noun}")) == 1, noun
