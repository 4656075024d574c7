"""Item 12: a token shows nowhere but in the header itself.

LangChain's own sinks are tested in `tests/langchain/test_serialisation.py`, too.
"""

import io
import logging
import os
import pickle
import re
import subprocess
import sys
import threading
import traceback

import cloudpickle
import pytest
from google.oauth2.credentials import Credentials

from tests.promises.entry_points import (
    CORE,
    EVERY_FRAMEWORK,
    EVERY_FRONTEND,
    MODEL,
    PROMPT,
    TOKEN,
    WAYS,
    Frontend,
    LangChain,
    LlamaIndex,
)
from tests.support.busy_machine import LONG_SECONDS, eventually
from tests.support.fault_answers import cut, drip, error, hang_up, html, redirect
from vertex_compat_integrations.core.errors import AuthenticationError, SettingsError, VertexCompatError
from vertex_compat_integrations.emulator import Emulator

CANARY = "ya29.canary-in-the-coal-mine"
LIBRARIES = (
    *("openai", "httpx", "httpx2", "httpcore", "httpcore2", "google", "urllib3", "requests", "asyncio", "aiohttp"),
    *("langchain", "langchain_core", "langsmith", "llama_index", "vertex_compat_integrations"),
)


def canary():
    """A caller's own source of tokens."""
    return CANARY


KINDS = {
    "static": lambda: {"api_key": CANARY},
    "callable": lambda: {"credentials": canary},
    "object": lambda: {"credentials": Credentials(token=CANARY)},
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def model(request, server, frontend, kind):
    ends_late = request.node.callspec.params.get("fault") is FAULTS["dripped"]
    return frontend.door.make(
        base_url=server.base_url, allow_hosts=[server.origin], max_retries=1, timeout=0.6 if ends_late else 30,
        retry_budget=False, **KINDS[kind](),
    )  # fmt: skip


def shown_by(model):
    """All that frameworks, debuggers and users turn an object into."""
    makers = ("model_dump", "model_dump_json", "to_dict", "to_json", "dict", "json", "asdict", "to_payload", "metadata")
    shown = {"repr": repr(model), "str": str(model), "format": f"{model!r:>5} {model}"}
    for name in makers:
        made = getattr(model, name, None)
        shown[name] = repr(made() if callable(made) else made)
    if hasattr(model, "lc_id"):
        from langchain_core.load import dumps

        shown["dumps"] = dumps(model)
    shown["pickle"] = repr(pickle.dumps(model))
    shown["cloudpickle"] = repr(cloudpickle.dumps(model))
    return shown


@EVERY_FRAMEWORK
@EVERY_KIND
@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_in_nothing_that_an_object_turns_into(server, frontend, kind, model):
    before = shown_by(model)
    frontend.ask(model, "plain")
    assert server.tokens == [CANARY], "the canary is alive"
    for name, text in (before | {f"{name} after a call": text for name, text in shown_by(model).items()}).items():
        assert CANARY not in text, name
        assert "canary-in" not in text, name


def locals_of(error, package="/"):
    """The locals of an error's frames, its causes and contexts included; but for the tests', which know the canary."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    chain, shown = [told], []
    while chain:
        each = chain.pop()
        chain += [linked for linked in (each.__cause__, each.__context__) if linked is not None]
        shown += [
            repr(frame.locals) for frame in each.stack if "/tests/" not in (name := frame.filename) and package in name
        ]
    return "".join(shown)


FAULTS = {
    "401": error(401, "Request had invalid authentication credentials."),
    "400": error(400),
    "page": html(),
    "redirect": redirect("https://elsewhere.invalid/"),
    "hung up": hang_up,
    "cut": cut("in_chunk"),
    "dripped": drip(),
}


@EVERY_FRONTEND
@EVERY_KIND
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_in_no_error_not_even_with_the_locals_of_every_frame(server, frontend, kind, model, fault):
    server.rule = fault
    frontend.hasten(model)
    for way in ("plain", "astream"):
        with pytest.raises(VertexCompatError) as caught:
            frontend.ask(model, way)
        assert CANARY not in locals_of(caught.value), way
        assert CANARY not in str(caught.value) + repr(vars(caught.value)) + repr(pickle.dumps(caught.value)), way
    assert eventually(lambda: CANARY in server.tokens)


@EVERY_FRONTEND
@pytest.mark.parametrize("wrong", [{"credentials": canary}, {"impersonate_service_account": "a@b.example"}])
def test_in_no_error_about_settings(frontend, wrong):
    with pytest.raises((SettingsError, ValueError)) as caught:
        frontend.ask(frontend.door.make(base_url="https://h.example/v1", api_key=CANARY, **wrong), "plain")
    assert CANARY not in locals_of(caught.value) + str(caught.value)


@EVERY_FRONTEND
@EVERY_KIND
def test_in_no_log_of_any_library(server, frontend, kind, model, caplog):
    for name in LIBRARIES:
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)
    for way in WAYS:
        frontend.ask(model, way)
    server.rule = error(401)
    with pytest.raises(VertexCompatError):
        frontend.ask(model, "plain")
    assert CANARY in server.tokens
    assert any(record.name.startswith(("openai", "httpcore")) for record in caplog.records), "they do log"
    assert CANARY not in caplog.text
    assert all(CANARY not in repr(vars(record)) for record in caplog.records)


@EVERY_FRONTEND
def test_neither_token_nor_prompt_is_logged_by_this_package(server, frontend, caplog):
    caplog.set_level(logging.DEBUG, logger="vertex_compat_integrations")
    frontend.ask(frontend.build(server), "plain")
    server.rule = error(401)
    with pytest.raises(VertexCompatError):
        frontend.ask(frontend.build(server), "stream")
    ours = [repr(vars(record)) for record in caplog.records if record.name.startswith("vertex_compat_integrations")]
    assert PROMPT not in "".join(ours)
    assert TOKEN not in "".join(ours)


@EVERY_KIND
def test_in_nothing_that_langsmith_is_sent(server, serve, kind):
    langsmith = pytest.importorskip("langsmith")
    tracers = pytest.importorskip("langchain_core.tracers")
    from tests.support.fault_answers import body
    from vertex_compat_integrations.langchain import ChatVertexCompat

    collector = serve(body(b"{}"))
    client = langsmith.Client(api_url=collector.origin, api_key="k", auto_batch_tracing=False)
    tracer = tracers.LangChainTracer(client=client)
    model = ChatVertexCompat(
        model=MODEL, base_url=server.base_url, allow_hosts=[server.origin], max_retries=0, **KINDS[kind]()
    )
    model.invoke(PROMPT, {"callbacks": [tracer]})
    server.rule = error(401)
    with pytest.raises(VertexCompatError):
        model.invoke(PROMPT, {"callbacks": [tracer]})
    # The start and the end of two runs.
    assert eventually(lambda: len(collector.requests) >= 4), "runs are sent"
    sent = b"".join(request.body for request in collector.requests)
    assert PROMPT.encode() in sent
    assert CANARY.encode() not in sent
    assert CANARY in server.tokens


@EVERY_KIND
@pytest.mark.parametrize("way", WAYS)
def test_in_nothing_that_langchains_callbacks_are_told(server, kind, way):
    """Observers, OpenTelemetry's among them, see these payloads and no others."""
    callbacks = pytest.importorskip("langchain_core.callbacks")
    from vertex_compat_integrations.langchain import ChatVertexCompat

    heard = []

    class Listener(callbacks.BaseCallbackHandler):
        def on_chat_model_start(self, serialized, messages, **more):
            heard.append(("start", repr((serialized, messages, more))))

        def on_llm_new_token(self, token, **more):
            heard.append(("token", repr((token, more))))

        def on_llm_end(self, response, **more):
            heard.append(("end", repr((response, more))))

        def on_llm_error(self, failure, **more):
            heard.append(("error", repr((failure, vars(failure), more)) + locals_of(failure)))

    frontend = Frontend(LangChain())
    model = ChatVertexCompat(
        model=MODEL, base_url=server.base_url, allow_hosts=[server.origin], max_retries=0, callbacks=[Listener()],
        **KINDS[kind](),
    )  # fmt: skip
    frontend.ask(model, way)
    server.rule = error(401)
    with pytest.raises(VertexCompatError):
        frontend.ask(model, way)
    assert {"start", "end", "error"} <= {name for name, _ in heard}
    assert PROMPT in heard[0][1]
    assert CANARY in server.tokens
    assert CANARY not in "".join(text for _, text in heard)


@EVERY_KIND
def test_in_no_event_and_no_span_of_llama_index(server, kind):
    pytest.importorskip("llama_index")
    from llama_index.core.instrumentation import get_dispatcher
    from llama_index_instrumentation.event_handlers import BaseEventHandler
    from llama_index_instrumentation.span.simple import SimpleSpan
    from llama_index_instrumentation.span_handlers import BaseSpanHandler

    heard, spans = [], []

    class Spans(BaseSpanHandler[SimpleSpan]):
        """What a tracer makes attributes of: the calls' arguments, their objects, results and errors."""

        def new_span(self, id_, bound_args, instance=None, **more):
            spans.append(repr((id_, bound_args.arguments, instance, more)))
            return SimpleSpan(id_=id_)

        def prepare_to_exit_span(self, id_, bound_args, instance=None, result=None, **_):
            spans.append(repr((bound_args.arguments, instance, result)))
            return SimpleSpan(id_=id_)

        def prepare_to_drop_span(self, id_, bound_args, instance=None, err=None, **_):
            spans.append(repr((bound_args.arguments, instance, err, vars(err))))
            return SimpleSpan(id_=id_)

    class Listener(BaseEventHandler):
        def handle(self, event, **_):
            heard.append(repr(event) + event.model_dump_json(fallback=repr))

    frontend = Frontend(LlamaIndex())
    dispatcher = get_dispatcher()
    listener, tracer = Listener(), Spans()
    dispatcher.add_event_handler(listener)
    dispatcher.add_span_handler(tracer)
    try:
        model = frontend.door.make(
            base_url=server.base_url, allow_hosts=[server.origin], max_retries=0, **KINDS[kind]()
        )
        for way in WAYS:
            frontend.ask(model, way)
        server.rule = error(400)
        with pytest.raises(VertexCompatError):
            frontend.ask(model, "plain")
    finally:
        dispatcher.event_handlers.remove(listener)
        dispatcher.span_handlers.remove(tracer)
    assert heard
    assert any(PROMPT in span for span in spans)
    assert any("InvalidRequestError" in span for span in spans)
    assert CANARY in server.tokens
    assert CANARY not in "".join([*heard, *spans])


def test_in_no_output_of_the_emulator(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with Emulator() as emulator:
        token = emulator.identity.issue()
        CORE.ask(CORE.door.make(base_url=emulator.base_url(), api_key=token), "plain")
        shown = repr(emulator.journal.chat) + repr(emulator.journal.last) + repr(emulator.identity)
    assert token not in caplog.text + "".join(capfd.readouterr())
    assert emulator.journal.last.headers["authorization"] == f"Bearer {token}", "who asks for the header itself gets it"
    assert token not in shown


def test_in_no_output_of_the_command(tmp_path):
    pytest.importorskip("typer")
    command = [sys.executable, "-m", "vertex_compat_integrations", "emulate", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    output = io.StringIO()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        reader = threading.Thread(target=lambda: output.writelines(process.stdout), daemon=True)
        reader.start()
        try:
            url = shown(r"http://127\.0\.0\.1:\d+", output) + "/v1/projects/p/locations/global/endpoints/openapi"
            with pytest.raises(AuthenticationError):
                CORE.ask(CORE.door.make(base_url=url, api_key=CANARY, max_retries=0), "plain")
            shown("POST .*/chat/completions 401", output)
        finally:
            process.terminate()
            process.wait(LONG_SECONDS)
            reader.join(LONG_SECONDS)
    assert CANARY not in output.getvalue()


def shown(pattern, output):
    """What the output comes to hold."""
    assert eventually(lambda: re.search(pattern, output.getvalue())), output.getvalue()
    return re.search(pattern, output.getvalue())[0]
