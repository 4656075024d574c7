"""A file's uses of the six classes: each named, each argument with its fate, the rest of the file as it was."""

import ast
import textwrap

import pytest

from tests.migration import parameter_outcomes
from vertex_compat_integrations.cli.migrate.fates import PEERS, fate
from vertex_compat_integrations.cli.migrate.rewrite import Rewritten, rewrite

OURS = "from vertex_compat_integrations.langchain import ChatVertexCompat"
LLAMA = "from vertex_compat_integrations.llama_index import VertexCompat"


def migrated(text: str, **more) -> Rewritten:
    done = rewrite(textwrap.dedent(text), **more)
    ast.parse(done.after)
    return done


def after(text: str, **more) -> str:
    return migrated(text, **more).after


def arguments(text: str, **more) -> dict[str, str]:
    return {one.name: one.text for use in migrated(text, **more).uses for one in use.arguments}


def told(text: str) -> list[str]:
    return [use.text for use in migrated(text).uses if use.by_hand]


@pytest.mark.parametrize("name", PEERS)
def test_every_argument_of_every_class_has_the_fate_of_the_table(name):
    peer = PEERS[name]
    parameters = parameter_outcomes.committed()[name]["parameters"]
    given = ", ".join(f"{parameter}=some_{parameter}" for parameter in parameters)
    found = arguments(f"from {peer.module} import {name}\nx = {name}({given})\n")
    assert set(found) == set(parameters)
    for parameter in parameters:
        expected = fate(peer.framework, parameter)
        if expected.kind == "refused":
            assert found[parameter] == f"lost: {peer.framework.words[parameter].hint}"
        elif "keep one" not in found[parameter]:
            assert found[parameter] == expected.text


@pytest.mark.parametrize("name", PEERS)
def test_every_class_is_replaced_by_ours(name):
    peer = PEERS[name]
    done = after(f"from {peer.module} import {name}\nx = {name}(max_retries=3)\n")
    ours = peer.framework.class_name
    assert done == f"{peer.framework.import_line}\nx = {ours}(max_retries=3)\n"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("from langchain_openai import ChatOpenAI as LLM\nLLM()\n", f"{OURS} as LLM\nLLM()\n"),
        ("from langchain_openai.chat_models import ChatOpenAI\nChatOpenAI()\n", f"{OURS}\nChatVertexCompat()\n"),
        ("import langchain_openai\nx = langchain_openai.ChatOpenAI()\n", f"{OURS}\nx = ChatVertexCompat()\n"),
        ("import langchain_openai as m\nx = m.ChatOpenAI()\n", f"{OURS}\nx = ChatVertexCompat()\n"),
        (
            "import langchain_openai as m\nx = m.ChatOpenAI()\ny = m.OpenAIEmbeddings()\n",
            f"{OURS}\nimport langchain_openai as m\nx = ChatVertexCompat()\ny = m.OpenAIEmbeddings()\n",
        ),
        (
            "import os, langchain_openai.chat_models\nlangchain_openai.chat_models.ChatOpenAI()\n",
            f"{OURS}\nimport os\nChatVertexCompat()\n",
        ),
        ("import langchain_openai\nlangchain_openai.chat_models.ChatOpenAI()\n", f"{OURS}\nChatVertexCompat()\n"),
        ("from llama_index.llms import openai\nopenai.OpenAI()\n", f"{LLAMA}\nVertexCompat()\n"),
        (
            (
                "import a, llama_index.core\nimport llama_index.llms.openai\n"
                "llama_index.llms.openai.OpenAI(timeout=llama_index.core.x)\n"
            ),
            (
                f"import a, llama_index.core\n{LLAMA}\nimport llama_index.llms.openai\n"
                "VertexCompat(timeout=llama_index.core.x)\n"
            ),
        ),
        (
            "from langchain_openai import OpenAIEmbeddings, ChatOpenAI\nChatOpenAI()\n",
            f"{OURS}\nfrom langchain_openai import OpenAIEmbeddings\nChatVertexCompat()\n",
        ),
        (
            "from langchain_openai import (\n    ChatOpenAI,\n    OpenAIEmbeddings,  # vectors\n)\n",
            f"{OURS}\nfrom langchain_openai import (\n    OpenAIEmbeddings,  # vectors\n)\n",
        ),
        (
            "from langchain_openai import OpenAIEmbeddings, \\\n    ChatOpenAI\nx = 1\n",
            f"{OURS}\nfrom langchain_openai import OpenAIEmbeddings \\\n    \nx = 1\n",
        ),
        (
            "def f():\n\tfrom langchain_openai import ChatOpenAI, OpenAIEmbeddings\n\treturn ChatOpenAI()\n",
            f"def f():\n\t{OURS}\n\tfrom langchain_openai import OpenAIEmbeddings\n\treturn ChatVertexCompat()\n",
        ),
        (
            "import os; from langchain_openai import ChatOpenAI, x; ChatOpenAI()\n",
            f"import os; {OURS}; from langchain_openai import x; ChatVertexCompat()\n",
        ),
        ("from langchain_openai import ChatOpenAI", OURS),
    ],
)
def test_imports_in_every_form(before, expected):
    assert after(before) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("ChatOpenAI(top_k=1)", "ChatVertexCompat()"),
        ("ChatOpenAI(top_k=1, seed=2)", "ChatVertexCompat(seed=2)"),
        ("ChatOpenAI(seed=2, top_k=1)", "ChatVertexCompat(seed=2)"),
        ("ChatOpenAI(seed=2, top_k=1,)", "ChatVertexCompat(seed=2, )"),
        ("ChatOpenAI(top_k=1, seed=2, verbosity='low')", "ChatVertexCompat(seed=2)"),
        ("ChatOpenAI(seed=2, top_k=(1), labels={'a': (1, 2)})", "ChatVertexCompat(seed=2)"),
        ("ChatOpenAI( seed = 2 , top_k = 1 )", "ChatVertexCompat( seed = 2  )"),
        ("ChatOpenAI(\n    seed=2,  # two\n    top_k=1\n)", "ChatVertexCompat(\n    seed=2  # two\n)"),
        ("ChatOpenAI(\n    top_k=1,\n    seed=2,\n)", "ChatVertexCompat(\n    seed=2,\n)"),
        ("ChatOpenAI(\n    top_k=[\n        1,\n    ],\n    seed=2,\n)", "ChatVertexCompat(\n    seed=2,\n)"),
        ("ChatOpenAI(\n    top_k=1,  # one\n    seed=2,\n)", "ChatVertexCompat(\n    # one\n    seed=2,\n)"),
        ("ChatOpenAI(openai_proxy = 'ü', max_completion_tokens=9)", "ChatVertexCompat(proxy = 'ü', max_tokens=9)"),
        ("'ü'; ChatOpenAI(callbacks=[ChatOpenAI(top_k=1)])", "'ü'; ChatVertexCompat(callbacks=[ChatVertexCompat()])"),
        ("ChatOpenAI(labels=ChatOpenAI(top_k=1))", "ChatVertexCompat()"),
        ("ChatOpenAI(organization=None, use_responses_api=False)", "ChatVertexCompat()"),
        ("ChatOpenAI(temperature=.50,seed=0x2)", None),
        ("ChatOpenAI(model_kwargs={'seed': 1})", None),
    ],
)
def test_calls_keep_their_form(call, expected):
    expected = call.replace("ChatOpenAI", "ChatVertexCompat") if expected is None else expected
    before = f"from langchain_openai import ChatOpenAI\n{call}\n"
    assert after(before) == f"{OURS}\n{expected}\n"


def test_everything_else_stays_as_it_is():
    text = '''
        # -*- coding: utf-8 -*-
        """ChatOpenAI is what this was made with."""
        from langchain_openai import ChatOpenAI


        def  build( n : int )->ChatOpenAI :   # ChatOpenAI here, too
            name = 'ChatOpenAI' + "ü\\t"
            return   ChatOpenAI( temperature = 1e0 ) if n else None;
        '''
    text = textwrap.dedent(text)
    expected = text.replace("from langchain_openai import ChatOpenAI", OURS)
    expected = expected.replace("->ChatOpenAI ", "->ChatVertexCompat ").replace("ChatOpenAI( ", "ChatVertexCompat( ")
    assert after(text) == expected
    assert told(text) == []


def test_ends_of_lines_stay():
    text = "from langchain_openai import (\r\n    ChatOpenAI,\r\n    x,\r\n)\r\nChatOpenAI(\r\n    top_k=1,\r\n)\r\n"
    done = after(text)
    assert done.count("\n") == done.count("\r\n")
    assert done == f"{OURS}\r\nfrom langchain_openai import (\r\n    x,\r\n)\r\nChatVertexCompat(\r\n)\r\n"


@pytest.mark.parametrize(
    "use",
    [
        "def f(a: ChatOpenAI | None) -> list[ChatOpenAI]: ...",
        "isinstance(x, (ChatOpenAI, int))",
        "x: dict[str, ChatOpenAI] = {}",
        "y = cast(ChatOpenAI, x)",
    ],
)
def test_a_type_is_renamed_and_needs_nobody(use):
    done = migrated(f"from langchain_openai import ChatOpenAI\n{use}\n")
    assert done.after == f"{OURS}\n{use.replace('ChatOpenAI', 'ChatVertexCompat')}\n"
    assert not any(use.is_open for use in done.uses)


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        ("class Mine(ChatOpenAI): ...", "class Mine(ChatOpenAI): its overrides"),
        ("class Mine(Generic[ChatOpenAI]): ...", "without a call"),
        ("build = partial(ChatOpenAI, top_k=1)", "without a call"),
        ("LLM = ChatOpenAI", "without a call"),
        ("x = ChatOpenAI.model_validate({})", "without a call"),
        ('def f(a: "ChatOpenAI | None"): ...', "is not changed"),
        ('__all__ = ["ChatOpenAI"]', "is not changed"),
    ],
)
def test_what_cannot_be_seen_is_told(use, reason):
    [said] = told(f"from langchain_openai import ChatOpenAI\n{use}\n")
    assert reason in said


@pytest.mark.parametrize(
    "text",
    [
        "from openai import OpenAI\nfrom llama_index.llms.openai import OpenAI\nOpenAI(tokenizer=1)\n",
        "try:\n    from langchain_openai import ChatOpenAI\nexcept ImportError:\n    ChatOpenAI = None\nChatOpenAI()\n",
        "from langchain_openai import ChatOpenAI\ndef ChatVertexCompat(): ...\nChatOpenAI()\n",
        "from langchain_openai import ChatOpenAI\nprint(f'{ChatOpenAI(top_k=1)} ü')\n",
        "from langchain_openai import ChatOpenAI\ndef f(ChatOpenAI): ChatOpenAI(top_k=1)\n",
        "from langchain_openai import ChatOpenAI as M\nfrom langchain_google_vertexai import ChatVertexAI as M\nM()\n",
        "from llama_index.llms import openai\nimport openai\nopenai.OpenAI()\n",
        "from langchain_openai import *\nChatOpenAI()\n",
    ],
)
def test_a_name_with_two_meanings_is_told_and_left(text):
    done = migrated(text)
    assert done.after == text
    assert [use.by_hand for use in done.uses] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "from openai import OpenAI\nOpenAI(api_key='x')\n",
        "from langchain_community.chat_models import ChatOpenAI\nChatOpenAI()\n",
        "from .langchain_openai import ChatOpenAI\nChatOpenAI()\n",
        "import langchain_openai\nlangchain_openai.OpenAIEmbeddings()\n",
        "x = 'from langchain_openai import ChatOpenAI'\n",
        "",
    ],
)
def test_what_is_none_of_the_six_is_left(text):
    done = migrated(text)
    assert (done.after, done.uses) == (text, [])


def test_several_arguments_in_one_and_unknown_ones_are_told():
    found = arguments("from langchain_openai import ChatOpenAI\nChatOpenAI(*a, **settings, temprature=1)\n")
    assert "not checked" in found["**settings"]
    assert "not checked" in found["*a"]
    assert "not in the migration table" in found["temprature"]


def test_a_word_that_stands_there_twice_is_told_and_not_written_twice():
    text = "from langchain_openai import ChatOpenAI\nChatOpenAI(max_tokens=1, max_completion_tokens=2)\n"
    done = migrated(text)
    assert done.after.endswith("ChatVertexCompat(max_tokens=1, max_completion_tokens=2)\n")
    assert done.uses[0].is_open


def test_llama_index_takes_the_model_first():
    text = "from llama_index.llms.openai import OpenAI\nOpenAI('gemini-2.5-pro', temperature=0)\n"
    assert after(text).endswith("VertexCompat(model='gemini-2.5-pro', temperature=0)\n")


@pytest.mark.parametrize(
    ("before", "argument"),
    [
        ("from llama_index.llms.openai_like import OpenAILike as C", "is_chat_model=True"),
        ("from llama_index.llms.openai import OpenAI as C", "reuse_client=True"),
        ("from llama_index.llms.google_genai import GoogleGenAI as C", "http_options=None"),
        ("from langchain_openai import ChatOpenAI as C", "use_responses_api=False"),
    ],
)
def test_what_is_the_default_here_is_removed_because_type_checkers_do_not_know_it(before, argument):
    name = argument.partition("=")[0]
    text = f"{before}\nllm = C(model='gemini-3.5-flash', {argument}, temperature=0)\n"
    assert after(text).endswith("llm = C(model='gemini-3.5-flash', temperature=0)\n")
    assert arguments(text)[name] == "removed: this value is the default here"
    assert not any(use.is_open for use in migrated(text).uses)


def test_a_model_that_is_not_served_is_told_or_replaced():
    text = "from langchain_openai import ChatOpenAI\nChatOpenAI(model_name='gpt-4o', top_k=1)\n"
    assert "'gpt-4o' is not served here" in arguments(text)["model_name"]
    assert after(text).endswith("ChatVertexCompat(model='gpt-4o')\n")
    replaced = after(text, model="google/gemini-3.5-flash")
    assert replaced.endswith('ChatVertexCompat(model="google/gemini-3.5-flash")\n')


@pytest.mark.parametrize("model", ["'gemini-2.5-pro'", "'meta/llama-4-scout-17b-16e-instruct-maas'", "name"])
def test_a_model_that_may_be_served_stays(model):
    text = f"from langchain_openai import ChatOpenAI\nChatOpenAI(model={model})\n"
    done = migrated(text, model="google/gemini-3.5-flash")
    assert done.after == f"{OURS}\nChatVertexCompat(model={model})\n"
    assert not done.uses[0].is_open


def test_a_server_of_ones_own_keeps_its_model_and_its_key():
    text = (
        "from langchain_openai import ChatOpenAI\nChatOpenAI(model='mine', openai_api_base='http://x', api_key='k')\n"
    )
    done = migrated(text, model="google/gemini-3.5-flash")
    assert done.after == f"{OURS}\nChatVertexCompat(model='mine', base_url='http://x', api_key='k')\n"
    assert not done.uses[0].is_open


@pytest.mark.parametrize(
    ("name", "argument", "before"),
    [
        ("ChatVertexAI", "location", "us-central1"),
        ("ChatGoogleGenerativeAI", "temperature", "0.7"),
        ("OpenAI", "temperature", "0.1"),
        ("OpenAILike", "temperature", "0.1"),
        ("GoogleGenAI", "temperature", "0.1"),
    ],
)
def test_what_an_unset_argument_meant_is_told(name, argument, before):
    start = f"from {PEERS[name].module} import {name}\n"
    assert before in arguments(f"{start}{name}()\n")[argument]
    assert before not in arguments(f"{start}{name}({argument}=x)\n")[argument]
    assert argument not in arguments(f"{start}{name}(**x)\n")
    assert not migrated(f"{start}{name}()\n").uses[0].is_open


def test_a_key_must_be_looked_at():
    assert migrated("from langchain_openai import ChatOpenAI\nChatOpenAI(api_key=key)\n").uses[0].is_open


def test_what_comes_out_runs(monkeypatch):
    """Each argument that was to be refused is gone, each other one is taken."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    text = """
        from langchain_openai import ChatOpenAI
        llm = ChatOpenAI(
            model="gpt-4o", temperature=0.5, max_completion_tokens=9, request_timeout=9.5, stop_sequences=["END"],
            model_kwargs={"seed": 1}, verbosity="low", use_responses_api=True, logit_bias={50: 1},
        )
        """
    space: dict = {}
    exec(compile(after(text, model="google/gemini-3.5-flash"), "app.py", "exec"), space)
    llm = space["llm"]
    assert (llm.model, llm.max_tokens, llm.timeout, llm.stop, llm.seed) == (
        "google/gemini-3.5-flash",
        9,
        9.5,
        ["END"],
        1,
    )


def test_our_class_is_imported_once_for_several_of_theirs():
    before = """\
        import langchain_openai
        from langchain_openai import ChatOpenAI, OpenAIEmbeddings
        from langchain_google_vertexai import ChatVertexAI
        from langchain_google_genai import (
            ChatGoogleGenerativeAI,
        )
        from langchain_google_genai import ChatGoogleGenerativeAI as Gemini  # kept for old code

        def late():
            from langchain_openai import ChatOpenAI
            return ChatOpenAI()

        models = [ChatOpenAI(), ChatVertexAI(), ChatGoogleGenerativeAI(), Gemini(), langchain_openai.ChatOpenAI()]
    """
    assert after(before).splitlines() == [
        OURS,
        "from langchain_openai import OpenAIEmbeddings",
        f"{OURS} as Gemini  # kept for old code",
        "",
        "def late():",
        f"    {OURS}",
        "    return ChatVertexCompat()",
        "",
        "models = [ChatVertexCompat(), ChatVertexCompat(), ChatVertexCompat(), Gemini(), ChatVertexCompat()]",
    ]


def test_a_module_that_is_still_used_stays_where_ours_is_imported_already():
    before = "from langchain_openai import ChatOpenAI\nimport langchain_openai\nlangchain_openai.ChatOpenAI()\n"
    used = "print(langchain_openai.__name__)\n"
    assert after(before + used) == f"{OURS}\nimport langchain_openai\nChatVertexCompat()\n{used}"


def test_an_import_that_shares_its_line_is_replaced_even_if_ours_is_imported_already():
    before = "from langchain_openai import ChatOpenAI\nfrom langchain_google_vertexai import ChatVertexAI  # noqa\n"
    assert after(before) == f"{OURS}\n{OURS}  # noqa\n"


def test_a_second_time_changes_nothing():
    text = "import langchain_openai as m\nx = m.ChatOpenAI(top_k=1)\n"
    once = after(text)
    assert migrated(once).after == once
    assert migrated(once).uses == []
