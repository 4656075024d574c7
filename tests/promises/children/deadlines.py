"""Calls and streams that would never end, in one world of event loops or greenlets; says how each came to its end.

Takes the world's name, the HTTP library of asynchronous calls and a server's URL.
"""

import sys

WORLD, BACKEND, URL = sys.argv[1:]
if WORLD.startswith("gevent"):
    from gevent import monkey

    monkey.patch_all(thread=WORLD == "gevent")
elif WORLD == "eventlet":
    import eventlet

    eventlet.monkey_patch()

import asyncio  # noqa: E402 - the worlds of greenlets want to be first
import importlib  # noqa: E402
import time  # noqa: E402

from vertex_compat_integrations.core.client import VertexCompatClient  # noqa: E402
from vertex_compat_integrations.core.errors import VertexCompatError  # noqa: E402
from vertex_compat_integrations.core.settings.connection import Connection  # noqa: E402
from vertex_compat_integrations.core.settings.options import Options  # noqa: E402

SECONDS = 0.5
FAR = 20
"""Seconds that no slow machine needs; the answer would drip on for longer."""
MESSAGES = [{"role": "user", "content": "Hello"}]
OPTIONS = Options(model="google/gemini-3.5-flash")
CLIENT = VertexCompatClient(Connection(base_url=URL, api_key="t", timeout=SECONDS, max_retries=0, http_backend=BACKEND))


def say(name, began, error):
    if isinstance(error, VertexCompatError) and SECONDS * 0.8 < time.monotonic() - began < FAR:
        print(f"{name}:ended", flush=True)
    elif isinstance(error, RuntimeError) and "no running event loop" in str(error):
        print(f"{name}:no-asyncio", flush=True)
    else:
        print(f"{name}:{error!r}", flush=True)


def ended(call):
    try:
        call()
    except VertexCompatError as error:
        return error
    return None


async def aask(name, make):
    began = time.monotonic()
    try:
        await make()
    except (VertexCompatError, RuntimeError) as error:
        say(name, began, error)
    else:
        say(name, began, None)


async def read():
    async for _ in CLIENT.astream(MESSAGES, OPTIONS):
        pass


async def on_loop():
    await aask("call", lambda: CLIENT.achat(MESSAGES, OPTIONS))
    await aask("stream", read)


async def on_trio():
    await aask("call", lambda: CLIENT.achat(MESSAGES, OPTIONS))


def at_once(calls):
    """What comes of calls in greenlets, begun together."""
    if WORLD == "eventlet":
        greenlets = [eventlet.spawn(ended, call) for call in calls]
        return [greenlet.wait() for greenlet in greenlets]
    gevent = importlib.import_module("gevent")
    greenlets = [gevent.spawn(ended, call) for call in calls]
    gevent.joinall(greenlets)
    return [greenlet.value for greenlet in greenlets]


def in_greenlets():
    def call():
        CLIENT.chat(MESSAGES, OPTIONS)

    def stream():
        list(CLIENT.stream(MESSAGES, OPTIONS))

    for name, work in (("call", call), ("stream", stream)):
        began = time.monotonic()
        say(name, began, ended(work))
    began = time.monotonic()
    errors = at_once([call, stream] * 5)
    say("both", began, errors[0] if all(errors) else errors)


def main():
    importlib.import_module("openai")  # its loading is no part of a call's time here
    if WORLD == "uvloop":
        importlib.import_module("uvloop").run(on_loop())
    elif WORLD == "anyio":
        importlib.import_module("anyio").run(on_loop)
    elif WORLD == "trio":
        importlib.import_module("trio").run(on_trio)
    elif WORLD == "asyncio":
        asyncio.run(on_loop())
    else:
        in_greenlets()


if __name__ == "__main__":
    main()
