"""Children that are forked while streams are half read, by synchronous code and at each turn of an event loop.

Takes a server's URL and a number of rounds; ends with 0 if each child asks, drops and reads on as it should.
"""

import asyncio
import faulthandler
import os
import sys

from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import VertexCompatError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

MESSAGES = [{"role": "user", "content": "Hello"}]
OPTIONS = Options(model="google/gemini-3.5-flash")


def in_child(work):
    """Whether the work goes well in a child that hangs for 20 s at most."""
    pid = os.fork()
    if pid == 0:
        faulthandler.dump_traceback_later(240, exit=True)
        try:
            work()
        except BaseException:  # noqa: BLE001 - the child ends here, whatever comes
            faulthandler.dump_traceback()
            os._exit(2)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def fork_in_stream(client):
    stream = client.stream(MESSAGES, OPTIONS)
    next(stream)
    streams = [stream]

    def drop():
        client.chat(MESSAGES, OPTIONS)
        streams.clear()
        client.chat(MESSAGES, OPTIONS)

    def read_on():
        try:
            list(streams[0])
        except VertexCompatError:
            client.chat(MESSAGES, OPTIONS)
        else:
            raise AssertionError("the child read its parent's answer")

    del stream
    assert in_child(drop)
    assert in_child(read_on)
    assert in_child(lambda: [streams[0].close(), client.close(), client.chat(MESSAGES, OPTIONS)])
    # The parent's own goes on.
    next(streams[0])
    streams[0].close()


async def fork_at_each_turn(client, rounds):
    async def read():
        async for _ in client.astream(MESSAGES, OPTIONS):
            await client.achat(MESSAGES, OPTIONS)

    tasks = [asyncio.create_task(read()) for _ in range(3)]
    for _ in range(rounds):
        await asyncio.sleep(0)
        assert in_child(lambda: client.chat(MESSAGES, OPTIONS))
        assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main(url, rounds):
    client = VertexCompatClient(Connection(base_url=url, api_key="x"))
    fork_in_stream(client)  # as the first call, when the watchdog has only just begun
    for _ in range(rounds):
        fork_in_stream(client)
    asyncio.run(fork_at_each_turn(client, rounds))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
