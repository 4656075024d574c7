"""Requests are counted in the code that asks for it, in its threads and tasks, and nowhere else."""

import asyncio
from contextvars import copy_context
from threading import Thread

from vertex_compat_integrations.core.calls.request_count import count_request, counted


def test_only_what_is_sent_inside_counts_and_the_first_body_is_kept():
    count_request(lambda: {"before": True})
    with counted() as tally:
        assert (tally.requests, tally.first_body) == (0, None)
        count_request(lambda: {"first": 1})
        count_request(lambda: {"second": 2})
    count_request(lambda: {"after": True})
    assert (tally.requests, tally.first_body) == (2, {"first": 1})


def test_only_the_first_body_is_asked_for():
    asked = []
    with counted():
        for number in range(3):
            count_request(lambda number=number: asked.append(number))
    assert asked == [0]


async def test_tasks_and_threads_of_the_code_count():
    async def send():
        count_request(dict)

    with counted() as tally:
        await asyncio.gather(send(), send())
        thread = Thread(target=copy_context().run, args=(count_request, dict))
        thread.start()
        thread.join()
    assert tally.requests == 3
