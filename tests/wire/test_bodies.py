"""Every body of this folder in both frameworks, sync and async: answers are read, and errors get their class."""

from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.frameworks.frameworks import DOORS, Cell, Told
from tests.frameworks.support_table import Place
from tests.wire.bodies import ANSWERS, COUNTS, FAILURES, FOLDER, REQUESTS, Answer, Failure, read
from vertex_compat_integrations.core.errors import EmptyReplyError, VertexCompatWarning
from vertex_compat_integrations.core.json_values import mapping_in
from vertex_compat_integrations.core.reply.tool_call import signatures_in
from vertex_compat_integrations.emulator import Emulator, completion, raw

PACKAGES = {"LangChain": "langchain_core", "LlamaIndex": "llama_index"}
LOCATIONS = {
    "deepseek-ai/deepseek-r1-0528-maas": "us-central1",
    "deepseek-ai/deepseek-v3.1-maas": "us-west2",
    "meta/llama-4-scout-17b-16e-instruct-maas": "us-east5",
}
GEMINI = "google/gemini-3.5-flash"
each_framework = pytest.mark.parametrize("framework", DOORS)
each_mode = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.fixture(autouse=True)
def _loop(loop_for_synchronous_tests: None) -> None:
    """Each test has one."""


def cell(framework: str, mode: str, name: str, emulator: Emulator) -> Cell:
    if find_spec(PACKAGES[framework]) is None:
        pytest.skip(f"{framework} is not installed")
    return Cell(Place(framework, "streamed" if name.endswith(".sse") else "plain", mode), emulator)


def serve(emulator: Emulator, name: str, status: int = 200) -> None:
    if name.endswith(".sse"):
        emulator.answer(raw((FOLDER / name).read_bytes(), content_type="text/event-stream"))
    else:
        emulator.answer(raw(read(name), status=status))


def ask(asked: Cell, model: str, *messages: Any, **settings: Any) -> Told:
    base_url = asked.emulator.base_url(location=LOCATIONS.get(model, "global"))
    return asked.ask(*(messages or ("Hello",)), model=model, base_url=base_url, **settings)


def answered(asked: Cell, name: str, expected: Answer) -> Told:
    body = mapping_in(read(name)) if name.endswith(".json") else {}
    body = body[expected.at] if expected.at else body
    if name.endswith(".sse"):
        serve(asked.emulator, name)
    else:
        asked.emulator.answer(completion(body))
    with pytest.warns(VertexCompatWarning, match=expected.warns) if expected.warns else nullcontext():
        return ask(asked, expected.model or body["model"])


def test_every_file_is_in_both_tables():
    files = {path.name for path in FOLDER.iterdir() if path.suffix in (".json", ".sse")}
    assert files == {*ANSWERS, *FAILURES, *REQUESTS, COUNTS}
    assert len(files) == 36
    assert (len(ANSWERS), len(FAILURES), len(REQUESTS)) == (19, 10, 6)
    table = (FOLDER / "README.md").read_text()
    compared = (Path(__file__).parents[1] / "langchain" / "test_wire.py").read_text()
    for name in files:
        pair, _, tail = name.rpartition("_")
        assert f"`{name}`" in table or (f"`{pair}_" in table and f"`…_{tail}`" in table), name
    for name in REQUESTS:
        assert f'"{name.removesuffix(".json")}"' in compared, name


@each_framework
@each_mode
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_read(emulator: Emulator, framework: str, mode: str, name: str):
    expected = ANSWERS[name]
    told = answered(cell(framework, mode, name, emulator), name, expected)
    assert told.text == expected.text
    assert told.thoughts.rstrip("\n") == expected.thoughts
    assert told.calls == [(called, dict(arguments)) for called, arguments in expected.calls]
    assert all(told.call_ids)
    assert len(set(told.call_ids)) == len(expected.calls)
    assert [mime_type for mime_type, _ in told.media] == list(expected.media)
    assert all(data.startswith(b"\x89PNG") for _, data in told.media)
    assert (told.counts["input"], told.counts["output"], told.counts["thought"]) == expected.counts
    assert told.counts["total"] == told.counts["input"] + told.counts["output"]
    assert (told.refusal is None) if expected.refusal is None else (expected.refusal in told.refusal)


def signatures_of(name: str) -> list[str]:
    """The signatures in a file, each once."""
    text = (FOLDER / name).read_text()
    quoted = [piece.partition('"')[0] for piece in text.replace('": "', '":"').split('"thought_signature":"')[1:]]
    return list(dict.fromkeys(quoted))


@each_framework
@pytest.mark.parametrize("name", [name for name, expected in ANSWERS.items() if expected.signatures])
def test_a_signature_goes_back_byte_for_byte(emulator: Emulator, framework: str, name: str):
    expected, asked = ANSWERS[name], cell(framework, "sync", name, emulator)
    told = answered(asked, name, expected)
    signatures = signatures_of(name)
    assert len(signatures) == expected.signatures
    for signature in signatures:
        emulator.accept_signature(signature)
    results = [asked.door.result(call_id, "12") for call_id in told.call_ids]
    emulator.rule(raw(read("vertex_multimodal_tool_result_response.json")))
    model = expected.model or read(name)["model"]
    plain = Cell(Place(framework, "plain", "sync"), emulator)
    ask(plain, model, "Hello", told.message, *results, *([] if results else ["And now?"]))
    sent = emulator.journal.last.messages[1]
    holders = [sent, *sent.get("tool_calls", ())]
    returned = [each for holder in holders for each in signatures_in(holder.get("extra_content"))]
    assert returned == signatures


@each_framework
@each_mode
@pytest.mark.parametrize("surface", ["vertex", "aistudio", "xai"])
def test_tokens_add_up_however_they_are_counted(emulator: Emulator, framework: str, mode: str, surface: str):
    answer = read("maas_function_calling_history_response.json") | {"usage": read(COUNTS)[surface]}
    emulator.answer(completion(answer))
    told = ask(cell(framework, mode, COUNTS, emulator), GEMINI)
    assert told.counts == {"input": 400, "output": 35, "total": 435, "thought": 30, "cached": 0}


@each_framework
@each_mode
@pytest.mark.parametrize("name", FAILURES)
def test_an_error_has_its_class(emulator: Emulator, framework: str, mode: str, name: str):
    expected = FAILURES[name]
    asked = cell(framework, mode, name, emulator)
    # What is an error in its events only comes with status 200.
    serve(emulator, name, 200 if name.endswith(".sse") else expected.code)
    with pytest.raises(expected.kind, match=expected.words) as caught:
        ask(asked, GEMINI, max_retries=0)
    error: Any = caught.value
    assert (error.code, error.status) == (status_of(expected), expected.status)
    assert type(error).__name__ == expected.kind.__name__
    assert len(emulator.journal.chat) == 1


def status_of(expected: Failure) -> int | None:
    """An answer that holds nothing is an error of ours, which no status tells."""
    return None if expected.kind is EmptyReplyError else expected.code


@each_framework
@each_mode
def test_an_error_as_first_event_is_tried_again(emulator: Emulator, framework: str, mode: str):
    """Nothing was given out yet, and the server was only short of capacity."""
    name = "maas_stream_first_event_error_503.sse"
    serve(emulator, name)
    serve(emulator, "aistudio_stream_text_gemini25flashlite.sse")
    assert ask(cell(framework, mode, name, emulator), GEMINI, max_retries=1).text == "Red, green, blue."
    assert len(emulator.journal.chat) == 2


IMAGE_REQUEST = "vertex_image_generation_gemini3proimage_request.json"
THINKING_REQUEST = "vertex_thinking_config_stream_request.json"
ARGUMENTS_REQUEST = "vertex_stream_function_call_arguments_request.json"
SITUATIONS: dict[str, dict[str, Any]] = {
    IMAGE_REQUEST: {"modalities": ["image"]},
    THINKING_REQUEST: {"thinking_budget": 10000, "include_thoughts": True},
    ARGUMENTS_REQUEST: {"extra_body": {"google": {"stream_function_call_arguments": True}}},
}
"""Requests of one question, and the settings that ask for the same."""


@each_framework
@each_mode
@pytest.mark.parametrize("name", SITUATIONS)
def test_a_request_for_the_same_has_the_same_shape(emulator: Emulator, framework: str, mode: str, name: str):
    shape = read(name)
    asked = Cell(Place(framework, "streamed" if shape.get("stream") else "plain", mode), emulator)
    call = {"tools": shape["tools"]} if "tools" in shape else {}
    # One part of text says the same as the text.
    (question,) = shape["messages"]
    parts = question["content"]
    question["content"] = parts if isinstance(parts, str) else "".join(part["text"] for part in parts)
    asked.ask(question["content"], call=call, model=shape["model"], **SITUATIONS[name])
    assert emulator.journal.last.body == shape
