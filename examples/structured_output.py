"""How do I get an object of my class instead of text, from a text or from an agent?

`python examples/structured_output.py` prints a person with an address that LangChain extracted from a text, a person
that LlamaIndex extracted, and the report of an agent that called a tool first. With `--live`, Vertex AI answers.
"""

from typing import Any

from langchain.agents import create_agent
from llama_index.core import PromptTemplate
from place import start
from pydantic import BaseModel, Field

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"


class Address(BaseModel):
    street: str
    city: str


class Person(BaseModel):
    name: str
    age: int
    address: Address


class WeatherReport(BaseModel):
    """A report on a city's weather."""

    city: str
    degrees: int
    summary: str = Field(description="One sentence")


def get_weather(city: str) -> dict[str, Any]:
    """The current weather in a city."""
    return {"city": city, "degrees": 17, "sky": "rain"}


def run() -> None:
    model = ChatVertexCompat(model=MODEL)
    text = 'The name is "Ada Lovelace", age 36, street "St James\'s Square 12", city "London".'
    print(repr(model.with_structured_output(Person).invoke(text)))
    print("LlamaIndex:", repr(VertexCompat(model=MODEL).structured_predict(Person, PromptTemplate(text))))

    agent = create_agent(model, [get_weather], response_format=WeatherReport)
    result = agent.invoke({"messages": [("user", "Report the weather in Paris.")]})
    print(repr(result["structured_response"]))


if __name__ == "__main__":
    start(run)
