"""JSON kept by the identity of what it was made from."""

import gc

import pytest

from vertex_compat_integrations.core.adapters.identity_cache import IdentityCache


class Source:
    __hash__ = None  # type: ignore[assignment]  # as pydantic's objects


@pytest.fixture
def made():
    return []


def make(made, value):
    def convert():
        made.append(value)
        return value

    return convert


def test_it_is_made_once_for_each_object_and_state(made):
    cache, first, second = IdentityCache(), Source(), Source()
    for source, state in [(first, 1), (first, 1), (second, 1), (first, 2), (first, 2)]:
        assert cache.get(source, state, make(made, {"state": state})) == {"state": state}
    assert made == [{"state": 1}, {"state": 1}, {"state": 2}]


def test_each_caller_has_an_object_of_its_own():
    cache, source = IdentityCache(), Source()
    cache.get(source, 1, lambda: {"deep": {"a": 1}})
    cache.get(source, 1, dict)["deep"]["a"] = 2
    assert cache.get(source, 1, dict) == {"deep": {"a": 1}}


def test_nothing_is_kept_of_an_object_that_is_gone():
    cache, source = IdentityCache(), Source()
    cache.get(source, 1, lambda: {"a": 1})
    del source
    gc.collect()
    assert vars(cache) == {"_held": {}}


@pytest.mark.parametrize("value", [{"a": (1, 2)}, {"a": object}], ids=["changes on the way", "no JSON"])
def test_what_is_no_plain_json_is_made_anew_each_time(made, value):
    cache, source = IdentityCache(), Source()
    assert [cache.get(source, 1, make(made, value)) for _ in range(2)] == [value, value]
    assert len(made) == 2


def test_so_is_what_is_made_from_what_cannot_be_watched(made):
    cache = IdentityCache()
    assert [cache.get(5, 1, make(made, {"a": 1})) for _ in range(2)] == [{"a": 1}, {"a": 1}]
    assert len(made) == 2
