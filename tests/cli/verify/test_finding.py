"""What is written down holds no secret, and each difference between looks is graded."""

import json

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.live.probe import Probe, ask, good, refused
from tests.live.record import find, report, write_finding
from tests.live.redaction import redact
from tests.live.service import Answer, Place
from tests.live.shapes import Difference, Field, compare_with_emulator, compare_with_sdk, sdk_shape, shape_of

COMPLETION = {
    "id": "i",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": "hello", "refusal": None},
        }
    ],
}


def _plain(body, status=200) -> Answer:
    return Answer(status, json.dumps(body))


def test_secrets_are_gone_wherever_they_stand():
    body = {
        "message": "Permission denied on projects/my-project/locations/global for me@example.com, my-project",
        "list": [{"text": "Bearer ya29.abc-DEF_1.2 and AIzaSyA1234567890123456789012"}],
        "thought_signature": "c2ln" * 100,
        "data": "short",
    }
    told = json.dumps(redact(body, "my-project"))
    for secret in ("my-project", "me@example.com", "ya29.", "AIza", "c2lnc2ln"):
        assert secret not in told
    assert redact(body)["data"] == "short"
    assert redact(body)["thought_signature"] == "<400 characters>"


def test_a_shape_has_a_path_for_each_place():
    assert shape_of({"a": [{"b": 1}, {"b": None}], "c": "x"}, {"c": True}) == {
        "": {"object"},
        "a": {"array"},
        "a[]": {"object"},
        "a[].b": {"number", "null"},
        "c": {"string", "boolean"},
    }


def test_the_sdk_s_own_example_has_no_difference():
    assert compare_with_sdk(shape_of(COMPLETION), sdk_shape(ChatCompletion)) == []


def test_a_chunk_s_type_is_known_too():
    fields = sdk_shape(ChatCompletionChunk)
    assert fields["choices[].delta.tool_calls[].index"] == Field(frozenset({"number"}), is_required=True)


def test_of_two_kinds_of_object_either_may_come():
    fields = sdk_shape(ChatCompletion)
    assert fields["choices[].message.tool_calls[].id"].is_required
    assert not fields["choices[].message.tool_calls[].custom"].is_required


def test_a_message_that_is_missing_is_serious():
    blocked = {**COMPLETION, "choices": [{"index": 0, "finish_reason": "stop"}]}
    (difference,) = compare_with_sdk(shape_of(blocked), sdk_shape(ChatCompletion))
    assert difference == Difference("choices[].message", "is absent; the SDK's type requires it", "serious")


def test_google_s_own_fields_are_harmless_and_others_want_a_look():
    choice = {**COMPLETION["choices"][0], "matched_stop": 1}
    choice["message"] = {**choice["message"], "extra_content": {"google": {"thought_signature": "s"}}}
    differences = compare_with_sdk(shape_of({**COMPLETION, "choices": [choice]}), sdk_shape(ChatCompletion))
    grades = {difference.path: difference.grade for difference in differences}
    assert grades["choices[].message.extra_content.google.thought_signature"] == "harmless"
    assert grades["choices[].matched_stop"] == "look"


def test_another_type_than_the_emulator_s_is_serious():
    differences = compare_with_emulator({"a": {"string"}, "b": {"null"}}, {"a": {"number"}, "c": {"null"}})
    assert [(difference.path, difference.grade) for difference in differences] == [
        ("a", "serious"),
        ("b", "look"),
        ("c", "look"),
    ]


def test_a_finding_says_what_does_not_hold(tmp_path):
    probe = Probe("x", "Is it refused?", "nobody", "refused", refused("no"), ask("hello"))
    finding = find(probe, _plain(COMPLETION), _plain([{"error": {"message": "no"}}], 400))
    assert finding.holds is False
    assert finding.from_emulator[0].path == "(HTTP status)"
    written = json.loads(write_finding(finding, tmp_path, "a service", None).read_text())
    assert (written["holds"], written["request"]["messages"][0]["content"]) == (False, "hello")
    page = report([finding], "a service")
    assert "| x | Is it refused? | refused | **no** |" in page
    assert "| serious | x | `(HTTP status)` |" in page


def test_a_check_that_breaks_on_an_odd_answer_does_not_hold():
    probe = Probe("x", "Is it so?", "nobody", "so", lambda answer: answer.json["choices"][5], ask())
    assert find(probe, _plain({}), _plain({})).holds is False
    assert find(Probe("y", "Open?", "nobody", "", good, ask()), _plain({}), _plain({})).holds is None


class Told:
    """A service that gives the same answer to all, and keeps what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked = []

    def ask(self, body, place):
        self.asked.append((body, place.location))
        return self.answer


def test_a_request_follows_a_good_answer_of_which_one_can_be_made():
    def probe(then):
        return Probe("n", "?", "s", "a", good, ask("one"), then=then, then_place=Place("us"))

    told = Told(_plain(COMPLETION))
    probe(lambda answer: ask(answer.content)).asked_of(told)
    assert told.asked == [(ask("one"), "global"), (ask("hello"), "us")]
    for answer, then in ((_plain(COMPLETION), lambda _: None), (_plain({}, 400), lambda _: ask("two"))):
        told = Told(answer)
        assert probe(then).asked_of(told) is answer
        assert told.asked == [(ask("one"), "global")]
