"""A specification says provider and settings; the environment goes over it, and code over both."""

import json

import pytest

from vertex_compat_integrations.core.adapters.model_spec import check_names, resolve_spec
from vertex_compat_integrations.core.errors import SettingsError

GEMINI = "vertex_compat:google/gemini-3.5-flash"
BOTH = {
    "model": GEMINI,
    "temperature": 0.5,
    "vertex_compat": {"project": "p"},
    "openai": {"logprobs": True},
}


def resolved(spec, given=None, *, section=None, **environment):
    found = resolve_spec(spec, given or {}, section=section, environment=environment)
    return found.provider, dict(found.settings)


@pytest.mark.parametrize(
    ("spec", "provider", "model"),
    [
        (GEMINI, "vertex_compat", "google/gemini-3.5-flash"),
        ("vertex_compat:gemini-3.5-flash", "vertex_compat", "gemini-3.5-flash"),
        ("openai:gpt-5", "openai", "gpt-5"),
        ("openai:ft:gpt-5:me", "openai", "ft:gpt-5:me"),
        ({"provider": "openai", "model": "gpt-5"}, "openai", "gpt-5"),
        ({"model_provider": "openai", "model": "openai:gpt-5"}, "openai", "gpt-5"),
        ({"provider": "vertex_compat", "model": "llama3:8b"}, "vertex_compat", "llama3:8b"),
        ({"provider": "vertex_compat", "endpoint": "1"}, "vertex_compat", ""),
    ],
    ids=str,
)
def test_provider_and_model(spec, provider, model):
    found, settings = resolved(spec)
    assert (found, settings["model"]) == (provider, model)
    assert "provider" not in settings


@pytest.mark.parametrize(
    ("layers", "provider", "model"),
    [
        ({}, "vertex_compat", "google/gemini-3.5-flash"),
        ({"LLM_MODEL": "openai:gpt-5"}, "openai", "gpt-5"),
        ({"LLM_MODEL": "google/gemini-3.1-pro"}, "vertex_compat", "google/gemini-3.1-pro"),
        ({"LLM_MODEL": ""}, "vertex_compat", "google/gemini-3.5-flash"),
        ({"LLM_MODEL": "openai:gpt-5", "given": {"model": GEMINI}}, "vertex_compat", "google/gemini-3.5-flash"),
        ({"given": {"provider": "openai", "model": "gpt-5"}}, "openai", "gpt-5"),
    ],
    ids=str,
)
def test_the_environment_goes_over_the_specification_and_code_over_both(layers, provider, model):
    given = layers.get("given", {})
    environment = {name: value for name, value in layers.items() if name != "given"}
    found, settings = resolved(BOTH, given, **environment)
    assert (found, settings["model"]) == (provider, model)


def test_the_place_in_the_environment_goes_over_the_specification_and_code_over_both():
    place = {"GOOGLE_CLOUD_PROJECT": "e", "GOOGLE_CLOUD_LOCATION": "eu"}
    said = {"model": GEMINI, "project": "p", "region": "us"}
    assert resolved(said)[1] == {"model": "google/gemini-3.5-flash", "project": "p", "location": "us"}
    assert resolved(said, **place)[1] == {"model": "google/gemini-3.5-flash", "project": "e", "location": "eu"}
    assert resolved(said, {"location": "global"}, **place)[1]["location"] == "global"
    assert "project" not in resolved("openai:gpt-5", **place)[1]


def test_no_variable_sets_a_url_or_a_credential():
    names = ("BASE_URL", "OPENAI_BASE_URL", "LLM_BASE_URL", "LLM_API_KEY", "OPENAI_API_KEY", "GOOGLE_API_KEY")
    environment = dict.fromkeys(names, "https://elsewhere.example.com")
    assert resolved(GEMINI, **environment) == resolved(GEMINI)


def test_settings_for_one_provider_are_for_it_only():
    assert resolved(BOTH)[1] == {"model": "google/gemini-3.5-flash", "temperature": 0.5, "project": "p"}
    swapped = resolved(BOTH, LLM_MODEL="openai:gpt-5")[1]
    assert swapped == {"model": "gpt-5", "temperature": 0.5, "logprobs": True}


def test_code_may_say_it_by_provider_too():
    code = {"vertex_compat": {"project": "q"}, "openai": {"store": True}, "temperature": 1}
    assert resolved(BOTH, code)[1] == {"model": "google/gemini-3.5-flash", "temperature": 1, "project": "q"}
    swapped = resolved(BOTH, code, LLM_MODEL="openai:gpt-5")[1]
    assert swapped == {"model": "gpt-5", "temperature": 1, "logprobs": True, "store": True}


def test_none_means_the_default():
    said = {"model": GEMINI, "temperature": None, "top_p": 0.5}
    assert resolved(said, {"top_p": None})[1] == {"model": "google/gemini-3.5-flash"}


FILES = {
    "models.yaml": "chat:\n  fast: {model: 'openai:gpt-5', temperature: 0.5}\n",
    "models.yml": "chat: {fast: {model: 'openai:gpt-5', temperature: 0.5}}",
    "models.toml": "[chat.fast]\nmodel = 'openai:gpt-5'\ntemperature = 0.5\n",
    "models.json": json.dumps({"chat": {"fast": {"model": "openai:gpt-5", "temperature": 0.5}}}),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["text", "path"])
def test_a_file_and_its_section(name, kind, tmp_path):
    path = tmp_path / name
    path.write_text(FILES[name])
    assert resolved(kind(path), section="chat.fast") == ("openai", {"model": "gpt-5", "temperature": 0.5})


def test_a_file_may_hold_one_model_only(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(f"model: {GEMINI}\nthinking: off\nvertex_compat: {{project: p}}\n")
    assert resolved(path)[1] == {"model": "google/gemini-3.5-flash", "thinking": False, "project": "p"}


@pytest.mark.parametrize(
    ("spec", "environment", "remedy"),
    [
        ("google/gemini-3.5-flash", {}, "Write vertex_compat:google/gemini-3.5-flash"),
        ("gemini-3.5-flash", {}, "Write vertex_compat:gemini-3.5-flash"),
        ("gpt-5", {}, "openai:gpt-5"),
        ("vertexcompat:google/gemini-3.5-flash", {}, "Did you mean vertex_compat"),
        ("vertex-compat:google/gemini-3.5-flash", {}, "Did you mean vertex_compat"),
        ("anthropic:claude", {}, "unknown provider"),
        ("openai:", {}, "No model for openai"),
        ("", {}, "Write vertex_compat:"),
        (GEMINI, {"LLM_MODEL": "anthropic:claude"}, "unknown provider"),
        ({"provider": "openai", "model": GEMINI}, {}, "Keep one of the two providers"),
        ({"provider": "open_ai", "model": "x"}, {}, "Did you mean openai"),
        ({"model": 5}, {}, "is not a valid name"),
        ({"chat": {"model": GEMINI}, "other": {}}, {}, "one of chat, other"),
        ({"model": GEMINI, "vertex_compat": 3}, {}, "does not hold settings by name"),
        ({"model": GEMINI, "project": "p", "project_id": "q"}, {}, "passed twice"),
        ("models.yaml", {}, "cannot be read: No such file"),
    ],
    ids=str,
)
def test_what_names_no_model_is_refused_with_a_remedy(spec, environment, remedy):
    with pytest.raises(SettingsError) as caught:
        resolved(spec, **environment)
    assert remedy in str(caught.value)


def test_another_provider_needs_another_model():
    with pytest.raises(SettingsError, match="without a model"):
        resolved(GEMINI, {"provider": "openai"})


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("models.yaml", "api_key: *SECRET\n", "line 1, column 10"),
        ("models.yaml", "api_key: [SECRET\n", "line 2"),
        ("models.toml", "api_key = SECRET\n", "line 1"),
        ("models.json", '{"api_key": SECRET}', "line 1, column 13"),
        ("models.yaml", "- SECRET\n", "not hold settings by name"),
        ("models.yaml", "", "not hold settings by name"),
        ("models.ini", "x", "ends with .yaml"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_without_its_words(name, text, place, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        resolved(path)
    assert place in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_section_that_is_not_there_is_told_with_those_that_are(tmp_path):
    path = tmp_path / "models.yaml"
    path.write_text("chat: {model: x}\nother: {model: y}\n")
    with pytest.raises(SettingsError, match="one of chat, other"):
        resolved(path, section="chta")
    with pytest.raises(SettingsError, match=r"no section 'chat\.fast'"):
        resolved(path, section="chat.fast")
    with pytest.raises(SettingsError, match="is not a file"):
        resolved(GEMINI, section="chat")


KNOWN = {"vertex_compat": {"model", "temperature", "project"}, "openai": {"model", "temperature", "logprobs"}}


@pytest.mark.parametrize(
    ("spec", "remedy"),
    [
        ({"model": GEMINI, "temperatur": 1}, "Did you mean temperature"),
        ({"model": "openai:gpt-5", "project": "p"}, "put it under the key vertex_compat"),
        ({"model": GEMINI, "logprobs": True}, "put it under the key openai"),
        ({"model": GEMINI, "openai": {"logprob": True}}, "Did you mean logprobs"),
        ({"model": GEMINI, "colour": "blue"}, "Leave it out"),
    ],
    ids=str,
)
def test_a_name_that_is_unknown_or_does_not_apply_is_refused(spec, remedy):
    with pytest.raises(SettingsError) as caught:
        check_names(resolve_spec(spec, {}, environment={}), KNOWN)
    assert remedy in str(caught.value)


def test_settings_of_a_class_that_is_not_installed_are_not_checked():
    spec = resolve_spec({"model": GEMINI, "openai": {"anything": 1}}, {}, environment={})
    check_names(spec, {"vertex_compat": KNOWN["vertex_compat"]})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize(
    ("name", "text"), [("m.json", '{"model": "openai:gpt-5"}'), ("m.toml", 'model = "openai:gpt-5"\n')]
)
def test_a_file_may_begin_with_a_byte_order_mark(tmp_path, name, text, encoding):
    (tmp_path / name).write_text(text, encoding=encoding)
    assert resolve_spec(tmp_path / name, {}, environment={}).settings == {"model": "gpt-5"}


def places(spec, given=None, **environment):
    """What a specification is resolved to, without the model."""
    settings = resolved(spec, given, **environment)[1]
    return {name: value for name, value in settings.items() if name != "model"}


def test_one_location_and_several_are_one_setting_to_a_specification():
    several = {"model": GEMINI, "locations": ["us", "eu"]}
    assert places(several) == {"locations": ["us", "eu"]}
    assert places(several, GOOGLE_CLOUD_LOCATION="global") == {"location": "global"}
    assert places(several, {"location": "eu"}) == {"location": "eu"}
    one = {"model": GEMINI, "location": "us"}
    assert places(one, {"locations": ["us", "eu"]}, GOOGLE_CLOUD_LOCATION="eu") == {"locations": ["us", "eu"]}
    particular = {"model": GEMINI, "location": "us", "vertex_compat": {"locations": ["us", "eu"]}}
    assert places(particular) == {"locations": ["us", "eu"]}


def test_one_project_and_several_are_one_setting_to_a_specification():
    several = {"model": GEMINI, "projects": ["a", "b"]}
    assert places(several) == {"projects": ["a", "b"]}
    assert places(several, GOOGLE_CLOUD_PROJECT="c") == {"project": "c"}
    assert places(several, {"project": "c"}) == {"project": "c"}
    one = {"model": GEMINI, "project": "a"}
    assert places(one, {"projects": ["a", "b"]}, GOOGLE_CLOUD_PROJECT="c") == {"projects": ["a", "b"]}
    accounts = {"model": GEMINI, "service_accounts": ["a@b", "c@d"]}
    assert places(accounts, {"impersonate_service_account": "x@y"}) == {"impersonate_service_account": "x@y"}


def test_both_in_one_place_are_left_to_be_refused():
    assert places({"model": GEMINI, "location": "us", "locations": ["eu"]}) == {
        "location": "us",
        "locations": ["eu"],
    }
