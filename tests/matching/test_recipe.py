"""Names under which fingerprints and answers may be compared."""

from guardian.matching.recipe import index_recipe, report_recipe
from guardian.matching.settings import MatchingSettings


def test_fingerprints_of_other_weights_have_another_recipe() -> None:
    full, fast = MatchingSettings(), MatchingSettings(profile="fast")
    names = {index_recipe(full, None), index_recipe(full, "a" * 64), index_recipe(full, "b" * 64)}
    names |= {index_recipe(fast, None), index_recipe(fast, "a" * 64)}
    assert len(names) == 5
    assert index_recipe(full, None) == "v5-none"


def test_recipes_are_names_of_folders() -> None:
    for digest in (None, "0123456789abcdef" * 4):
        for profile in ("full", "fast"):
            name = index_recipe(MatchingSettings(profile=profile), digest)
            assert name.replace("-", "").isalnum()
            assert len(name) < 40


def test_answers_depend_on_the_profile_too() -> None:
    full, fast = (report_recipe(MatchingSettings(profile=profile), None) for profile in ("full", "fast"))
    assert full != fast
    assert full.startswith(index_recipe(MatchingSettings(), None))


def test_limits_and_workers_do_not_change_answers() -> None:
    """Otherwise a change of one would compare everything again."""
    one, other = MatchingSettings(workers=1, max_bytes=1000), MatchingSettings(workers=7)
    assert report_recipe(one, "a" * 64) == report_recipe(other, "a" * 64)


def test_the_fitted_confidence_is_part_of_the_name() -> None:
    from guardian.matching.verify.confidence import fitted

    assert report_recipe(MatchingSettings(), None).endswith(fitted().digest)
