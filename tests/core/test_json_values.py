"""Values of unknown shape are read without raising."""

from vertex_compat_integrations.core.json_values import deep_merge, mapping_in, mappings_in, one_or_more_in, text_in


def test_what_has_another_shape_is_empty():
    for value in (None, 1, "text", ["text"]):
        assert mapping_in(value) == {}
        assert mappings_in(value) == []
        assert one_or_more_in(value) == []
    assert text_in({"a": 1}) == ""


def test_one_object_may_be_where_a_list_should():
    assert one_or_more_in({"a": 1}) == [{"a": 1}] == one_or_more_in([{"a": 1}, None])


def test_merging_changes_neither():
    below, above = {"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {"e": 3}}
    assert deep_merge(below, above) == {"a": {"b": 1, "d": 2}, "c": {"e": 3}}
    assert (below, above) == ({"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {"e": 3}})
