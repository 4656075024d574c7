"""Changing the class's name is enough: each argument of six other classes is taken, or refused with what to write."""

import enum
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

import openai
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.rate_limiters import InMemoryRateLimiter
from llama_index.core import PromptTemplate
from llama_index.core.callbacks import CallbackManager
from llama_index.core.types import BaseOutputParser, PydanticProgramMode
from pydantic import SecretStr

from tests.migration import parameter_outcomes
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

PARAMETERS = [
    (name, parameter) for name, known in parameter_outcomes.committed().items() for parameter in known["parameters"]
]
EVERY_PARAMETER = pytest.mark.parametrize(("name", "parameter"), PARAMETERS, ids=[f"{a}.{b}" for a, b in PARAMETERS])
BASE = {"model": "gemini-3.5-flash", "project": "p"}


class Parser(BaseOutputParser):
    def parse(self, output: str) -> str:
        return output


class Harm(enum.IntEnum):
    """As in google-cloud-aiplatform."""

    HARM_CATEGORY_HARASSMENT = 3


class Threshold(enum.Enum):
    OFF = "OFF"


class Level(enum.Enum):
    """As in google-genai."""

    LOW = "LOW"


class Resolution(str, enum.Enum):  # noqa: UP042 - as in google-genai
    MEDIA_RESOLUTION_LOW = "MEDIA_RESOLUTION_LOW"


def token() -> str:
    return "ya29.token"


def count(text: str) -> list[int]:
    return [len(text)]


SCHEMA = {"title": "Person", "type": "object", "properties": {"name": {"type": "string"}}}
VALUES: dict[str, Any] = {
    "additional_headers": {"X-Mine": "1"},
    "additional_kwargs": {"top_p": 0.5},
    "api_base": "https://example.com/v1",
    "api_key": "ya29.token",
    "api_version": "v1",
    "async_http_client": openai.DefaultAsyncHttpxClient(),
    "base_url": "https://example.com/v1",
    "cache": InMemoryCache(),
    "cached_content": "projects/p/locations/global/cachedContents/1",
    "callback_manager": CallbackManager([]),
    "callbacks": [],
    "candidate_count": 2,
    "completion_to_prompt": str,
    "context_window": 5_000,
    "credentials": token,
    "custom_get_token_ids": count,
    "default_headers": {"X-Mine": "1"},
    "disable_streaming": True,
    "endpoint_version": "v1beta1",
    "extra_body": {"google": {"a": 1}},
    "frequency_penalty": 0.5,
    "google_api_key": "ya29.token",
    "http_async_client": openai.DefaultAsyncHttpxClient(),
    "http_client": openai.DefaultHttpxClient(),
    "include_thoughts": True,
    "is_function_calling_model": False,
    "location": "europe-west4",
    "logprobs": True,
    "max_completion_tokens": 9,
    "max_output_tokens": 9,
    "max_retries": 3,
    "max_tokens": 9,
    "messages_to_prompt": str,
    "metadata": {"a": 1},
    "modalities": ["text"],
    "model": "gemini-3.1-pro-preview",
    "model_name": "gemini-3.1-pro-preview",
    "n": 2,
    "name": "mine",
    "openai_api_base": "https://example.com/v1",
    "openai_api_key": "ya29.token",
    "openai_proxy": "http://127.0.0.1:1",
    "output_parser": Parser(),
    "output_version": "v1",
    "presence_penalty": 0.5,
    "profile": ModelProfile(max_input_tokens=5),
    "project": "q",
    "pydantic_program_mode": PydanticProgramMode.FUNCTION,
    "query_wrapper_prompt": PromptTemplate("{query_str}"),
    "rate_limiter": InMemoryRateLimiter(),
    "reasoning_effort": "low",
    "request_timeout": 9.5,
    "retries": 3,
    "seed": 7,
    "service_tier": "flex",
    "stop": ["END"],
    "stop_sequences": ["END"],
    "store": True,
    "stream_chunk_timeout": 9.5,
    "stream_usage": False,
    "streaming": True,
    "system_prompt": "Be short.",
    "tags": ["a"],
    "temperature": 0.5,
    "thinking_budget": 100,
    "thinking_level": "low",
    "timeout": 9.5,
    "top_logprobs": 2,
    "top_p": 0.5,
    "verbose": True,
}
"""A value for each parameter that is taken under its own name or another."""

CONVERTED: dict[str, list[tuple[Any, dict[str, Any]]]] = {
    "built_in_tool": [({"google_search": {}}, {"tools": [{"google_search": {}}]})],
    "generation_config": [
        (
            {"temperature": 0.5, "max_output_tokens": 9, "stop_sequences": ["END"], "response_modalities": ["TEXT"]},
            {"temperature": 0.5, "max_tokens": 9, "stop": ["END"], "modalities": ["text"]},
        ),
        ({"thinking_config": {"thinking_level": Level.LOW}}, {"thinking": {"thinking_level": "low"}}),
    ],
    "logit_bias": [({50: 1}, {"logit_bias": {"50": 1.0}})],
    "logprobs": [(True, {"logprobs": True}), (False, {"logprobs": False}), (5, {"logprobs": True, "top_logprobs": 5})],
    "media_resolution": [
        (Resolution.MEDIA_RESOLUTION_LOW, {"media_resolution": "MEDIA_RESOLUTION_LOW"}),
    ],
    "model_kwargs": [
        ({"top_p": 0.5, "mine": 1}, {"top_p": 0.5, "extra_body": {"mine": 1}}),
        ({}, {"extra_body": None}),
    ],
    "reasoning": [({"effort": "low", "summary": "auto"}, {"reasoning_effort": "low", "include_thoughts": True})],
    "response_mime_type": [
        ("application/json", {"response_format": {"type": "json_object"}}),
        ("text/plain", {"response_format": None}),
        ("text/x.enum", {"response_format": {"type": "text/x.enum"}}),
    ],
    "response_modalities": [(["TEXT", enum.Enum("Modality", ["IMAGE"]).IMAGE], {"modalities": ["text", "image"]})],
    "response_schema": [
        (SCHEMA, {"response_format": {"type": "json_schema", "json_schema": {"name": "Person", "schema": SCHEMA}}})
    ],
    "safety_settings": [
        ({Harm.HARM_CATEGORY_HARASSMENT: Threshold.OFF}, {"safety_settings": {"HARM_CATEGORY_HARASSMENT": "OFF"}})
    ],
    "thinking_config": [
        (
            {"thinking_level": Level.LOW, "include_thoughts": True},
            {"thinking": {"thinking_level": "low", "include_thoughts": True}},
        )
    ],
    "vertexai_config": [({"project": "q", "location": "eu"}, {"project": "q", "location": "eu"})],
}
"""Values of each parameter that is converted, and the settings that they become."""


def build(name: str, parameter: str, value: Any) -> Any:
    meant = {"vertexai_config": "project", "model_name": "model"}.get(parameter)
    base = {known: each for known, each in BASE.items() if known != meant}
    return parameter_outcomes.PEERS[name].ours(**{**base, parameter: value})


def revealed(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@EVERY_PARAMETER
def test_an_argument_has_the_fate_that_the_table_tells(name, parameter):
    ours = parameter_outcomes.PEERS[name].ours
    match parameter_outcomes.fate(ours, parameter).kind:
        case "kept":
            kept = revealed(getattr(build(name, parameter, VALUES[parameter]), parameter))
            # LangChain adds versions to a model's metadata.
            assert VALUES[parameter].items() <= kept.items() if parameter == "metadata" else kept == VALUES[parameter]
        case "renamed":
            field = parameter_outcomes.all_aliases(ours)[parameter]
            assert revealed(getattr(build(name, parameter, VALUES[parameter]), field)) == VALUES[parameter]
        case "converted":
            for value, settings in CONVERTED[parameter]:
                made = build(name, parameter, value)
                assert {field: getattr(made, field) for field in settings} == settings
        case "refused":
            hint = parameter_outcomes.WORDS[ours][parameter].hint
            with pytest.raises(SettingsError, match=rf"(?s){parameter}= is not a setting of .*{re.escape(hint)}"):
                build(name, parameter, object())


@EVERY_PARAMETER
def test_none_means_the_default(name, parameter):
    ours = parameter_outcomes.PEERS[name].ours
    base = {"model": "gemini-3.5-flash"} if parameter in ("project", "vertexai_config") else BASE
    if parameter not in ("model", "model_name"):
        assert ours(**{**base, parameter: None}).model_dump() == ours(**base).model_dump()


@pytest.mark.parametrize(("ours", "words"), parameter_outcomes.WORDS.items(), ids=["langchain", "llama_index"])
def test_what_asks_for_what_is_so_anyway_is_taken(ours, words):
    idle = [(word, value) for word, told in words.items() for value in getattr(told, "means_nothing", ())]
    assert idle
    for word, value in idle:
        assert ours(**BASE, **{word: value}).model_dump() == ours(**BASE).model_dump(), word


@pytest.mark.parametrize("ours", parameter_outcomes.WORDS)
def test_mime_type_and_schema_become_one_format(ours):
    given = {"response_mime_type": "application/json", "response_schema": SCHEMA}
    asked = {"generation_config": given} if ours is VertexCompat else given
    described = {"name": "Person", "schema": SCHEMA}
    assert ours(**BASE, **asked).response_format == {"type": "json_schema", "json_schema": described}
    words = {"response_mime_type": "text/x.enum", "response_schema": {"type": "string", "enum": ["a"]}}
    asked = {"generation_config": words} if ours is VertexCompat else words
    assert ours(**BASE, **asked).response_format["type"] == "text/x.enum"


@pytest.mark.parametrize(
    ("given", "twice"),
    [
        ({"max_tokens": 3, "max_output_tokens": 4}, "max_tokens"),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "high"}, "reasoning_effort"),
        ({"model_kwargs": {"top_p": 0.1}, "top_p": 0.2}, "top_p"),
        ({"openai_api_base": "https://a.example.com", "base_url": "https://b.example.com"}, "base_url"),
    ],
    ids=str,
)
def test_two_words_for_one_setting_must_agree(given, twice):
    with pytest.raises(SettingsError, match=rf"passed twice\. Keep {twice}="):
        ChatVertexCompat(**BASE, **given)


def test_what_model_kwargs_hold_goes_to_the_body():
    with Emulator() as emulator:
        there = {"base_url": emulator.base_url(), "api_key": emulator.identity.issue()}
        model = ChatVertexCompat(
            model="gemini-3.5-flash", model_kwargs={"seed": 5}, extra_body={"google": {"a": 1}}, **there
        )
        model.invoke("Hello")
        sent = emulator.journal.last.body
    assert sent["seed"] == 5
    assert sent["extra_body"]["google"] == {"a": 1}


def test_the_document_has_the_tables():
    text = parameter_outcomes.DOCUMENT.read_text(encoding="utf-8")
    held = text.partition(parameter_outcomes.BEGIN)[2].partition(parameter_outcomes.END)[0]
    assert held.strip() == parameter_outcomes.tables().strip(), "run python -m tests.migration.parameter_outcomes"


@pytest.mark.parametrize(
    "code", re.findall(r"^```python\n(.*?)^```", parameter_outcomes.DOCUMENT.read_text(), re.DOTALL | re.M)
)
def test_the_documents_code_runs(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=parameter_outcomes.ROOT
    )
    assert "europe-west4 256 ['END'] {'type': 'json_object'}" in done.stdout


def installed(name: str) -> type:
    """Another class, if its package is installed."""
    peer = parameter_outcomes.PEERS[name]
    found = None
    with suppress(ModuleNotFoundError):
        found = importlib.util.find_spec(peer.module)
    if found is None:
        pytest.skip(f"{peer.package} is not installed")
    return getattr(import_module(peer.module), name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", parameter_outcomes.PEERS)
def test_every_parameter_of_the_installed_class_has_its_fate(name):
    parameters = parameter_outcomes.parameters_of(installed(name))
    for parameter in parameters:
        parameter_outcomes.fate(parameter_outcomes.PEERS[name].ours, parameter)
    known = parameter_outcomes.committed()[name]
    if importlib.metadata.version(known["package"]) == known["version"]:
        assert parameters == known["parameters"], "run python -m tests.migration.parameter_outcomes --read"
