"""Tools that people really have, in both frameworks: what is odd about them → what becomes of it."""

import json
import warnings
from typing import Annotated

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolArg, StructuredTool
from langchain_core.tools import tool as langchain_tool
from llama_index.core.base.llms.types import ChatMessage, DocumentBlock, ImageBlock, TextBlock, ToolCallBlock
from pydantic import BaseModel

from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

GEMINI, OPEN = "google/gemini-3.5-flash", "qwen/qwen3-coder-480b-a35b-instruct-maas"
SERVER = {"base_url": "http://127.0.0.1:9/v1", "api_key": "x"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PLAIN = {"type": "object", "properties": {"q": {"type": "string"}}}
NODE = {"type": "object", "properties": {"and": {"type": "array", "items": {"$ref": "#/$defs/Node"}}}}
TREE = {"type": "object", "properties": {"filter": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": NODE}}
LANGCHAIN, LLAMA_INDEX = "langchain", "llama_index"
both = pytest.mark.parametrize("framework", [LANGCHAIN, LLAMA_INDEX])


def tool(name, parameters=PLAIN):
    return {"type": "function", "function": {"name": name, "description": "d", "parameters": parameters}}


def explain(framework, tools, model=GEMINI, **settings):
    if framework == LANGCHAIN:
        chat = ChatVertexCompat(model=model, **SERVER, **settings)
        return chat.bind_tools(tools).explain_request([HumanMessage("Hello")]).body
    llm = VertexCompat(model=model, **SERVER, **settings)
    return llm.explain_request([ChatMessage(content="Hello")], tools=tools).body


BROKEN = {
    "null property": {"type": "object", "properties": {"urls": None}},
    "lost reference": {"type": "object", "properties": {"x": {"$ref": "#/$defs/Gone"}}},
    "schema that is text": "nothing",
    "deep": json.loads('{"type":"array","items":' * 90 + "{}" + "}" * 90),
}


@both
@pytest.mark.parametrize("model", [GEMINI, OPEN])
@pytest.mark.parametrize("kind", BROKEN)
def test_the_error_begins_with_the_name_of_the_one_bad_tool(framework, model, kind):
    tools = [*(tool(f"other_{number}") for number in range(39)), tool("query", {"type": "object", **PLAIN})]
    tools[-1] = tool("query", BROKEN[kind])
    with pytest.raises(SettingsError, match=r"\Aquery: "):
        explain(framework, tools, model)


@both
def test_two_tools_of_one_name_are_refused_by_it(framework):
    with pytest.raises(SettingsError, match=r"\Asearch: two tools"):
        explain(framework, [tool("search"), tool("other"), tool("search")])


@both
def test_recursion_is_an_error_where_the_setting_says_so(framework):
    with pytest.raises(SettingsError, match=r"\Aquery: Node contains itself"):
        explain(framework, [tool("search"), tool("query", TREE)], on_recursion="error")


@both
def test_recursion_is_cut_at_a_free_object(framework):
    sent = explain(framework, [tool("search"), tool("query", TREE)])["tools"][1]["function"]["parameters"]
    inner = sent["properties"]["filter"]["properties"]["and"]["items"]
    assert inner == {"type": "object", "additionalProperties": True}
    assert "$ref" not in json.dumps(sent)


@both
def test_an_open_model_gets_the_references_untouched(framework):
    assert explain(framework, [tool("query", TREE)], OPEN)["tools"][0]["function"]["parameters"] == TREE


def test_one_warning_names_tool_and_path(emulator):
    chat = ChatVertexCompat(model=GEMINI, base_url=emulator.base_url(), api_key=emulator.identity.issue())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            chat.bind_tools([tool("query", TREE)]).invoke("Hello")
    texts = [str(each.message) for each in caught if issubclass(each.category, VertexCompatWarning)]
    assert [text[:6] for text in texts if "contains itself" in text] == ["query:"]
    assert "$.properties.filter.properties.and.items" in "".join(texts)


def test_the_recursive_schema_of_an_mcp_server_keeps_its_shape_in_langchain():
    mcp = StructuredTool(name="query", description="d", args_schema=TREE, func=lambda **_: "")
    sent = explain(LANGCHAIN, [mcp])["tools"][0]["function"]["parameters"]
    assert sent["properties"]["filter"]["properties"]["and"]["items"]["type"] == "object"


class Part(BaseModel):
    """A part of a machine."""

    name: str
    parts: list["Part"] = []


def assemble(part: Part, user: Annotated[str, InjectedToolArg], count: int = 1) -> str:
    """Assemble a machine."""
    return f"{part} {user} {count}"


def test_a_function_with_a_recursive_parameter_is_declared_like_its_tool():
    """LangChain's conversion of functions drops the part that contains itself."""
    for model in (GEMINI, OPEN):
        by_function, by_tool = (
            explain(LANGCHAIN, [each], model)["tools"][0]["function"] for each in (assemble, langchain_tool(assemble))
        )
        assert by_function == by_tool
        assert by_function["parameters"]["properties"].keys() == {"part", "count"}
    with pytest.raises(SettingsError, match=r"\Aassemble: Part contains itself"):
        explain(LANGCHAIN, [assemble], on_recursion="error")


@both
def test_the_answer_of_structured_output_still_refuses_recursion(framework):
    answer = {"type": "json_schema", "json_schema": {"name": "tree", "schema": TREE}}
    model = (ChatVertexCompat if framework == LANGCHAIN else VertexCompat)(model=GEMINI, **SERVER)
    with pytest.raises(SettingsError, match="contains itself"):
        model.explain_request("Hello", response_format=answer)


@pytest.mark.parametrize(
    "names",
    [
        ["get weather"],
        ["21st_builder"],
        ["-list"],
        ["mcp__" + "a" * 80],
        ["a b", "a_b"],
        ["天気", "東京"],
        ["Reply[int]"],
    ],
    ids=lambda names: names[0][:12],
)
def test_names_that_the_wire_refuses_are_changed_there_and_back(emulator, names):
    chat = ChatVertexCompat(model=GEMINI, base_url=emulator.base_url(), api_key=emulator.identity.issue())
    bound = chat.bind_tools([tool(name) for name in names], tool_choice="any")
    question = HumanMessage("Look.")
    answer = bound.invoke([question])
    called = [call["name"] for call in answer.tool_calls]
    assert called
    assert set(called) <= set(names)
    streamed = [call["name"] for chunk in bound.stream([question]) for call in chunk.tool_call_chunks if call["name"]]
    assert streamed
    assert set(streamed) <= set(names)
    declared = {each["function"]["name"] for each in emulator.journal.last.body["tools"]}
    assert len(declared) == len(names)
    results = [ToolMessage("ok", tool_call_id=call["id"]) for call in answer.tool_calls]
    bound.invoke([question, answer, *results])
    said = emulator.journal.last.body["messages"][1]["tool_calls"]
    assert {call["function"]["name"] for call in said} <= declared


def result_of(framework, content, model=GEMINI, **settings):
    """The messages that go out after a tool gave this: text, a picture (bytes), or a link."""
    if framework == LANGCHAIN:
        call = AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "1", "type": "tool_call"}])
        blocks = {
            bytes: lambda: [
                {"type": "text", "text": "seen"},
                {"type": "image", "base64": PNG, "mime_type": "image/png"},
            ],
            tuple: lambda: [{"type": "file", "url": content[0], "mime_type": "text/plain"}],
            str: lambda: content,
        }[type(content)]()
        history = [HumanMessage("Look."), call, ToolMessage(blocks, tool_call_id="1")]
        return ChatVertexCompat(model=model, **settings).explain_request(history).body["messages"]
    blocks = {
        bytes: lambda: [TextBlock(text="seen"), ImageBlock(image=PNG.encode(), image_mimetype="image/png")],
        tuple: lambda: [DocumentBlock(url=content[0], document_mimetype="text/plain")],
        str: lambda: [TextBlock(text=content)],
    }[type(content)]()
    history = [
        ChatMessage(content="Look."),
        ChatMessage(role="assistant", blocks=[ToolCallBlock(tool_call_id="1", tool_name="look", tool_kwargs={})]),
        ChatMessage(role="tool", blocks=blocks, additional_kwargs={"tool_call_id": "1"}),
    ]
    return VertexCompat(model=model, **settings).explain_request(history).body["messages"]


@both
@pytest.mark.parametrize(
    "text",
    ['{"output": "a", "total": 5}', '{"error": null, "rows": [1]}', '{"schema": {"$ref": "#/$defs/X"}}'],
)
def test_a_result_arrives_whole_whatever_keys_it_holds(framework, text):
    sent = result_of(framework, text, project="p")[-1]["content"]
    assert json.loads(sent) == {"output": text}
    assert result_of(framework, text, OPEN, project="p")[-1]["content"] == text


@both
@pytest.mark.parametrize("text", ["Rain.", '{"rows": [1]}', '{"output": "a"}', '[{"error": 1}]', '{"say": "output"}'])
def test_a_result_that_loses_nothing_goes_as_it_is(framework, text):
    assert result_of(framework, text, project="p")[-1]["content"] == text


@both
@pytest.mark.parametrize("link", ["file:///etc/hosts", "repo://owner/name/README.md", "demo://resource/1"])
def test_a_link_that_google_cannot_fetch_is_text_in_a_result(framework, link):
    sent = result_of(framework, (link,), project="p")[-1]
    assert link in sent["content"]
    assert "extra_content" not in sent


@both
def test_such_a_link_of_the_user_is_refused_in_words(framework):
    if framework == LANGCHAIN:
        model = ChatVertexCompat(model=GEMINI, **SERVER)
        message = HumanMessage([{"type": "file", "file": {"file_id": "file-abc123"}}])
    else:
        model = VertexCompat(model=GEMINI, **SERVER)
        message = ChatMessage(blocks=[DocumentBlock(url="file:///a.pdf", document_mimetype="application/pdf")])
    with pytest.raises(SettingsError, match="Google cannot fetch"):
        model.explain_request([message])


@both
@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", SERVER),
        ("meta/llama-4-scout-17b-16e-instruct-maas", {"project": "p"}),
        ("google/gemma-4-26b-a4b-it-maas", {"project": "p"}),
    ],
)
def test_a_picture_of_a_tool_reaches_an_open_model_in_a_user_message(framework, model, settings):
    *_, result, shown = result_of(framework, b"", model, **settings)
    assert result["role"] == "tool"
    assert result["content"].startswith("seen")
    assert "extra_content" not in result
    assert shown["role"] == "user"
    assert {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}} in shown["content"]


@both
def test_a_picture_of_a_tool_reaches_gemini_beside_the_result(framework):
    sent = result_of(framework, b"", project="p")[-1]
    assert sent["extra_content"]["google"]["parts"][0]["inline_data"]["data"] == PNG
