"""A model is made of its settings, whatever the environment says, and its secrets stay out of texts."""

import importlib.util

import pytest

pytest.importorskip("genai_prices", reason="the extra compare is not installed")

from vertex_compat_integrations.compare.asking.compared_model import load_compared_model
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.emulator import text

MODEL = "google/gemini-3.5-flash"


needs_stock_class = pytest.mark.skipif(
    importlib.util.find_spec("langchain_openai") is None, reason="langchain-openai is not installed"
)


@needs_stock_class
def test_where_the_user_chose_a_proxy_requests_are_unknown():
    settings = {"model": "openai:gpt-4o", "api_key": "sk-of-nobody", "openai_proxy": "http://127.0.0.1:9"}
    assert load_compared_model("m", settings, {}).counts_requests is False


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"model": "vertex_compat:google/gemini-3.5-flash", "temprature": 1}, '"m": temprature is not a setting'),
        ({"model": "mistral:x"}, '"m": .*unknown provider'),
        ({"model": "vertex_compat:", "thinking": "low"}, '"m": '),
        ({"model": "vertex_compat:google/gemini-3.5-flash", "environment": {}}, '"m": environment is not a setting'),
    ],
)
def test_settings_that_make_no_model_are_refused_with_its_label(settings, reason):
    with pytest.raises(SettingsError, match=reason):
        load_compared_model("m", settings, {"GOOGLE_CLOUD_PROJECT": "p"})


def test_what_is_compared_is_what_was_written_whatever_the_environment_says():
    """`LLM_MODEL` would replace every model, and the location's variable every place."""
    environment = {"LLM_MODEL": "openai:gpt-5", "GOOGLE_CLOUD_LOCATION": "us", "GOOGLE_CLOUD_PROJECT": "p"}
    settings = {"model": f"vertex_compat:{MODEL}", "vertex_compat": {"location": "eu"}}
    model = load_compared_model("m", settings, environment).model
    assert (model.model, model.location, model.project) == (MODEL, "eu", "p")


def test_an_endpoint_of_ones_own_has_no_list_price(contender, emulator):
    """It is paid by the hour, whatever model stands on it."""
    emulator.answer(text("x"))
    one = contender(base_url=None, endpoint="1234567890", location="us-central1", project="p", api_key="t")
    assert one.is_deployed
    assert not contender().is_deployed
