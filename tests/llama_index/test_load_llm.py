"""`load_llm` makes the class that a specification names, and refuses what cannot be."""

import subprocess
import sys

import pytest

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.llama_index import VertexCompat, load_llm

GEMINI = "vertex_compat:google/gemini-3.5-flash"


def test_a_loaded_llm_answers(emulator):
    llm = load_llm(
        {"model": GEMINI, "temperature": 0.5},
        api_base=emulator.base_url(),
        api_key=emulator.identity.issue(),
        environment={},
    )
    assert type(llm) is VertexCompat
    assert llm.complete("Hello").text
    assert emulator.journal.last.body["model"] == "google/gemini-3.5-flash"
    assert emulator.journal.last.body["temperature"] == 0.5


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"temperatur": 1}, "Did you mean temperature?"),
        ({"temperature": 9}, "temperature"),
        ({"organization": "o"}, "Google Cloud project"),
        ({"n": 2}, "one answer"),
        ({"vertex_compat": {"projct": "p"}}, "Did you mean project?"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_anything_is_sent(settings, remedy):
    with pytest.raises(SettingsError) as caught:
        load_llm({"model": GEMINI, **settings}, environment={})
    assert remedy in str(caught.value)


def test_a_stock_class_that_is_absent_is_named_with_the_command_that_mends_it():
    code = (
        "import sys; sys.modules['llama_index.llms.openai'] = None\n"
        "from vertex_compat_integrations.llama_index import load_llm; load_llm('openai:gpt-5')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install llama-index-llms-openai" in done.stderr.splitlines()[-1]


class TestTheStockClass:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("llama_index.llms.openai")

    def test_it_is_llama_indexs_own(self):
        from llama_index.llms.openai import OpenAI

        llm = load_llm("openai:gpt-4o", temperature=0.5, max_tokens=7, api_key="sk-x", environment={})
        assert type(llm) is OpenAI
        assert (llm.model, llm.temperature, llm.max_tokens) == ("gpt-4o", 0.5, 7)

    @pytest.mark.parametrize(
        ("settings", "remedy"),
        [
            ({"temperatur": 1}, "Did you mean temperature?"),
            ({"project": "p"}, "under the key vertex_compat"),
            ({"base_url": "https://example.com"}, "Did you mean api_base?"),
            ({"top_p": 0.5}, "additional_kwargs: {top_p: …}"),
        ],
        ids=str,
    )
    def test_a_name_that_does_not_apply_is_refused(self, settings, remedy):
        with pytest.raises(SettingsError) as caught:
            load_llm({"model": "openai:gpt-4o", **settings}, environment={})
        assert remedy in str(caught.value)
