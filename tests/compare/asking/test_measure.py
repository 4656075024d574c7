"""What is noted of an answer: times, tokens, requests as they went over the wire, what was sent, and no secret."""

import asyncio
import importlib.util
import threading

import pytest

pytest.importorskip("genai_prices", reason="the extra compare is not installed")

from vertex_compat_integrations.compare.asking.application import LoopThread, question
from vertex_compat_integrations.compare.asking.measure import ask_all, closing_all, judge, measure, remarks_on
from vertex_compat_integrations.compare.asking.schema_check import Schema
from vertex_compat_integrations.compare.plan import Prompt, Task, build_tasks
from vertex_compat_integrations.emulator import delay, http_error, text, tool_call

MODEL = "google/gemini-3.5-flash"
PROMPT = Prompt("1", "Why is the sky blue?")
TASK = Task("m", PROMPT, 1)
needs_stock_class = pytest.mark.skipif(
    importlib.util.find_spec("langchain_openai") is None, reason="langchain-openai is not installed"
)
PROVIDERS = [
    pytest.param("vertex_compat", id="vertex_compat"),
    pytest.param("openai", id="openai", marks=needs_stock_class),
]


def _answer(contender, application=None, schema=None, task=TASK):
    seen = measure(task, contender, application or question(schema))
    return judge(seen, contender, schema)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_has_its_text_times_tokens_and_price(contender, emulator, provider):
    emulator.answer(text("Blue light is scattered."))
    found = _answer(contender(provider))
    entry = emulator.journal.last
    assert entry.body["stream"] is True
    assert (found.text, found.error) == ("Blue light is scattered.", None)
    assert 0 < found.first_token_seconds <= found.seconds
    assert (found.calls, found.requests, found.retries) == (1, 1, 0)
    assert found.usage.input > 0
    assert found.usage.output > 0
    assert found.usage.thought > 0
    # The emulator's mark stands where only our class tells it; OpenAI sells no Gemini.
    assert found.emulated is (provider == "vertex_compat")
    assert (found.cost is None) is (provider == "openai")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_requests_are_those_of_the_wire(contender, emulator, provider):
    again = {"Retry-After": "0", "retry-after-ms": "1"}
    emulator.answer(http_error(503, headers=again), http_error(429, headers=again), text("Blue."))
    found = _answer(contender(provider))
    assert [entry.status for entry in emulator.journal.chat] == [503, 429, 200]
    assert (found.text, found.calls, found.requests, found.retries) == ("Blue.", 1, 3, 2)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_failure_is_an_answer_with_its_reason(contender, emulator, provider):
    emulator.answer(http_error(403))
    found = _answer(contender(provider))
    assert found.text == ""
    assert "403" in found.error
    assert (found.usage, found.cost, found.validity, found.requests) == (None, None, None, 1)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_time_to_the_first_token_is_that_of_the_first_word(contender, emulator, provider):
    """A chunk that says nothing, as OpenAI's first one, is no token."""
    emulator.answer(delay(0.2, text("Blue light is scattered by the air.")))
    found = _answer(contender(provider))
    assert 0.2 <= found.first_token_seconds <= found.seconds


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_schema_is_sent_and_checked(contender, emulator, provider):
    schema = Schema({"title": "Age", "type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]})
    emulator.answer(text('{"age": 36}'), text('{"age": "36"}'))
    one = contender(provider)
    first, second = (_answer(one, schema=schema) for _ in range(2))
    assert first.validity.is_valid
    assert second.validity.reason == "$.age: '36' is not of type 'integer'"
    assert emulator.journal.last.body["response_format"]["json_schema"]["name"] == "Age"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_application_may_call_often_and_ways_of_its_own(contender, emulator, provider):
    """Calls in threads of LangChain's, and a tool that is bound, count for the answer."""

    def application(model, prompt):
        def tell(city: str) -> str:
            """Tell of a city."""
            return city

        called = model.bind_tools([tell]).invoke(prompt)
        texts = model.batch(["a", "b", "c"])
        return {"tool": called.tool_calls[0]["name"], "texts": [message.text for message in texts]}

    emulator.answer(tool_call("tell", {"city": "Paris"}), text("x"), text("x"), text("x"))
    found = _answer(contender(provider), application)
    assert found.text == '{"tool":"tell","texts":["x","x","x"]}'
    assert (found.calls, found.requests) == (4, 4)
    assert found.first_token_seconds < found.seconds


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_application_may_be_asynchronous(contender, emulator, provider):
    """Its answers share one event loop, on which the connections of the stock class live, too."""

    async def application(model, prompt):
        one, two = await asyncio.gather(model.ainvoke(prompt), model.ainvoke(prompt))
        return one.text + two.text

    emulator.rule(text("x"), when=lambda body: True)
    one, loop = contender(provider), LoopThread()
    tasks = build_tasks(["m"], [Prompt(str(number), "?") for number in range(6)], 1)
    with closing_all({"m": one}, loop):
        answers = [judge(seen, one, None) for seen in ask_all(tasks, {"m": one}, loop.synchronous(application), 3)]
    assert [(found.text, found.calls, found.requests) for found in answers] == [("xx", 2, 2)] * 6
    assert all(found.first_token_seconds < found.seconds for found in answers)
    assert not loop.is_running


def test_requests_of_threads_that_carry_no_context_are_unknown(contender, emulator):
    """They are not counted, so no number is given."""

    def application(model, prompt):
        said = []
        thread = threading.Thread(target=lambda: said.append(model.invoke(prompt).text))
        thread.start()
        thread.join()
        return said[0]

    emulator.answer(text("x"))
    found = _answer(contender(), application)
    assert (found.text, found.calls, found.requests, found.retries) == ("x", 1, None, None)


def test_an_application_that_fails_is_a_failure_of_that_answer(contender):
    def application(model, prompt):
        raise RuntimeError("out of order")

    found = _answer(contender(), application)
    assert (found.error, found.calls, found.requests, found.cost) == ("RuntimeError: out of order", 0, 0, None)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_answers_at_a_time_do_not_mix_their_requests(contender, emulator, provider):
    emulator.rule(text("x"), when=lambda body: True)
    emulator.answer(*(http_error(503, headers={"Retry-After": "0", "retry-after-ms": "1"}) for _ in range(3)))
    one = contender(provider, max_retries=5)
    tasks = build_tasks(["m"], [Prompt(str(number), "?") for number in range(12)], 1)
    seen = list(ask_all(tasks, {"m": one}, question(None), 6))
    answers = [judge(observation, one, None) for observation in seen]
    assert sorted(answer.task.prompt.name for answer in answers) == sorted(task.prompt.name for task in tasks)
    assert {answer.text for answer in answers} == {"x"}
    assert sum(answer.requests for answer in answers) == len(emulator.journal.chat) == 15
    assert sum(answer.retries for answer in answers) == 3


def test_whoever_stops_listening_begins_no_further_task(contender, emulator):
    tasks = build_tasks(["m"], [Prompt(str(number), "?") for number in range(30)], 1)
    answers = ask_all(tasks, {"m": contender()}, question(None), 2)
    next(answers)
    answers.close()
    assert len(emulator.journal.chat) <= 3


@pytest.mark.filterwarnings("ignore:store is ignored")
def test_what_was_sent_and_what_became_of_the_settings_is_told(contender, emulator):
    one = contender(store=True, thinking="low")
    seen = [measure(TASK, one, lambda model, prompt: model.bind(temperature=0.25).invoke(prompt))]
    assert seen[0].tally.first_body == emulator.journal.last.body
    remarks = remarks_on(one, seen)
    assert any(remark.startswith("dropped: store:") for remark in remarks)
    assert not any("temperature," in remark for remark in remarks), "it was bound, so no default took its place"


@needs_stock_class
def test_of_the_stock_class_the_body_is_known_and_no_remark(contender, emulator):
    one = contender("openai", temperature=0.5)
    seen = [measure(TASK, one, question(None))]
    assert seen[0].tally.first_body == emulator.journal.last.body
    assert seen[0].tally.first_body["temperature"] == 0.5
    assert remarks_on(one, seen) is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_secret_stands_in_what_is_noted(contender, emulator, provider):
    """Neither where an application says it, nor where a service repeats it in its error."""
    secret, header = "ya29.very-secret-token-of-mine", "header-secret-1234"
    settings = {"api_key": secret, "default_headers": {"x-mine": f"Bearer {header}"}}
    one = contender(provider, **settings)
    found = _answer(one, lambda model, prompt: f"{secret} and {header}")
    assert found.text == "<redacted> and <redacted>"

    def repeat(model, prompt):
        raise ValueError(f"Incorrect API key provided: sk-proj-abc****wxyz and {header} and {secret}")

    found = _answer(one, repeat)
    assert found.error == "ValueError: Incorrect API key provided: <redacted> and <redacted> and <redacted>"
    refused = _answer(one)
    assert "401" in refused.error
    assert secret not in repr(refused)
    assert secret not in repr(one)


def test_a_secret_is_not_cut_before_it_is_taken_out(contender):
    secret = "token-" + "s" * 700

    def repeat(model, prompt):
        raise ValueError(f"refused: {secret}")

    assert "ssss" not in _answer(contender(api_key=secret), repeat).error
