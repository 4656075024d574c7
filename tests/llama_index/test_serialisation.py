"""Dumps, pickles and copies; and LlamaIndex's own ways to find and hold an LLM."""

import copy
import pickle

import pytest
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms.loading import RECOGNIZED_LLMS, load_llm
from llama_index.core.llms.utils import resolve_llm
from llama_index.core.tools import FunctionTool

from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.llama_index import VertexCompat, register
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

SETTINGS = {
    "model": "google/gemini-3.5-flash",
    "project": "p",
    "location": "us",
    "temperature": 0.5,
    "stop": ["END"],
    "thinking": "low",
    "additional_kwargs": {"top_p": 0.5},
    "context_window": 9_000,
    "system_prompt": "Be short.",
    "allow_hosts": ["example.com"],
    "model_facts": {"demands_signatures": True},
}


def token_of_one_server() -> str:
    return "token"


@pytest.fixture
def registered():
    register()
    yield
    del RECOGNIZED_LLMS[VertexCompat.class_name()]


def test_every_setting_comes_back():
    llm = VertexCompat(**SETTINGS)
    for again in (VertexCompat.from_dict(llm.to_dict()), VertexCompat.from_json(llm.to_json())):
        assert again.to_dict() == llm.to_dict()
        assert {name: getattr(again, name) for name in SETTINGS} == SETTINGS


def test_pydantics_own_dump_comes_back():
    llm = VertexCompat(**SETTINGS)
    assert VertexCompat.model_validate_json(llm.model_dump_json()).to_dict() == llm.to_dict()


def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


def test_tools_of_each_call_come_back(build, emulator):
    llm = build(tools=[FunctionTool.from_defaults(multiply)])
    for again in (VertexCompat.from_json(llm.to_json()), pickle.loads(pickle.dumps(llm)), copy.deepcopy(llm)):
        sent = again.explain_request("Hello").body["tools"]
        assert sent == llm.explain_request("Hello").body["tools"]
        assert [tool["function"]["name"] for tool in sent] == ["multiply"]


def test_a_tool_of_each_call_that_is_none_is_refused_at_once(build):
    with pytest.raises(SettingsError, match="A tool of type function") as caught:
        build(tools=[multiply])
    assert "FunctionTool.from_defaults" in caught.value.hint


def test_load_llm_finds_us_once_we_are_registered(registered):
    register()
    llm = VertexCompat(**SETTINGS)
    assert load_llm(llm.to_dict()).to_dict() == llm.to_dict()


def test_load_llm_does_not_find_us_unasked():
    with pytest.raises(ValueError, match="Invalid LLM name: VertexCompat"):
        load_llm(VertexCompat(**SETTINGS).to_dict())


def test_a_pickled_llm_without_credentials_asks_with_those_of_where_it_arrives(emulator, monkeypatch):
    pickled = pickle.dumps(VertexCompat(model="google/gemini-3.5-flash", project="p"))
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    with pytest.warns(VertexCompatWarning, match="requests go to the emulator"):
        assert pickle.loads(pickled).complete("Hello").raw["emulator"] is True


def test_pickling_leaves_the_original_as_it_was(build):
    llm = build(callback_manager=CallbackManager([TokenCountingHandler(tokenizer=str.split)]))
    llm.complete("Hello")
    before = dict(llm.__dict__)
    pickle.dumps(llm)
    assert llm.__dict__ == before
    assert llm.complete("Hello").text


def test_what_cannot_be_pickled_is_named(build):
    llm = build(completion_to_prompt=lambda prompt: prompt)
    with pytest.warns(VertexCompatWarning, match="completion_to_prompt cannot be pickled"):
        again = pickle.loads(pickle.dumps(llm))
    assert again.completion_to_prompt("Hello") == "Hello"


def provide_token() -> str:
    return "very-secret"


def test_credentials_are_not_dumped_but_pickled_and_shared_by_copies():
    token = provide_token
    llm = VertexCompat(**SETTINGS, credentials=token)
    assert "credentials" not in llm.to_dict()
    assert pickle.loads(pickle.dumps(llm)).credentials is token
    assert copy.deepcopy(llm).credentials is token
    assert "secret" not in repr(llm)


def test_headers_and_proxies_which_may_hold_secrets_stay_at_home():
    headers = {"X-Team": "blue", "X-Api-Key": "very-secret"}
    llm = VertexCompat(**SETTINGS, default_headers=headers, proxy="http://me:very-secret@proxy:3128")
    assert "very-secret" not in str(llm.to_dict()) + repr(llm)
    with pytest.warns(VertexCompatWarning, match="(default_headers|proxy) may hold a secret") as said:
        pickled = pickle.dumps(llm)
    assert len(said) == 2
    assert b"very-secret" not in pickled
    assert pickle.loads(pickled).default_headers is None
    assert llm.default_headers == copy.deepcopy(llm).default_headers == headers


def test_copies_with_other_settings_reach_the_wire(llm, emulator):
    llm.complete("Hello")
    other = llm.model_copy(update={"temperature": 0.5, "model": "google/gemini-3.1-flash-lite"})
    other.complete("Hello")
    assert emulator.journal.last.body["temperature"] == 0.5
    assert "temperature" not in emulator.journal.chat[0].body
    assert copy.copy(llm).complete("Hello").text


def test_what_events_are_told_is_no_secret():
    payload = VertexCompat(**SETTINGS, api_key="very-secret", default_headers={"X-Mine": "secret-too"}).to_payload()
    assert payload["class_name"] == "VertexCompat"
    assert payload["model_name"] == "google/gemini-3.5-flash"
    assert "secret" not in str(payload)


def test_it_can_be_llama_indexs_llm_for_everything(llm):
    before = dict(vars(Settings))
    try:
        Settings.llm = llm
        assert resolve_llm(llm) is llm
        assert Settings.llm.complete("Hello").text
    finally:
        vars(Settings).update(before)


def test_a_credential_that_belongs_elsewhere_is_refused_after_a_pickle_too():
    """LlamaIndex's `__setstate__` hides the error of the constructor; the first call has to raise it."""
    llm = VertexCompat(model="m", base_url="https://one.example.com/v1", credentials=token_of_one_server)
    for_another = pickle.dumps(llm).replace(b"one.example.com", b"two.example.com")
    with pytest.raises(SettingsError, match="was set for https://one"):
        pickle.loads(for_another).complete("Hello")
