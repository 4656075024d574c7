"""Checks that send requests to the model: a call, a stream, a tool turn with its signature."""

from vertex_compat_integrations import wire
from vertex_compat_integrations.cli.common.next_turn import assistant_message, tool_message
from vertex_compat_integrations.cli.common.parameters import DEFAULT_MODEL
from vertex_compat_integrations.cli.doctor.case import Case
from vertex_compat_integrations.cli.doctor.finding import Finding, failed, fine, skipped
from vertex_compat_integrations.core.reply.reply import ToolCall
from vertex_compat_integrations.core.reply.tool_call import signatures_in

_GREETING: list[wire.Message] = [{"role": "user", "content": "Answer with the one word: ready"}]
_QUESTION: wire.Message = {"role": "user", "content": "Use the tool to look up the weather in Paris, then say it."}
_TOOL: wire.Tool = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The current weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def check_call(case: Case) -> Finding:
    """Send one cheap call."""
    with case.client() as client:
        ending = client.chat(_GREETING, case.options())[0].ending
    tokens = f", {ending.usage.input + ending.usage.output} tokens" if ending.usage else ""
    return fine(f"answered by {ending.model or case.model}{tokens}")


def check_stream(case: Case) -> Finding:
    """Read one stream to its end."""
    with case.client() as client:
        pieces = sum(1 for _ in client.stream(_GREETING, case.options()))
    return fine(f"{pieces} pieces, and a finish reason")


def check_tool_turn(case: Case) -> Finding:
    """Let the model call a tool, and send the next turn, with the signature if the model signs."""
    if not case.facts.calls_tools:
        return skipped(f"{case.model} calls no tools")
    forced = "required" if "required" in case.facts.tool_choices else None
    with case.client() as client:
        asked = client.chat([_QUESTION], case.options(tools=[_TOOL], tool_choice=forced))[0]
        if not asked.tool_calls:
            return failed("The model called no tool.", case.command(model=DEFAULT_MODEL))
        signatures = [signature for call in asked.tool_calls for signature in signatures_in(call.extra)]
        if case.facts.demands_signatures and not signatures:
            return failed(
                "The tool call has no thought signature: something between this machine and Google drops "
                "extra_content.",
                "unset HTTPS_PROXY https_proxy ALL_PROXY all_proxy",
            )
        answers = [tool_message(call, _weather(call)) for call in asked.tool_calls]
        client.chat([_QUESTION, assistant_message(asked), *answers], case.options(tools=[_TOOL]))
    return fine("answered, with the signature sent back" if signatures else "answered; the model signs nothing")


def _weather(call: ToolCall) -> str:
    return f"It rains ({call.name})."
