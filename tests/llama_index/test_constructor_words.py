"""The constructor: words of LlamaIndex's other classes mean something, or are refused with the word to use."""

import subprocess
import sys
import warnings

import openai
import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager
from llama_index.core.types import BaseOutputParser, PydanticProgramMode

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.llama_index import VertexCompat
from vertex_compat_integrations.llama_index.constructor_words import FOREIGN

REFUSED = ("audio_config", "openai_client", "async_openai_client", "tokenizer")
"""With `VALUES`, all fields and parameters of the classes in llama-index-llms-openai 0.8.3 and -openai-like 0.8.1."""


class Parser(BaseOutputParser):
    def parse(self, output: str) -> str:
        return output


VALUES = {
    "model": "gemini-3.5-flash",
    "temperature": 0.5,
    "max_tokens": 9,
    "logprobs": True,
    "top_logprobs": 2,
    "additional_kwargs": {"top_p": 0.5},
    "max_retries": 3,
    "timeout": 9.5,
    "default_headers": {"X-Mine": "1"},
    "reuse_client": True,
    "api_key": "token",
    "api_base": "https://example.com/v1",
    "api_version": "v1",
    "strict": False,
    "reasoning_effort": "low",
    "modalities": ["text"],
    "callback_manager": CallbackManager([]),
    "system_prompt": "Be short.",
    "messages_to_prompt": str,
    "completion_to_prompt": str,
    "output_parser": Parser(),
    "http_client": openai.DefaultHttpxClient(),
    "async_http_client": openai.DefaultAsyncHttpxClient(),
    "pydantic_program_mode": PydanticProgramMode.FUNCTION,
    "context_window": 5_000,
    "is_chat_model": True,
    "is_function_calling_model": False,
    "should_use_structured_outputs": True,
}


@pytest.mark.parametrize("word", sorted(VALUES))
def test_a_word_of_openais_classes_is_accepted(word):
    llm = VertexCompat(**{"model": "gemini-3.5-flash", "project": "p"} | {word: VALUES[word]})
    name = VertexCompat.setting_aliases.get(word, word)
    if word in FOREIGN:
        assert not hasattr(llm, word)
    elif word != "api_key":
        assert getattr(llm, name) == VALUES[word]


@pytest.mark.parametrize("word", REFUSED)
def test_any_other_word_of_theirs_is_refused_with_a_remedy(word):
    with pytest.raises(SettingsError, match=rf"{word}= is not a setting of VertexCompat\. \S+"):
        VertexCompat(model="gemini-3.5-flash", **{word: object()})


@pytest.mark.parametrize(
    ("word", "value"),
    [("is_chat_model", False), ("reuse_client", False), ("should_use_structured_outputs", False), ("strict", True)],
)
def test_a_word_that_asks_for_something_else_is_refused(word, value):
    with pytest.raises(SettingsError, match=f"{word}= is not a setting"):
        VertexCompat(model="gemini-3.5-flash", **{word: value})


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ({"temperatur": 1}, "Did you mean temperature="),
        ({"vertexai_config": {"project": "q"}}, "passed twice"),
        ({"vertexai_config": {"projct": "p"}}, "Did you mean project="),
        ({"generation_config": {"top_k": 3}}, "use top_p="),
        ({"generation_config": {"temperatur": 3}}, "Did you mean temperature="),
        ({"additional_kwargs": {"max_token": 3}}, "Did you mean max_tokens="),
        ({"additional_kwargs": {"n": 2}}, "one answer"),
        ({"n": 2}, "one answer"),
        ({"max_tokens": 3, "max_new_tokens": 4}, "passed twice"),
        ({"default_headers": {"Authorization": "Bearer x"}}, "credentials="),
        ({"additional_kwargs": {"extra_headers": {"X-Mine": "1"}}}, "default_headers="),
        ({"context_window": 0}, "greater than or equal to 1"),
        ({"model": ""}, "No model"),
        ({"location": "nowhere at all"}, "location"),
    ],
    ids=str,
)
def test_nothing_that_cannot_be_is_taken(arguments, remedy):
    with pytest.raises(SettingsError, match=remedy):
        VertexCompat(**{"model": "gemini-3.5-flash", "project": "p"} | arguments)


def test_none_means_the_default():
    names = [name for name in VertexCompat.model_fields if name != "model"]
    assert (
        VertexCompat(model="gemini-3.5-flash", **dict.fromkeys(names)).to_dict()
        == VertexCompat(model="gemini-3.5-flash").to_dict()
    )


def test_additional_kwargs_go_over_the_fields_and_a_call_goes_over_both(build, emulator):
    llm = build(top_p=0.1, max_tokens=10, additional_kwargs={"top_p": 0.2, "max_tokens": 20})
    llm.complete("Hello", top_p=0.3)
    assert (emulator.journal.last.body["top_p"], emulator.journal.last.body["max_tokens"]) == (0.3, 20)
    assert llm.metadata.num_output == 20


def test_an_unknown_word_of_a_call_is_told_once_and_not_sent(llm, emulator):
    with pytest.warns(UserWarning, match=r"colour= is not an option of VertexCompat; .*extra_body="):
        llm.complete("Hello", colour="blue")
    llm.complete("Hello", colour="blue")
    assert "colour" not in emulator.journal.last.body


def test_a_call_takes_the_words_of_google_s_classes(llm, emulator):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        llm.complete("Hello", generation_config={"temperature": 0.5, "max_output_tokens": 9, "candidate_count": 1})
    body = emulator.journal.last.body
    assert (body["temperature"], body["max_tokens"]) == (0.5, 9)
    with pytest.warns(UserWarning, match=r"top_k= is not an option of VertexCompat; .*use top_p="):
        explanation = llm.explain_request("Hello", generation_config={"temperature": 0.5, "top_k": 3})
    assert [remark.what for remark in explanation.remarks if remark.kind == "dropped"] == ["top_k"]


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        ({"repair_history": True}, "Pass it to the constructor"),
        ({"system_prompt": "Be short."}, "Pass it to the constructor"),
        ({"image_documents": []}, "ImageBlock"),
        ({"top_k": 3}, "extra_body="),
    ],
)
def test_the_advice_on_a_word_of_a_call_says_where_it_belongs(llm, call, advice):
    with pytest.warns(UserWarning, match=f"is not an option of VertexCompat; .*{advice}"):
        llm.chat([ChatMessage("Hello")], **call)


def test_several_answers_cannot_be_asked_for_with_a_call(llm, emulator):
    with pytest.raises(SettingsError, match="one answer"):
        llm.complete("Hello", n=2)
    assert not emulator.journal.chat


@pytest.mark.parametrize(
    ("model", "window", "answer"),
    [
        ("gemini-3.5-flash", 1_048_576, 65_536),
        ("google/gemini-3-pro-image-preview", 65_536, 32_768),
        ("meta/llama-3.3-70b-instruct-maas", 128_000, 8_192),
        ("gemini-99-ultra", 1_048_576, 65_536),
    ],
)
def test_metadata_come_from_the_catalogue(model, window, answer):
    metadata = VertexCompat(model=model, project="p").metadata
    assert (metadata.context_window, metadata.num_output) == (window, answer)
    assert metadata.model_name == (model if "/" in model else f"google/{model}")


def test_facts_and_a_window_of_ones_own_count_more():
    llm = VertexCompat(model="gemini-3.5-flash", model_facts={"input_tokens": 7_000, "output_tokens": 500})
    assert (llm.metadata.context_window, llm.metadata.num_output) == (7_000, 500)
    small = VertexCompat(model="gemini-3.5-flash", context_window=8_000).metadata
    assert small.context_window - small.num_output > 0


def test_settings_can_be_changed_later(llm, emulator):
    llm.temperature = 0.5
    llm.model = "google/gemini-3.1-flash-lite"
    llm.complete("Hello")
    assert emulator.journal.last.body["temperature"] == 0.5
    assert emulator.journal.last.body["model"] == "google/gemini-3.1-flash-lite"
    assert llm.metadata.model_name == "google/gemini-3.1-flash-lite"


def test_prompts_go_through_the_users_own_function(build, emulator):
    llm = build(completion_to_prompt=lambda prompt: f"Q: {prompt}")
    llm.complete("Hello")
    llm.complete("Hello", formatted=True)
    assert [entry.messages[0]["content"] for entry in emulator.journal.chat] == ["Q: Hello", "Hello"]


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_construction_loads_neither_the_sdk_nor_google_auth_nor_the_other_framework():
    loaded = loaded_by(
        "from vertex_compat_integrations.llama_index import VertexCompat;"
        "VertexCompat(model='gemini-3.5-flash').metadata"
    )
    assert not loaded & {"openai", "google", "langchain_core", "langchain"}


def test_it_works_where_the_other_framework_is_absent():
    blocked = "sys.modules['langchain_core'] = None; sys.modules['langchain'] = None"
    assert "llama_index" in loaded_by(f"{blocked}; import vertex_compat_integrations.llama_index")


def test_a_missing_framework_is_named_with_the_command_that_mends_it():
    code = "import sys; sys.modules['llama_index.core'] = None; import vertex_compat_integrations.llama_index"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "vertex-compat-integrations[llama-index]"' in done.stderr


@pytest.mark.parametrize(
    ("other", "own", "value"),
    [
        ("model_name", "model", "google/gemini-3.5-flash-lite"),
        ("max_output_tokens", "max_tokens", 5),
        ("stop_sequences", "stop", ["x"]),
        ("request_timeout", "timeout", 5.0),
    ],
)
def test_a_setting_is_changed_under_its_name_in_another_class(llm, other, own, value):
    assert getattr(llm.model_copy(update={other: value}), own) == value
    assert getattr(llm, own) != value
    setattr(llm, other, value)
    assert getattr(llm, own) == value
    assert other not in vars(llm)
