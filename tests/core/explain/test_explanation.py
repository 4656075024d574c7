"""An explanation is text for a person: the request as HTTP writes it, then the remarks."""

import pytest

from vertex_compat_integrations.core.explain.explanation import (
    Explanation,
    Remark,
    remark_on_thoughts,
    remarks_on_call,
)


def test_an_explanation_reads_like_a_request_and_then_its_remarks():
    explanation = Explanation(
        "https://host/v1/chat/completions",
        {"X-Mine": "1"},
        {"model": "m", "messages": [{"role": "user", "content": "Grüße"}]},
        (Remark("dropped", "store", "It is ignored."),),
    )
    head, body, remarks = str(explanation).split("\n\n")
    assert head == "POST https://host/v1/chat/completions\nX-Mine: 1"
    assert "Grüße" in body
    assert remarks == "dropped: store: It is ignored."


def test_arguments_of_a_call_that_are_no_options_are_dropped_by_name():
    remarks = remarks_on_call({"temprature": 1, "stream_options": {}, "stream_usage": True, "stop": ["x"]}, "Chat")
    assert [str(remark) for remark in remarks] == [
        "dropped: temprature: It is not an option of Chat.",
        "dropped: stream_options: Frameworks set it for other classes; it is not sent.",
    ]


@pytest.mark.parametrize("call", [{}, {"temprature": None}, {"metadata": None}])
def test_none_needs_no_remark(call):
    assert remarks_on_call(call, "Chat") == []


@pytest.mark.parametrize(("count", "remarks"), [(0, 0), (3, 1)])
def test_thoughts_that_stay_behind_are_counted(count, remarks):
    assert [remark.why[:1] for remark in remark_on_thoughts(count)] == [str(count)] * remarks
