"""A program that knows OpenAI only: a conversation with a tool, whose history it writes by itself, as many do."""

import os
import sys
import time

import openai

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def run_tool(arguments):
    time.sleep(float(os.environ["TOOL_SECONDS"]))
    return f"It rains. ({arguments})"


def plain(client, messages):
    message = (
        client.chat.completions.create(model=os.environ["MODEL"], messages=messages, tools=TOOLS).choices[0].message
    )
    calls = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ()]
    return message.content, calls


def streamed(client, messages):
    text, calls = "", {}
    for chunk in client.chat.completions.create(model=os.environ["MODEL"], messages=messages, tools=TOOLS, stream=True):
        delta = chunk.choices[0].delta
        text += delta.content or ""
        for piece in delta.tool_calls or ():
            known = calls.setdefault(piece.index, [piece.id, piece.function.name, ""])
            known[2] += piece.function.arguments or ""
    return text, [tuple(call) for call in calls.values()]


def converse(client, question, messages):
    messages.append({"role": "user", "content": question})
    for ask in (plain, streamed, plain, streamed):
        text, calls = ask(client, messages)
        if not calls:
            messages.append({"role": "assistant", "content": text})
            return text
        messages.append(
            {
                "role": "assistant",
                "content": text or "",
                "tool_calls": [
                    {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}
                    for number, name, arguments in calls
                ],
            }
        )
        for number, _, arguments in calls:
            messages.append({"role": "tool", "tool_call_id": number, "content": run_tool(arguments)})
    return None


with openai.OpenAI(max_retries=0) as client:
    messages = []
    try:
        for question in ("What is the weather in Paris and Oslo?", "And in Rome?"):
            print(converse(client, question, messages))
    except openai.APIStatusError as error:
        print(error.status_code, error, file=sys.stderr)
        sys.exit(3)
