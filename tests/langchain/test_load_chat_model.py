"""`load_chat_model` makes the class that a specification names, and refuses what cannot be; `register` fails soft."""

import subprocess
import sys

import pytest
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.load import dumps, loads

from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.langchain import ChatVertexCompat, load_chat_model, register

GEMINI = "vertex_compat:google/gemini-3.5-flash"


def test_a_loaded_model_answers(emulator):
    model = load_chat_model(
        {"model": GEMINI, "temperature": 0.5},
        base_url=emulator.base_url(),
        api_key=emulator.identity.issue(),
        environment={},
    )
    assert type(model) is ChatVertexCompat
    assert model.invoke("Hello").text
    assert emulator.journal.last.body["model"] == "google/gemini-3.5-flash"
    assert emulator.journal.last.body["temperature"] == 0.5


def test_what_is_loaded_is_what_the_constructor_makes():
    settings = {"project": "p", "location": "eu", "thinking": "low", "max_output_tokens": 7}
    loaded = load_chat_model({"model": GEMINI, **settings}, environment={})
    assert loaded == ChatVertexCompat(model="google/gemini-3.5-flash", **settings)


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"temperatur": 1}, "Did you mean temperature?"),
        ({"temperature": 9}, "temperature"),
        ({"use_responses_api": True}, "chat completions only"),
        ({"api_key": "AIzaSyA-0123456789012345678901234567890"}, "API key"),
        ({"base_url": "http://example.com", "api_key": "t"}, "https://"),
        ({"location": "no such place"}, "location"),
        ({"vertex_compat": {"projct": "p"}}, "Did you mean project?"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_anything_is_sent(settings, remedy):
    with pytest.raises(SettingsError) as caught:
        load_chat_model({"model": GEMINI, **settings}, environment={})
    assert remedy in str(caught.value)
    assert isinstance(caught.value, ModelInvalidRequestError)


def test_a_stock_class_that_is_absent_is_named_with_the_command_that_mends_it():
    code = (
        "import sys; sys.modules['langchain_openai'] = None\n"
        "from vertex_compat_integrations.langchain import load_chat_model; load_chat_model('openai:gpt-5')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install langchain-openai" in done.stderr.splitlines()[-1]


class TestTheStockClass:
    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch):
        pytest.importorskip("langchain_openai")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-x")

    def test_it_is_langchains_own(self):
        from langchain_openai import ChatOpenAI

        model = load_chat_model("openai:gpt-4o", temperature=0.5, max_tokens=7, environment={})
        assert type(model) is ChatOpenAI
        assert (model.model_name, model.temperature, model.max_tokens) == ("gpt-4o", 0.5, 7)

    @pytest.mark.parametrize(
        ("settings", "remedy"),
        [
            ({"temperatur": 1}, "Did you mean temperature?"),
            ({"project": "p"}, "under the key vertex_compat"),
            ({"thinking_budget": 5}, "under the key vertex_compat"),
        ],
        ids=str,
    )
    def test_a_name_that_does_not_apply_is_refused(self, settings, remedy):
        with pytest.raises(SettingsError) as caught:
            load_chat_model({"model": "openai:gpt-5", **settings}, environment={})
        assert remedy in str(caught.value)


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_register_is_called_as_often_as_one_likes():
    pytest.importorskip("langchain")
    assert register()
    assert register()


@pytest.mark.parametrize(
    "change",
    [
        "sys.modules['langchain.chat_models.base'] = None",
        "import langchain.chat_models.base as base; del base._BUILTIN_PROVIDERS",
        "import langchain.chat_models.base as base; base._BUILTIN_PROVIDERS = {'openai': 'langchain_openai'}",
        "import langchain.chat_models.base as base; base._BUILTIN_PROVIDERS = ['openai']",
    ],
)
def test_register_fails_soft_elsewhere_and_names_the_other_routes(change):
    pytest.importorskip("langchain")
    said = run(
        f"import sys\n{change}\nfrom vertex_compat_integrations.langchain import register\nprint('gave', register())"
    )
    assert "gave False" in said
    assert VertexCompatWarning.__name__ in said
    assert "load_chat_model" in said


def test_init_chat_model_makes_our_class():
    models = pytest.importorskip("langchain.chat_models")
    register()
    made = models.init_chat_model(GEMINI, project="p", temperature=0.5)
    assert made == ChatVertexCompat(model="google/gemini-3.5-flash", project="p", temperature=0.5)


def test_an_agent_of_a_registered_name_answers(emulator, monkeypatch):
    agents = pytest.importorskip("langchain.agents")
    register()
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
    with pytest.warns(VertexCompatWarning, match="emulator"):
        result = agents.create_agent(GEMINI, []).invoke({"messages": [("user", "Hello")]})
    assert "Hello" in result["messages"][-1].text
    assert emulator.journal.last.body["model"] == "google/gemini-3.5-flash"


def test_fields_are_configurable_with_the_run(emulator, monkeypatch):
    models = pytest.importorskip("langchain.chat_models")
    register()
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
    model = models.init_chat_model(GEMINI, configurable_fields=("temperature", "model"), config_prefix="my")
    changed = {"my_temperature": 0.5, "my_model": "vertex_compat:google/gemini-3.1-flash-lite"}
    with pytest.warns(VertexCompatWarning, match="emulator"):
        model.bind_tools([]).invoke("Hello", {"configurable": changed})
    assert emulator.journal.last.body["temperature"] == 0.5
    assert emulator.journal.last.body["model"] == "google/gemini-3.1-flash-lite"


@pytest.mark.filterwarnings("ignore:.*is in beta")
def test_a_loaded_model_goes_through_langchains_own_dump_and_back():
    model = load_chat_model(GEMINI, project="p", api_key="ya29.token", temperature=0.5, environment={})
    text = dumps(model)
    assert "ya29" not in text
    again = loads(text, allowed_objects=[ChatVertexCompat], valid_namespaces=["vertex_compat_integrations"])
    assert (again.model, again.project, again.temperature, again.api_key) == (model.model, "p", 0.5, None)
