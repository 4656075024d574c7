"""How do I use the stock OpenAI SDK on Vertex AI?

`python examples/stock_sdk.py` prints a streamed answer and a parsed one. With `--live`, Vertex AI answers.
"""

from place import start
from pydantic import BaseModel

from vertex_compat_integrations import openai_client

MODEL = "google/gemini-3.5-flash"


class Person(BaseModel):
    name: str
    age: int


def run() -> None:
    with openai_client() as client:
        question = {"role": "user", "content": "Why is the sky blue?"}
        for chunk in client.chat.completions.create(model=MODEL, messages=[question], stream=True):
            print(chunk.choices[0].delta.content or "", end="", flush=True)
        print()

        text = {"role": "user", "content": 'The name is "Ada Lovelace", age 36.'}
        parsed = client.chat.completions.parse(model=MODEL, messages=[text], response_format=Person)
        print(repr(parsed.choices[0].message.parsed))


if __name__ == "__main__":
    start(run)
