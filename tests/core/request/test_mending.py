"""What is lost is said in one sentence, or refused with the line to add."""

import json

import pytest

from vertex_compat_integrations.core.errors import HistoryError
from vertex_compat_integrations.core.request.mending import Mending, missing_result, user_words, wire_line

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def test_what_is_lost_is_refused_unless_the_caller_allows_it():
    with pytest.raises(HistoryError, match="A thing is odd") as caught:
        Mending().lose("A thing is odd", "Mend it.", "it is mended")
    assert caught.value.hint == "Mend it. Or set repair_history=True: it is mended."


def test_all_losses_of_a_history_are_one_note():
    mending = Mending(repairs=True)
    assert mending.notes == ()
    mending.lose("A is odd", "Mend it.", "it is left out")
    mending.lose("B is odd", "Mend it.", "the last one counts")
    assert mending.notes == (
        "The history was mended (repair_history). A is odd: it is left out; B is odd: the last one counts.",
    )


def test_the_line_of_whoever_uses_no_framework_is_the_message_itself():
    missing = missing_result(CALL)
    assert json.loads(wire_line(missing)) == missing
    assert missing == {"role": "tool", "tool_call_id": "c1", "content": "not run"}
    assert json.loads(wire_line(user_words("Wörter"))) == {"role": "user", "content": "Wörter"}
