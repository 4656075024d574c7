"""The pytest plugin: an emulator for users' own tests, and a guard against real Google hosts."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from vertex_compat_integrations.pytest_plugin import is_google

pytest_plugins = ["pytester"]

# An environment may hold the entry point already; pytest takes a module under one name only.
IS_INSTALLED = bool(entry_points(group="pytest11", name="vertex_compat"))
PLUGIN = "vertex_compat" if IS_INSTALLED else "vertex_compat_integrations.pytest_plugin"


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Other plugins of the environment have warnings and imports of their own."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester, code: str, *arguments: str, ini: str = "") -> pytest.RunResult:
    pytester.makeini(f"[pytest]\nfilterwarnings =\n  error\n{ini}")
    pytester.makepyfile(code)
    return pytester.runpytest_subprocess("-p", PLUGIN, "-p", "no:cacheprovider", *arguments)


USER_TESTS = """
    import os
    import pytest
    from vertex_compat_integrations import openai_client
    from vertex_compat_integrations.emulator import http_error, text
    from vertex_compat_integrations.langchain import ChatVertexCompat
    from vertex_compat_integrations.llama_index import VertexCompat

    MODEL = "google/gemini-3.5-flash"

    def test_langchain(vertex_emulator):
        vertex_emulator.answer(http_error(429, headers={"Retry-After": "0"}), text("A scripted word."))
        assert ChatVertexCompat(model=MODEL).invoke("Hello").text == "A scripted word."
        assert [entry.status for entry in vertex_emulator.journal.chat] == [429, 200]

    def test_llama_index(vertex_emulator):
        vertex_emulator.rule(text("Ruled."), when=lambda body: "rule" in str(body["messages"]))
        assert VertexCompat(model=MODEL).complete("Does the rule hold?").text == "Ruled."
        assert vertex_emulator.journal.last.messages[-1]["content"] == "Does the rule hold?"

    def test_each_test_has_its_own(vertex_emulator):
        assert len(vertex_emulator.journal) == 0

    def test_the_sdk(vertex_emulator):
        with openai_client() as client:
            said = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hello"}])
        assert said.system_fingerprint.startswith("vertex-compat-emulator")

    def test_nothing_stays():
        assert "VERTEX_COMPAT_EMULATOR_HOST" not in os.environ
        assert "googleapis.com" not in os.environ.get("NO_PROXY", "")
"""


STRICT_TESTS = """
    import warnings
    import pytest
    from vertex_compat_integrations.langchain import ChatVertexCompat

    pytestmark = pytest.mark.filterwarnings("error")

    @pytest.fixture
    def model(vertex_emulator):
        model = ChatVertexCompat(model="google/gemini-3.5-flash")
        model.preload()
        return model

    @pytest.mark.filterwarnings("error")
    def test_marked(vertex_emulator):
        assert ChatVertexCompat(model="google/gemini-3.5-flash").invoke("Hello").text

    def test_used_by_a_fixture(model):
        assert model.invoke("Hello").text

    def test_fetched_by_name(request):
        request.getfixturevalue("vertex_emulator")
        assert ChatVertexCompat(model="google/gemini-3.5-flash").invoke("Hello").text

    def test_other_warnings_are_errors(vertex_emulator):
        with pytest.raises(UserWarning, match="colour"):
            ChatVertexCompat(model="google/gemini-3.5-flash").invoke("Hello", colour="blue")
"""


def test_the_fixture_warns_of_nothing_where_a_test_turns_warnings_into_errors(pytester):
    run(pytester, STRICT_TESTS).assert_outcomes(passed=4)


def test_a_users_tests_run_against_an_emulator_of_their_own(pytester, monkeypatch):
    """Warnings are errors there, and a proxy stands in the environment."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    run(pytester, USER_TESTS).assert_outcomes(passed=5)


MADE_AT_IMPORT = """
    import asyncio
    import pytest
    from langchain_core.messages import HumanMessage
    from llama_index.core.llms import ChatMessage
    from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings
    from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding

    MODEL = "google/gemini-3.5-flash"
    chat, llm = ChatVertexCompat(model=MODEL), VertexCompat(model=MODEL)
    bound, copied = chat.bind(temperature=0), llm.model_copy(update={"temperature": 0})
    embeddings = VertexCompatEmbeddings(model="own/model", endpoint="1234567890", location="us-central1")
    embedding = VertexCompatEmbedding(model_name="own/model", endpoint="1234567890", location="us-central1")

    def add(a: int, b: int) -> int:
        "Add."
        return a + b

    USES = {
        "invoke": lambda: chat.invoke("Hi"),
        "ainvoke": lambda: asyncio.run(chat.ainvoke("Hi")),
        "stream": lambda: list(chat.stream("Hi")),
        "bind": lambda: bound.invoke("Hi"),
        "bind_tools": lambda: chat.bind_tools([add]).invoke("Hi"),
        "with_limits": lambda: chat.invoke("Hi", timeout=30),
        "count": lambda: chat.count_tokens([HumanMessage("Hi")]),
        "complete": lambda: llm.complete("Hi"),
        "acomplete": lambda: asyncio.run(llm.acomplete("Hi")),
        "stream_chat": lambda: list(llm.stream_chat([ChatMessage(content="Hi")])),
        "copy": lambda: copied.complete("Hi"),
        "embeddings": lambda: embeddings.embed_query("Hi"),
        "embedding": lambda: embedding.get_query_embedding("Hi"),
    }

    @pytest.mark.parametrize("test", ["first", "second", "third"])
    @pytest.mark.parametrize("use", USES)
    def test_one(vertex_emulator, use, test):
        USES[use]()
        assert len(vertex_emulator.journal) == 1
"""


def test_what_is_made_at_import_reaches_the_emulator_of_each_test(pytester):
    """As most applications make their models."""
    run(pytester, MADE_AT_IMPORT).assert_outcomes(passed=3 * 13)


def programs_of(page: str) -> list[str]:
    text = (Path(__file__).parents[1] / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r'^```python title="test_\w+\.py"\n(.*?)^```', text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code", [*programs_of("reference/pytest-plugin.md"), *programs_of("start/offline.md")])
def test_the_test_of_a_page_passes(pytester, code):
    run(pytester, code).assert_outcomes(passed=1)


UNASKED = """
    import pytest
    from vertex_compat_integrations.emulator import http_error, text
    from vertex_compat_integrations.langchain import ChatVertexCompat

    def ask():
        return ChatVertexCompat(model="google/gemini-3.5-flash").invoke("Hi").text

    def test_all_are_asked_for(vertex_emulator):
        vertex_emulator.answer(text("One"))
        vertex_emulator.rule([http_error(400), text("Two")], times=2)
        assert ask() == "One"
        with pytest.raises(Exception, match="invalid argument"):
            ask()
        assert ask() == "Two"

    def test_a_queued_one_is_not(vertex_emulator):
        vertex_emulator.answer(text("One"), text("Two"))
        assert ask() == "One"

    def test_a_rule_is_not(vertex_emulator):
        vertex_emulator.rule(http_error(403), when=lambda body: False)
        ask()

    @pytest.mark.vertex_unasked_answers
    def test_its_author_knows(vertex_emulator):
        vertex_emulator.answer(text("One"))

    def test_it_fails_for_another_reason(vertex_emulator):
        vertex_emulator.answer(text("One"))
        assert ask() == "Two"
"""


def test_answers_that_were_not_asked_for_fail_a_test(pytester):
    result = run(pytester, UNASKED)
    result.assert_outcomes(passed=2, failed=3)
    result.stdout.fnmatch_lines(
        [
            "Scripted, but never requested: text 'Two'.*vertex_unasked_answers.",
            "Scripted, but never requested: raw answer with status 403.*",
        ]
    )
    # Where CI is set, pytest repeats each reason, uncut, in its summary.
    failures, _, _ = str(result.stdout).partition("short test summary")
    assert failures.count("Scripted, but never requested") == 2


RETIRED = """
    from vertex_compat_integrations.langchain import ChatVertexCompat

    def test_one(vertex_emulator):
        assert ChatVertexCompat(model="google/gemini-2.0-flash").invoke("Hi").text
"""


@pytest.mark.parametrize(("ini", "outcome"), [("", "failed"), ("vertex_serve_retired = true\n", "passed")])
def test_retired_models_are_served_by_a_setting(pytester, ini, outcome):
    run(pytester, RETIRED, ini=ini).assert_outcomes(**{outcome: 1})


GUARDED = """
    import asyncio
    import http.client
    import socket
    import threading
    import urllib.request
    import pytest

    HOST = "aiplatform.googleapis.com"
    pytestmark = pytest.mark.usefixtures("vertex_guard")

    def test_by_name():
        socket.create_connection((HOST, 443), timeout=1)

    def test_by_name_and_swallowed():
        try:
            http.client.HTTPSConnection("europe-west4-" + HOST, timeout=1).request("GET", "/")
        except OSError:
            pass

    def test_in_a_thread():
        def look():
            try:
                socket.getaddrinfo(HOST, 443)
            except OSError:
                pass
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    async def asynchronously():
        await asyncio.open_connection(HOST, 443)

    def test_asynchronously():
        with pytest.raises(OSError):
            asyncio.run(asynchronously())

    def test_past_a_proxy(monkeypatch):
        try:
            urllib.request.urlopen("https://oauth2.googleapis.com/token", timeout=1)
        except OSError:
            pass

    def test_metadata_server():
        try:
            socket.socket().connect(("169.254.169.254", 80))
        except OSError:
            pass

    def test_by_application_default_credentials():
        from vertex_compat_integrations import VertexCompatError
        from vertex_compat_integrations.langchain import ChatVertexCompat
        model = ChatVertexCompat(
            model="google/gemini-3.5-flash", project="p", credentials=lambda: "ya29.token", max_retries=0
        )
        with pytest.raises(VertexCompatError):
            model.invoke("Hello")

    def test_that_stays_at_home():
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
"""


def test_the_guard_fails_a_test_that_reaches_a_real_host(pytester, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    result = run(
        pytester, GUARDED, ini="  ignore::ResourceWarning\n  ignore::pytest.PytestUnraisableExceptionWarning\n"
    )
    result.assert_outcomes(passed=1, failed=7)
    for host in ("aiplatform.googleapis.com", "oauth2.googleapis.com", "169.254.169.254"):
        result.stdout.fnmatch_lines(f"*This test reaches {host}. Use the fixture vertex_emulator*")


ONE_REACHES = """
    import socket
    import pytest

    def reach():
        try:
            socket.getaddrinfo("aiplatform.googleapis.com", 443)
        except OSError as error:
            return type(error).__name__

    def test_plain():
        reach()

    @pytest.mark.vertex_live
    def test_live():
        assert reach() != "RealGoogleHostError"

    def test_with_an_emulator(vertex_emulator):
        reach()
"""


def test_a_setting_guards_every_test_but_those_that_are_marked(pytester):
    result = run(pytester, ONE_REACHES, "--strict-markers", ini="vertex_guard = true\n")
    result.assert_outcomes(passed=1, failed=2)


def test_what_a_fixture_does_in_the_end_is_seen(pytester):
    code = """
    import socket
    import pytest

    @pytest.fixture
    def late():
        yield
        try:
            socket.getaddrinfo("aiplatform.googleapis.com", 443)
        except OSError:
            pass

    def test_late(vertex_guard, late):
        pass
    """
    run(pytester, code).assert_outcomes(passed=1, errors=1)


def test_without_the_setting_only_the_emulator_guards(pytester):
    run(pytester, ONE_REACHES).assert_outcomes(passed=2, failed=1)


def test_it_loads_nothing_and_hooks_nothing_where_it_is_not_used(pytester):
    code = """
    import sys

    def test_light():
        heavy = {"openai", "pydantic", "google", "aiohttp", "langchain_core", "llama_index", "httpx", "typer"}
        assert not heavy & {name.partition(".")[0] for name in sys.modules}
        plugin = sys.modules["vertex_compat_integrations.pytest_plugin"]
        assert not plugin.GUARD._is_hooked
    """
    run(pytester, code).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("host", "is_theirs"),
    [
        ("aiplatform.googleapis.com", True),
        ("AIPLATFORM.googleapis.com.", True),
        ("1234.us-central1-42.prediction.vertexai.goog", True),
        ("metadata.google.internal", True),
        ("accounts.google.com", True),
        ("169.254.169.254", True),
        ("127.0.0.1", False),
        ("notgoogleapis.com", False),
        ("googleapis.com.example.org", False),
        ("", False),
    ],
)
def test_what_counts_as_a_google_host(host, is_theirs):
    assert is_google(host) is is_theirs
