"""The swap matrix: by whichever route a model is named, its request is meant for the host of that route only."""

import importlib.util
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from vertex_compat_integrations import langchain, llama_index
from vertex_compat_integrations.core.errors import SettingsError

GLOBAL = "aiplatform.googleapis.com:443"
REGION = "europe-west4-aiplatform.googleapis.com:443"
MULTI_REGION = "aiplatform.eu.rep.googleapis.com:443"
DEDICATED = "123.us-central1-42.prediction.vertexai.goog:443"
GATEWAY = "gateway.example.com:443"
OPENAI = "api.openai.com:443"

VERTEX_MODEL = "vertex_compat:google/gemini-3.5-flash"
OPENAI_MODEL = "openai:gpt-5"
QUICK = {"max_retries": 0, "timeout": 5}
KEYS = {"vertex_compat": {"api_key": "ya29.token"}, "openai": {"api_key": "sk-key"}}
GIVEN = {"api_key": "ya29.token", **QUICK}
PLACE = {"project": "p"}
PAIR = {"temperature": 0.5, "vertex_compat": {"project": "p", "location": "europe-west4"}, "openai": {"logprobs": True}}


def yaml_file(settings: dict[str, Any]) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: _written(folder / "models.yaml", "models:\n  fast: " + json.dumps(settings))


def json_file(settings: dict[str, Any]) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: _written(folder / "models.json", json.dumps({"models": {"fast": settings}}))


def toml_file(settings: dict[str, Any]) -> Callable[[Path], dict[str, Any]]:
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items() if not isinstance(value, dict)]
    return lambda folder: _written(folder / "models.toml", "[models.fast]\n" + "\n".join(lines))


def _written(path: Path, text: str) -> dict[str, Any]:
    path.write_text(text)
    return {"spec": str(path), "section": "models.fast"}


def given(spec: Any, **settings: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: {"spec": spec, **settings}


DEPLOYED = {"model": "vertex_compat:", "endpoint": "123", "location": "us-central1", "endpoint_host": DEDICATED[:-4]}
GATEWAY_FILE = {"model": VERTEX_MODEL, "base_url": "https://gateway.example.com/v1", "api_key": "gateway-token"}

ROUTES: dict[str, tuple[Callable[[Path], dict[str, Any]], dict[str, str], str]] = {
    "string": (given(VERTEX_MODEL, **PLACE), {}, GLOBAL),
    "string and a place in code": (given(VERTEX_MODEL, **PLACE, location="europe-west4"), {}, REGION),
    "string and a place in the environment": (
        given(VERTEX_MODEL),
        {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "eu"},
        MULTI_REGION,
    ),
    "mapping": (given({"model": VERTEX_MODEL, **PLACE, "location": "eu"}), {}, MULTI_REGION),
    "mapping with settings for each provider": (given({"model": VERTEX_MODEL, **PAIR}), {}, REGION),
    "mapping, swapped by the environment": (
        given({"model": OPENAI_MODEL, **PAIR}),
        {"LLM_MODEL": VERTEX_MODEL},
        REGION,
    ),
    "mapping, swapped in code": (given({"model": OPENAI_MODEL, **PAIR}, model=VERTEX_MODEL), {}, REGION),
    "mapping, another place in the environment": (
        given({"model": VERTEX_MODEL, **PAIR}),
        {"GOOGLE_CLOUD_LOCATION": "global"},
        GLOBAL,
    ),
    "mapping of a deployed endpoint": (given({**DEPLOYED, **PLACE}), {}, DEDICATED),
    "YAML": (yaml_file({"model": VERTEX_MODEL, **PAIR}), {}, REGION),
    "TOML": (toml_file({"model": VERTEX_MODEL, **PLACE}), {}, GLOBAL),
    "JSON": (json_file({"model": VERTEX_MODEL, **PAIR}), {}, REGION),
    "YAML, swapped by the environment": (
        yaml_file({"model": OPENAI_MODEL, **PAIR}),
        {"LLM_MODEL": VERTEX_MODEL},
        REGION,
    ),
    "OpenAI's own variables": (
        given(VERTEX_MODEL, **PLACE),
        {"OPENAI_BASE_URL": "https://elsewhere.example.com", "OPENAI_API_KEY": "sk-x"},
        GLOBAL,
    ),
}
STOCK_ROUTES: dict[str, tuple[Callable[[Path], dict[str, Any]], dict[str, str], str]] = {
    "string": (given(OPENAI_MODEL), {}, OPENAI),
    "mapping": (given({"model": OPENAI_MODEL, **PAIR}), {}, OPENAI),
    "YAML": (yaml_file({"model": OPENAI_MODEL, **PAIR}), {}, OPENAI),
    "TOML": (toml_file({"model": OPENAI_MODEL}), {}, OPENAI),
    "JSON": (json_file({"model": OPENAI_MODEL, **PAIR}), {}, OPENAI),
    "mapping, swapped by the environment": (
        given({"model": VERTEX_MODEL, **PAIR}),
        {"LLM_MODEL": OPENAI_MODEL, "GOOGLE_CLOUD_LOCATION": "eu"},
        OPENAI,
    ),
}


def ask_langchain(**arguments: Any) -> None:
    model = langchain.load_chat_model(arguments.pop("spec"), **arguments)
    _refused(lambda: model.invoke("Hello"))


def ask_llama_index(**arguments: Any) -> None:
    llm = llama_index.load_llm(arguments.pop("spec"), **arguments)
    _refused(lambda: llm.complete("Hello"))


def _refused(ask: Callable[[], Any]) -> None:
    """Ask; the proxy lets nothing through."""
    with pytest.raises(Exception, match=r"(?i)connection|403"):
        ask()


def installed(module: str) -> bool:
    with suppress(ModuleNotFoundError):
        return importlib.util.find_spec(module) is not None
    return False


FRAMEWORKS = {
    "langchain": (ask_langchain, "langchain_openai"),
    "llama_index": (ask_llama_index, "llama_index.llms.openai"),
}


def _set(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("route", ROUTES)
def test_a_request_is_meant_for_the_host_of_its_route(framework, route, asked, monkeypatch, tmp_path):
    arguments, environment, destination = ROUTES[route]
    _set(monkeypatch, environment)
    FRAMEWORKS[framework][0](**{**QUICK, **KEYS, **arguments(tmp_path)})
    assert set(asked) == {destination}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_file_that_the_program_loads_may_name_a_server_and_its_token(framework, asked, tmp_path):
    arguments = {**QUICK, **yaml_file(GATEWAY_FILE)(tmp_path)}
    FRAMEWORKS[framework][0](**arguments)
    assert asked == [GATEWAY]


LOADERS = {"langchain": langchain.load_chat_model, "llama_index": llama_index.load_llm}


@pytest.mark.parametrize("framework", LOADERS)
def test_a_google_credential_does_not_go_to_a_url_of_a_file(framework, asked, tmp_path):
    """Unless the file says that it may, by `allow_hosts`."""
    credentials = importlib.import_module("google.oauth2.credentials").Credentials("ya29.token")
    file = {name: value for name, value in GATEWAY_FILE.items() if name != "api_key"}
    arguments = {**QUICK, "credentials": credentials}
    there = yaml_file(file)(tmp_path)
    with pytest.raises(SettingsError, match="is not one of Google's hosts"):
        LOADERS[framework](there.pop("spec"), **there, **arguments)
    assert asked == []
    FRAMEWORKS[framework][0](**arguments, **yaml_file({**file, "allow_hosts": ["gateway.example.com"]})(tmp_path))
    assert asked == [GATEWAY]


@pytest.mark.parametrize("framework", LOADERS)
@pytest.mark.parametrize("where", ["specification", "code"])
@pytest.mark.parametrize(("model", "swapped"), [(VERTEX_MODEL, OPENAI_MODEL), (OPENAI_MODEL, VERTEX_MODEL)])
def test_a_swap_does_not_lend_a_credential_to_the_other_provider(framework, where, model, swapped, asked):
    key = {"api_key": "the-key-of-one"}
    spec, code = ({"model": model, **key}, {}) if where == "specification" else ({"model": model}, key)
    with pytest.raises(SettingsError, match=f"api_key was set for a model of {model.partition(':')[0]}"):
        LOADERS[framework](spec, environment={"LLM_MODEL": swapped}, **code)
    assert asked == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_gateway_for_both_providers_keeps_its_token(framework, asked, monkeypatch, tmp_path):
    monkeypatch.setenv("LLM_MODEL", VERTEX_MODEL)
    file = yaml_file({**GATEWAY_FILE, "model": OPENAI_MODEL})(tmp_path)
    FRAMEWORKS[framework][0](**QUICK, **file)
    assert asked == [GATEWAY]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("route", STOCK_ROUTES)
def test_the_stock_class_goes_to_openai(framework, route, asked, monkeypatch, tmp_path):
    ask, package = FRAMEWORKS[framework]
    if not installed(package):
        pytest.skip(f"{package} is not installed")
    arguments, environment, destination = STOCK_ROUTES[route]
    _set(monkeypatch, environment)
    ask(**{**QUICK, **KEYS, **arguments(tmp_path)})
    assert set(asked) == {destination}


class TestLangChainsOwnFactory:
    """`init_chat_model` and `create_agent`, once the class is registered."""

    @pytest.fixture(autouse=True)
    def _registered(self):
        pytest.importorskip("langchain.chat_models")
        assert langchain.register()

    def test_init_chat_model(self, asked):
        from langchain.chat_models import init_chat_model

        model = init_chat_model(VERTEX_MODEL, project="p", location="europe-west4", **GIVEN)
        assert type(model) is langchain.ChatVertexCompat
        _refused(lambda: model.invoke("Hello"))
        assert asked == [REGION]

    def test_init_chat_model_with_configurable_fields(self, asked):
        from langchain.chat_models import init_chat_model

        model = init_chat_model(VERTEX_MODEL, project="p", configurable_fields=("location", "model"), **GIVEN)
        _refused(lambda: model.invoke("Hello"))
        _refused(lambda: model.invoke("Hello", {"configurable": {"location": "eu"}}))
        assert asked == [GLOBAL, MULTI_REGION]

    def test_a_model_that_is_chosen_with_the_run(self, asked):
        from langchain.chat_models import init_chat_model

        model = init_chat_model(project="p", **GIVEN)
        _refused(lambda: model.invoke("Hello", {"configurable": {"model": VERTEX_MODEL}}))
        assert asked == [GLOBAL]

    def test_create_agent(self, asked, monkeypatch):
        from langchain.agents import create_agent

        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
        agent = create_agent(VERTEX_MODEL, [])
        # Credentials are looked for first, and there are none: nothing but Google's own hosts was asked for them.
        with pytest.raises(Exception, match="credentials"):
            agent.invoke({"messages": [("user", "Hello")]})
        assert not [host for host in asked if not host.endswith("googleapis.com:443")]

    def test_a_url_that_comes_with_a_run_does_not_get_the_token(self, asked):
        from langchain.chat_models import init_chat_model

        there = {"base_url": f"https://{GATEWAY[:-4]}/v1", **GIVEN, "api_key": SecretStr("gateway-token")}
        model = init_chat_model(VERTEX_MODEL, configurable_fields="any", **there)
        _refused(lambda: model.invoke("Hello"))
        with pytest.raises(ValueError, match="was set for"):
            model.invoke("Hello", {"configurable": {"base_url": "https://elsewhere.example.com/v1"}})
        assert asked == [GATEWAY]

    @pytest.mark.parametrize(
        "trusted",
        [
            {"allow_hosts": ["elsewhere.example.com"], "base_url": "https://elsewhere.example.com/v1"},
            {"proxy": "http://elsewhere.example.com"},
            {"openai_proxy": "http://elsewhere.example.com"},
            {"ca_bundle": "/elsewhere.pem"},
        ],
        ids=str,
    )
    def test_a_run_does_not_decide_who_sees_the_credential(self, asked, trusted):
        from langchain.chat_models import init_chat_model

        model = init_chat_model(VERTEX_MODEL, configurable_fields="any", project="p")
        with pytest.raises(ValueError, match="decides who sees the credential"):
            model.invoke("Hello", {"configurable": trusted})
        assert asked == []

    def test_an_alias_of_the_url_does_not_hide_it(self, asked):
        from langchain.chat_models import init_chat_model

        model = init_chat_model(VERTEX_MODEL, configurable_fields="any", project="p", **GIVEN)
        with pytest.raises(ValueError, match=r"SecretStr"):
            model.invoke("Hello", {"configurable": {"openai_api_base": "https://elsewhere.example.com/v1"}})
        assert asked == []

    def test_a_token_of_plain_text_is_refused_beside_a_url(self, asked):
        from langchain.chat_models import init_chat_model

        model = init_chat_model(VERTEX_MODEL, configurable_fields="any", project="p", **GIVEN)
        with pytest.raises(ValueError, match=r"SecretStr"):
            model.invoke("Hello", {"configurable": {"base_url": "https://elsewhere.example.com/v1"}})
        assert asked == []


def test_llama_indexs_own_loader_finds_the_class(asked):
    from llama_index.core.llms.loading import load_llm

    llama_index.register()
    saved = llama_index.VertexCompat(model="google/gemini-3.5-flash", project="p", location="eu").to_dict()
    llm = load_llm({**saved, **GIVEN})
    _refused(lambda: llm.complete("Hello"))
    assert asked == [MULTI_REGION]
