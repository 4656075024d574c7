"""How does the model call my functions, and how do I send it their results?

`python examples/tools.py` prints the model's parallel calls, the results and the answer; then LlamaIndex does the same
in one call. With `--live`, Vertex AI calls them. An agent does this by itself: see agent.py.
"""

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from llama_index.core.tools import FunctionTool
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"


def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"It rains in {city}."


def run() -> None:
    weather = tool(get_weather)
    model = ChatVertexCompat(model=MODEL).bind_tools([weather])
    messages = [HumanMessage("What is the weather in Paris and Oslo?")]
    while (reply := model.invoke(messages)).tool_calls:
        print("calls:", [(call["name"], call["args"]) for call in reply.tool_calls])
        # Send the whole message back: it contains the thought signature, without which Gemini 3 refuses its own calls.
        results = [weather.invoke(call) for call in reply.tool_calls]
        print("results:", [result.text for result in results])
        messages += [reply, *results]
    print(reply.text)

    llm = VertexCompat(model=MODEL)
    response = llm.predict_and_call([FunctionTool.from_defaults(get_weather)], "What is the weather in Rome?")
    print("LlamaIndex:", response)


if __name__ == "__main__":
    start(run)
