"""Finds calls that a server left in an answer's text, while the text arrives. Pure.

A server without a tool parser, or whose parser missed the model's format, returns the model's own markup as text and
stops as if it had answered: an agent ends there (NVIDIA/TensorRT-LLM#9256, ollama/ollama#18530, QwenLM/Qwen3.8#125).
Parsers of thoughts also swallow calls (vllm-project/vllm#39056). The rules:

* Text is searched for models other than Gemini, if tools were sent and the server reported no call itself.
* In code, between backticks, markup is text; so it is if the text after the mark does not begin a call (`marks`).
* In thoughts, calls count only at the very end, and only if there is no other text.
* Markup that is read with certainty is a call (`readers`); a call that cannot be read is an error that quotes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vertex_compat_integrations.core.errors import EmptyReplyError
from vertex_compat_integrations.core.json_values import JsonObject, mapping_in, mappings_in, text_in
from vertex_compat_integrations.core.reply.calls_in_text import marks
from vertex_compat_integrations.core.reply.calls_in_text.code_spans import CodeSpans
from vertex_compat_integrations.core.reply.calls_in_text.cursor import UnreadableCallError
from vertex_compat_integrations.core.reply.calls_in_text.readers import MARK, LeftCall, read_calls
from vertex_compat_integrations.core.reply.reply import ToolCall
from vertex_compat_integrations.core.reply.tool_call import UniqueIds

_MOST_MARK = max(map(len, marks.BEGINNINGS))
_QUOTED = 300
"""How many characters of an unreadable call an error shows."""

_HINT = (
    "Retry; if it lasts, start the server with the tool parser of this model (vLLM: --enable-auto-tool-choice "
    '--tool-call-parser …). on_empty="return" accepts such a turn as an answer.'
)


@dataclass(slots=True)
class SentTools:
    """The tools of one request.

    Attributes:
        parameters: Name → JSON Schema of the arguments.
        has_read: Whether calls of these tools were read from a text.
    """

    parameters: Mapping[str, JsonObject] = field(default_factory=dict)
    has_read: bool = False


def sent_tools(body: JsonObject) -> SentTools | None:
    """Return the tools of a request's body; None if the model must not call any."""
    functions = [mapping_in(tool.get("function")) for tool in mappings_in(body.get("tools"))]
    parameters = {text_in(function.get("name")): mapping_in(function.get("parameters")) for function in functions}
    return SentTools(parameters) if parameters and body.get("tool_choice") != "none" else None


class CallFinder:
    """Reads the answer's text piece by piece; text that may be a call is held back until that is decided."""

    def __init__(self, tools: SentTools) -> None:
        """Start with the answer."""
        self._tools = tools
        self._spans = CodeSpans()
        self._unread: list[str] = []
        self._waiting = ""
        self._call: list[str] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether a call has begun."""
        return self._call is not None

    @property
    def waiting(self) -> str:
        """The held-back text."""
        return self._waiting if self._call is None else "".join(self._call)

    def passes(self, piece: str) -> bool:
        """Return whether the piece and the held-back text contain no part of a mark; the piece then counts as read."""
        if self._call is not None or self._waiting or "<" in piece or "[" in piece:
            return False
        self._unread.append(piece)
        return True

    def feed(self, piece: str) -> str:
        """Read a piece; return the text that is certainly text."""
        if self._call is not None:
            self._call.append(piece)
            return ""
        text, self._waiting = self._waiting + piece, ""
        begin = 0
        for mark in MARK.finditer(text):
            self._unread.append(text[begin : mark.start()])
            begins = self._begins(mark[0], text[mark.end() : mark.end() + marks.MOST_UNDECIDED + 1])
            if begins is False:
                begin = mark.start()
                continue
            if begins:
                self._call = [text[mark.start() :]]
            else:
                self._waiting = text[mark.start() :]
            return text[: mark.start()]
        end = _certain(text)
        self._unread.append(text[begin:end])
        self._waiting = text[end:]
        return text[:end]

    def _begins(self, mark: str, following: str) -> bool | None:
        """Return whether a call begins with the mark; None if more text is needed to decide."""
        self._spans.read("".join(self._unread))
        self._unread = []
        if self._spans.is_inside:
            return False
        begins = marks.BEGINNINGS[mark](following, self._tools.parameters)
        return False if begins is None and len(following) > marks.MOST_UNDECIDED else begins

    def give_up(self) -> str:
        """Stop searching; return the held-back text, which is plain text."""
        text, self._waiting, self._call = self.waiting, "", None
        return text

    def finish(self, *, text: str, thoughts: str, refuses: bool) -> tuple[str, tuple[ToolCall, ...]]:
        """Return the last of the text, and the calls; `text` and `thoughts` are everything before it.

        Raises:
            EmptyReplyError: A call cannot be read, and `refuses` means that it must not be returned as text.
        """
        last, calls = self.waiting, list[LeftCall]()
        if self._call is not None:
            try:
                calls, rest = read_calls(last, self._tools.parameters)
            except UnreadableCallError:
                if refuses:
                    raise _refusal(last, text, thoughts) from None
            last = rest if calls else last
        elif not (text + last).strip():
            calls = _calls_at_the_end(thoughts, self._tools)
        self.give_up()
        self._tools.has_read = self._tools.has_read or bool(calls)
        ids = UniqueIds()
        return last, tuple(ToolCall(ids.take(call.id), call.name, call.arguments) for call in calls)


def separate_calls(text: str, thoughts: str, tools: SentTools, *, refuses: bool) -> tuple[str, tuple[ToolCall, ...]]:
    """Separate the calls in a whole text from the rest of the text.

    Raises:
        EmptyReplyError: A call cannot be read, and `refuses` means that it must not be returned as text.
    """
    finder = CallFinder(tools)
    before = finder.feed(text)
    behind, calls = finder.finish(text=before, thoughts=thoughts, refuses=refuses)
    return before + behind, calls


def _calls_at_the_end(thoughts: str, tools: SentTools) -> list[LeftCall]:
    """Return the calls at the end of thoughts; empty if there are none, or if one cannot be read with certainty."""
    finder = CallFinder(tools)
    finder.feed(thoughts)
    if not finder.has_begun:
        return []
    try:
        calls, rest = read_calls(finder.waiting, tools.parameters)
    except UnreadableCallError:
        return []
    return [] if rest else calls


def _refusal(call: str, text: str, thoughts: str) -> EmptyReplyError:
    return EmptyReplyError(
        f"The server left a tool call in the text that cannot be read with certainty: {call[:_QUOTED]!r}.",
        hint=_HINT,
        partial_text=text,
        partial_thoughts=thoughts,
    )


def _certain(text: str) -> int:
    """Return how many characters cannot be the beginning of a mark."""
    at = max(text.rfind("<", -_MOST_MARK), text.rfind("[", -_MOST_MARK))
    return at if at >= 0 and any(mark.startswith(text[at:]) for mark in marks.BEGINNINGS) else len(text)
