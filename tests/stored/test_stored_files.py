"""What users stored with an earlier commit is read by this one, and means the same; see `files/README.md`."""

import asyncio
import importlib
import json
import pickle
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from google.oauth2.credentials import Credentials
from langchain.agents import create_agent
from langchain_core.load import loads
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage, messages_from_dict
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableBinding, RunnableSequence
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.embeddings.loading import RECOGNIZED_EMBEDDINGS, load_embed_model
from llama_index.core.llms.loading import RECOGNIZED_LLMS
from llama_index.core.llms.loading import load_llm as load_llama_index_llm
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.storage.chat_store import SimpleChatStore
from llama_index.core.workflow import Context, JsonSerializer
from pydantic import SecretStr

import vertex_compat_integrations
from vertex_compat_integrations.batch import KeptRows, run_batch
from vertex_compat_integrations.core import errors as core_errors
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, http_error
from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings, load_chat_model
from vertex_compat_integrations.langchain import errors as langchain_errors
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding, load_llm, register

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = HERE / "files"
PROGRAM = HERE / "program"
EXPECTED: dict[str, Any] = json.loads((FILES / "expected.json").read_text(encoding="utf-8"))
MODEL = "google/gemini-3.5-flash"
QUESTION = "What is the weather in 'Paris'?"
NEXT_QUESTION = "And what is the weather in 'Oslo'?"
LANGCHAIN_PICKLES = ("chat_plain", "chat_settings", "chat_locations", "embeddings_plain")
LLAMA_INDEX_PICKLES = ("llm_plain", "llm_settings", "llm_locations", "embedding_plain")

pytestmark = [
    pytest.mark.usefixtures("program", "_clean_environment", "loop_for_synchronous_tests"),
    pytest.mark.filterwarnings("ignore:.*requests go to the emulator"),
    pytest.mark.filterwarnings("ignore:.*is in beta"),
]


@pytest.fixture
def program(monkeypatch) -> Any:
    """The user's program, whose classes and functions pickles name; new each time, as in a process of its own.

    Else the program's own source of tokens would belong to the server that another test used it with.
    """
    monkeypatch.syspath_prepend(PROGRAM)
    monkeypatch.delitem(sys.modules, "weather_program", raising=False)
    return importlib.import_module("weather_program")


@pytest.fixture
def _clean_environment(monkeypatch) -> None:
    """Only what was stored says where to ask, and as whom."""
    for name in (FILES / "environment_variables.txt").read_text(encoding="utf-8").split():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def asked(emulator: Emulator, monkeypatch) -> Emulator:
    """An emulator that is asked by whatever names no server of its own; the stored object stays as it is."""
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
    return emulator


def read(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


def unpickled(name: str) -> Any:
    return pickle.loads((FILES / name).read_bytes())


def assert_has_settings(thing: Any, name: str) -> None:
    """The settings are those that were given when the file was written."""
    given = EXPECTED[name]["settings"]
    assert json.loads(json.dumps({key: getattr(thing, key) for key in given})) == given


def assert_signatures_were_sent(emulator: Emulator, signatures: list[str]) -> None:
    """The last request was taken, and its first calls carry the stored signatures."""
    assert emulator.journal.last.status == 200
    calls = next(message["tool_calls"] for message in emulator.journal.last.messages if message.get("tool_calls"))
    assert [call["extra_content"]["google"]["thought_signature"] for call in calls] == signatures


def accept(emulator: Emulator, text: str) -> None:
    """Let the emulator take every signature of a file for its own, as the service takes those of yesterday."""
    found = re.findall(r"thought_signature[\\\": ]+([A-Za-z0-9+/=]+)", text)
    assert found
    for signature in found:
        emulator.accept_signature(signature)


def test_every_file_is_read_by_a_test():
    """The names of the files, or what they begin with, stand in this file."""
    source = Path(__file__).read_text(encoding="utf-8")
    stems = {path.name.split(".")[0] for path in FILES.iterdir()} - {"README"}
    read_in_groups = {f"langchain_{name}" for name in (*LANGCHAIN_PICKLES, *CHAINS, "messages", "streamed")}
    read_in_groups |= {f"llama_index_{name}" for name in LLAMA_INDEX_PICKLES}
    read_in_groups |= {f"langchain_chat_with_{what}" for what in ("key", "callable", "google_credentials")}
    assert [stem for stem in sorted(stems - read_in_groups) if stem not in source] == []


# Models of LangChain


def assert_asks(model: Any, emulator: Emulator) -> None:
    """The model, whichever it is, gets an answer."""
    match model:
        case ChatVertexCompat():
            assert model.invoke("Hello").text
        case VertexCompat():
            assert model.complete("Hello").text
        case VertexCompatEmbeddings():
            assert len(model.embed_query("cats")) == 16
            assert emulator.journal.embeddings[-1].body["input"] == ["search: cats"]
        case VertexCompatEmbedding():
            assert len(model.get_query_embedding("cats")) == 16
            assert emulator.journal.embeddings[-1].body["input"] == ["search: cats"]
        case _:
            pytest.fail(f"{type(model)} is none of our models.")


def assert_body_has_settings(model: Any, emulator: Emulator, name: str) -> None:
    if "settings" in name:
        body = emulator.journal.last.body
        assert (body["temperature"], body["max_tokens"], body["stop"], body["seed"]) == (0.5, 700, ["END"], 7)
        assert emulator.journal.last.location == "us-east1"
    if "locations" in name:
        assert emulator.journal.last.location == "us-central1"


@pytest.mark.parametrize("name", LANGCHAIN_PICKLES)
def test_a_pickled_model_of_langchain_answers(asked: Emulator, name: str):
    model = unpickled(f"langchain_{name}.pickle")
    assert type(model) is (VertexCompatEmbeddings if "embeddings" in name else ChatVertexCompat)
    assert_has_settings(model, f"langchain_{name}.pickle")
    assert_asks(model, asked)
    assert_body_has_settings(model, asked, name)


@pytest.mark.parametrize("name", LANGCHAIN_PICKLES)
def test_a_dumped_model_of_langchain_answers(asked: Emulator, name: str):
    text = read(f"langchain_{name}.json")
    model = loads(
        text,
        allowed_objects=[ChatVertexCompat, VertexCompatEmbeddings],
        valid_namespaces=["vertex_compat_integrations"],
    )
    assert type(model) is (VertexCompatEmbeddings if "embeddings" in name else ChatVertexCompat)
    # Caches of answers have it in their keys, too.
    assert type(model).lc_id() == json.loads(text)["id"]
    assert_has_settings(model, f"langchain_{name}.json")
    assert_asks(model, asked)
    assert_body_has_settings(model, asked, name)


@pytest.mark.parametrize("name", ["bound_tools", "prompt_and_tools"])
def test_a_dumped_chain_answers(asked: Emulator, name: str):
    chain = loads(
        read(f"langchain_{name}.json"),
        allowed_objects=[ChatVertexCompat, RunnableBinding, RunnableSequence, ChatPromptTemplate, *prompt_parts()],
        valid_namespaces=["vertex_compat_integrations"],
    )
    message = chain.invoke({"question": QUESTION} if name == "prompt_and_tools" else QUESTION)
    assert [call["name"] for call in message.tool_calls] == ["get_weather"]
    assert asked.journal.last.body["temperature"] == 0.25


def prompt_parts() -> list[type]:
    """What a chat prompt is dumped with."""
    module = importlib.import_module("langchain_core.prompts")
    return [module.PromptTemplate, module.SystemMessagePromptTemplate, module.HumanMessagePromptTemplate]


def assert_calls_the_tool(chain: Any, emulator: Emulator, program: Any) -> None:
    message = chain.invoke(QUESTION)
    assert [call["name"] for call in message.tool_calls] == ["get_weather"]
    assert emulator.journal.last.body["temperature"] == 0.25
    assert emulator.journal.last.body["tool_choice"] == "required"
    assert chain.explain_request(QUESTION).body["temperature"] == 0.25


def assert_prompts_and_calls_the_tool(chain: Any, emulator: Emulator, program: Any) -> None:
    message = chain.invoke({"question": QUESTION})
    assert [call["name"] for call in message.tool_calls] == ["get_weather"]
    assert [said["role"] for said in emulator.journal.last.messages] == ["system", "user"]


def assert_gives_an_object(chain: Any, emulator: Emulator, program: Any) -> None:
    assert type(chain.invoke(QUESTION)) is program.Weather


def assert_gives_a_mapping(chain: Any, emulator: Emulator, program: Any) -> None:
    assert chain.invoke(QUESTION).keys() == {"city"}


def assert_gives_json(chain: Any, emulator: Emulator, program: Any) -> None:
    assert isinstance(chain.invoke("Answer in JSON."), dict)
    assert emulator.journal.last.body["response_format"] == {"type": "json_object"}


def assert_gives_a_member(chain: Any, emulator: Emulator, program: Any) -> None:
    assert isinstance(chain.invoke("How is the sky?"), program.Sky)


def assert_falls_back(chain: Any, emulator: Emulator, program: Any) -> None:
    assert chain.exceptions_to_handle == (langchain_errors.RateLimitError,)
    chain.runnable.max_retries = 0
    emulator.rule(http_error(429, "Later."), when=lambda body: "temperature" not in body)
    assert chain.invoke("Hello").text
    assert [entry.status for entry in emulator.journal.chat] == [429, 200]


def assert_tries_again(chain: Any, emulator: Emulator, program: Any) -> None:
    assert chain.retry_exception_types == (core_errors.ServerError,)
    assert chain.invoke("Hello").text


def assert_can_be_configured(chain: Any, emulator: Emulator, program: Any) -> None:
    assert chain.with_config(configurable={"heat": 0.75}).invoke("Hello").text
    assert emulator.journal.last.body["temperature"] == 0.75


CHAINS: dict[str, Callable[[Any, Emulator, Any], None]] = {
    "bound_tools": assert_calls_the_tool,
    "prompt_and_tools": assert_prompts_and_calls_the_tool,
    "structured_class": assert_gives_an_object,
    "structured_by_call": assert_gives_an_object,
    "structured_mapping": assert_gives_a_mapping,
    "structured_mapping_by_call": assert_gives_a_mapping,
    "structured_json_mode": assert_gives_json,
    "structured_enum": assert_gives_a_member,
    "fallbacks": assert_falls_back,
    "retry": assert_tries_again,
    "configurable": assert_can_be_configured,
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_pickled_chain_does_the_same(asked: Emulator, program: Any, name: str):
    CHAINS[name](unpickled(f"langchain_{name}.pickle"), asked, program)


# Models with credentials of their own

WITH_KEY = (
    "langchain_chat_with_key",
    "langchain_embeddings_with_key",
    "llama_index_llm_with_key",
    "llama_index_embedding_with_key",
)


@pytest.mark.parametrize("name", WITH_KEY)
def test_a_pickled_model_that_had_a_key_asks_for_it_again(emulator: Emulator, name: str):
    model = unpickled(f"{name}.pickle")
    assert_has_settings(model, f"{name}.pickle")
    assert b"fake-key" not in (FILES / f"{name}.pickle").read_bytes()
    # Before anything is sent to anybody.
    with pytest.raises(core_errors.CredentialsError, match="left out when this object was pickled"):
        assert_asks(model, emulator)
    model.base_url = emulator.base_url(project=model.project, location=model.location or "global")
    model.api_key = SecretStr(emulator.identity.issue())
    assert_asks(model, emulator)


@pytest.mark.parametrize("name", ["langchain_chat_with_callable", "llama_index_llm_with_callable"])
def test_a_pickled_model_with_a_callable_asks_it(emulator: Emulator, program: Any, name: str):
    model = unpickled(f"{name}.pickle")
    assert_has_settings(model, f"{name}.pickle")
    assert model.credentials is program.fetch_token
    model.base_url = emulator.base_url(project=model.project, location=model.location or "global")
    model.max_retries = 0
    with pytest.raises(core_errors.AuthenticationError):
        assert_asks(model, emulator)
    assert emulator.journal.last.headers["authorization"] == f"Bearer {program.TOKEN}"


def test_a_pickled_model_with_googles_credentials_has_them_without_a_token(emulator: Emulator):
    model = unpickled("langchain_chat_with_google_credentials.pickle")
    assert_has_settings(model, "langchain_chat_with_google_credentials.pickle")
    assert type(model.credentials) is Credentials
    assert (model.credentials.refresh_token, model.credentials.token) == ("fake-refresh-token", None)


# Models of LlamaIndex


def assert_is_llama_index_model(model: Any, name: str) -> None:
    assert type(model) is (VertexCompatEmbedding if "embedding" in name else VertexCompat)
    assert_has_settings(model, name)


@pytest.mark.parametrize("name", LLAMA_INDEX_PICKLES)
def test_a_pickled_model_of_llama_index_answers(asked: Emulator, name: str):
    model = unpickled(f"llama_index_{name}.pickle")
    assert_is_llama_index_model(model, f"llama_index_{name}.pickle")
    assert_asks(model, asked)
    assert_body_has_settings(model, asked, name)


@pytest.mark.parametrize("name", LLAMA_INDEX_PICKLES)
def test_a_model_of_llama_index_in_json_answers(asked: Emulator, name: str):
    text = read(f"llama_index_{name}.json")
    kind = VertexCompatEmbedding if "embedding" in name else VertexCompat
    assert json.loads(text)["class_name"] == kind.class_name()
    model = kind.from_json(text)
    assert_is_llama_index_model(model, f"llama_index_{name}.json")
    assert_asks(model, asked)
    assert_body_has_settings(model, asked, name)


@pytest.mark.parametrize("name", LLAMA_INDEX_PICKLES)
def test_a_model_of_llama_index_is_found_by_its_class_name(name: str):
    held = json.loads(read(f"llama_index_{name}.json"))
    register()
    try:
        model = load_embed_model(held) if "embedding" in name else load_llama_index_llm(held)
    finally:
        del RECOGNIZED_LLMS[VertexCompat.class_name()], RECOGNIZED_EMBEDDINGS[VertexCompatEmbedding.class_name()]
    assert_is_llama_index_model(model, f"llama_index_{name}.json")


@pytest.mark.parametrize("name", LLAMA_INDEX_PICKLES)
def test_a_model_in_the_state_of_a_workflow_is_found_by_its_module(asked: Emulator, name: str):
    model = JsonSerializer().deserialize(read(f"llama_index_{name}.component.json"))
    assert_is_llama_index_model(model, f"llama_index_{name}.component.json")
    assert_asks(model, asked)


def test_a_pickled_structured_llm_gives_an_object(asked: Emulator, program: Any):
    assert type(unpickled("llama_index_llm_structured.pickle").complete(QUESTION).raw) is program.Weather


# Errors


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *((core_errors, name) for name in EXPECTED["errors_core.pickle"]),
        *((langchain_errors, name) for name in EXPECTED["errors_langchain.pickle"]),
    ],
)
def test_a_pickled_error_knows_what_it_knew(module: Any, name: str):
    file = "errors_core.pickle" if module is core_errors else "errors_langchain.pickle"
    error = pickle.loads(unpickled(file)[name])
    assert type(error) is getattr(module, name)
    assert error.message.startswith("Something failed.")
    assert error.hint == "Do this."
    assert (error.model, error.project, error.location) == (MODEL, "stored-project", "global")
    assert (error.attempts, error.retry_after) == (3, 1.5)
    if isinstance(error, core_errors.SchemaError):
        assert error.path == "$.city"
    elif isinstance(error, core_errors.PartialReplyError):
        assert (error.code, error.partial_text, error.partial_thoughts) == (400, "It", "Hm")
    else:
        assert (error.code, error.status, error.details) == (429, "ABORTED", [{"reason": "R"}])
    assert str(error).endswith(f"(model {MODEL}, project stored-project, location global) Do this.")


def test_every_class_of_errors_has_a_stored_one():
    for module, file in ((core_errors, "errors_core.pickle"), (langchain_errors, "errors_langchain.pickle")):
        own = {name for name, kind in vars(module).items() if getattr(kind, "__module__", "") == module.__name__}
        kinds = {name for name in own if isinstance(getattr(module, name), type)}
        kinds = {name for name in kinds if issubclass(getattr(module, name), core_errors.VertexCompatError)}
        assert set(EXPECTED[file]) <= kinds


def test_a_pickled_warning_is_ours():
    assert type(unpickled("warning.pickle")) is core_errors.VertexCompatWarning


# Public values by themselves


@pytest.mark.parametrize("name", ["connection", "options"])
def test_pickled_settings_are_the_same(name: str):
    settings = pickle.loads(unpickled("settings_objects.pickle")[name])
    expected = {
        "connection": {"project": "stored-project", "location": "us-east1", "timeout": 30},
        "options": {"model": MODEL, "temperature": 0.5, "thinking": "low"},
    }[name]
    assert {key: getattr(settings, key) for key in expected} == expected


@pytest.mark.parametrize("name", EXPECTED["explanations.pickle"])
def test_a_pickled_explanation_says_the_same(name: str):
    explanation = pickle.loads(unpickled("explanations.pickle")[name])
    assert str(explanation) == EXPECTED["explanations.pickle"][name]
    assert explanation.url.endswith("/chat/completions")
    assert {remark.kind for remark in explanation.remarks} <= {"dropped", "converted", "defaulted"}


@pytest.mark.parametrize("name", ["summary", "pacing"])
def test_a_pickled_value_of_a_batch_is_the_same(name: str):
    value = pickle.loads(unpickled("values.pickle")[name])
    match name:
        case "summary":
            assert (value.lines, value.answered, value.failed) == (2, 1, 1)
            assert [group.type for group in value.failures] == ["RateLimitError"]
        case "pacing":
            assert (value.concurrency, value.rate.interval) == (2, 0.1)


# Histories of LangChain and LangGraph


def langchain_messages(name: str) -> list[BaseMessage]:
    match name.split(".", 1)[1]:
        case "pickle":
            return unpickled(name)
        case "json":
            return loads(read(name), allowed_objects="messages")
        case "dicts.json":
            return messages_from_dict(json.loads(read(name)))
        case _:
            return JsonPlusSerializer().loads_typed(("msgpack", (FILES / name).read_bytes()))["messages"]


@pytest.mark.parametrize("form", ["pickle", "json", "dicts.json", "msgpack"])
@pytest.mark.parametrize("way", ["messages", "streamed"])
def test_stored_messages_of_langchain_go_back_with_their_signatures(asked: Emulator, program: Any, way: str, form: str):
    name = f"langchain_{way}.{form}"
    said, expected = langchain_messages(name), EXPECTED[name]
    assert [message.type for message in said] == expected["types"]
    accept(asked, read(f"langchain_{way}.json"))
    model = ChatVertexCompat(model=MODEL, project="p").bind_tools([program.get_weather])
    model.invoke([*said, HumanMessage(NEXT_QUESTION)])
    assert_signatures_were_sent(asked, expected["signatures"])
    # The turn that is not over goes back, too.
    model.invoke(said[:3])
    assert_signatures_were_sent(asked, expected["signatures"])


def test_a_model_in_a_checkpoint_is_the_same(asked: Emulator):
    serializer = JsonPlusSerializer(allowed_msgpack_modules=[ChatVertexCompat])
    name = "langgraph_model.msgpack"
    model = serializer.loads_typed(("msgpack", (FILES / name).read_bytes()))["model"]
    assert type(model) is ChatVertexCompat
    assert_has_settings(model, name)
    assert_asks(model, asked)


@pytest.fixture
def threads(tmp_path: Path) -> Iterator[SqliteSaver]:
    """The stored database of LangGraph's, of which each test has a copy."""
    path = shutil.copy(FILES / "langgraph_threads.sqlite", tmp_path / "threads.sqlite")
    with SqliteSaver.from_conn_string(str(path)) as saver:
        yield saver


@pytest.mark.parametrize("thread", ["finished", "waiting"])
def test_a_stored_thread_goes_on_and_sends_its_signatures(
    asked: Emulator, program: Any, threads: SqliteSaver, thread: str
):
    expected = EXPECTED["langgraph_threads.sqlite"][thread]
    agent = create_agent(ChatVertexCompat(model=MODEL, project="p"), [program.get_weather], checkpointer=threads)
    config = {"configurable": {"thread_id": thread}}
    kept = agent.get_state(config).values["messages"]
    assert [message.type for message in kept] == expected["types"]
    accept(asked, json.dumps([message.additional_kwargs for message in kept]))
    question = {"messages": [("user", NEXT_QUESTION)]} if thread == "finished" else None
    said = agent.invoke(question, config)["messages"]
    assert next(message.text for message in said if isinstance(message, ToolMessage)) == "21 degrees in Paris."
    assert said[-1].text
    assert len(said) > len(kept)
    assert_signatures_were_sent(asked, expected["signatures"])


# Histories of LlamaIndex


def llama_index_messages(name: str) -> list[ChatMessage]:
    match name:
        case "llama_index_messages.pickle":
            return unpickled(name)
        case "llama_index_messages.json":
            return [ChatMessage.model_validate(message) for message in json.loads(read(name))]
        case "llama_index_chat_store.json":
            return SimpleChatStore.from_persist_path(str(FILES / name)).get_messages("someone")
        case _:
            return ChatMemoryBuffer.from_string(read(name)).get()


LLAMA_INDEX_HISTORIES = (
    "llama_index_messages.pickle",
    "llama_index_messages.json",
    "llama_index_chat_store.json",
    "llama_index_memory.json",
)


@pytest.mark.parametrize("name", LLAMA_INDEX_HISTORIES)
def test_stored_messages_of_llama_index_go_back_with_their_signatures(asked: Emulator, name: str):
    said, expected = llama_index_messages(name), EXPECTED[name]
    assert [message.role.value for message in said] == expected["types"]
    accept(asked, read("llama_index_messages.json"))
    VertexCompat(model=MODEL, project="p").chat([*said, ChatMessage(role=MessageRole.USER, content=NEXT_QUESTION)])
    assert_signatures_were_sent(asked, expected["signatures"])


def test_a_stored_response_of_llama_index_has_its_calls_and_signatures():
    response = unpickled("llama_index_response.pickle")
    (call,) = VertexCompat(model=MODEL, project="p").get_tool_calls_from_response(response)
    assert (call.tool_name, call.tool_kwargs) == ("get_weather", {"city": "Paris"})
    (signature,) = EXPECTED["llama_index_response.pickle"]["signatures"]
    assert signature in response.message.model_dump_json()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_stored_workflow_of_llama_index_goes_on(asked: Emulator, program: Any):
    name = "llama_index_workflow.json"
    accept(asked, read(name))
    agent = FunctionAgent(tools=[program.get_weather], llm=VertexCompat(model=MODEL, project="p"), streaming=False)
    context = Context.from_dict(agent, json.loads(read(name)), JsonSerializer())
    answer = await asyncio.wait_for(agent.run(NEXT_QUESTION, ctx=context), 60)
    assert "Oslo" in str(answer)
    assert asked.journal.last.status == 200
    sent = asked.journal.last.raw.decode()
    assert [signature for signature in EXPECTED[name]["signatures"] if signature not in sent] == []


# Files that people write and programs read


@pytest.mark.parametrize("kind", ["yaml", "json", "toml"])
@pytest.mark.parametrize("load", [load_chat_model, load_llm])
def test_stored_specifications_name_the_same_models(asked: Emulator, load: Callable[..., Any], kind: str):
    model = load(FILES / f"models.{kind}", section="chat")
    assert isinstance(model, ChatVertexCompat | VertexCompat)
    assert (model.model, model.project, model.location) == (MODEL, "stored-project", "us-east1")
    assert (model.temperature, model.thinking, model.max_tokens) == (0.5, "low", 700)
    assert_asks(model, asked)
    small = load(FILES / f"models.{kind}", section="small")
    assert (small.model, small.project) == ("google/gemini-2.5-flash", "stored-project")


@pytest.mark.parametrize("retry_failed", [False, True])
def test_a_stored_batch_goes_on(asked: Emulator, monkeypatch, tmp_path: Path, retry_failed: bool):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "stored-project")
    source, output = (Path(shutil.copy(FILES / name, tmp_path)) for name in ("batch_input.jsonl", "batch_output.jsonl"))
    stored = output.read_bytes().splitlines(keepends=True)[:3]
    summary = run_batch(source, output, options=Options(model=MODEL), retry_failed=retry_failed)
    again = ["q1"] if retry_failed else []
    assert (summary.lines, summary.earlier, summary.answered) == (6, 2, 3 + len(again))
    assert (summary.failed, summary.repaired) == (1 - len(again), True)
    asked_for = sorted(entry.messages[-1]["content"] for entry in asked.journal.chat)
    assert asked_for == sorted(f"Question {name[1]}?" for name in (*again, "q3", "q4", "q5"))
    lines = output.read_bytes().splitlines(keepends=True)
    assert lines[: 2 if retry_failed else 3] == [line for line in stored if not (retry_failed and b'"q1"' in line)]
    assert sorted(json.loads(line)["custom_id"] for line in lines) == [f"q{number}" for number in range(6)]
    assert all(json.loads(line).keys() == json.loads(stored[0]).keys() for line in lines)


@pytest.mark.parametrize(("retry_failed", "missing"), [(False, ["q2"]), (True, ["q1", "q2"])])
def test_stored_rows_are_kept(tmp_path: Path, retry_failed: bool, missing: list[str]):
    path = shutil.copy(FILES / "kept_rows.jsonl", tmp_path)
    with KeptRows(path, retry_failed=retry_failed) as kept:
        rows = [{"custom_id": f"q{number}", "prompt": "?"} for number in range(3)]
        assert [row["custom_id"] for row in kept.missing(rows)] == missing
        assert next(iter(kept))["text"] == "It rains."


def shape(value: Any) -> Any:
    """The names in JSON, without what they hold; what may be missing has no shape."""
    if isinstance(value, dict):
        return {name: found for name, held in value.items() if (found := shape(held)) is not None}
    if isinstance(value, list):
        return [shape(value[0])] if value else None
    return None if value is None else "value"


def run(arguments: list[str], folder: Path) -> str:
    """What a program of Python's prints."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_comparison_of_stored_models_and_prompts_is_told_in_the_same_form(
    asked: Emulator, monkeypatch, tmp_path: Path
):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "stored-project")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("compare_prompts.jsonl", "compare_models.json"):
        shutil.copy(FILES / name, tmp_path)
    command = ["compare", "--prompts", "compare_prompts.jsonl", "--models", "compare_models.json", "--json"]
    text = run(["-m", "vertex_compat_integrations", *command, "--csv", "report.csv"], tmp_path)
    told, stored = json.loads(text), json.loads(read("compare_report.json"))
    assert shape(told) == shape(stored)
    for name in ("format", "prompts"):
        assert told[name] == stored[name]
    for name in ("label", "provider", "model", "parameters"):
        assert [model[name] for model in told["models"]] == [model[name] for model in stored["models"]]
    # Kind and subject of each remark; the sentence after them may be reworded.
    for ours, theirs in zip(told["models"], stored["models"], strict=True):
        assert [each.split(": ")[:2] for each in ours["remarks"]] == [
            each.split(": ")[:2] for each in theirs["remarks"]
        ]
    heads = [text.splitlines()[0] for text in (read("compare_report.csv"), (tmp_path / "report.csv").read_text())]
    assert heads[0] == heads[1]


# Names that scripts, environments and dashboards hold


def test_the_command_and_the_pytest_plugin_are_where_they_were():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"vertex-compat": "vertex_compat_integrations.cli:main"}
    assert project["entry-points"] == {"pytest11": {"vertex_compat": "vertex_compat_integrations.pytest_plugin"}}
    assert callable(EntryPoint("vertex-compat", project["scripts"]["vertex-compat"], "console_scripts").load())
    plugin = EntryPoint("vertex_compat", project["entry-points"]["pytest11"]["vertex_compat"], "pytest11").load()
    assert {"vertex_emulator", "vertex_guard"} <= vars(plugin).keys()


def test_every_environment_variable_is_still_read():
    package = Path(vertex_compat_integrations.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    stored = read("environment_variables.txt").split()
    assert len(stored) == 10
    assert [name for name in stored if f'"{name}"' not in source] == []


def test_tracer_meter_and_attributes_have_the_names_they_had(asked: Emulator, monkeypatch, tmp_path: Path):
    pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    told = json.loads(run([str(PROGRAM / "observed_program.py")], tmp_path))
    assert told == json.loads(read("telemetry_names.json"))
