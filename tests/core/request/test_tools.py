"""Which tools go out, and which of them may or must be called."""

import pytest

from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.core.request.build import build_request
from vertex_compat_integrations.core.request.tools import _LATEST, _MOST_LATEST, is_native_tool
from vertex_compat_integrations.core.settings.options import Options, with_tools_for_functions

GEMINI, OPEN = "google/gemini-3.5-flash", "qwen/qwen3-coder-480b-a35b-instruct-maas"
HELLO = [{"role": "user", "content": "Hello"}]


def function(name, **more):
    return {"type": "function", "function": {"name": name, "description": name, **more}}


A, B, C = (function(name) for name in "abc")


def body(model=GEMINI, **options):
    return build_request(HELLO, Options(model=model, **options), facts_for(model)).body


def named(*names):
    return [{"type": "function", "function": {"name": name}} for name in names]


@pytest.mark.parametrize(
    ("choice", "mode"),
    [
        (["a", "c"], None),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": named("a", "c")}}, "auto"),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": named("a", "c")}}, "required"),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "a"}, "c"]}, "required"),
    ],
    ids=["names", "auto", "required", "as in the Responses API"],
)
@pytest.mark.parametrize("model", [GEMINI, "google/gemini-2.5-flash"])
def test_only_allowed_tools_are_sent(model, choice, mode):
    sent = body(model, tools=[A, B, C], tool_choice=choice)
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["a", "c"]
    assert sent.get("tool_choice", "auto") == (mode or "auto")


@pytest.mark.parametrize(
    ("choice", "names", "mode"),
    [
        ({"mode": "ANY", "allowed_function_names": ["a"]}, ["a"], "required"),
        ({"function_calling_config": {"mode": "ANY", "allowed_function_names": ["a", "c"]}}, ["a", "c"], "required"),
        ({"functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["a"]}}, ["a"], "validated"),
        ({"function_calling_config": {"mode": "ANY"}}, ["a", "b", "c"], "required"),
        ({"function_calling_config": {"mode": "none"}}, ["a", "b", "c"], "none"),
        ({"function_calling_config": {"mode": "MODE_UNSPECIFIED"}}, ["a", "b", "c"], "auto"),
        ({"function_calling_config": {}}, ["a", "b", "c"], "auto"),
    ],
    ids=str,
)
def test_googles_native_choice_is_understood(choice, names, mode):
    """ChatVertexAI and ChatGoogleGenerativeAI take it as `tool_choice`, and inside `tool_config`."""
    sent = body(tools=[A, B, C], tool_choice=choice)
    assert [tool["function"]["name"] for tool in sent["tools"]] == names
    assert sent["tool_choice"] == mode


@pytest.mark.parametrize("choice", [{"retrieval_config": {}}, {"type": "custom", "custom": {"name": "a"}}], ids=str)
def test_a_choice_of_unknown_form_is_refused_for_gemini(choice):
    """The service answers only `Request contains an invalid argument.`"""
    with pytest.raises(SettingsError, match=r"is not a valid choice\. .*list of names"):
        body(tools=[A], tool_choice=choice)
    assert body(OPEN, tools=[A], tool_choice=choice)["tool_choice"] == choice


@pytest.mark.parametrize(
    "choice",
    [
        ["z"],
        [],
        {"mode": "ANY", "allowed_function_names": ["z"]},
        {"type": "allowed_tools", "tools": [{}]},
        {"type": "allowed_tools", "allowed_tools": {"tools": named("z")}},
        {"type": "allowed_tools"},
    ],
    ids=str,
)
def test_what_allows_no_tool_of_the_request_is_refused(choice):
    with pytest.raises(SettingsError):
        body(tools=[A], tool_choice=choice)


@pytest.mark.parametrize("choice", [None, "auto"])
def test_strict_is_validated_on_gemini_where_nothing_else_is_chosen(choice):
    assert body(tools=[A, function("d", strict=True)], tool_choice=choice)["tool_choice"] == "validated"
    assert "strict" not in body(tools=[function("d", strict=True)])["tools"][0]["function"]


@pytest.mark.parametrize(("choice", "sent"), [("none", "none"), ("any", "required"), (True, "required")])
def test_strict_changes_no_other_choice(choice, sent):
    assert body(tools=[function("d", strict=True)], tool_choice=choice)["tool_choice"] == sent


def test_strict_goes_untouched_to_open_models():
    sent = body(OPEN, tools=[function("d", strict=True)])
    assert sent["tools"][0]["function"]["strict"] is True
    assert sent.get("tool_choice") != "validated"


@pytest.mark.parametrize("tool", [{"google_search": {}}, {"codeExecution": {}}, {"url_context": {}}], ids=str)
def test_googles_own_tools_go_where_google_documents_them(tool):
    sent = body(tools=[A, tool], extra_body={"google": {"tools": [{"google_maps": {}}]}})
    assert [each["function"]["name"] for each in sent["tools"]] == ["a"]
    assert sent["extra_body"]["google"]["tools"] == [{"google_maps": {}}, tool]
    assert "tools" not in body(tools=[tool])


def test_googles_own_tools_are_refused_for_other_models_and_beside_a_cache():
    with pytest.raises(SettingsError, match="Gemini"):
        body(OPEN, tools=[{"google_search": {}}])
    with pytest.raises(SettingsError, match="Google's own tools"):
        body(tools=[{"google_search": {}}], cached_content="7")


@pytest.mark.parametrize("tool", [{}, A, {"name": "x"}, {"google_search": {}, "name": "x"}, "google_search", None])
def test_what_only_resembles_a_native_tool_is_none(tool):
    assert not is_native_tool(tool)


def test_deprecated_functions_are_sent_as_tools():
    with pytest.warns(VertexCompatWarning, match="functions"):
        said = with_tools_for_functions({"functions": [{"name": "a"}], "function_call": {"name": "a"}, "seed": 1})
    assert said == {
        "tools": [{"type": "function", "function": {"name": "a"}}],
        "tool_choice": {"name": "a"},
        "seed": 1,
    }
    assert body(**said)["tool_choice"] == {"type": "function", "function": {"name": "a"}}


def image(url="gs://b/a.png", **more):
    return {"type": "image_url", "image_url": {"url": url, **more}}


PDF = image("data:application/pdf;base64,AAAA")


@pytest.mark.parametrize("parts", [[image(detail="low"), image(detail="high")], [image(), image(detail="low")]])
def test_mixed_detail_is_refused_before_sending_for_models_older_than_gemini_3(parts):
    messages = [{"role": "user", "content": parts}]
    old, new = "google/gemini-2.5-flash", GEMINI
    with pytest.raises(SettingsError, match="detail"):
        build_request(messages, Options(model=old), facts_for(old))
    assert build_request(messages, Options(model=new), facts_for(new)).body["messages"] == messages


@pytest.mark.parametrize(
    "parts", [[image(detail="low"), image(detail="low")], [image(detail="low"), PDF], [image(), image(detail="auto")]]
)
def test_equal_detail_is_sent_and_what_is_no_image_has_none(parts):
    messages = [{"role": "user", "content": parts}]
    old = "google/gemini-2.5-flash"
    assert build_request(messages, Options(model=old), facts_for(old)).body["messages"] == messages


@pytest.mark.parametrize("kind", ["json_object", "text/x.enum", "application/json"])
def test_tools_beside_a_format_are_refused_for_models_older_than_gemini_3(kind):
    with pytest.raises(SettingsError, match="response_format"):
        body("google/gemini-2.5-flash", tools=[A], response_format={"type": kind})
    assert body(tools=[A], response_format={"type": kind})["response_format"] == {"type": kind}
    assert body("google/gemini-2.5-flash", tools=[A], response_format={"type": "text/plain"})["tools"]


@pytest.mark.parametrize("model", [OPEN, "google/gemma-4-26b-a4b-it-maas", "xai/grok-4.1"])
def test_no_signature_is_sent_to_another_publishers_model(model):
    signed = {"google": {"thought_signature": "s"}}
    call = {"id": "1", "type": "function", "function": {"name": "a", "arguments": "{}"}, "extra_content": signed}
    messages = [
        *HELLO,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
        {"role": "assistant", "content": "Done.", "extra_content": {**signed, "other": {"kept": 1}}},
        {"role": "user", "content": "And?"},
    ]
    sent = build_request(messages, Options(model=model, tools=[A]), facts_for(model)).body["messages"]
    assert "thought_signature" not in str(sent)
    assert sent[3]["extra_content"] == {"other": {"kept": 1}}
    assert sent[1]["tool_calls"][0]["id"] == "1"
    kept = build_request(messages, Options(model=GEMINI, tools=[A]), facts_for(GEMINI)).body["messages"]
    assert kept[1]["tool_calls"][0]["extra_content"] == signed
    assert messages[1]["tool_calls"][0]["extra_content"] == signed


def test_a_schema_that_was_changed_in_place_goes_out_as_it_is_now():
    tool = function("a", parameters={"type": "object", "properties": {"x": {"type": "string"}}})
    first, again = body(tools=[tool]), body(tools=[tool])
    assert first == again
    tool["function"]["parameters"]["properties"]["x"]["type"] = "integer"
    assert body(tools=[tool])["tools"][0]["function"]["parameters"]["properties"]["x"]["type"] == "integer"
    assert first["tools"][0]["function"]["parameters"]["properties"]["x"]["type"] == "string"


def test_of_many_schemas_the_latest_are_kept():
    tools = [
        function(f"a{number}", parameters={"type": "object", "properties": {f"x{number}": {"type": "string"}}})
        for number in range(1_200)
    ]
    sent = body(tools=tools)["tools"]
    assert [list(tool["function"]["parameters"]["properties"]) for tool in sent] == [[f"x{n}"] for n in range(1_200)]
    assert len(_LATEST) <= _MOST_LATEST
