"""Item 13: objects travel, fork, outlive event loops, share their connections, and let them go."""

import asyncio
import copy
import gc
import importlib
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import cloudpickle
import openai
import pytest
from google.oauth2.credentials import Credentials

from tests.promises.entry_points import CORE, EVERY_FRAMEWORK, EVERY_FRONTEND, FRAMEWORKS, FRONTENDS, MODEL, TOKEN, WAYS
from tests.support.busy_machine import LONG_SECONDS, eventually
from tests.support.fault_answers import TEXT, body, comments, completion, events, piece, reply, say, sse
from vertex_compat_integrations.core.errors import CredentialsError, VertexCompatWarning

HTTP = importlib.import_module("httpx2" if int(openai.__version__.partition(".")[0]) >= 3 else "httpx")


def provide_token():
    return TOKEN


def echo(exchange):
    """Answers with the prompt, so that a mixed-up answer shows."""
    said = exchange.request.json["messages"][-1]["content"]
    body(json.dumps(completion({"content": f"Echo: {said}"})).encode())(exchange)


def long_stream(exchange):
    """A stream that goes on until the client leaves."""
    exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
    exchange.chunk(sse(say("One ", finish=None), done=False))
    while exchange.pause(0.02):
        exchange.chunk(sse([piece({"content": "more "})], done=False))


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# Copies and pickles


@EVERY_FRAMEWORK
@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("pickler", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
def test_a_pickle_works_where_it_arrives(server, frontend, pickler, used):
    model = frontend.door.make(base_url=server.base_url, api_key=TOKEN, temperature=0.5)
    if used:
        for way in WAYS:
            frontend.ask(model, way)
    data = pickler.dumps(model)
    assert TOKEN.encode() not in data
    again = pickle.loads(data)
    again.api_key = model.api_key
    assert frontend.ask(again, "plain") == frontend.ask(again, "astream") == TEXT
    assert server.requests[-1].json["temperature"] == 0.5


@EVERY_FRAMEWORK
def test_a_pickled_static_token_says_at_the_first_call_that_it_was_left_out(server, frontend):
    model = frontend.door.make(base_url=server.base_url, api_key=TOKEN)
    again = pickle.loads(pickle.dumps(model))
    again = pickle.loads(pickle.dumps(again)).model_copy(update={"temperature": 0.5})
    for way in WAYS:
        with pytest.raises(CredentialsError, match="left out when this object was pickled"):
            frontend.ask(again, way)
    assert server.requests == []


@EVERY_FRAMEWORK
def test_a_pickled_credentials_object_travels_without_its_token(server, serve, frontend):
    granting = serve(body(b'{"access_token": "ya29.another", "expires_in": 3600, "token_type": "Bearer"}'))
    user = Credentials(TOKEN, refresh_token="r", client_id="c", client_secret="s", token_uri=f"{granting.origin}/token")
    model = frontend.door.make(base_url=server.base_url, allow_hosts=[server.origin], credentials=user)
    assert frontend.ask(model, "plain") == TEXT
    data = pickle.dumps(model)
    assert TOKEN.encode() not in data
    assert frontend.ask(pickle.loads(data), "plain") == TEXT
    assert server.tokens == [TOKEN, "ya29.another"]
    assert user.token == TOKEN, "the original keeps its token"


@EVERY_FRAMEWORK
def test_a_pickled_callable_is_found_again_by_its_name(server, frontend):
    model = frontend.door.make(base_url=server.base_url, credentials=provide_token)
    assert frontend.ask(pickle.loads(pickle.dumps(model)), "plain") == TEXT


@EVERY_FRAMEWORK
def test_a_callable_that_cannot_be_pickled_is_not_replaced_by_other_credentials(server, frontend):
    model = frontend.door.make(base_url=server.base_url, credentials=lambda: TOKEN)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(model)


def test_an_http_client_stays_behind_with_a_warning(server):
    pytest.importorskip("langchain_core")
    from vertex_compat_integrations.langchain import ChatVertexCompat

    with openai.DefaultHttpxClient() as own:
        model = ChatVertexCompat(model=MODEL, base_url=server.base_url, api_key=TOKEN, http_client=own)
        with pytest.warns(VertexCompatWarning, match="http_client cannot be pickled"):
            again = pickle.loads(pickle.dumps(model))
        assert again.http_client is None
        assert copy.deepcopy(model).http_client is own


@EVERY_FRAMEWORK
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda model: model.model_copy(deep=True)])
def test_a_copy_shares_the_credential_and_goes_on_when_the_original_is_gone(server, frontend, copied):
    model = frontend.door.make(base_url=server.base_url, credentials=provide_token)
    frontend.ask(model, "plain")
    again = copied(model)
    assert again.credentials is provide_token
    del model
    gc.collect()
    assert frontend.ask(again, "plain") == frontend.ask(again, "aplain") == TEXT


# Processes, threads, event loops

FORKING = """
import os, sys, threading
sys.path[:0] = {path!r}
from tests.promises.entry_points import FRONTENDS

frontend = FRONTENDS[{index}].values[0]

def ask(model, text):
    if hasattr(model, "client"):
        model.messages = [{{"role": "user", "content": text}}]
        return frontend.ask(model, "plain")
    if hasattr(model, "invoke"):
        return model.invoke(text).text
    return model.complete(text).text

base_url, origin = {urls!r}
model = frontend.door.make(base_url=base_url, api_key="t", max_retries=0)
threads = [threading.Thread(target=ask, args=(model, "warm")) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
children = []
for child in range(4):
    pid = os.fork()
    if pid == 0:
        right = sum(ask(model, f"{{child}}-{{number}}") == f"Echo: {{child}}-{{number}}" for number in range(25))
        os._exit(right)
    children.append(pid)
right = sum(ask(model, f"parent-{{number}}") == f"Echo: parent-{{number}}" for number in range(25))
print(right, *(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))
"""


def frontend_number(frontend):
    return [entry.values[0].door.name for entry in FRONTENDS].index(frontend.door.name)


def run(program, *options):
    done = subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, timeout=300, check=False,
        # Python 3.12 and newer warn of a fork beside threads, which is what some of these are about.
        env=os.environ | {"PYTHONWARNINGS": "ignore:This process:DeprecationWarning"},
    )  # fmt: skip
    return done.stdout.strip(), done.stderr.strip()


@pytest.mark.parametrize("frontend", FRONTENDS[1:2])
def test_four_forked_children_get_their_own_answers(server, frontend):
    """25 calls in each child and in the parent, after the parent's connections were in use.

    The connections are the core's; LlamaIndex takes seconds to load, and has none of its own.
    """
    server.rule = echo
    program = FORKING.format(
        path=[str(Path(__file__).parents[2]), *sys.path],
        index=frontend_number(frontend),
        urls=(server.base_url, server.origin),
    )
    assert run(program) == ("25 25 25 25 25", "")


@EVERY_FRONTEND
def test_one_object_serves_five_event_loops_one_after_another(server, frontend, capfd):
    model = frontend.build(server)
    for _ in range(5):
        assert frontend.ask(model, "aplain") == frontend.ask(model, "astream") == TEXT
    gc.collect()
    assert capfd.readouterr().err == ""


@EVERY_FRONTEND
def test_batches_of_threads_get_each_its_own_answer(server, frontend):
    server.rule = echo
    model = frontend.build(server)
    heard = {}

    def ask(number):
        if hasattr(model, "invoke"):
            heard[number] = model.invoke(f"{number}").text
        elif hasattr(model, "complete"):
            heard[number] = model.complete(f"{number}").text
        else:
            messages = [{"role": "user", "content": f"{number}"}]
            heard[number] = model.client.chat(messages, model.options)[0].text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_SECONDS)
    assert heard == {number: f"Echo: {number}" for number in range(64)}


def test_langchains_batch_does_too(server):
    pytest.importorskip("langchain_core")
    from vertex_compat_integrations.langchain import ChatVertexCompat

    server.rule = echo
    model = ChatVertexCompat(model=MODEL, base_url=server.base_url, api_key=TOKEN)
    questions = [f"{number}" for number in range(64)]
    assert [answer.text for answer in model.batch(questions)] == [f"Echo: {text}" for text in questions]
    answers = asyncio.run(model.abatch(questions))
    assert [answer.text for answer in answers] == [f"Echo: {text}" for text in questions]


@EVERY_FRONTEND
async def test_200_cancelled_streams_leave_50_connections_free(server, frontend):
    """200 of the core, whose connections they are; 50 through each framework."""
    rounds = 4 if frontend is CORE else 1
    limits = HTTP.Limits(max_connections=50, max_keepalive_connections=50)
    async with openai.DefaultAsyncHttpxClient(limits=limits) as own:
        model = frontend.build(server, http_async_client=own, timeout=20)
        server.rule = comments()
        for _ in range(rounds):
            tasks = [asyncio.create_task(frontend.aask(model, "astream")) for _ in range(50)]
            assert await asyncio.to_thread(eventually, lambda: server.open_connections >= 50)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(each) for each in ended} == {asyncio.CancelledError}
        server.rule = reply()
        for _ in range(rounds):
            assert await asyncio.gather(*(frontend.aask(model) for _ in range(50))) == [TEXT] * 50


@EVERY_FRONTEND
def test_streams_that_are_left_give_their_connections_up(serve, frontend):
    server = serve(long_stream)
    model = frontend.build(server)
    for _ in range(5):
        if hasattr(model, "client"):
            stream = model.client.stream(model.messages, model.options)
        elif hasattr(model, "invoke"):
            stream = model.stream("Hello")
        else:
            stream = model.stream_complete("Hello")
        next(iter(stream))
        stream.close()
    assert eventually(lambda: server.open_connections == 0)


# Connections


def test_10000_constructions_share_one_pool(serve):
    """As many of each framework's that is installed."""
    frontends = [entry.values[0] for entry in FRAMEWORKS if not entry.marks[0].args[0]]
    server = serve()
    given = {"base_url": server.base_url, "api_key": TOKEN}
    for frontend in frontends:
        frontend.ask(frontend.door.make(**given), "plain")
    gc.collect()
    files, memory = open_files(), resident_bytes()
    for number in range(10_000):
        frontend = frontends[number % len(frontends)]
        model = frontend.door.make(**given)
        if number % 500 < len(frontends):
            frontend.ask(model, "plain")
    gc.collect()
    # A connection that is idle for 5 s is closed.
    assert server.connections <= 3
    assert open_files() - files <= 2
    assert resident_bytes() - memory < 20 * 2**20


@EVERY_FRONTEND
def test_close_lets_the_connections_go_and_a_later_call_opens_anew(serve, frontend):
    server = serve()
    model = frontend.build(server)
    frontend.ask(model, "plain")
    assert server.open_connections == 1
    closing = model.client if hasattr(model, "client") else model
    closing.close()
    closing.close()
    assert eventually(lambda: server.open_connections == 0)
    assert frontend.ask(model, "plain") == TEXT
    assert server.connections == 2
    closing.close()


@EVERY_FRONTEND
def test_with_closes(serve, frontend):
    server = serve()
    files = open_files()
    model = frontend.build(server)
    with model.client if hasattr(model, "client") else model as entered:
        assert entered is (model.client if hasattr(model, "client") else model)
        frontend.ask(model, "plain")
        frontend.ask(model, "aplain")
    assert eventually(lambda: server.open_connections == 0)
    assert eventually(lambda: open_files() - files <= 1)


@EVERY_FRONTEND
async def test_aclose_and_async_with_do_the_same_on_a_loop(serve, frontend):
    server = serve()
    model = frontend.build(server)
    async with model.client if hasattr(model, "client") else model:
        await frontend.aask(model)
        await asyncio.to_thread(frontend.ask, model, "plain")
        assert server.open_connections == 2
    assert await asyncio.to_thread(eventually, lambda: server.open_connections == 0)
    assert await frontend.aask(model) == TEXT
    assert server.connections == 3
    await (model.client if hasattr(model, "client") else model).aclose()


@EVERY_FRAMEWORK
def test_closing_one_object_does_not_close_the_others_connections(serve, frontend):
    server = serve()
    first, second = frontend.build(server), frontend.build(server)
    frontend.ask(first, "plain")
    frontend.ask(second, "plain")
    assert server.connections == 1
    first.close()
    assert frontend.ask(second, "plain") == TEXT
    assert server.connections == 1
    second.close()
    assert eventually(lambda: server.open_connections == 0)


@EVERY_FRAMEWORK
def test_closing_waits_for_what_is_under_way(serve, frontend):
    """Also for a stream of a copy, which shares the client."""
    server = serve()
    release = threading.Event()

    def held(exchange):
        exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
        exchange.chunk(sse(say("One ", finish=None), done=False))
        release.wait(LONG_SECONDS)
        exchange.chunk(sse(say("two.")))
        exchange.chunk(b"")

    server.answer(reply(), held)
    model = frontend.build(server)
    frontend.ask(model, "plain")
    other = model.model_copy()
    heard = []
    thread = threading.Thread(target=frontend.ask, args=(other, "stream", heard))
    thread.start()
    assert eventually(lambda: heard)
    model.close()
    release.set()
    thread.join(LONG_SECONDS)
    assert "".join(heard) == "One two."
    assert eventually(lambda: server.open_connections == 0)


@EVERY_FRAMEWORK
def test_a_lost_copy_closes_nothing(serve, frontend):
    server = serve()
    model = frontend.build(server)
    gc.freeze()  # or walking the heap of the other tests takes seconds, after which an idle connection closes by itself
    frontend.ask(model, "plain")
    lost = model.model_copy()
    frontend.ask(lost, "plain")
    del lost
    gc.collect()
    gc.unfreeze()
    frontend.ask(model, "plain")
    assert server.connections == 1
    model.close()


def test_the_users_own_http_client_is_not_closed(serve):
    server = serve()
    with openai.DefaultHttpxClient() as own:
        model = CORE.build(server, http_client=own)
        CORE.ask(model, "plain")
        model.close()
        assert not own.is_closed
        assert CORE.ask(model, "plain") == TEXT


TIDY = """
import asyncio, sys
sys.path[:0] = {path!r}
from tests.promises.entry_points import FRONTENDS, WAYS
frontend = FRONTENDS[{index}].values[0]
model = frontend.door.make(base_url={url!r}, api_key="t")
for way in WAYS:
    frontend.ask(model, way)

async def leave():
    heard = []
    task = asyncio.create_task(frontend.door.told(model, "astream", heard))
    while not heard:
        await asyncio.sleep(0.005)

asyncio.run(leave())
print("done")
"""


@pytest.mark.parametrize("frontend", [pytest.param(CORE, id="core")])
def test_a_program_that_closes_nothing_ends_without_a_warning(server, frontend):
    """Not even of resources, which Python reports when they are switched on; it leaves a stream in its middle, too."""
    server.answer(*[reply()] * len(WAYS), long_stream)
    program = TIDY.format(path=[str(Path(__file__).parents[2]), *sys.path], index=0, url=server.base_url)
    assert run(program, "-W", "error::ResourceWarning") == ("done", "")


@EVERY_FRONTEND
def test_a_server_that_closes_idle_connections_costs_no_answer(serve, frontend):
    def once(exchange):
        reply()(exchange)
        exchange.close()

    server = serve(once)
    model = frontend.build(server, max_retries=1)
    assert [frontend.ask(model, "plain") for _ in range(50)] == [TEXT] * 50


@pytest.mark.parametrize("done", [True, False])
def test_streams_one_after_another_use_one_connection(serve, done):
    server = serve(events(sse(say(*TEXT.split(" ")), done=done)))
    model = CORE.build(server)
    for _ in range(30):
        CORE.ask(model, "stream")
    assert server.connections == 1
