# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[proxy,emulator]", "instructor==1.17.0"]
# ///
"""Instructor: a nested object by a tool and by a schema, a retry after a failed validation, and a streamed object."""

import instructor
import openai
from pydantic import BaseModel, field_validator

from tests.consumers.stage import emulated, proxied
from vertex_compat_integrations.emulator import Emulator, text, tool_call


class Address(BaseModel):
    city: str


class Person(BaseModel):
    name: str
    address: Address | None = None

    @field_validator("name")
    @classmethod
    def _is_capital(cls, value: str) -> str:
        if value != value.title():
            raise ValueError("Write the name with capitals.")
        return value


ADA = {"name": "Ada Lovelace", "address": {"city": "London"}}
QUESTION = [{"role": "user", "content": "Ada Lovelace lives in London."}]


def converse(client: openai.OpenAI, emulator: Emulator) -> None:
    asked = {"model": "gpt-4o", "messages": QUESTION, "response_model": Person, "max_retries": 1}
    by_tool = instructor.from_openai(client, mode=instructor.Mode.TOOLS)
    # The first answer fails the check, so that its call and an error go back as a history.
    person, completion = by_tool.create_with_completion(**asked)
    assert person.model_dump() == ADA
    assert completion.usage.completion_tokens > 0
    assert "Write the name with capitals." in str(emulator.journal.last.messages)
    pieces = list(by_tool.create_partial(**asked))
    assert pieces[-1].model_dump() == ADA
    by_schema = instructor.from_openai(client, mode=instructor.Mode.JSON_SCHEMA)
    assert by_schema.create(**asked).model_dump() == ADA


def main() -> None:
    with (
        emulated(
            tool_call("Person", {**ADA, "name": "ada lovelace"}),
            tool_call("Person", ADA),
            tool_call("Person", ADA),
            text('{"name": "Ada Lovelace", "address": {"city": "London"}}'),
        ) as emulator,
        proxied(emulator) as there,
        openai.OpenAI(**there, max_retries=0) as client,
    ):
        converse(client, emulator)
        assert emulator.journal.chat[2].body["stream"] is True


if __name__ == "__main__":
    main()
