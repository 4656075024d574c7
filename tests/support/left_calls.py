"""What models write where their server has no parser for it: the text, and what it is to become.

The forms are those of the models' chat templates; the reports stand beside the rules in `core/reply/calls_in_text`.
"""

from typing import Any, NamedTuple

PARAMETERS = {
    "type": "object",
    "properties": {
        "at": {"type": "string"},
        "times": {"type": "integer"},
        "near": {"$ref": "#/$defs/Near"},
        "any": {},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "$defs": {"Near": {"type": "object", "properties": {"x": {"type": "number"}}}},
}
FUNCTIONS = {"look": PARAMETERS, "stop_all": {"type": "object", "properties": {}}}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": one}} for name, one in FUNCTIONS.items()]
HERE = ("look", {"at": "here"})


class Left(NamedTuple):
    """A text, and what it is to become: calls with the words round them, or an error that quotes it."""

    name: str
    text: str
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    words: str = ""
    is_refused: bool = False


READ = [
    Left("Hermes", '<tool_call>\n{"name": "look", "arguments": {"at": "here"}}\n</tool_call>', (HERE,)),
    Left("no end", '<tool_call>{"name": "look", "arguments": {"at": "here"}}', (HERE,)),
    Left("end of turn", '<tool_call>{"name": "look", "arguments": {"at": "here"}}</tool_call><|im_end|>', (HERE,)),
    Left("encoded twice", '<tool_call>{"name": "look", "arguments": "{\\"at\\": \\"here\\"}"}</tool_call>', (HERE,)),
    Left(
        "behind words",
        'I [Ann] look. <tool_call>{"name": "look", "arguments": {"at": "</tool_call>"}}</tool_call>',
        (("look", {"at": "</tool_call>"}),),
        "I [Ann] look. ",
    ),
    Left(
        "two",
        '<tool_call>{"name": "look", "arguments": {"at": "here"}}</tool_call>\n'
        '<tool_call>{"name": "stop_all", "arguments": {}}</tool_call>',
        (HERE, ("stop_all", {})),
    ),
    Left(
        "Qwen3-Coder",
        "<tool_call>\n<function=look>\n<parameter=at>\n42\n</parameter>\n<parameter=times>\n42\n</parameter>\n"
        '<parameter=near>\n{"x": 1.5}\n</parameter>\n</function>\n</tool_call>',
        (("look", {"at": "42", "times": 42, "near": {"x": 1.5}}),),
    ),
    Left(
        "Qwen3-Coder without its first tag",
        "<function=look>\n<parameter=at>\na\nb\n</parameter>\n</function>\n</tool_call>",
        (("look", {"at": "a\nb"}),),
    ),
    Left("nothing or text", "<function=look><parameter=note>null</parameter></function>", (("look", {"note": None}),)),
    Left("Llama's function", '<function=look>{"at": "here"}</function>', (HERE,)),
    Left("Llama's tag", '<|python_tag|>{"name": "look", "parameters": {"at": "here"}}<|eom_id|>', (HERE,)),
    Left(
        "Llama's tag, twice",
        '<|python_tag|>{"name": "look", "parameters": {"at": "here"}}; {"name": "stop_all", "parameters": {}}',
        (HERE, ("stop_all", {})),
    ),
    Left("Llama's own tools", '<|python_tag|>look.call(at="here")', (HERE,)),
    Left("Mistral", '[TOOL_CALLS] [{"name": "look", "arguments": {"at": "here"}}]</s>', (HERE,)),
    Left("Mistral 11", '[TOOL_CALLS]look{"at": "here"}[TOOL_CALLS]stop_all{}', (HERE, ("stop_all", {}))),
    Left("Mistral with ids", '[TOOL_CALLS]look[CALL_ID]VvvODy9mT[ARGS]{"at": "here"}', (HERE,)),
    Left(
        "gpt-oss",
        '<|channel|>commentary to=functions.look <|constrain|>json<|message|>{"at": "here"}<|call|>',
        (HERE,),
    ),
    Left(
        "gpt-oss, a whole message",
        '<|start|>assistant to=functions.look<|channel|>commentary json<|message|>{"at": "here"}<|call|>',
        (HERE,),
    ),
    Left(
        "DeepSeek V3",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>look\n```json\n"
        '{"at": "here"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        (HERE,),
    ),
    Left(
        "DeepSeek V3.1",
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>look<｜tool▁sep｜>{"at": "here"}<｜tool▁call▁end｜>'
        "<｜tool▁call▁begin｜>stop_all<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
        (HERE, ("stop_all", {})),
    ),
    Left(
        "DeepSeek V3.2",
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="look">\n<｜DSML｜parameter name="at" string="true">42'
        '</｜DSML｜parameter>\n<｜DSML｜parameter name="times" string="false">42</｜DSML｜parameter>\n'
        "</｜DSML｜invoke>\n</｜DSML｜function_calls>",
        (("look", {"at": "42", "times": 42}),),
    ),
    Left(
        "Kimi",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.look:0<|tool_call_argument_begin|>"
        '{"at": "here"}<|tool_call_end|><|tool_calls_section_end|>',
        (HERE,),
    ),
    Left(
        "GLM",
        "<tool_call>look\n<arg_key>at</arg_key>\n<arg_value>here</arg_value>\n<arg_key>times</arg_key>\n"
        "<arg_value>2</arg_value>\n</tool_call>",
        (("look", {"at": "here", "times": 2}),),
    ),
    Left("GLM without arguments", "<tool_call>stop_all</tool_call>", (("stop_all", {}),)),
    Left(
        "MiniMax",
        '<minimax:tool_call>\n<invoke name="look">\n<parameter name="at">here</parameter>\n</invoke>\n'
        "</minimax:tool_call>",
        (HERE,),
    ),
    Left("Granite", '<|tool_call|>[{"name": "look", "arguments": {"at": "here"}}]', (HERE,)),
    Left(
        "Gemma 4",
        '<|tool_call>call:look{at:<|"|>a "b": {c}<|"|>,times:2,near:{x:1.5}}<tool_call|>',
        (("look", {"at": 'a "b": {c}', "times": 2, "near": {"x": 1.5}}),),
    ),
]

REFUSED = [
    Left(name, text, is_refused=True)
    for name, text in {
        "gpt-oss without a name": '<|channel|>commentary<|message|>{"query": "hello"}<|end|>',
        "no such tool": '<tool_call>{"name": "jump", "arguments": {}}</tool_call>',
        "one bracket too many": '<tool_call>{"name": "look", "arguments": {"at": "here"}}}</tool_call>',
        "cut off": '<tool_call>{"name": "look", "arguments": {"at": "he',
        "a key twice": '<tool_call>{"name": "look", "arguments": {"at": "here", "at": "there"}}</tool_call>',
        "no object": '<tool_call>{"name": "look", "arguments": ["here"]}</tool_call>',
        "arguments beside the name": '<tool_call>{"name": "look", "at": "here"}</tool_call>',
        "a parameter of no name": "<function=look><parameter=where>here</parameter></function>",
        "a parameter twice": "<function=look><parameter=at>a</parameter><parameter=at>b</parameter></function>",
        "no number": "<function=look><parameter=times>two</parameter></function>",
        "a number or a text": "<function=look><parameter=any>42</parameter></function>",
        "no end of the function": "<tool_call><function=look><parameter=at>a</parameter>",
        "a value with tags": "<function=look><parameter=at>a</parameter></function> b</parameter></function>",
        "GLM cut off": "<tool_call>look\n<arg_key>at</arg_key>\n<arg_value>here</arg_value>",
        "Mistral's list with a rest": '[TOOL_CALLS][{"name": "look", "arguments": {"at": "here"}}] and so on',
        "no JSON number": '[TOOL_CALLS]look{"times": NaN}',
        "Kimi without a number": "<|tool_call_begin|>look<|tool_call_argument_begin|>{}<|tool_call_end|>",
    }.items()
]

WORDS = [
    Left(name, text, words=text)
    for name, text in {
        "a word": "The <tool_call> tag opens a call, <function=name> names it, [TOOL_CALLS] is Mistral's.",
        "in code": 'Write `<tool_call>{"name": "look", "arguments": {}}</tool_call>` so.',
        "in a fence": '```\n<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>\n```\nSo it looks.',
        "at the end": "It begins with <tool_call>",
        "half a mark": "It begins with <tool_c",
        "blanks without end": "<tool_call>" + " " * 500 + "{}",
        "words to the user": "<|channel|>commentary<|message|>I look.<|end|>",
        "comparisons": "a < b [1] <b>c</b>",
    }.items()
]
