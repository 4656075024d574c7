"""Item 10, the words: what the text of an error names in each situation, and with which step it ends. One table.

Each row causes the error as a user would, and says what the text must hold. Read it to review the wording.
"""

import ast
import json
import re
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel

import vertex_compat_integrations
from tests.promises.conftest import Authority
from vertex_compat_integrations import errors
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator, delay, hang, http_error, text
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"
LOGIN = "gcloud auth application-default login"
ADDRESS = "127.0.0.1:9"
"""Where nobody listens."""


class Stage(NamedTuple):
    """What a situation is made with."""

    emulator: Emulator
    serve: Callable[..., Any]
    authority: Authority
    monkeypatch: pytest.MonkeyPatch
    folder: Any

    def chat(self, model: str = MODEL, **settings: Any) -> Any:
        """Asks a chat model on the emulator, which retries nothing."""
        place = {"base_url": self.emulator.base_url(), "api_key": self.emulator.identity.issue()}
        return ask(model, **(place | settings))

    def google(self, model: str = MODEL, location: str = "global", **settings: Any) -> Any:
        """Asks a chat model at Google's own address, in whose place the emulator is."""
        self.monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", self.emulator.host)
        return ask(model, project="p", location=location, **settings)

    def adc(self, content: str | None) -> Any:
        """Asks with Application Default Credentials from a file of this content."""
        path = self.folder / "key.json"
        if content is not None:
            path.write_text(content)
        self.monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        return ask(MODEL, project="p")


def ask(model: str, **settings: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VertexCompatWarning)
        return ChatVertexCompat(**{"model": model, "max_retries": 0, **settings}).invoke("Hello")


class Answer(BaseModel):
    city: str


def refuse(code: int, message: str = "Resource exhausted.", **settings: Any) -> Callable[[Stage], Any]:
    """The endpoint refuses."""

    def cause(stage: Stage) -> Any:
        stage.emulator.rule(http_error(code, message))
        return stage.google(**settings)

    return cause


def unresolved(location: str) -> Callable[[Stage], Any]:
    """The location's host has no address."""

    def cause(stage: Stage) -> Any:
        def look(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(-2, "Name or service not known")

        stage.monkeypatch.setattr(socket, "getaddrinfo", look)
        return ask(MODEL, project="p", location=location, api_key="t")

    return cause


def unverified(stage: Stage) -> Any:
    server = stage.serve(tls=stage.authority.server_context())
    url = f"https://localhost:{server.port}/v1"
    return ask("m", base_url=url, api_key="t")


def predict(answer: str) -> Callable[[Stage], Any]:
    """LlamaIndex asks for an object, and the model gives something else."""

    def cause(stage: Stage) -> Any:
        stage.emulator.answer(text(answer))
        llm = VertexCompat(model=MODEL, base_url=stage.emulator.base_url(), api_key=stage.emulator.identity.issue())
        return llm.structured_predict(Answer, PromptTemplate("Where?"))

    return cause


def slow(fault: Callable[[], Any], **settings: Any) -> Callable[[Stage], Any]:
    def cause(stage: Stage) -> Any:
        stage.emulator.rule(fault())
        return stage.chat(**settings)

    return cause


def renewed(**settings: Any) -> Callable[[Stage], Any]:
    """The endpoint refuses the token."""

    def cause(stage: Stage) -> Any:
        stage.emulator.rule(http_error(401, "Request had invalid authentication credentials."))
        return stage.chat(**settings)

    return cause


CALL = {"name": "f", "args": {}, "id": "c1", "type": "tool_call"}


def trimmed_langchain(stage: Stage) -> Any:
    model = ChatVertexCompat(model=MODEL, base_url=stage.emulator.base_url(), api_key="t")
    return model.invoke([AIMessage("", tool_calls=[CALL]), ToolMessage("1", tool_call_id="c1")])


def trimmed_llama_index(stage: Stage) -> Any:
    llm = VertexCompat(model=MODEL, base_url=stage.emulator.base_url(), api_key="t")
    call = ToolCallBlock(tool_call_id="c1", tool_name="f", tool_kwargs={})
    return llm.chat([ChatMessage(role="assistant", blocks=[call]), ChatMessage(role="tool", content="1")])


class Row(NamedTuple):
    """A situation.

    Attributes:
        cause: Makes the error.
        kind: Its class.
        names: What the text holds.
        step: What the text ends with.
        never: What it must not hold.
    """

    cause: Callable[[Stage], Any]
    kind: type[Exception]
    names: tuple[str, ...]
    step: str
    never: tuple[str, ...] = ()


SETTINGS = errors.SettingsError
ROWS = {
    # No answer
    "nobody listens": Row(
        lambda stage: ask("m", base_url=f"http://{ADDRESS}/v1", api_key="t", max_retries=1),
        errors.ConnectionFailedError,
        (ADDRESS, "connection refused", "2 attempts in"),
        "Start the server, or correct base_url= and its port.",
    ),
    "a name that is not found": Row(
        unresolved("us-central1"),
        errors.ConnectionFailedError,
        ("us-central1-aiplatform.googleapis.com:443", "DNS name not found", "1 attempt in"),
        "where only a proxy resolves names, set HTTPS_PROXY.",
    ),
    "a region that is none": Row(
        unresolved("us-central"),
        errors.ConnectionFailedError,
        ("us-central-aiplatform.googleapis.com:443", "DNS name not found", "location='us-central' is not named"),
        "Pass location='us-central1'.",
    ),
    "a certificate of an unknown authority": Row(
        unverified,
        errors.ConnectionFailedError,
        ("localhost:", "certificate verify failed", "ca_bundle="),
        "the authority that signed its certificate.",
    ),
    "an emulator that is not there": Row(
        lambda stage: stage.monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", ADDRESS) or ask(MODEL),
        errors.ConnectionFailedError,
        (ADDRESS, "connection refused", "vertex-compat emulate"),
        "or unset VERTEX_COMPAT_EMULATOR_HOST.",
    ),
    "no answer in time": Row(
        slow(hang, timeout=0.3),
        errors.DeadlineExceededError,
        ("0.3 s", "host 127.0.0.1:", "1 attempt in "),
        "Raise timeout= (total) or gap_timeout= (between bytes).",
    ),
    "no byte in time": Row(
        slow(lambda: delay(5), gap_timeout=0.3),
        errors.DeadlineExceededError,
        ("sent nothing for 0.3 s", "127.0.0.1:", "1 attempt in "),
        "Raise timeout= (total) or gap_timeout= (between bytes).",
    ),
    # Credentials
    "a file of credentials that is not there": Row(
        lambda stage: stage.adc(None),
        errors.CredentialsError,
        (
            "GOOGLE_APPLICATION_CREDENTIALS names",
            "key.json",
            "the file does not exist",
            "unset GOOGLE_APPLICATION_CREDENTIALS",
        ),
        f"run `{LOGIN}`.",
    ),
    "a file of credentials that is no JSON": Row(
        lambda stage: stage.adc("{"), errors.CredentialsError, ("key.json", "it is not JSON"), f"run `{LOGIN}`."
    ),
    "a file without a type": Row(
        lambda stage: stage.adc("{}"), errors.CredentialsError, ("key.json", "no type"), f"run `{LOGIN}`."
    ),
    "a file of credentials that is incomplete": Row(
        lambda stage: stage.adc(json.dumps({"type": "service_account", "client_email": "a@b"})),
        errors.CredentialsError,
        ("key.json", "incomplete, without private_key, token_uri"),
        f"run `{LOGIN}`.",
    ),
    "a static token that has expired": Row(
        renewed(),
        errors.AuthenticationError,
        ("api_key= was refused", "cannot be refreshed", "gcloud auth print-access-token"),
        "leave api_key= out to use Application Default Credentials.",
        (LOGIN,),
    ),
    "a callable's token that has expired": Row(
        renewed(api_key=None, credentials=lambda: "old"),
        errors.AuthenticationError,
        ("credentials callable", "fresh"),
        "the time of its expiry, in seconds since 1970.",
        (LOGIN,),
    ),
    "another service's key": Row(
        lambda stage: ask(MODEL, project="p", api_key="sk-secret"),
        ValueError,
        ("an API key of OpenAI's form (sk-…)", "Application Default Credentials", "base_url="),
        "",
        ("secret",),
    ),
    # What is asked for is not there
    "a project that is not there": Row(
        refuse(404, "Project 'projects/p' not found or deleted."),
        errors.NotFoundError,
        ("project p", "project=", "GOOGLE_CLOUD_PROJECT"),
        "`gcloud projects list` shows yours.",
        ("model's name",),
    ),
    "a model that is not served here": Row(
        refuse(404, "Publisher Model `x` was not found.", location="us-west1"),
        errors.NotFoundError,
        ("location us-west1", "served at global, us, eu"),
        "pass location='global'.",
    ),
    "a slip in a model's name": Row(
        refuse(404, "Publisher Model `x` was not found.", model="google/gemini-3.5-flahs"),
        errors.NotFoundError,
        ("google/gemini-3.5-flahs",),
        "Did you mean model='google/gemini-3.5-flash'?",
    ),
    "a model that has retired": Row(
        refuse(404, "Publisher Model `x` was not found.", model_facts={"retires": "2025-01", "replacement": "a/b"}),
        errors.NotFoundError,
        ("retired on 2025-01", "by Google's pages"),
        "use a/b.",
        ("announced",),
    ),
    "a model that is to retire": Row(
        refuse(404, "Publisher Model `x` was not found.", model_facts={"retires": "2999-01", "replacement": "a/b"}),
        errors.NotFoundError,
        ("announced to retire on 2999-01",),
        "use a/b.",
    ),
    "no capacity at global": Row(
        refuse(429),
        errors.RateLimitError,
        ("location global", "1 attempt in", "locations=['global', 'us', 'eu']"),
        "or provisioned throughput.",
        ("use location='global'",),
    ),
    "no capacity in a region": Row(
        refuse(429, location="europe-west2"),
        errors.RateLimitError,
        ("location europe-west2", "use location='global'", "locations=['europe-west2', 'global', 'us']"),
        "or provisioned throughput.",
    ),
    "no capacity at any of several": Row(
        refuse(429, location=None, locations=("us", "eu"), max_retries=1),
        errors.RateLimitError,
        ("Tried one after the other: us (429), eu (429).", "2 attempts in"),
        "or provisioned throughput.",
        ("locations=",),
    ),
    # What is asked for cannot be
    "OpenAI's model": Row(
        lambda stage: stage.google("gpt-4o"),
        ValueError,
        ("gpt-4o is a model of OpenAI's", "use model='google/gemini-"),
        "",
        ("llama",),
    ),
    "Anthropic's model": Row(
        lambda stage: stage.google("claude-sonnet-4-5"), ValueError, ("Anthropic's", "use model='google/gemini-"), ""
    ),
    "a slip in a name without publisher": Row(
        lambda stage: stage.google("gemni-3.5-flash"),
        ValueError,
        ("Did you mean model='google/gemini-3.5-flash'?",),
        "",
    ),
    "a JSON schema without title": Row(
        lambda stage: ChatVertexCompat(model=MODEL, project="p").with_structured_output(
            {"type": "object", "properties": {"city": {"type": "string"}}}
        ),
        SETTINGS,
        ('no "title"', "which is its name in the request"),
        '{"title": "Answer", …}.',
        ("Unsupported",),
    ),
    "an answer that is no JSON": Row(
        predict("Paris, I think."),
        errors.InvalidAnswerError,
        ("The answer is not a valid Answer", "it is not JSON", "Paris, I think."),
        "or take a model that keeps to schemas.",
    ),
    "an answer of another schema": Row(
        predict('{"town": "Paris"}'),
        errors.InvalidAnswerError,
        ("The answer is not a valid Answer", "city: Field required"),
        "or take a model that keeps to schemas.",
    ),
    "a history cut in the middle, in LangChain": Row(
        trimmed_langchain,
        errors.HistoryError,
        ("begins with a tool call", "before a user message", "trim_messages(start_on='human') does so."),
        "a user message before it says that the beginning is missing.",
    ),
    "a history cut in the middle, in LlamaIndex": Row(
        trimmed_llama_index,
        errors.HistoryError,
        ("begins with a tool call", "before a user message"),
        "a user message before it says that the beginning is missing.",
        ("trim_messages", "LangChain"),
    ),
}


STEPS = re.findall(
    r"\w+",
    """
add annotate answer ask begin bind build call change check choose contact copy correct create cut drop embed enable
encode give grant ignore install keep leave let look lower make mend move name open pass put raise read remove rename
repeat replace request retry return run save see send set shorten simplify split start strip switch take trim turn
unset use wait write
""",
)
"""With what a next step begins."""


def ends_with_a_step(text: str) -> bool:
    """Whether the last sentence tells what to do, or asks whether the right word was meant."""
    sentence = re.split(r"(?<=[.?!)…]) (?=[A-Z`])", text.strip())[-1]
    if sentence.startswith("Did you mean ") and sentence.endswith("?"):
        return True
    clauses = re.split(r"[,;:] | \(", sentence)
    first_words = [re.sub(r"^(?:or|and|then|else) ", "", clause.lower()).partition(" ")[0] for clause in clauses]
    return any(word.rstrip(".") in STEPS for word in first_words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is wrong. Pass model='x'.", True),
        ("It is wrong: see README.md.", True),
        ("Check project=; `gcloud projects list` shows yours.", True),
        ("Where only a proxy resolves names, set HTTPS_PROXY.", True),
        ("Unknown argument x=. Did you mean y=?", True),
        ("Pass model='x'. It is served at global.", False),
        ("Known are a, b.", False),
        ("The settings are wrong.", False),
    ],
)
def test_what_a_next_step_is(text, expected):
    assert ends_with_a_step(text) is expected


@pytest.fixture
def stage(emulator, serve, authority, monkeypatch, tmp_path) -> Stage:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"):
        monkeypatch.delenv(name, raising=False)
    return Stage(emulator, serve, authority, monkeypatch, tmp_path)


@pytest.mark.parametrize("situation", ROWS)
@pytest.mark.filterwarnings("ignore::vertex_compat_integrations.errors.VertexCompatWarning")
def test_the_text_names_what_is_needed_and_ends_with_the_next_step(stage, loop_for_synchronous_tests, situation):
    row = ROWS[situation]
    with pytest.raises(row.kind) as caught:
        row.cause(stage)
    words = str(caught.value)
    assert [name for name in row.names if name not in words] == [], words
    assert [name for name in row.never if name in words] == [], words
    assert words.endswith(row.step), words
    assert ends_with_a_step(words), words


PACKAGE = Path(vertex_compat_integrations.__file__).parent


def written_hints() -> Iterator[tuple[str, str]]:
    """Where a hint is written out in the package, and its words; what is put into them is `…`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        hints = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "hint"]
        for hint in hints:
            value = constants.get(hint.id, hint) if isinstance(hint, ast.Name) else hint
            for each in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
                if text := words_of(each):
                    yield f"{path.relative_to(PACKAGE)}:{each.lineno}", text


def words_of(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_each_hint_in_the_package_ends_with_a_next_step():
    hints = list(written_hints())
    assert len(hints) > 150
    # A sentence that is made elsewhere is looked at there.
    assert [hint for hint in hints if not ends_with_a_step(hint[1]) and not hint[1].endswith(" …")] == []


def test_each_class_of_errors_has_a_hint_that_is_a_next_step():
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.VertexCompatError)
    ]
    hints = {kind.__name__: kind.default_hint for kind in kinds if kind.default_hint}
    assert len(hints) > 10
    assert {name: hint for name, hint in hints.items() if not ends_with_a_step(hint)} == {}


def test_an_unknown_location_is_warned_of_once_with_the_nearest(emulator, monkeypatch):
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
    model = ChatVertexCompat(model=MODEL, project="p", location="europe-west44", model_facts={"locations": []})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.invoke("Hello")
        model.invoke("Hello")
    texts = [str(each.message) for each in told if "europe-west44" in str(each.message)]
    assert texts == ["location='europe-west44' is not named on Google's pages; the nearest is 'europe-west4'."]
