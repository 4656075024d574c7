"""Standard tests: structured output."""

from enum import Enum
from typing import Generic, TypeVar

import pytest
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel

from tests.llama_index.standard.base import Group, user
from vertex_compat_integrations import emulator as emulated

PROMPT = PromptTemplate("Describe {subject} for me, with all that is known of it.")
Content = TypeVar("Content")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    street: str
    city: str


class Nested(BaseModel):
    name: str
    address: Address


class WithOption(BaseModel):
    name: str
    nickname: str | None = None


class WithEnum(BaseModel):
    name: str
    colour: Colour


class WithList(BaseModel):
    name: str
    addresses: list[Address]


class Box(BaseModel, Generic[Content]):
    content: Content


SAID = {
    Nested: '{"name": "Ann", "address": {"street": "Main", "city": "Rome"}}',
    WithOption: '{"name": "Ann", "nickname": null}',
    WithEnum: '{"name": "Ann", "colour": "blue"}',
    WithList: '{"name": "Ann", "addresses": [{"street": "Main", "city": "Rome"}, {"street": "Low", "city": "Oslo"}]}',
}

each_class = pytest.mark.parametrize("schema", list(SAID), ids=lambda schema: schema.__name__)
sync_and_async = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


async def predict(llm, schema, is_async, **arguments):
    if is_async:
        return await llm.astructured_predict(schema, PROMPT, subject="Ann", **arguments)
    return llm.structured_predict(schema, PROMPT, subject="Ann", **arguments)


async def stream(llm, schema, is_async):
    if is_async:
        answers = await llm.astream_structured_predict(schema, PROMPT, subject="Ann")
        return [answer async for answer in answers]
    return list(llm.stream_structured_predict(schema, PROMPT, subject="Ann"))


class StructuredTests(Group):
    @sync_and_async
    @each_class
    async def test_an_object_comes_back(self, llm, emulator, schema, is_async):
        answer = await predict(llm, schema, is_async)
        assert isinstance(answer, schema)
        assert emulator.journal.last.status == 200

    @sync_and_async
    @each_class
    async def test_the_object_is_what_the_model_said(self, llm, emulator, schema, is_async):
        emulator.answer(emulated.text(SAID[schema]))
        assert await predict(llm, schema, is_async) == schema.model_validate_json(SAID[schema])

    @sync_and_async
    @each_class
    async def test_a_stream_ends_with_the_whole_object(self, llm, emulator, schema, is_async):
        emulator.answer(emulated.text(SAID[schema]))
        answers = await stream(llm, schema, is_async)
        assert answers[-1] == schema.model_validate_json(SAID[schema])

    @sync_and_async
    async def test_a_stream_tells_parts_before_the_whole(self, llm, emulator, is_async):
        emulator.answer(emulated.text(SAID[WithList]))
        answers = await stream(llm, WithList, is_async)
        first = next(answer for answer in answers if getattr(answer, "name", None) == "Ann")
        assert first != answers[-1]
        assert len(answers) > 2

    @sync_and_async
    async def test_the_system_prompt_is_sent(self, emulator, is_async):
        await predict(self.build(emulator, system_prompt="Be exact."), Nested, is_async)
        assert emulator.journal.last.messages[0] == {"role": "system", "content": "Be exact."}

    @sync_and_async
    async def test_function_calling_can_be_had_instead(self, emulator, is_async):
        llm = self.build(emulator, pydantic_program_mode=PydanticProgramMode.FUNCTION)
        assert isinstance(await predict(llm, Nested, is_async), Nested)
        assert emulator.journal.last.body["tools"]
        assert isinstance((await stream(llm, Nested, is_async))[-1], Nested)

    @pytest.mark.filterwarnings("ignore:The `json` method is deprecated")  # LlamaIndex's StructuredLLM uses it
    async def test_a_structured_llm_answers_with_the_object(self, llm):
        structured = llm.as_structured_llm(Nested)
        assert isinstance(structured.chat([user("Describe Ann.")]).raw, Nested)
        assert isinstance((await structured.achat([user("Describe Ann.")])).raw, Nested)
        assert isinstance(list(structured.stream_chat([user("Describe Ann.")]))[-1].raw, Nested)

    @sync_and_async
    async def test_what_it_cost_is_counted(self, emulator, is_async):
        counter = TokenCountingHandler(tokenizer=str.split)
        llm = self.build(emulator, callback_manager=CallbackManager([counter]))
        usage = {"prompt_tokens": 11, "completion_tokens": 13, "total_tokens": 24}
        emulator.answer(emulated.text(SAID[Nested], usage=usage))
        await predict(llm, Nested, is_async)
        assert (counter.prompt_llm_token_count, counter.completion_llm_token_count) == (11, 13)

    @pytest.mark.parametrize(
        "answer",
        [
            "```json\n{}\n```",
            "```JSON\r\n{}\r\n```",
            "```json{}```",
            "``` {} ```",
            "Here it is:\n```json\n{}\n```",
            "Sure!\n\n```\n{}\n```\nIt is what is known.",
        ],
    )
    @sync_and_async
    async def test_json_in_a_markdown_fence_is_read(self, llm, emulator, answer, is_async):
        emulator.rule(emulated.text(answer.replace("{}", SAID[Nested])))
        assert (await predict(llm, Nested, is_async)).name == "Ann"
        assert [part.name for part in llm.stream_structured_predict(Nested, PROMPT, subject="Ann")][-1] == "Ann"

    async def test_a_fence_inside_of_a_fenced_answer_belongs_to_it(self, llm, emulator):
        said = SAID[Nested].replace("Main", "```py\\nx = 1\\n``` and more")
        emulator.answer(emulated.text(f"```json\n{said}\n```"))
        *parts, whole = llm.stream_structured_predict(Nested, PROMPT, subject="Ann")
        assert whole.address.street == "```py\nx = 1\n``` and more"
        streets = [part.address["street"] for part in parts if isinstance(getattr(part, "address", None), dict)]
        assert all(whole.address.street.startswith(street) for street in streets)
        assert streets == sorted(streets, key=len)

    async def test_an_answer_that_was_cut_says_so(self, llm, emulator):
        emulator.answer(emulated.text(SAID[Nested][:30], finish_reason="length"))
        with pytest.raises(Exception, match=r"max_tokens|length"):
            llm.structured_predict(Nested, PROMPT, subject="Ann")

    async def test_a_refused_answer_says_so(self, llm, emulator):
        emulator.variant(finish="compound:PROHIBITED_CONTENT")
        with pytest.raises(Exception, match=r"filter|PROHIBITED_CONTENT"):
            llm.structured_predict(Nested, PROMPT, subject="Ann")

    async def test_generic_classes_have_a_name_that_the_endpoint_takes(self, llm, emulator):
        emulator.answer(emulated.text('{"content": 3}'))
        assert llm.structured_predict(Box[int], PROMPT, subject="Ann").content == 3

    async def test_generic_classes_work_with_function_calling_too(self, emulator):
        llm = self.build(emulator, pydantic_program_mode=PydanticProgramMode.FUNCTION)
        assert isinstance(llm.structured_predict(Box[int], PROMPT, subject="Ann").content, int)
