"""Explains a call with a marked beginning: the context cache that it would use, or why it would use none. No I/O."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isinf

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.endpoint import OPENAPI
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.explain.explanation import CacheUse, Explanation, Remark
from vertex_compat_integrations.core.explain.remarks import UNKNOWN_PROJECT
from vertex_compat_integrations.core.native.cache_calls import PATH, CacheCall
from vertex_compat_integrations.core.native.cache_plan import OTHER_TOOLS, Plan, has_own_tools, plain_call
from vertex_compat_integrations.core.native.context_cache import ContextCaches
from vertex_compat_integrations.core.native.marked import MarkedMessages, ttl_text
from vertex_compat_integrations.core.settings.options import Options

UNKNOWN_CACHE = "CACHE-OF-THE-CALL"
"""The last part of the cache's name, which the service chooses, if this process does not know the cache."""


def explain(
    caches: ContextCaches,
    explain_plain: Callable[[Sequence[wire.Message], Options], Explanation],
    messages: MarkedMessages,
    options: Options,
) -> Explanation:
    """Explain a call with these messages; `explain_plain` explains one without a mark.

    Raises:
        SettingsError: The options are invalid or contradict each other.
    """
    if has_own_tools(messages, options):
        return _without(OTHER_TOOLS, explain_plain(*plain_call(messages, options)))
    try:
        plan = caches.plan(messages, options)
    except SettingsError as error:
        return _without(error.message, explain_plain(*plain_call(messages, options)))
    now = plan.terms.clock()
    if reason := _pause(plan.entry.paused - now):
        return _without(reason, explain_plain(*plain_call(messages, options)))
    creation = _creation(plan)
    name = plan.entry.name if plan.entry.ends > now else None
    place = creation["model"].partition("/publishers/")[0]
    naming = plan.using(name or f"{place}/cachedContents/{UNKNOWN_CACHE}")
    explanation = explain_plain(plan.rest, naming)
    url = explanation.url.removesuffix(wire.CHAT_PATH).removesuffix(f"/endpoints/{OPENAPI}") + PATH
    cache = CacheUse(creation["displayName"], name, url, creation)
    remark = Remark("converted", "the marked beginning", _of_use(cache, messages))
    return replace(explanation, cache=cache, remarks=(remark, *explanation.remarks))


def _without(reason: str, explanation: Explanation) -> Explanation:
    remark = Remark("dropped", "the cache mark", f"{reason} The whole prompt is sent.")
    return replace(explanation, remarks=(remark, *explanation.remarks))


def _pause(seconds: float) -> str:
    if seconds <= 0:
        return ""
    if isinf(seconds):
        return "The service refused this cache: it is not attempted again."
    return f"The last attempt failed: no cache is attempted for another {seconds:.0f} s."


def _creation(plan: Plan) -> wire.Json:
    """The body of the request that creates the cache."""
    body = {**plan.body, "ttl": ttl_text(plan.ttl)}
    call = CacheCall(plan.model, plan.terms, "post", PATH, body=body, base_url=plan.base_url)
    if plan.terms.project is None:
        call.locate(UNKNOWN_PROJECT)
    return call.request.body


def _of_use(cache: CacheUse, messages: MarkedMessages) -> str:
    tools = sum(len(each.get("functionDeclarations", (each,))) for each in cache.body.get("tools", ()))
    content = " and ".join(_counted(*each) for each in ((len(messages.prefix), "message"), (tools, "tool")) if each[0])
    how = "It exists, and is named" if cache.name else "It is found by this name, or created, and then named"
    return f"The context cache {cache.display_name} has {content}. {how} in the request, which has the rest."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
