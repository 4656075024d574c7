"""History goes out as the endpoint takes it: each rule, its neighbour, and the input as it was."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.endpoint_bodies import assistant_calls, result, signed
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import HistoryError
from vertex_compat_integrations.core.reply.tool_call import signatures_in
from vertex_compat_integrations.core.request.history import settle_history
from vertex_compat_integrations.core.request.mending import Mending
from vertex_compat_integrations.emulator.chat_request import ChatRequest, ModelResource
from vertex_compat_integrations.emulator.dialect.signature_book import SignatureBook, sightings
from vertex_compat_integrations.emulator.model_traits import find_traits
from vertex_compat_integrations.emulator.rules.first_refusal import first_refusal
from vertex_compat_integrations.wire import SKIP_SIGNATURE

STRICT, LENIENT, OLD, OPEN = (
    facts_for(model)
    for model in ("google/gemini-3.6-flash", "google/gemini-3.1-pro", "google/gemini-2.5-flash", "meta/llama-4-x-maas")
)
USER = {"role": "user", "content": "Go."}
NEWEST = "google/gemini-9-ultra"
"""A model that no row names."""


def settle(*messages, facts=STRICT, **how):
    given = copy.deepcopy(messages)
    settled = settle_history(messages, facts, **how)
    assert messages == given, "the input is not changed"
    return settled


def skipped(message):
    """Which calls of a message bear the skip value."""
    return [SKIP_SIGNATURE in signatures_in(call.get("extra_content")) for call in message["tool_calls"]]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "a"}]},
            [{"type": "text", "text": "a"}],
        ),
        ({"role": "user", "content": "a"}, "a"),
        ({"role": "user", "content": " "}, " "),
    ],
)
def test_empty_text_parts_are_left_out(message, expected):
    assert settle(message)[0]["content"] == expected


@pytest.mark.parametrize("content", ["", [], [{"type": "text", "text": ""}], None])
def test_an_empty_user_message_is_refused_and_other_empty_messages_are_left_out(content):
    with pytest.raises(HistoryError, match="user message is empty"):
        settle({"role": "user", "content": content})
    assert settle({"role": "system", "content": content}, USER, {"role": "assistant", "content": content}) == [USER]


@pytest.mark.parametrize("content", ["", None, [], [{"type": "text", "text": ""}]])
@pytest.mark.parametrize("facts", [STRICT, LENIENT, OLD, OPEN])
def test_no_empty_content_stands_beside_calls(content, facts):
    settled = settle(USER, assistant_calls(("a", "look"), content=content), result("a"), facts=facts)
    assert "content" not in settled[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ("{}", "{}"),
        ("", "{}"),
        ("  ", "{}"),
        ('{"a": 1', '{"invalid_arguments":"{\\"a\\": 1"}'),
        ("[1]", '{"invalid_arguments":"[1]"}'),
        ('"text"', '{"invalid_arguments":"\\"text\\""}'),
        ("null", '{"invalid_arguments":"null"}'),
        ('{"a": NaN}', '{"invalid_arguments":"{\\"a\\": NaN}"}'),
    ],
)
def test_arguments_are_a_json_object(arguments, expected):
    called = assistant_calls(("a", "look"))
    called["tool_calls"][0]["function"]["arguments"] = arguments
    sent = settle(USER, called, result("a"))[1]["tool_calls"][0]["function"]["arguments"]
    assert sent == expected
    assert isinstance(json.loads(sent), dict)


def test_results_stand_in_the_order_of_the_calls_with_the_functions_names():
    called = assistant_calls(("a", "look"), ("b", "find"))
    settled = settle(USER, called, result("b", "B"), {**result("a", "A"), "name": "own"})
    assert [(each["tool_call_id"], each["content"], each["name"]) for each in settled[2:]] == [
        ("a", "A", "look"),
        ("b", "B", "find"),
    ]


def test_results_with_one_id_are_paired_by_order():
    """Google's own example for open models has the function's name as id of both calls."""
    called = assistant_calls(("look", "look"), ("look", "look"))
    settled = settle(USER, called, result("look", "A"), result("look", "B"))
    assert [each["content"] for each in settled[2:]] == ["A", "B"]


@pytest.mark.parametrize("content", ["", [], None])
def test_a_result_that_says_nothing_says_so(content):
    settled = settle(USER, assistant_calls(("a", "look")), {**result("a"), "content": content})
    assert json.loads(settled[2]["content"]) == {"output": ""}


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([USER, assistant_calls(("a", "look"), ("b", "look")), result("a")], "has no result"),
        ([USER, assistant_calls(("a", "look"))], "has no result"),
        ([USER, assistant_calls(("a", "look")), USER], "has no result"),
        ([USER, assistant_calls(("a", "look")), result("a"), result("b")], "belongs to no call"),
        ([USER, assistant_calls(("a", "look")), result("a"), result("a", "other")], "2 results that differ"),
        ([USER, {"role": "assistant", "content": "Hm."}], "ends with the assistant's message"),
        ([{"role": "assistant", "content": "Hm."}], "ends with the assistant's message"),
        ([USER, result("a")], "does not follow a message"),
        ([result("a"), USER], "does not follow a message"),
        ([{"role": "system", "content": "Be kind."}], "no message to answer"),
        ([], "no message to answer"),
        ([assistant_calls(("a", "look")), result("a")], "begins with a tool call"),
        (
            [{"role": "assistant", "content": "Hm."}, assistant_calls(("a", "look")), result("a")],
            "begins with a tool call",
        ),
    ],
)
def test_what_cannot_be_mended_is_refused_with_a_remedy(messages, said):
    with pytest.raises(HistoryError, match=said) as caught:
        settle(*messages)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([USER, {"role": "user", "content": ""}], [USER]),
        ([USER, {"role": "assistant", "content": "Hm."}], [USER, ("assistant", "Hm."), ("user", "Go on.")]),
        ([{"role": "assistant", "content": "Hm."}], [("assistant", "Hm."), ("user", "Go on.")]),
        (
            [assistant_calls(("a", "look")), result("a")],
            [("user", "(The beginning of the conversation is left out.)"), ("assistant", None), ("tool", "done")],
        ),
        ([USER, assistant_calls(("a", "look"))], [USER, ("assistant", None), ("tool", "not run")]),
    ],
    ids=[
        "an empty user message",
        "the model's word last",
        "the model's word alone",
        "a call first",
        "a cancelled call",
    ],
)
def test_what_is_refused_is_mended_with_one_note_where_the_caller_says_so(messages, expected):
    with pytest.raises(HistoryError):
        settle(*messages)
    mending = Mending(repairs=True)
    settled = settle(*messages, mending=mending)
    told = [(message["role"], message.get("content")) for message in settled]
    assert told == [each if isinstance(each, tuple) else (each["role"], each["content"]) for each in expected]
    assert len(mending.notes) == 1


def test_there_must_be_something_to_answer_whatever_may_be_lost():
    for messages in ([], [{"role": "system", "content": "Be kind."}], [{"role": "user", "content": None}]):
        with pytest.raises(HistoryError, match="no message to answer"):
            settle(*messages, mending=Mending(repairs=True))


def test_an_open_model_may_end_with_its_own_word():
    said = {"role": "assistant", "content": "Hm."}
    assert settle(USER, said, facts=OPEN) == [USER, said]


def test_an_open_model_may_begin_with_a_call():
    settle(assistant_calls(("a", "look")), result("a"), facts=OPEN)


@pytest.mark.parametrize(("facts", "is_kept"), [(STRICT, False), (LENIENT, True), (OLD, True), (OPEN, True)])
def test_a_preamble_is_left_out_for_the_models_that_refuse_it(facts, is_kept):
    called = assistant_calls(("a", "look"), content="Let me look.")
    settled = settle(USER, called, result("a"), {"role": "assistant", "content": "Done."}, USER, facts=facts)
    assert ("content" in settled[1]) is is_kept
    assert settled[3]["content"] == "Done."


@pytest.mark.parametrize("between", [[], [{"role": "system", "content": "Be kind."}]])
def test_text_right_before_calls_becomes_their_preamble(between):
    """A call must come right after a user turn or after results."""
    said = [{"role": "assistant", "content": "A", "extra_content": signed("s1")}, {"role": "assistant", "content": "B"}]
    called = assistant_calls(("a", "look"), content="C", extra_content=signed("s2"))
    settled = settle(USER, *said, *between, called, result("a"), facts=LENIENT)
    assert [message["role"] for message in settled] == ["user", *(m["role"] for m in between), "assistant", "tool"]
    assert settled[-2]["content"] == [
        {"type": "text", "text": "A", "extra_content": signed("s1")},
        {"type": "text", "text": "B"},
        {"type": "text", "text": "C"},
    ]
    assert settled[-2]["extra_content"] == signed("s2")
    assert settle(USER, *said, *between, called, result("a"), facts=OPEN)[1:3] == said


@pytest.mark.parametrize("namespace", ["google", "vertex"])
def test_each_signature_stands_once(namespace):
    extra = signed("s", namespace)
    called = assistant_calls(("a", "look"), extra_content=extra)
    called["tool_calls"][0]["extra_content"] = extra
    spoken = {
        "role": "assistant",
        "content": [{"type": "text", "text": "a", "extra_content": extra}],
        "extra_content": extra,
    }
    assert json.dumps(settle(USER, called, result("a"))).count('"s"') == 1
    assert json.dumps(settle(USER, spoken, USER)).count('"s"') == 1
    answer = {"role": "assistant", "content": "a", "extra_content": extra}
    assert settle(USER, answer, USER)[1]["extra_content"] == extra


@pytest.mark.parametrize(("facts", "expected"), [(STRICT, True), (LENIENT, True), (OLD, False), (OPEN, False)])
def test_the_skip_value_stands_on_the_first_call_of_each_step_of_the_current_turn_only(facts, expected):
    earlier = [USER, assistant_calls(("a", "look"), ("b", "look")), result("a"), result("b")]
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "gs://b/i"}}]}
    turn = [USER, *earlier[1:], *earlier[1:], picture, *earlier[1:]]
    settled = settle(*earlier, *turn, facts=facts)
    steps = [skipped(message) for message in settled if message.get("tool_calls")]
    assert steps == [[False, False]] + [[expected, False]] * 3


@pytest.mark.parametrize("extra", [{"google": {"thought_signature": ""}}, {"google": {}}, {"other": {"a": 1}}, None])
def test_the_skip_value_goes_beside_what_is_there(extra):
    called = assistant_calls(("a", "look"))
    if extra is not None:
        called["tool_calls"][0]["extra_content"] = extra
    sent = settle(USER, called, result("a"))[1]["tool_calls"][0]["extra_content"]
    assert sent == {**(extra or {}), **signed(SKIP_SIGNATURE)}


def test_a_real_signature_stays_unless_all_are_to_be_replaced():
    called = assistant_calls(("a", "look"))
    called["tool_calls"][0]["extra_content"] = signed("s", "vertex")
    history = [USER, called, result("a")]
    assert settle(*history)[1]["tool_calls"][0]["extra_content"] == signed("s", "vertex")
    replaced = settle(*history, skip_values="everywhere")[1]["tool_calls"][0]["extra_content"]
    assert replaced == signed(SKIP_SIGNATURE)
    unsigned = [USER, assistant_calls(("a", "look")), result("a")]
    assert skipped(settle(*unsigned, facts=OLD, skip_values="where missing")[1]) == [True]


def test_absent_extra_content_stays_absent():
    settled = settle(USER, assistant_calls(("a", "look")), result("a"), facts=OLD)
    assert "extra_content" not in json.dumps(settled)


# Whatever is let through is accepted.

TEXT = st.sampled_from(["", "a", "Hm.", "é\n"])
EXTRA = st.none() | st.builds(signed, st.sampled_from(["s1", "s2", "s3", ""]), st.sampled_from(["google", "vertex"]))
CONTENT = TEXT | st.lists(st.builds(lambda text: {"type": "text", "text": text}, TEXT), max_size=2)


@st.composite
def steps(draw):
    """A message with calls, and results that mostly fit."""
    ids = draw(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3))
    message = assistant_calls(*((key, draw(st.sampled_from(["look", "find"]))) for key in ids))
    for call in message["tool_calls"]:
        call["function"]["arguments"] = draw(st.sampled_from(["{}", '{"a":1}', "", "[", '"x"']))
        if extra := draw(EXTRA):
            call["extra_content"] = extra
    for key, value in (("content", draw(st.none() | CONTENT)), ("extra_content", draw(EXTRA))):
        message |= {key: value} if value is not None else {}
    results = [result(key, draw(TEXT)) for key in draw(st.permutations(ids))]
    odd = draw(st.integers(0, 9))
    results = results if odd else results[1:]
    return [message, *results[:1], *([USER] if odd == 1 else []), *results[1:], *(results[:1] if odd == 2 else [])]


@st.composite
def spoken(draw):
    message = {"role": draw(st.sampled_from(["user", "assistant", "system"])), "content": draw(CONTENT)}
    extra = draw(EXTRA) if message["role"] == "assistant" else None
    return [message | ({"extra_content": extra} if extra else {})]


HISTORIES = st.lists(steps() | spoken() | st.just([USER]), min_size=1, max_size=7).map(
    lambda groups: [message for group in groups for message in group]
)


@pytest.mark.parametrize(
    "model",
    ["google/gemini-3.6-flash", "google/gemini-3.1-pro-preview", "google/gemini-2.5-flash", NEWEST],
)
@settings(max_examples=120, deadline=None)
@given(history=HISTORIES, repairs=st.booleans())
def test_whatever_is_let_through_is_accepted_by_the_service(model, history, repairs):
    """The emulator's acceptance knows the rules by itself."""
    given = copy.deepcopy(history)
    try:
        messages = settle_history(history, facts_for(model), mending=Mending(repairs))
    except HistoryError:
        assert history == given
        return
    assert history == given
    traits = find_traits(model, "openapi", [NEWEST])
    assert traits is not None
    request = ChatRequest({"model": model, "messages": messages}, ModelResource("v1", "p", "global", "openapi"), traits)
    book = SignatureBook()
    for message in messages:
        for sighting in sightings(message):
            book.accept(sighting.signature)
    assert first_refusal(request, book, is_strict=False) is None


def test_only_the_repeated_signature_goes():
    """What else a message's extra content holds is not this package's to drop."""
    extra = {"google": {"thought_signature": "s", "other": 1}, "vertex": {"x": 2}}
    call = {
        "id": "a",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "s"}},
    }
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [call], "extra_content": extra},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    ]
    settled = settle_history(messages, facts_for("google/gemini-3.5-flash"))
    assert settled[1]["extra_content"] == {"google": {"other": 1}, "vertex": {"x": 2}}
    assert settled[1]["tool_calls"][0]["extra_content"] == call["extra_content"]


@pytest.mark.parametrize(
    ("cut", "whole"), [('{"x": "\ud83d\ude00"}', {"x": "\U0001f600"}), ('{"x": "\ud83d"}', {"x": "\ufffd"})]
)
def test_halves_of_an_emoji_in_arguments_are_mended(cut, whole):
    """A fragment of a call may end in the middle of a character."""
    _, said, _ = settle(USER, said_by_id("a", cut), result("a"), facts=OLD)
    assert json.loads(said["tool_calls"][0]["function"]["arguments"]) == whole


def said_by_id(call_id, arguments):
    call = {"id": call_id, "type": "function", "function": {"name": "look", "arguments": arguments}}
    return {"role": "assistant", "tool_calls": [call]}
