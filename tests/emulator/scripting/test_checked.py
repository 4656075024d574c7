"""A helper that is called wrongly says so at once, by the argument's name."""

from collections.abc import Callable

import pytest

from vertex_compat_integrations.emulator import (
    Emulator,
    call,
    chunks,
    cut,
    delay,
    drip,
    error_in_stream,
    html,
    http_error,
    judge,
    raw,
    redirect,
    text,
    tool_call,
    tool_calls,
)


@pytest.mark.parametrize(
    ("helper", "words"),
    [
        (lambda: html("<h1>"), "html.*code: .*integer"),
        (lambda: html(200, 5), "message: .*string"),
        (lambda: http_error("403"), "code: .*integer"),
        (lambda: http_error(200), "code: .*400"),
        (lambda: http_error(500, details={"a": 1}), "details"),
        (lambda: http_error(500, shape="xml"), "shape"),
        (lambda: delay(-1), "seconds: .*0"),
        (lambda: delay("1"), "seconds"),
        (lambda: delay(1, "late"), "then: .*Answer"),
        (lambda: drip(float("inf")), "seconds_between: .*finite"),
        (lambda: cut(True), "after_chunks"),
        (lambda: cut(how="bang"), "how: .*'close', 'reset'"),
        (lambda: error_in_stream(code=200), "code"),
        (lambda: redirect(302), "url: .*string"),
        (lambda: redirect("/there", 200), "code"),
        (lambda: text(None), "content: .*string"),
        (lambda: text("a", thougts="b"), "thougts: Unexpected"),
        (lambda: tool_call("look"), "arguments: Missing"),
        (lambda: tool_call("look", ["a"]), "arguments"),
        (lambda: tool_calls(call("look", {})), "calls"),
        (lambda: chunks("abc"), "bodies"),
        (lambda: raw("x", status=9999), "status"),
        (lambda: judge(80), "score: .*1"),
        (lambda: judge(0.5, 3), "feedback: .*string"),
    ],
)
def test_a_wrong_argument_is_named(helper: Callable[[], object], words: str):
    with pytest.raises(ValueError, match=words):
        helper()


def test_what_is_no_answer_is_refused_where_it_is_scripted():
    emulator = Emulator()
    for script in (emulator.answer, emulator.rule):
        with pytest.raises(TypeError, match=r"'H\w*' is not an answer"):
            script("Hello")


@pytest.mark.parametrize(
    ("code", "words"),
    [(403, "does not have permission"), (404, "not found"), (429, "exhausted"), (500, "Internal"), (418, "failed")],
)
def test_an_error_says_what_google_says_to_its_code(code: int, words: str):
    assert words in http_error(code).content.body.decode()
