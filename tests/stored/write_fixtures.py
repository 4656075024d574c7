"""Write `files/`: what this package stores for its users, as the commit that is checked out writes it.

Run it once, at the commit before files of the package move:

    PYTHONPATH=. python -m tests.stored.write_fixtures

That environment should hold the lowest versions that the package admits (`tests/constraints/lowest.txt`): what they
write, later versions read. Under pydantic 2.14, LlamaIndex 0.14.25 cannot write its own chat store.

`test_stored_files.py` then asks each later commit to read the files. Do not run it again after a move: the files would
hold the new module names, and the test would say nothing of what users have. Everything that answers here is the
emulator. All tokens are made up.
"""

import asyncio
import json
import os
import pickle
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = HERE / "files"
PROGRAM = HERE / "program"
sys.path.insert(0, str(PROGRAM))

import weather_program as program  # noqa: E402 - the line before makes it importable
from google.oauth2.credentials import Credentials  # noqa: E402
from langchain.agents import create_agent  # noqa: E402
from langchain_core.load import dumps  # noqa: E402
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, messages_to_dict  # noqa: E402
from langchain_core.prompts import ChatPromptTemplate  # noqa: E402
from langchain_core.runnables import ConfigurableField  # noqa: E402
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer  # noqa: E402
from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: E402
from llama_index.core.agent.workflow import FunctionAgent  # noqa: E402
from llama_index.core.base.llms.types import ChatMessage, MessageRole  # noqa: E402
from llama_index.core.memory import ChatMemoryBuffer  # noqa: E402
from llama_index.core.storage.chat_store import SimpleChatStore  # noqa: E402
from llama_index.core.tools import FunctionTool  # noqa: E402
from llama_index.core.workflow import Context, JsonSerializer  # noqa: E402

import vertex_compat_integrations  # noqa: E402
from vertex_compat_integrations.batch import KeptRows, Pacing, Rate, Summary, run_batch  # noqa: E402
from vertex_compat_integrations.core import errors as core_errors  # noqa: E402
from vertex_compat_integrations.core.connection import (  # noqa: E402
    Connection,
    resolve_destination,
)
from vertex_compat_integrations.core.options import Options  # noqa: E402
from vertex_compat_integrations.emulator import Emulator, http_error  # noqa: E402
from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings  # noqa: E402
from vertex_compat_integrations.langchain import errors as langchain_errors  # noqa: E402
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding  # noqa: E402
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE  # noqa: E402

MODEL = "google/gemini-3.5-flash"
EMBEDDING_MODEL = "intfloat/multilingual-e5-small-maas"
QUESTION = "What is the weather in 'Paris'?"
FAKE_KEY = "fake-key-that-no-server-knows"

PLAIN: dict[str, Any] = {"model": MODEL, "project": "stored-project"}
SETTINGS: dict[str, Any] = {
    **PLAIN,
    "location": "us-east1",
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 700,
    "stop": ["END"],
    "seed": 7,
    "thinking": "low",
    "safety_settings": {"HARM_CATEGORY_HARASSMENT": "OFF"},
    "cached_content": "projects/p/locations/us-east1/cachedContents/1",
    "extra_body": {"google": {"media_resolution": "MEDIA_RESOLUTION_LOW"}},
    "model_facts": {"demands_signatures": True},
    "allow_hosts": ["gateway.example.com"],
    "timeout": 30,
    "gap_timeout": 20,
    "max_retries": 1,
    "http_backend": "httpx",
    "on_truncated": "warn",
}
LANGCHAIN_SETTINGS: dict[str, Any] = {**SETTINGS, "streaming": True, "stream_usage": False}
LLAMA_SETTINGS: dict[str, Any] = {
    **SETTINGS,
    "additional_kwargs": {"frequency_penalty": 0.5},
    "context_window": 9_000,
    "system_prompt": "Be short.",
    "keep_answer_signature": False,
}
PLACES: dict[str, Any] = {
    "model": "google/gemini-2.5-flash",
    "project": "stored-project",
    "locations": ["us-central1", "europe-west4"],
    "thinking": {"budget": 128, "include_thoughts": True},
    "request_type": "shared",
}
EMBEDDING: dict[str, Any] = {
    "model": EMBEDDING_MODEL,
    "project": "stored-project",
    "location": "us-central1",
    "batch_size": 3,
    "query_prefix": "search: ",
    "dimensions": 16,
}

CITY_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

LLAMA_EMBEDDING: dict[str, Any] = {
    **{name: value for name, value in EMBEDDING.items() if name not in ("model", "batch_size")},
    "model_name": EMBEDDING_MODEL,
    "embed_batch_size": 3,
}
WITH_CALLABLE: dict[str, Any] = {**PLAIN, "allow_hosts": ["127.0.0.1"]}
"""The test asks the emulator, which has another port each time."""

EXPECTED: dict[str, Any] = {}
"""What was given, by the name of the file; the test reads it from `expected.json`."""


def main() -> None:
    """Write every file anew."""
    shutil.rmtree(FILES, ignore_errors=True)
    FILES.mkdir()
    warnings.filterwarnings("ignore", message=".*requests go to the emulator")
    warnings.filterwarnings("ignore", message=".*is in beta")
    for name in [name for name in os.environ if name.startswith(("GOOGLE_", "GCLOUD_", "VERTEX_COMPAT_", "LLM_"))]:
        del os.environ[name]
    write_langchain_models()
    write_llama_index_models()
    write_errors()
    write_objects_by_themselves()
    write_specifications()
    write_explanations()
    write_names()
    with Emulator() as emulator:
        os.environ[EMULATOR_HOST_VARIABLE] = emulator.host
        write_langchain_history()
        write_checkpoints()
        write_llama_index_history()
        asyncio.run(write_workflow())
        write_values()
        write_batch(emulator)
        write_comparison()
        write_text("telemetry_names.json", run([str(PROGRAM / "observed_program.py")]))
    write_text("expected.json", json.dumps(EXPECTED, indent=1, sort_keys=True) + "\n")
    write_readme()


def write_text(name: str, text: str) -> None:
    """A text file."""
    (FILES / name).write_text(text, encoding="utf-8")


def write_pickle(name: str, value: Any, **expected: Any) -> None:
    """A pickle, and what the test shall find in it."""
    (FILES / name).write_bytes(pickle.dumps(value, protocol=4))
    EXPECTED[name] = expected


def write_pickles(name: str, values: Mapping[str, Any]) -> None:
    """Many small pickles in one file: a mapping of names to pickles, so that each can be read without the others."""
    (FILES / name).write_bytes(pickle.dumps({key: pickle.dumps(value, 4) for key, value in values.items()}, 4))


def given_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them."""
    return {"settings": dict(values)}


def write_langchain_models() -> None:
    """Models, bindings and chains of LangChain, as pickles and as LangChain's own JSON."""
    plain, full, places = (ChatVertexCompat(**given) for given in (PLAIN, LANGCHAIN_SETTINGS, PLACES))
    embeddings = VertexCompatEmbeddings(**EMBEDDING)
    tools = plain.bind_tools([program.get_weather], tool_choice="any", temperature=0.25)
    prompt = ChatPromptTemplate.from_messages([("system", "Be short."), ("user", "{question}")])
    title_schema = {**CITY_SCHEMA, "title": "Weather"}
    pickles = {
        "chat_plain": (plain, PLAIN),
        "chat_settings": (full, LANGCHAIN_SETTINGS),
        "chat_locations": (places, PLACES),
        "chat_with_key": (ChatVertexCompat(**PLAIN, api_key=FAKE_KEY), PLAIN),
        "chat_with_callable": (ChatVertexCompat(**WITH_CALLABLE, credentials=program.fetch_token), WITH_CALLABLE),
        "chat_with_google_credentials": (ChatVertexCompat(**PLAIN, credentials=google_credentials()), PLAIN),
        "embeddings_plain": (embeddings, EMBEDDING),
        "embeddings_with_key": (VertexCompatEmbeddings(**EMBEDDING, api_key=FAKE_KEY), EMBEDDING),
    }
    for name, (model, given) in pickles.items():
        write_pickle(f"langchain_{name}.pickle", model, **given_settings(given))
    chains = {
        "bound_tools": tools,
        "structured_class": plain.with_structured_output(program.Weather),
        "structured_by_call": plain.with_structured_output(program.Weather, method="function_calling"),
        "structured_mapping": plain.with_structured_output(title_schema),
        "structured_mapping_by_call": plain.with_structured_output(title_schema, method="function_calling"),
        "structured_json_mode": plain.with_structured_output(None, method="json_mode"),
        "structured_enum": plain.with_structured_output(program.Sky),
        "prompt_and_tools": prompt | tools,
        "fallbacks": plain.with_fallbacks([full], exceptions_to_handle=(langchain_errors.RateLimitError,)),
        "retry": plain.with_retry(retry_if_exception_type=(core_errors.ServerError,)),
        "configurable": plain.configurable_fields(temperature=ConfigurableField(id="heat")),
    }
    for name, chain in chains.items():
        write_pickle(f"langchain_{name}.pickle", chain)
    dumped = {
        "chat_plain": (plain, PLAIN),
        "chat_settings": (full, LANGCHAIN_SETTINGS),
        "chat_locations": (places, PLACES),
        "embeddings_plain": (embeddings, EMBEDDING),
        "bound_tools": (tools, None),
        "prompt_and_tools": (prompt | tools, None),
    }
    for name, (value, given) in dumped.items():
        write_text(f"langchain_{name}.json", dumps(value, pretty=True) + "\n")
        if given is not None:
            EXPECTED[f"langchain_{name}.json"] = given_settings(given)


def google_credentials() -> Credentials:
    """A user's credentials that get their tokens with a refresh token."""
    return Credentials(
        None,
        refresh_token="fake-refresh-token",
        client_id="fake-client-id",
        client_secret="fake-client-secret",
        token_uri="https://oauth2.example.com/token",
    )


def write_llama_index_models() -> None:
    """Models of LlamaIndex as pickles, and as LlamaIndex's own mappings and JSON."""
    pickles = {
        "llm_plain": (VertexCompat(**PLAIN), PLAIN),
        "llm_settings": (VertexCompat(**LLAMA_SETTINGS), LLAMA_SETTINGS),
        "llm_locations": (VertexCompat(**PLACES), PLACES),
        "llm_with_key": (VertexCompat(**PLAIN, api_key=FAKE_KEY), PLAIN),
        "llm_with_callable": (VertexCompat(**WITH_CALLABLE, credentials=program.fetch_token), WITH_CALLABLE),
        "llm_structured": (VertexCompat(**PLAIN).as_structured_llm(program.Weather), {}),
        "embedding_plain": (VertexCompatEmbedding(**LLAMA_EMBEDDING), LLAMA_EMBEDDING),
        "embedding_with_key": (VertexCompatEmbedding(**LLAMA_EMBEDDING, api_key=FAKE_KEY), LLAMA_EMBEDDING),
    }
    for name, (model, given) in pickles.items():
        write_pickle(f"llama_index_{name}.pickle", model, **given_settings(given))
    for name in ("llm_plain", "llm_settings", "llm_locations", "embedding_plain"):
        model, given = pickles[name]
        write_text(f"llama_index_{name}.json", model.to_json() + "\n")
        write_text(f"llama_index_{name}.component.json", JsonSerializer().serialize(model) + "\n")
        for kind in ("json", "component.json"):
            EXPECTED[f"llama_index_{name}.{kind}"] = given_settings(given)


def full_error(kind: type[core_errors.VertexCompatError]) -> core_errors.VertexCompatError:
    """An error of the class with all that an error can know."""
    if issubclass(kind, core_errors.SchemaError):
        error = kind("Something failed.", path="$.city", hint="Do this.")
    elif issubclass(kind, core_errors.PartialReplyError):
        error = kind("Something failed.", hint="Do this.", code=400, partial_text="It", partial_thoughts="Hm")
    else:
        error = kind("Something failed.", hint="Do this.", code=429, status="ABORTED", details=[{"reason": "R"}])
    error.model, error.project, error.location = MODEL, "stored-project", "global"
    error.attempts, error.retry_after = 3, 1.5
    return error


def write_errors() -> None:
    """Every class of errors, those of the core and those that are LangChain's, too."""
    for name, module in (("core", core_errors), ("langchain", langchain_errors)):
        kinds = {
            key: value
            for key, value in vars(module).items()
            if isinstance(value, type)
            and issubclass(value, core_errors.VertexCompatError)
            and value.__module__ == module.__name__
        }
        write_pickles(f"errors_{name}.pickle", {key: full_error(kind) for key, kind in kinds.items()})
        EXPECTED[f"errors_{name}.pickle"] = sorted(kinds)
    write_pickle("warning.pickle", core_errors.VertexCompatWarning("It has no effect."))


def write_objects_by_themselves() -> None:
    """Objects that are no model: a batch takes the first two, workers are handed the others."""
    given = {"project": "stored-project", "location": "us-east1", "timeout": 30}
    settings = {"connection": Connection(**given), "options": Options(model=MODEL, temperature=0.5, thinking="low")}
    write_pickles("settings_objects.pickle", settings)


def both(connection: Connection) -> tuple[Connection, Any]:
    """The settings, and where they point."""
    return connection, resolve_destination(connection)


def write_specifications() -> None:
    """Files that name models: what `load_chat_model`, `load_llm` and `compare --models` read."""
    chat = {
        "model": f"vertex_compat:{MODEL}",
        "project": "stored-project",
        "location": "us-east1",
        "temperature": 0.5,
        "vertex_compat": {"thinking": "low", "max_tokens": 700},
        "openai": {"reasoning_effort": "low"},
    }
    small = {"provider": "vertex_compat", "model_name": "google/gemini-2.5-flash", "project_id": "stored-project"}
    write_text("models.json", json.dumps({"chat": chat, "small": small}, indent=1) + "\n")
    write_text(
        "models.yaml",
        "chat:\n"
        f"  model: vertex_compat:{MODEL}\n"
        "  project: stored-project\n"
        "  location: us-east1\n"
        "  temperature: 0.5\n"
        "  vertex_compat: {thinking: low, max_tokens: 700}\n"
        "  openai: {reasoning_effort: low}\n"
        "small:\n"
        "  provider: vertex_compat\n"
        "  model_name: google/gemini-2.5-flash\n"
        "  project_id: stored-project\n",
    )
    write_text(
        "models.toml",
        f'[chat]\nmodel = "vertex_compat:{MODEL}"\nproject = "stored-project"\nlocation = "us-east1"\n'
        'temperature = 0.5\n[chat.vertex_compat]\nthinking = "low"\nmax_tokens = 700\n[chat.openai]\n'
        'reasoning_effort = "low"\n\n[small]\nprovider = "vertex_compat"\nmodel_name = "google/gemini-2.5-flash"\n'
        'project_id = "stored-project"\n',
    )


def write_names() -> None:
    """Names that scripts of users hold: environment variables."""
    package = Path(vertex_compat_integrations.__file__).parent
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py")))
    write_text("environment_variables.txt", "".join(f"{name}\n" for name in sorted(variables_in(sources))))


def variables_in(text: str) -> set[str]:
    """The environment variables of ours, and of Google's and of OpenTelemetry's that the package reads."""
    own = set(re.findall(r"\bVERTEX_COMPAT_[A-Z_]+", text))
    others = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION", "LLM_MODEL")
    return own | {name for name in (*others, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT") if name in text}


def signatures_of(message: AIMessage) -> list[str]:
    """The thought signatures that a message keeps for the way back."""
    kept = message.additional_kwargs["vertex_compat"]
    return [extra["google"]["thought_signature"] for extra in kept.get("tool_calls", {}).values()]


def signatures_in_text(text: str) -> list[str]:
    """The thought signatures in JSON, which may stand in JSON again, as strings."""
    return sorted(set(re.findall(r"thought_signature[\\\\\": ]+([A-Za-z0-9+/=]+)", text)))


def write_langchain_history() -> None:
    """Messages of a turn with a tool, whole and streamed, as LangChain's JSON, as mappings and as a pickle."""
    model = ChatVertexCompat(**PLAIN).bind_tools([program.get_weather])
    for name, ask in (("messages", model.invoke), ("streamed", lambda said: added_up(model.stream(said)))):
        said: list[Any] = [HumanMessage(QUESTION)]
        called = ask(said)
        said += [called, *(answer_call(call) for call in called.tool_calls)]
        said.append(ask(said))
        signatures = signatures_of(called)
        expected = {"signatures": signatures, "types": [message.type for message in said]}
        write_pickle(f"langchain_{name}.pickle", said, **expected)
        write_text(f"langchain_{name}.json", dumps(said, pretty=True) + "\n")
        write_text(f"langchain_{name}.dicts.json", json.dumps(messages_to_dict(said), indent=1) + "\n")
        (FILES / f"langchain_{name}.msgpack").write_bytes(JsonPlusSerializer().dumps_typed({"messages": said})[1])
        for kind in ("json", "dicts.json", "msgpack"):
            EXPECTED[f"langchain_{name}.{kind}"] = expected


def answer_call(call: Mapping[str, Any]) -> ToolMessage:
    """What the tool says."""
    return ToolMessage(program.get_weather(**call["args"]), tool_call_id=call["id"], name=call["name"])


def added_up(chunks: Any) -> Any:
    """A stream's chunks as one message."""
    whole = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole


def write_checkpoints() -> None:
    """A database of LangGraph's with a turn that is over, and one that waits between the call and the tool."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "threads.sqlite"
        with SqliteSaver.from_conn_string(str(path)) as saver:
            for thread, pause in (("finished", []), ("waiting", ["tools"])):
                config = {"configurable": {"thread_id": thread}}
                agent = create_agent(
                    ChatVertexCompat(**PLAIN), [program.get_weather], checkpointer=saver, interrupt_before=pause
                )
                said = agent.invoke({"messages": [("user", QUESTION)]}, config)["messages"]
                EXPECTED.setdefault("langgraph_threads.sqlite", {})[thread] = {
                    "signatures": signatures_of(said[1]),
                    "types": [message.type for message in said],
                }
        compact(path)
        shutil.copy(path, FILES / "langgraph_threads.sqlite")
    kind, data = JsonPlusSerializer().dumps_typed({"model": ChatVertexCompat(**LANGCHAIN_SETTINGS)})
    (FILES / f"langgraph_model.{kind}").write_bytes(data)
    EXPECTED[f"langgraph_model.{kind}"] = given_settings(LANGCHAIN_SETTINGS)


def compact(path: Path) -> None:
    """One file without a log beside it, as small as can be."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = DELETE")
    database.execute("PRAGMA page_size = 512")
    database.execute("VACUUM")
    database.close()


def write_llama_index_history() -> None:
    """Messages of a turn with a tool, as a pickle, as JSON, in a chat store and in a memory; and a response."""
    llm, tools = VertexCompat(**PLAIN), [FunctionTool.from_defaults(program.get_weather)]
    said = [ChatMessage(role=MessageRole.USER, content=QUESTION)]
    response = llm.chat_with_tools(tools, chat_history=said)
    said.append(response.message)
    for call in llm.get_tool_calls_from_response(response):
        told = program.get_weather(**call.tool_kwargs)
        said.append(ChatMessage(role=MessageRole.TOOL, content=told, additional_kwargs={"tool_call_id": call.tool_id}))
    said.append(llm.chat_with_tools(tools, chat_history=said).message)
    signatures = signatures_in_text(json.dumps(response.message.model_dump(mode="json")))
    expected = {"signatures": signatures, "types": [message.role.value for message in said]}
    write_pickle("llama_index_messages.pickle", said, **expected)
    write_pickle("llama_index_response.pickle", response, signatures=expected["signatures"])
    store = SimpleChatStore()
    store.set_messages("someone", said)
    memory = ChatMemoryBuffer.from_defaults(token_limit=100_000, tokenizer_fn=str.split)
    memory.set(said)
    texts = {
        "llama_index_messages.json": json.dumps([message.model_dump(mode="json") for message in said], indent=1),
        "llama_index_chat_store.json": store.json(),
        "llama_index_memory.json": memory.to_string(),
    }
    for name, text in texts.items():
        write_text(name, text + "\n")
        EXPECTED[name] = expected


async def write_workflow() -> None:
    """The context of LlamaIndex's agent after a turn with a tool, as its own JSON."""
    agent = FunctionAgent(tools=[program.get_weather], llm=VertexCompat(**PLAIN), streaming=False)
    context = Context(agent)
    await agent.run(QUESTION, ctx=context)
    text = json.dumps(context.to_dict(JsonSerializer()), indent=1)
    write_text("llama_index_workflow.json", text + "\n")
    EXPECTED["llama_index_workflow.json"] = {"signatures": signatures_in_text(text)}


def write_explanations() -> None:
    """What `explain_request` gives, of both frameworks."""
    chat, llm = ChatVertexCompat(**PLACES), VertexCompat(**PLACES)
    made = {
        "langchain": chat.explain_request("Hello", stop=["END"]),
        "langchain_bound": chat.bind_tools([program.get_weather]).explain_request("Hello"),
        "llama_index": llm.explain_request("Hello"),
    }
    write_pickles("explanations.pickle", made)
    EXPECTED["explanations.pickle"] = {name: str(explanation) for name, explanation in made.items()}


def write_values() -> None:
    """What a batch gives back, and what it is given."""
    summary = Summary(lines=2, answered=1)
    summary.add_earlier({"custom_id": "q1", "error": {"type": "RateLimitError", "message": "Later.", "hint": "Wait."}})
    pacing = Pacing(concurrency=2, rate=Rate.parse("10/s"))
    write_pickles("values.pickle", {"summary": summary, "pacing": pacing})


def write_batch(emulator: Emulator) -> None:
    """A batch that is not over: two lines answered, one failed, one torn, two not yet asked; and rows that are kept."""
    requests = [{"custom_id": f"q{number}", "prompt": f"Question {number}?"} for number in range(6)]
    whole = "".join(json.dumps(request) + "\n" for request in requests)
    write_text("batch_input.jsonl", whole)
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "input.jsonl", Path(folder) / "output.jsonl"
        source.write_text("".join(json.dumps(request) + "\n" for request in requests[:4]), encoding="utf-8")
        emulator.rule(http_error(400, "This is refused."), when=lambda body: "Question 1" in str(body["messages"]))
        connection = Connection(project="stored-project", max_retries=0)
        run_batch(source, output, connection=connection, options=Options(model=MODEL))
        lines = sorted(output.read_text(encoding="utf-8").splitlines(), key=lambda line: json.loads(line)["custom_id"])
        # The last answer was being written when the power went.
        write_text("batch_output.jsonl", "".join(f"{line}\n" for line in lines[:3]) + lines[3][:100])
        with KeptRows(FILES / "kept_rows.jsonl") as kept:
            kept.append({"custom_id": "q0", "text": "It rains."})
            kept.append({"custom_id": "q1", "text": None, "error": "429"})
        emulator.reset()


def write_comparison() -> None:
    """What `vertex-compat compare` writes, and the prompts that it read."""
    write_text("compare_prompts.jsonl", '{"id": "greeting", "prompt": "Hello"}\n"Who are you?"\n')
    models = f'{{"one": "vertex_compat:{MODEL}", "two": {{"model": "vertex_compat:google/gemini-2.5-flash"}}}}'
    write_text("compare_models.json", f"{models}\n")
    command = ["compare", "--prompts", "compare_prompts.jsonl", "--models", "compare_models.json", "--json"]
    report = run(["-m", "vertex_compat_integrations", *command, "--csv", "compare_report.csv"])
    write_text("compare_report.json", report)


def run(arguments: list[str]) -> str:
    """What a program of Python's prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GOOGLE_CLOUD_PROJECT": "stored-project"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=FILES, env=environment, capture_output=True, text=True, check=True).stdout


def write_readme() -> None:
    """Where the files come from."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    packages = (
        "openai",
        "langchain-core",
        "langchain",
        "langgraph",
        "langgraph-checkpoint",
        "langgraph-checkpoint-sqlite",
        "llama-index-core",
        "pydantic",
        "google-auth",
    )
    versions = "".join(f"- {name} {version(name)}\n" for name in packages)
    write_text(
        "README.md",
        f"# Files that users have stored\n\n"
        f"Commit {commit} wrote these files, by `../write_fixtures.py`, before files of the package moved to other\n"
        f"folders. `../test_stored_files.py` reads each of them and checks that it still means the same.\n\n"
        f"Do not write them again: they represent files on users' disks. All tokens and keys in them are\n"
        f"invented. Python {sys.version.split()[0]} wrote them, with\n\n{versions}\n"
        f"These are the lowest versions that the package supports; later versions read what they write.\n\n"
        f"`expected.json` contains, by file name, the values that each file was written from. A file with several\n"
        f"pickles is a pickle of a mapping from names to pickles. `../program/` is the user's program with the\n"
        f"classes and functions that the pickles refer to.\n\n"
        f"Chains of `with_structured_output` are stored only as pickles: LangChain cannot dump our parsers as JSON,\n"
        f"and with `include_raw=True` they cannot be pickled either.\n\n"
        f"The proxy stores nothing: it keeps thought signatures only in memory.\n",
    )


if __name__ == "__main__":
    main()
