"""A text that starts with a call's mark → the calls in it. Pure; each character is read once.

The forms are those of the models' chat templates, as the parsers of vLLM (`vllm/tool_parsers`) read them: Hermes and
Qwen (`hermes`), Qwen3-Coder and Llama's own (`qwen3_coder`, `llama`), Mistral (`mistral`),
gpt-oss (`openai`; format: https://cookbook.openai.com/articles/openai-harmony), DeepSeek V3 to V4 (`deepseek_v3`,
`_v31`, `_v32`, `_v4`), Kimi (`kimi_k2`), GLM (`glm45`, `glm47`), MiniMax (`minimax_m2`), Granite (`granite`), Gemma 4
(`gemma4`; ml-explore/mlx-lm#1105).
Those parsers accept more: this module returns only certain calls, since a tool would run with guessed arguments.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from vertex_compat_integrations.core.json_values import JsonObject, text_in
from vertex_compat_integrations.core.reply.calls_in_text import marks
from vertex_compat_integrations.core.reply.calls_in_text.cursor import Cursor, UnreadableCallError, json_text
from vertex_compat_integrations.core.reply.calls_in_text.values import UnclearValueError, value_of


class LeftCall(NamedTuple):
    """A call that was left in the text; `arguments` is a JSON object, `id` the model's own or empty."""

    name: str
    arguments: str
    id: str = ""


Tools: TypeAlias = Mapping[str, JsonObject]
"""Name → JSON Schema of the arguments."""
Reader: TypeAlias = Callable[[Cursor, Tools], list[LeftCall]]

ENDS = (
    *("</tool_call>", "<tool_call|>", "</minimax:tool_call>", "<｜tool▁calls▁end｜>", "<|tool_calls_section_end|>"),
    *(f"</｜DSML｜{name}>" for name in marks.DSML_NAMES),
    *("<|call|>", "<|end|>", "<|return|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "</s>", "<|endoftext|>"),
    *("<｜end▁of▁sentence｜>", "<|observation|>", "<|user|>"),
)
"""Text that may follow a call and has no meaning: ends of sections, messages and turns."""

MARK = re.compile("|".join(map(re.escape, marks.BEGINNINGS)))
_END = re.compile("|".join(map(re.escape, ENDS)))
_INSIDE = re.compile(r"</?(parameter|function|invoke|arg_key|arg_value|｜DSML｜\w+)\b[^<>]{0,200}>|<\|constrain\|>")
_CALL_KEYS = frozenset({"name", "arguments", "parameters", "id", "type", "index"})
# Limited blanks: unlimited repetition would allow exponentially many ways to match.
_HEADER = re.compile(
    r"\s{0,9}(?:to=functions\.(?P<name>[^\s<>]+))?\s{0,9}(?:<\|constrain\|>)?\s{0,9}(?:json)?\s{0,9}<\|message\|>"
)
_START = re.compile(r"assistant\s{0,9}(?:to=functions\.(?P<name>[^\s<>]+))?\s{0,9}<\|channel\|>")
_KIMI_ID = re.compile(r"(?:functions\.)?(?P<name>.+):\d+", re.DOTALL)
_BUILT_IN = re.compile(r"(?P<name>[^\s<>{}().]+)\.call\(")
_KEYWORD = re.compile(r"\s*(?P<name>\w+)\s*=\s*")
_MISTRAL = re.compile(r"(?P<name>[^\s{\[]+)\s{0,9}(?:\[CALL_ID\](?P<id>[^\s\[{]+))?(?:\[ARGS\])?\s{0,9}(?=\{)")
_GEMMA = re.compile(r"call:(?P<name>[^\s{}]+?)\s*(?=\{)")
_GEMMA_TOKEN = re.compile(r'<\|"\|>(?P<text>.*?)<\|"\|>|(?P<word>[\w.\-]+)(?P<colon>\s*:)?', re.DOTALL)
_DSML_VALUE = re.compile(r'<｜DSML｜parameter name="(?P<name>[^"]+)"(?: string="(?P<is_text>true|false)")?>')


def read_calls(text: str, tools: Tools) -> tuple[list[LeftCall], str]:
    """Return the calls in a text that begins with one, and the text between and after them.

    Raises:
        UnreadableCallError: A call cannot be read with certainty, or no tool has its name.
    """
    cursor, calls, words = Cursor(text), list[LeftCall](), list[str]()
    while (mark := MARK.search(text, cursor.at)) is not None:
        words.append(text[cursor.at : mark.start()])
        cursor.at = mark.end()
        following = text[mark.end() : mark.end() + marks.MOST_UNDECIDED]
        if marks.BEGINNINGS[mark[0]](following, tools):
            calls += _READERS[mark[0]](cursor, tools)
        else:
            words.append(mark[0])
    words.append(text[cursor.at :])
    rest = _END.sub("", "".join(words)).strip()
    if _INSIDE.search(rest) or any(call.name not in tools for call in calls):
        raise UnreadableCallError
    return calls, rest


def _call_in(value: object) -> LeftCall:
    """Return the call that an object describes."""
    if not isinstance(value, dict) or not value.keys() <= _CALL_KEYS or {"arguments", "parameters"} <= value.keys():
        raise UnreadableCallError
    arguments = value.get("arguments", value.get("parameters"))
    if isinstance(arguments, str):
        # Encoded twice, as in OpenAI's own form.
        arguments = Cursor(arguments).whole_json()
    if not isinstance(arguments, dict | None):
        raise UnreadableCallError
    return LeftCall(text_in(value.get("name")), json_text(arguments or {}), text_in(value.get("id")))


def _calls_in(value: object) -> list[LeftCall]:
    return [_call_in(item) for item in value] if isinstance(value, list) else [_call_in(value)]


def _closed(cursor: Cursor, *ends: str) -> None:
    """Move past the end of a call: one of these, or an end of a section or the text; else the call is not over."""
    cursor.skip_blanks()
    if any(cursor.take(end) for end in ends) or cursor.is_at_end:
        return
    if not (MARK.match(cursor.text, cursor.at) or _END.match(cursor.text, cursor.at)):
        raise UnreadableCallError


def _read_tool_call(cursor: Cursor, tools: Tools) -> list[LeftCall]:
    """`<tool_call>`: JSON objects, Qwen3-Coder's XML, or GLM's."""
    cursor.skip_blanks()
    if cursor.sees("{", "["):
        calls = _calls_in(cursor.json())
        while cursor.skip_blanks().sees("{"):
            calls += _calls_in(cursor.json())
    elif cursor.sees(marks.QWEN):
        calls = []
        while cursor.skip_blanks().take(marks.QWEN):
            calls += _read_function(cursor, tools)
    else:
        return [_read_glm(cursor, tools)]
    _closed(cursor, "</tool_call>")
    return calls


def _read_glm(cursor: Cursor, tools: Tools) -> LeftCall:
    name = cursor.until("<arg_key>", "</tool_call>").strip()
    arguments: dict[str, Any] = {}
    while cursor.skip_blanks().take("<arg_key>"):
        key = cursor.past("</arg_key>").strip()
        cursor.skip_blanks().expect("<arg_value>")
        _add(arguments, key, cursor.past("</arg_value>"), tools.get(name))
    cursor.expect("</tool_call>")
    return LeftCall(name, json_text(arguments))


def _read_function(cursor: Cursor, tools: Tools) -> list[LeftCall]:
    """`<function=…>`: a JSON object, or a tag for each parameter; the end tag is required."""
    name = cursor.past(">")
    if cursor.skip_blanks().sees("{"):
        arguments = cursor.json()
    else:
        arguments = {}
        while cursor.skip_blanks().take("<parameter="):
            key = cursor.past(">")
            _add(arguments, key, _without_breaks(cursor.past("</parameter>")), tools.get(name))
    cursor.skip_blanks().expect("</function>")
    return [LeftCall(name, json_text(arguments))]


def _read_python_tag(cursor: Cursor, _: Tools) -> list[LeftCall]:
    """`<|python_tag|>`: JSON objects separated by semicolons, or the call of a built-in tool."""
    calls: list[LeftCall] = []
    while True:
        cursor.skip_blanks()
        if (built_in := cursor.match(_BUILT_IN)) is not None:
            calls.append(LeftCall(built_in["name"], json_text(_keywords(cursor))))
        else:
            calls.append(_call_in(cursor.json()))
        if not cursor.skip_blanks().take(";"):
            _closed(cursor)
            return calls


def _keywords(cursor: Cursor) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    while (keyword := cursor.match(_KEYWORD)) is not None:
        _add(arguments, keyword["name"], cursor.json(), None)
        if not cursor.skip_blanks().take(","):
            break
    cursor.skip_blanks().expect(")")
    return arguments


def _read_mistral(cursor: Cursor, _: Tools) -> list[LeftCall]:
    cursor.skip_blanks()
    if cursor.sees("{", "["):
        calls = _calls_in(cursor.json())
    elif (head := cursor.match(_MISTRAL)) is not None:
        calls = [LeftCall(head["name"], cursor.json_object(), head["id"] or "")]
    else:
        raise UnreadableCallError
    _closed(cursor)
    return calls


def _read_harmony(cursor: Cursor, _: Tools, name: str | None = None) -> list[LeftCall]:
    """The channel `commentary`: a call if the header names a recipient, otherwise words to the user."""
    cursor.skip_blanks().expect("commentary")
    if (header := cursor.match(_HEADER)) is None:
        raise UnreadableCallError
    name = header["name"] or name
    if name is None and not cursor.skip_blanks().sees("{", "["):
        return []
    if name is None:
        # The function's name was lost: NVIDIA/TensorRT-LLM#9256.
        raise UnreadableCallError
    call = LeftCall(name, cursor.json_object())
    _closed(cursor, "<|call|>")
    return [call]


def _read_message(cursor: Cursor, tools: Tools) -> list[LeftCall]:
    if (start := cursor.match(_START)) is None:
        raise UnreadableCallError
    return _read_harmony(cursor, tools, start["name"])


def _read_section(_: Cursor, __: Tools) -> list[LeftCall]:
    """The calls follow, each with its own mark."""
    return []


def _read_deepseek(cursor: Cursor, _: Tools) -> list[LeftCall]:
    """V3 and R1 write `function`, and the arguments in a fence; V3.1 writes the name and the arguments."""
    name = cursor.past("<｜tool▁sep｜>").strip()
    is_fenced = name == "function" and not cursor.skip_blanks().sees("{")
    if is_fenced:
        name = cursor.past("```json").strip()
    arguments = cursor.skip_blanks().json_object()
    if is_fenced:
        cursor.skip_blanks().expect("```")
    _closed(cursor, "<｜tool▁call▁end｜>")
    return [LeftCall(name, arguments)]


def _read_dsml(cursor: Cursor, tools: Tools) -> list[LeftCall]:
    """V3.2 and V4: each parameter states whether it is text or JSON."""
    calls: list[LeftCall] = []
    while cursor.skip_blanks().take('<｜DSML｜invoke name="'):
        name, arguments = cursor.past('">'), dict[str, Any]()
        while (head := cursor.skip_blanks().match(_DSML_VALUE)) is not None:
            text = cursor.past("</｜DSML｜parameter>")
            if head["is_text"] is None:
                _add(arguments, head["name"], text, tools.get(name))
            else:
                _add(arguments, head["name"], text if head["is_text"] == "true" else Cursor(text).whole_json(), None)
        cursor.expect("</｜DSML｜invoke>")
        calls.append(LeftCall(name, json_text(arguments)))
    return calls


def _read_kimi(cursor: Cursor, _: Tools) -> list[LeftCall]:
    """The id is the function's name and a number; Kimi requires its own ids in later requests."""
    call_id = cursor.past("<|tool_call_argument_begin|>").strip()
    if (match := _KIMI_ID.fullmatch(call_id)) is None:
        raise UnreadableCallError
    arguments = cursor.skip_blanks().json_object()
    _closed(cursor, "<|tool_call_end|>")
    return [LeftCall(match["name"], arguments, call_id)]


def _read_minimax(cursor: Cursor, tools: Tools) -> list[LeftCall]:
    calls: list[LeftCall] = []
    while cursor.skip_blanks().take("<invoke name="):
        name, arguments = cursor.past(">").strip("\"'"), dict[str, Any]()
        while cursor.skip_blanks().take("<parameter name="):
            key = cursor.past(">").strip("\"'")
            _add(arguments, key, _without_breaks(cursor.past("</parameter>")), tools.get(name))
        cursor.expect("</invoke>")
        calls.append(LeftCall(name, json_text(arguments)))
    return calls


def _read_granite(cursor: Cursor, _: Tools) -> list[LeftCall]:
    calls = _calls_in(cursor.skip_blanks().json())
    _closed(cursor)
    return calls


def _read_gemma(cursor: Cursor, _: Tools) -> list[LeftCall]:
    """Keys are written bare, texts between special marks."""
    if (head := cursor.skip_blanks().match(_GEMMA)) is None:
        raise UnreadableCallError
    body = _GEMMA_TOKEN.sub(_gemma_as_json, cursor.past("<tool_call|>"))
    return [LeftCall(head["name"], json_text(Cursor(body).whole_json()))]


def _gemma_as_json(token: re.Match[str]) -> str:
    """Quote a text or a key for JSON; numbers and JSON's words are unchanged."""
    if token["word"] is None:
        return json.dumps(token["text"])
    return f"{json.dumps(token['word'])}:" if token["colon"] else token["word"]


def _add(arguments: dict[str, Any], name: str, value: Any, parameters: JsonObject | None) -> None:
    """Add an argument, once; bare text is converted by the tool's schema."""
    if name in arguments:
        raise UnreadableCallError
    try:
        arguments[name] = value if parameters is None else value_of(value, name, parameters)
    except UnclearValueError as error:
        raise UnreadableCallError from error


def _without_breaks(value: str) -> str:
    """Return the value without the line break that the template puts before and after it."""
    return value.removeprefix("\n").removesuffix("\n")


_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        marks.HERMES: _read_tool_call,
        marks.QWEN: _read_function,
        marks.LLAMA: _read_python_tag,
        marks.MISTRAL: _read_mistral,
        marks.HARMONY: _read_harmony,
        marks.HARMONY_START: _read_message,
        marks.DEEPSEEK: _read_section,
        marks.DEEPSEEK_CALL: _read_deepseek,
        **dict.fromkeys(marks.DSML, _read_dsml),
        marks.KIMI: _read_section,
        marks.KIMI_CALL: _read_kimi,
        marks.MINIMAX: _read_minimax,
        marks.GRANITE: _read_granite,
        marks.GEMMA: _read_gemma,
    }
)
