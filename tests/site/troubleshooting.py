"""The error finder: which section of the page a message belongs to, and the list of each section."""

import html
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from tests.site.messages import GAP, Message, messages
from vertex_compat_integrations import errors
from vertex_compat_integrations.core.http_errors import MEANINGS, Meaning

TOPICS: Mapping[str, tuple[str, ...]] = {
    "emulator-variable": ("core/calls/access.py:*.resolve",),
    "telemetry": ("core/client.py:*._observer", "core/settings/environment.py:resolve_telemetry"),
    "token-counts": ("core/native/contents.py:*", "core/native/count_tokens.py:*"),
    "context-caches": (
        *("core/native/*", "core/adapters/client_holder.py:*._cache_scope"),
        "langchain/chat_model.py:*.configurable_fields",
    ),
    "middleware": ("langchain/middleware/*",),
    "cost": ("core/settings/connection.py:prices_missing",),
    "copies": (
        *("core/adapters/pickling.py:state_to_pickle", "core/auth/provided.py:left_out_of_pickle"),
        *("llama_index/pickling.py:*", "core/transport/pool.py:*_next_of"),
    ),
    "locations": (
        *(
            "core/settings/several_places.py:check_locations",
            "core/calls/places.py:*",
            "core/calls/builder.py:*._place_memory",
        ),
        "core/settings/several_places.py:check_payers",
    ),
    "model-name": (
        *("core/endpoint.py:resolve_model", "core/settings/destination.py:resolve_model_name"),
        *(
            "core/calls/builder.py:*._warn_of",
            "core/calls/builder.py:*._warn_of_end",
            "core/request/limits.py:limit_notes",
        ),
    ),
    "destination": (
        *("core/endpoint.py:*", "core/settings/base_url.py:*", "core/settings/destination.py:_emulator_origin"),
        *("core/settings/destination.py:*build_base_url", "core/calls/access.py:*._warn_of_locations"),
    ),
    "trust": (
        *("core/auth/trust.py:*", "core/adapters/settings_checks.py:check_run_time_settings", "core/sdk.py:*"),
        *("core/settings/options.py:unknown_names", "core/settings/options.py:*_headers_hold_no_credential"),
        "langchain/registration.py:_make",
    ),
    "credentials": ("core/auth/*", "core/settings/connection.py:*_no_callable_key"),
    "http": ("core/transport/sdk_clients.py:*", "core/settings/environment.py:resolve_http_backend"),
    "arguments": (
        "core/settings/without_effect.py:refuse_without_effect",
        *("core/settings/base.py:*", "core/settings/options.py:*", "core/adapters/constructor_words.py:*"),
        *("langchain/chat_model.py:*._options", "llama_index/llm.py:*", "core/request/build.py:*"),
        "core/settings/connection.py:*_is_a_number_of_seconds",
    ),
    "large-media": (*("core/media/*", "core/settings/media_bucket.py:*"),),
    "thinking": ("core/request/thinking.py:*", "core/calls/chat.py:MessagesCall.remarks"),
    "schema": ("core/schema/*", "core/request/tools.py:_parameters_of", "core/request/tools.py:_cut_note"),
    "tools": (
        *(
            "core/request/tools.py:*",
            "core/request/tool_names.py:*",
            "core/request/quirks.py:*",
            "langchain/tools.py:*",
        ),
        *("llama_index/messages/encode.py:encode_tool", "core/openai_form/request.py:*"),
    ),
    "structured-output": ("langchain/structured.py:*", "llama_index/structured.py:*", "langchain/chat_model.py:*"),
    "history": ("core/request/history.py:*", "core/request/mending.py:*"),
    "content": (
        *("core/request/content.py:*", "core/request/tool_message.py:*", "langchain/messages/*"),
        "llama_index/messages/*",
    ),
    "combinations": ("core/request/limits.py:*",),
    "embeddings": ("core/calls/embedding.py:*",),
    "model-facts": ("core/catalogue/*",),
    "specification": ("core/adapters/*", "langchain/registration.py:*"),
    "connection": ("core/transport/failure.py:*", "core/transport/*", "core/calls/call.py:*remaining"),
    "reply": ("core/transport/body.py:*", "core/http_errors.py:*", "core/reply/events.py:*", "core/openai_form/*"),
    "stream": ("core/reply/stream.py:*", "core/reply/stream_reader.py:*", "core/calls/chat.py:*"),
    "blocked": ("core/reply/blocked.py:*", "llama_index/messages/decode.py:*"),
    "empty": ("core/reply/*",),
    "batch": ("batch/*",),
    "compare": ("compare/*", "cli/compare/*"),
    "proxy": ("proxy/*", "cli/serve_and_run.py:*"),
    "commands": ("cli/*", "core/named_object.py:*"),
}
"""Section → the places in the sources from which its messages come; the first pattern that fits counts."""

FIRST: Mapping[str, str] = {
    "core/request/quirks.py:_in_turns": "history",
    "llama_index/llm.py:VertexCompat._encode": "history",
    "core/transport/body.py": "reply",
    "core/calls/chat.py:StreamCall.remarks": "empty",
    "core/calls/chat.py:MessagesCall.remarks": "empty",
    "llama_index/messages/decode.py": "blocked",
    "langchain/structured.py:check_whole": "structured-output",
}
"""What belongs elsewhere than its file."""
_LONGEST_HINT = 260


def topic_of(message: Message) -> str:
    """The section to which a message belongs; empty if there is none."""
    place = f"{message.module}:{message.function}"
    for beginning, topic in FIRST.items():
        if place.startswith(beginning):
            return topic
    return next((topic for topic, patterns in TOPICS.items() if any(fnmatchcase(place, each) for each in patterns)), "")


def message_list(topic: str) -> str:
    """The section's messages, each a small heading, so that the search leads to it; below it class and fix."""
    own = sorted((message for message in messages() if topic_of(message) == topic), key=_alphabetical)
    fixes: dict[tuple[str, str], list[str]] = {}
    for message in own:
        if _is_findable(message.text):
            fixes.setdefault((message.text, message.kind), []).append(message.hint)
    return "\n\n".join(_entry(*about, " / ".join(dict.fromkeys(hints))) for about, hints in fixes.items())


def _alphabetical(message: Message) -> str:
    return message.text.strip(f" {GAP}.=:").lower()


def _is_findable(text: str) -> bool:
    return text.strip(f" {GAP}.=:;") != ""


def _entry(text: str, kind: str, hint: str) -> str:
    fix = _short(hint)
    if not fix and kind != "VertexCompatWarning":
        fix = getattr(errors, kind).default_hint
    return f"##### {_plain(text)}\n\n[{kind}](reference/errors.md#{kind.lower()}){': ' if fix else ''}{_plain(fix)}"


def _short(hint: str) -> str:
    """The first of several remedies, as far as a cell has room."""
    kept: list[str] = []
    for each in filter(_is_findable, dict.fromkeys(hint.split(" / "))):
        if not kept or sum(map(len, kept)) + len(each) <= _LONGEST_HINT:
            kept.append(each)
    return " / ".join(kept)


def _plain(text: str) -> str:
    """The text in a cell as it is: no letter of it is markup."""
    line = html.escape(re.sub(f"{GAP}+", GAP, " ".join(text.split())), quote=False)
    for letter in "\\`*_[]{}|":
        line = line.replace(letter, f"&#{ord(letter)};")
    return line


def google_table(codes: str) -> str:
    """Words in the service's own messages, for HTTP statuses such as `403` or `400,422`; `any` is every status."""
    wanted = {None if code == "any" else int(code) for code in codes.split(",")}
    rows = [row for meaning in MEANINGS if meaning.code in wanted for row in _google_rows(meaning)]
    return "\n".join(("| status | Google's message contains | fix |", "|---|---|---|", *rows))


def _google_rows(meaning: Meaning) -> Iterator[str]:
    words = " and " if meaning.needs_all else " or "
    texts = words.join(f"“{_plain(text)}”" for text in meaning.texts)
    fix = meaning.hint or (meaning.kind.default_hint if meaning.kind else "")
    yield f"| {meaning.code or 'any'} | {texts} | {_plain(fix)} |"
