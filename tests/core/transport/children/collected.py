"""Half-read streams in reference cycles, collected at every allocation while the same thread opens and closes routes.

Takes a server's URL and a number of rounds; ends with 0, or, where a round takes four minutes, with the place of it.
"""

import faulthandler
import gc
import sys

from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport import pool
from vertex_compat_integrations.core.transport.exchange import LEFT

MESSAGES = [{"role": "user", "content": "Hello"}]
OPTIONS = Options(model="google/gemini-3.5-flash")


class Node:
    """What refers to itself."""

    def __init__(self, stream):
        self.stream, self.me = stream, self


def leave_half_read(client):
    stream = client.stream(MESSAGES, OPTIONS)
    next(stream)
    Node(stream)


def play_round(reader, url, allocations):
    other = VertexCompatClient(Connection(base_url=url, api_key="x"))
    leave_half_read(reader)
    gc.set_threshold(allocations)
    other.chat(MESSAGES, OPTIONS)
    leave_half_read(other)
    gc.set_threshold(allocations, 1, 1)
    other.close()
    other.chat(MESSAGES, OPTIONS)
    gc.set_threshold(700, 10, 10)
    other.close()


def main(url, rounds):
    reader = VertexCompatClient(Connection(base_url=url, api_key="x"))
    for number in range(rounds):
        faulthandler.dump_traceback_later(240, exit=True)
        play_round(reader, url, 1 + number * 13 % 600)  # so that the collector comes at each place in turn
    gc.collect()
    reader.chat(MESSAGES, OPTIONS)
    assert not LEFT
    assert [shared.busy for shared in pool._POOL.clients.values()] == [0]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
