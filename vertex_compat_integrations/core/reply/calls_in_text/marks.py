"""Where a call may begin in a text: the marks of the model families, and the text that must follow each. Pure.

A mark alone may be a mention in an answer; only with the right text after it, it is a call.
"""

import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import TypeAlias

Beginning: TypeAlias = Callable[[str, Collection[str]], bool | None]
"""The text after a mark, and the tools' names → whether a call begins; None if more text is needed to decide."""

HERMES = "<tool_call>"
QWEN = "<function="
LLAMA = "<|python_tag|>"
MISTRAL = "[TOOL_CALLS]"
HARMONY = "<|channel|>"
HARMONY_START = "<|start|>"
DEEPSEEK = "<｜tool▁calls▁begin｜>"
DEEPSEEK_CALL = "<｜tool▁call▁begin｜>"
DSML_NAMES = ("function_calls", "tool_calls")
DSML = tuple(f"<｜DSML｜{name}>" for name in DSML_NAMES)
KIMI = "<|tool_calls_section_begin|>"
KIMI_CALL = "<|tool_call_begin|>"
MINIMAX = "<minimax:tool_call>"
GRANITE = "<|tool_call|>"
GEMMA = "<|tool_call>"

MOST_UNDECIDED = 400
"""How many characters after a mark to wait for; a name has 128 at most, with few blanks before it."""

_NAME = r"[^\s<>{}\[\]\"'`|]{1,128}"
_GLM = re.compile(rf"({_NAME})[ \t]*(\n|<arg_key>|</tool_call>)")
_GLM_ARGUMENT = re.compile(r"\s*<arg_key>")
_PART_OF_NAME = re.compile(rf"{_NAME}[ \t]*\Z")
_QWEN = re.compile(rf"({_NAME})>\s*(\{{|<parameter=|</function>)")
_QWEN_PART = re.compile(rf"{_NAME}(>\s*(<[/a-z]*)?)?\Z")
_BUILT_IN = re.compile(rf"{_NAME}\.call\(")
_MISTRAL = re.compile(rf"{_NAME}\s*(\{{|\[CALL_ID\]|\[ARGS\])")
_MISTRAL_PART = re.compile(rf"{_NAME}\s*(\[[A-Z_]*)?\Z")
_COMMENTARY = re.compile(r"commentary(\s|<|\Z)")
_MOST_HEADER = 160


def _one_of(*words: str) -> Beginning:
    """Return a check whether one of the words follows, after optional blanks."""

    def begins(following: str, _: Collection[str]) -> bool | None:
        text = following.lstrip()
        if text.startswith(words):
            return True
        return None if any(word.startswith(text) for word in words) else False

    return begins


def _tool_call(following: str, names: Collection[str]) -> bool | None:
    """JSON (Hermes, Qwen), Qwen3-Coder's XML, or a bare name (GLM)."""
    text = following.lstrip()
    if text.startswith(("{", "[{", QWEN)):
        return True
    if text in ("", "[") or QWEN.startswith(text) or _PART_OF_NAME.fullmatch(text):
        return None
    name = _GLM.match(text)
    if name is None:
        # The rest of the tag after the name may still arrive.
        return None if re.fullmatch(rf"{_NAME}[ \t]*<[a-z/_]*", text) else False
    if name[1] in names or _GLM_ARGUMENT.match(text, name.end(1)):
        return True
    return None if "<arg_key>".startswith(text[name.end(1) :].lstrip()) else False


def _function(following: str, _: Collection[str]) -> bool | None:
    if _QWEN.match(following):
        return True
    return None if following == "" or _QWEN_PART.fullmatch(following) else False


def _python_tag(following: str, _: Collection[str]) -> bool | None:
    text = following.lstrip()
    if text.startswith("{") or _BUILT_IN.match(text):
        return True
    return None if text == "" or re.fullmatch(rf"{_NAME}", text) else False


def _mistral(following: str, _: Collection[str]) -> bool | None:
    text = following.lstrip()
    if text.startswith(("{", "[{")) or _MISTRAL.match(text):
        return True
    return None if text in ("", "[") or _MISTRAL_PART.fullmatch(text) else False


def _commentary(following: str, _: Collection[str]) -> bool | None:
    text = following.lstrip()
    if match := _COMMENTARY.match(text):
        return True if match[1] else None
    return None if "commentary".startswith(text) else False


def _harmony_message(following: str, names: Collection[str]) -> bool | None:
    """`assistant`, optionally with the call's recipient, and the channel."""
    role = "assistant"
    if not following.startswith(role):
        return None if role.startswith(following) else False
    header, channel, behind = following[len(role) :].partition(HARMONY)
    if channel:
        return _commentary(behind, names)
    at = header.find("<")
    return None if len(header) <= _MOST_HEADER and (at < 0 or HARMONY.startswith(header[at:])) else False


BEGINNINGS: Mapping[str, Beginning] = MappingProxyType(
    {
        HERMES: _tool_call,
        QWEN: _function,
        LLAMA: _python_tag,
        MISTRAL: _mistral,
        HARMONY: _commentary,
        HARMONY_START: _harmony_message,
        DEEPSEEK: _one_of(DEEPSEEK_CALL),
        DEEPSEEK_CALL: _one_of(""),
        **dict.fromkeys(DSML, _one_of("<｜DSML｜invoke name=")),
        KIMI: _one_of(KIMI_CALL),
        KIMI_CALL: _one_of(""),
        MINIMAX: _one_of("<invoke name="),
        GRANITE: _one_of("[", "{"),
        GEMMA: _one_of("call:"),
    }
)
"""Every mark, and the check for the text after it."""
