"""Calls that have just begun, without a server."""

import json

from vertex_compat_integrations.core.calls.call import CallTerms
from vertex_compat_integrations.core.calls.chat import ChatCall
from vertex_compat_integrations.core.calls.places import Place, PlaceMemory
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.settings.options import Options

MODEL = "google/gemini-3.5-flash"
HELLO = [{"role": "user", "content": "Hello"}]


def terms(*locations, clock=lambda: 0.0, takes_cut=False, seconds=60.0):
    return CallTerms(
        facts_for(MODEL, None),
        "p",
        seconds=seconds,
        max_retries=2,
        own_server=False,
        takes_cut=takes_cut,
        clock=clock,
        chance=lambda: 1.0,
        memory=PlaceMemory([Place(location) for location in locations or ("global",)]),
        budget_of=lambda _: None,
    )


def begin(kind=ChatCall, *locations, **more):
    return kind(HELLO, Options(model=MODEL), terms(*locations, **more), skip_values="as the model demands")


def completion(text):
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
