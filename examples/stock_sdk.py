"""The stock OpenAI SDK on Vertex AI: a stream, and a parsed answer.

`python examples/stock_sdk.py` runs offline against the emulator. With `--live` it asks Vertex AI as your Application
Default Credentials say (project from GOOGLE_CLOUD_PROJECT), or the emulator that VERTEX_COMPAT_EMULATOR_HOST names.
"""

import sys
from typing import Any

from pydantic import BaseModel

from vertex_compat_integrations import openai_client
from vertex_compat_integrations.emulator import Emulator

MODEL = "google/gemini-3.5-flash"


class Person(BaseModel):
    name: str
    age: int


def run(**place: Any) -> None:
    with openai_client(**place) as client:
        question = {"role": "user", "content": "Why is the sky blue?"}
        for chunk in client.chat.completions.create(model=MODEL, messages=[question], stream=True):
            print(chunk.choices[0].delta.content or "", end="", flush=True)
        print()

        text = {"role": "user", "content": 'The name is "Ada Lovelace", age 36.'}
        parsed = client.chat.completions.parse(model=MODEL, messages=[text], response_format=Person)
        print(repr(parsed.choices[0].message.parsed))


if __name__ == "__main__":
    if "--live" in sys.argv:
        run()
    else:
        with Emulator() as emulator:
            run(base_url=emulator.base_url(), api_key=emulator.identity.issue())
