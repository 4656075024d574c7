"""A program that knows ChatOpenAI only: its messages hold no thought signature."""

import os
import sys
import time

import openai
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    time.sleep(float(os.environ["TOOL_SECONDS"]))
    return f"It rains in {city}."


def plain(model, messages):
    return model.invoke(messages)


def streamed(model, messages):
    whole = None
    for chunk in model.stream(messages):
        whole = chunk if whole is None else whole + chunk
    return whole


def converse(model, question, messages):
    messages.append(HumanMessage(question))
    for ask in (plain, streamed, plain, streamed):
        answer = ask(model, messages)
        messages.append(answer)
        if not answer.tool_calls:
            return answer.text
        messages.extend(get_weather.invoke(call) for call in answer.tool_calls)
    return None


model = ChatOpenAI(model=os.environ["MODEL"], max_retries=0).bind_tools([get_weather])
messages = []
try:
    for question in ("What is the weather in Paris and Oslo?", "And in Rome?"):
        print(converse(model, question, messages))
except openai.APIStatusError as error:
    print(error.status_code, error, file=sys.stderr)
    sys.exit(3)
