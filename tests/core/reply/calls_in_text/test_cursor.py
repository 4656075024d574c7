"""A place in a text that only moves forward."""

import pytest

from vertex_compat_integrations.core.reply.calls_in_text.cursor import Cursor, UnreadableCallError, json_text


def test_what_is_read_is_behind_the_cursor():
    cursor = Cursor(' {"a": "b\nc"} x<end>y')
    assert cursor.skip_blanks().json() == {"a": "b\nc"}
    assert cursor.past("<end>") == " x"
    assert (cursor.take("z"), cursor.take("y"), cursor.is_at_end) == (False, True, True)


@pytest.mark.parametrize(
    "read",
    [
        lambda: Cursor("a").expect("b"),
        lambda: Cursor("a").until("b", "c"),
        lambda: Cursor('{"a": 1, "a": 1}').json(),
        lambda: Cursor("[" * 100_000).json(),
        lambda: Cursor("{} {}").whole_json(),
        lambda: json_text([]),
        lambda: json_text({"a": float("inf")}),
    ],
)
def test_what_is_not_there_is_an_error(read):
    with pytest.raises(UnreadableCallError):
        read()
