"""Standard tests: what goes wrong is told, and nothing is asked more often than it should be."""

import pytest

from tests.llama_index.standard.base import Group, ask, each_stream, each_way, user
from vertex_compat_integrations import emulator as emulated

QUICK = {"Retry-After": "0"}


class ErrorTests(Group):
    @each_way
    @pytest.mark.parametrize("code", [429, 503])
    async def test_no_more_requests_than_were_allowed(self, emulator, code, way):
        llm = self.build(emulator, max_retries=1)
        emulator.rule(emulated.http_error(code, headers=QUICK))
        with pytest.raises(Exception):  # noqa: B017, PT011 - any class will do; the count matters
            await ask(llm, way, [user("Hello")])
        assert len(emulator.journal.chat) == 2

    @each_way
    async def test_a_refusal_for_a_moment_is_overcome(self, emulator, way):
        llm = self.build(emulator, max_retries=1)
        emulator.answer(emulated.http_error(429, headers=QUICK), emulated.text("Yes."))
        assert (await ask(llm, way, [user("Hello")]))[-1].message.content == "Yes."

    @each_way
    async def test_an_error_tells_the_services_words_and_code(self, llm, emulator, way):
        emulator.rule(emulated.http_error(404, "Publisher Model `m` was not found.", status="NOT_FOUND"))
        with pytest.raises(Exception, match="was not found") as caught:
            await ask(llm, way, [user("Hello")])
        assert 404 in (getattr(caught.value, "code", None), getattr(caught.value, "status_code", None))

    @each_way
    async def test_an_errors_canonical_status_can_be_read(self, llm, emulator, way):
        emulator.rule(emulated.http_error(404, "Publisher Model `m` was not found.", status="NOT_FOUND"))
        with pytest.raises(Exception, match="was not found") as caught:
            await ask(llm, way, [user("Hello")])
        assert getattr(caught.value, "status", None) == "NOT_FOUND"

    @each_stream
    @pytest.mark.parametrize("shape", ["bare_list", "sse_list", "sse_dict"])
    async def test_an_error_in_a_stream_is_raised(self, emulator, way, shape):
        llm = self.build(emulator, max_retries=0)
        emulator.answer(emulated.error_in_stream(2, shape, then=emulated.text("one two three four five six")))
        with pytest.raises(Exception, match="cancelled"):
            await ask(llm, way, [user("Hello")])

    @each_stream
    async def test_a_stream_that_breaks_off_is_an_error(self, emulator, way):
        llm = self.build(emulator, max_retries=0)
        emulator.answer(emulated.cut(2, "clean", then=emulated.text("one two three four five six")))
        with pytest.raises(Exception):  # noqa: B017, PT011 - any class will do
            await ask(llm, way, [user("Hello")])

    @each_way
    async def test_a_call_that_the_service_could_not_read_is_no_empty_answer(self, emulator, way):
        llm = self.build(emulator, max_retries=0)
        emulator.variant(finish="compound:MALFORMED_FUNCTION_CALL")
        with pytest.raises(Exception, match="MALFORMED_FUNCTION_CALL"):
            await ask(llm, way, [user("Hello")])

    @each_way
    async def test_a_page_of_html_is_an_error(self, emulator, way):
        llm = self.build(emulator, max_retries=0)
        emulator.answer(emulated.html())
        with pytest.raises(Exception) as caught:  # noqa: PT011 - any class that tells of it
            await ask(llm, way, [user("Hello")])
        assert not isinstance(caught.value, AttributeError | TypeError | KeyError | IndexError)
