"""Checks that ask the model: a call, a stream, a tool turn with its signature."""

from types import SimpleNamespace

import pytest

from tests.cli.doctor.examining import at, case_for, failed_only, run
from vertex_compat_integrations.cli.doctor import case as case_module
from vertex_compat_integrations.cli.doctor.case import CALL_SECONDS
from vertex_compat_integrations.core.transport import on_demand
from vertex_compat_integrations.emulator import (
    completion,
    cut,
    html,
    http_error,
    redirect,
    text,
    tool_call,
)

DISABLED = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}


@pytest.mark.parametrize(
    ("fault", "said", "paste"),
    [
        (http_error(401, "Bad token."), "401", "gcloud auth application-default login"),
        (http_error(403, "Denied."), "403", "gcloud projects add-iam-policy-binding"),
        (http_error(403, "Disabled.", details=[DISABLED]), "403", "gcloud services enable aiplatform.googleapis.com"),
        (http_error(404, "Not here."), "404", "--location global"),
        (http_error(429), "429", "--location global"),
        (http_error(503, "Down."), "503", "curl -sv"),
        (html(), "HTML page", "curl -sv"),
        (redirect("http://127.0.0.1:9/"), "", "curl -sv"),
    ],
    ids=["401", "403", "disabled", "404", "429", "503", "page", "redirect"],
)
def test_a_call_that_is_refused(emulator, fault, said, paste):
    emulator.rule(fault, when=lambda body: not body.get("stream") and not body.get("tools"))
    finding = failed_only(run(*at(emulator)), "call")
    assert said in finding["text"]
    assert paste in finding["paste"]


def test_no_time_goes_by_while_the_sdk_is_loaded(emulator, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(case_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(case_module.on_demand, "load", lambda _: now.__setitem__(0, 9.0))
    case = case_for(base_url=emulator.base_url(), deadline=10.0)
    with case.client() as client:
        assert (case.deadline, client._calls.connection.timeout) == (19.0, CALL_SECONDS)


def test_the_sdk_is_loaded_before_the_call_has_its_time(emulator, monkeypatch):
    monkeypatch.delattr(on_demand, "pool", raising=False)
    with case_for(base_url=emulator.base_url()).client():
        assert on_demand.is_loaded("pool")


def test_a_stream_that_breaks_off(emulator):
    emulator.rule(cut(1, "clean"), when=lambda body: bool(body.get("stream")))
    finding = failed_only(run(*at(emulator)), "stream")
    assert "without a finish reason" in finding["text"]


def unsigned_call():
    function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    message = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]}
    return completion({"choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]})


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([text("It rains.")], "called no tool"),
        ([unsigned_call()], "has no thought signature"),
        ([tool_call("get_weather", {"city": "Paris"}), http_error(400, "Refused.")], "400"),
    ],
    ids=["no call", "no signature", "second turn"],
)
def test_a_tool_turn_that_goes_wrong(emulator, answers, said):
    emulator.rule(answers, when=lambda body: bool(body.get("tools")))
    assert said in failed_only(run(*at(emulator)), "tool turn")["text"]
