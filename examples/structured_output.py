"""A nested pydantic class from a text, and a report by an agent that calls a tool first.

`python examples/structured_output.py` runs offline against the emulator. With `--live` it asks Vertex AI as your
Application Default Credentials say (project from GOOGLE_CLOUD_PROJECT), or the emulator that
VERTEX_COMPAT_EMULATOR_HOST names.
"""

import sys
from typing import Any

from langchain.agents import create_agent
from pydantic import BaseModel, Field

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat


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


def run(**place: Any) -> None:
    model = ChatVertexCompat(model="google/gemini-3.5-flash", **place)
    text = 'The name is "Ada Lovelace", age 36, street "St James\'s Square 12", city "London".'
    print(repr(model.with_structured_output(Person).invoke(text)))

    agent = create_agent(model, [get_weather], response_format=WeatherReport)
    result = agent.invoke({"messages": [("user", "Report the weather in Paris.")]})
    print(repr(result["structured_response"]))


if __name__ == "__main__":
    if "--live" in sys.argv:
        run()
    else:
        with Emulator() as emulator:
            run(base_url=emulator.base_url(), api_key=emulator.identity.issue())
