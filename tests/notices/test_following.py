"""What the looks at all places of a case say together."""

import pytest

from guardian.model.notices import PlaceLook, PlaceState, RecheckOutcome
from guardian.notices.following import outcome_of

THERE, GONE, UNCLEAR = PlaceState.THERE, PlaceState.GONE, PlaceState.UNCLEAR


@pytest.mark.parametrize(
    ("places", "elsewhere", "outcome"),
    [
        ([GONE], [], RecheckOutcome.GONE),
        ([GONE], [GONE], RecheckOutcome.GONE),
        ([GONE], [UNCLEAR], RecheckOutcome.UNCLEAR),
        ([GONE], [UNCLEAR, THERE], RecheckOutcome.MOVED),
        ([GONE, UNCLEAR], [], RecheckOutcome.UNCLEAR),
        ([GONE, THERE], [UNCLEAR], RecheckOutcome.PARTLY),
        ([THERE], [UNCLEAR], RecheckOutcome.THERE),
        ([], [], RecheckOutcome.UNCLEAR),
    ],
)
def test_nothing_is_gone_while_a_place_could_not_be_told(
    places: list[PlaceState], elsewhere: list[PlaceState], outcome: RecheckOutcome
) -> None:
    assert outcome_of(looks(places), looks(elsewhere), []) is outcome


def looks(states: list[PlaceState]) -> list[PlaceLook]:
    return [PlaceLook(f"https://thief.example/{number}", None, state, "") for number, state in enumerate(states)]
