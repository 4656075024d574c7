"""One chat request, as parsed by the emulator."""

import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from vertex_compat_integrations.emulator.model_traits import ModelTraits
from vertex_compat_integrations.wire import REQUEST_TYPE_HEADER, SHARED_REQUEST_TYPE_HEADER, Json

# Source: Google's page "OpenAI compatibility", supported parameters, and the bodies it shows.
KNOWN_PARAMETERS = frozenset(
    {
        "messages", "model", "max_tokens", "max_completion_tokens", "n", "frequency_penalty", "presence_penalty",
        "seed", "stop", "stream", "temperature", "top_p", "modalities", "tools", "tool_choice", "response_format",
        "reasoning_effort", "web_search_options", "function_call", "functions", "extra_body", "google",
    }
)  # fmt: skip
SAMPLING_PARAMETERS = frozenset({"temperature", "top_p"})
MAAS_PARAMETERS = frozenset({"chat_template_kwargs", "stream_options", "guided_json", "top_k"})

JSON_FORMATS = frozenset({"json_object", "json_schema", "application/json"})


@dataclass(frozen=True, slots=True)
class ModelResource:
    """The resource that the path names: API version, project, location and endpoint."""

    version: str
    project: str
    location: str
    endpoint: str


@dataclass(frozen=True)
class ChatRequest:
    """A parsed request body with its path, its headers, the model's traits, and the tokens and tools of its cache."""

    body: Json
    place: ModelResource
    traits: ModelTraits
    headers: Mapping[str, str] = field(default_factory=dict)
    cached_tokens: int | None = None
    cached_functions: Sequence[Json] = ()
    cached_choice: Any = None

    @cached_property
    def model(self) -> str:
        """The model's name in the request."""
        return str(self.body.get("model") or "")

    @cached_property
    def messages(self) -> list[Json]:
        """The messages that are JSON objects."""
        return objects(self.body.get("messages"))

    @cached_property
    def contents(self) -> list[Json]:
        """The messages without instructions, which become Gemini's `contents`."""
        return [message for message in self.messages if message.get("role") not in {"system", "developer"}]

    @cached_property
    def google(self) -> Json:
        """Google's extra fields: `extra_body.google`, or `google` at the top level."""
        nested = mapping(self.body.get("extra_body")).get("google")
        return {**mapping(self.body.get("google")), **mapping(nested)}

    @cached_property
    def thinking(self) -> Json:
        """Google's `thinking_config`; empty if there is none."""
        return mapping(self.google.get("thinking_config"))

    @cached_property
    def functions(self) -> list[Json]:
        """The declared functions, also those of the cache."""
        return [*self.own_functions, *self.cached_functions]

    @cached_property
    def own_functions(self) -> list[Json]:
        """The functions that the request declares, including the deprecated field `functions`."""
        tools = [mapping(tool.get("function")) for tool in objects(self.body.get("tools")) if "function" in tool]
        return [*tools, *objects(self.body.get("functions"))]

    @cached_property
    def uses_functions(self) -> bool:
        """Whether functions are declared and called in OpenAI's deprecated way."""
        return bool(objects(self.body.get("functions"))) and not self.body.get("tools")

    @cached_property
    def choice(self) -> Any:
        """The value of `tool_choice`, or the deprecated `function_call` in that form."""
        named = mapping(self.body.get("function_call")).get("name")
        if named is not None:
            return {"type": "function", "function": {"name": named}}
        return self.body.get("tool_choice") or self.body.get("function_call") or self.cached_choice

    @cached_property
    def function_names(self) -> list[str]:
        """The names of the declared functions."""
        return [str(function.get("name", "")) for function in self.functions]

    @cached_property
    def named_choice(self) -> str | None:
        """The function that `tool_choice` names; None if it names none."""
        name = mapping(mapping(self.choice).get("function")).get("name")
        return str(name) if name is not None else None

    @cached_property
    def response_format(self) -> str:
        """The requested kind of answer: `text`, `json_object`, `json_schema`, or a MIME type."""
        return str(mapping(self.body.get("response_format")).get("type", "text"))

    @cached_property
    def wants_json(self) -> bool:
        """Whether the answer must be JSON."""
        is_guided = self.traits.surface != "gemini" and self.response_schema is not None
        return self.response_format in JSON_FORMATS or (is_guided and self.response_format == "text")

    @cached_property
    def response_schema(self) -> Json | None:
        """The schema of the answer; None if there is none."""
        response_format = mapping(self.body.get("response_format"))
        schema = mapping(response_format.get("json_schema")).get("schema", response_format.get("schema"))
        guided = self.body.get("guided_json") if self.traits.surface != "gemini" else None
        chosen = schema if schema is not None else guided
        return chosen if isinstance(chosen, dict) else None

    @cached_property
    def max_tokens(self) -> Any:
        """The limit of the answer's length, under either name."""
        limit = self.body.get("max_tokens")
        return self.body.get("max_completion_tokens") if limit is None else limit

    @cached_property
    def is_stream(self) -> bool:
        """Whether the answer is streamed."""
        return self.body.get("stream") is True

    @cached_property
    def is_dedicated(self) -> bool:
        """Whether only provisioned throughput may serve the request."""
        return self.headers.get(REQUEST_TYPE_HEADER, "").lower() == "dedicated"

    @cached_property
    def tier(self) -> str:
        """The tier of shared capacity, `priority` or `flex`; empty for the standard one."""
        return "" if self.is_dedicated else self.headers.get(SHARED_REQUEST_TYPE_HEADER, "").lower()

    @cached_property
    def turn_start(self) -> int:
        """The index in `contents` where the current turn begins: the last user message."""
        places = [index for index, message in enumerate(self.contents) if message.get("role") == "user"]
        return places[-1] if places else 0

    @cached_property
    def turn(self) -> list[Json]:
        """The messages since the last user message, this one included."""
        return self.contents[self.turn_start :]

    @cached_property
    def ignored(self) -> list[str]:
        """Parameters that the service ignores: they are unknown, or have no effect on the model.

        Contains `messages.reasoning_content` for thoughts in the history, which open models read and Gemini ignores.
        """
        if self.traits.surface != "gemini":
            return sorted(set(self.body) - KNOWN_PARAMETERS - MAAS_PARAMETERS)
        names = set(self.body) - KNOWN_PARAMETERS
        if self.traits.fixes_sampling:
            names |= {name for name in SAMPLING_PARAMETERS if self.body.get(name) is not None}
        if any(message.get("reasoning_content") for message in self.messages):
            names.add("messages.reasoning_content")
        return sorted(names)


def mapping(value: Any) -> Json:
    """Return the value if it is a JSON object, otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[Json]:
    """Return the JSON objects in a list; empty if the value is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def tool_calls(message: Json) -> list[Json]:
    """Return the tool calls of an assistant message."""
    return objects(message.get("tool_calls"))


def function_of(call: Json) -> Json:
    """Return name and arguments of a tool call."""
    return mapping(call.get("function"))


def parts(message: Json) -> list[Json]:
    """Return the content of a message as parts; a string becomes one text part."""
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return objects(content)


def text_of(message: Json) -> str:
    """Return the text of a message."""
    return "\n".join(str(part.get("text", "")) for part in parts(message) if part.get("type") == "text")


def texts(messages: Sequence[Json]) -> Iterator[str]:
    """Yield the texts of all text parts."""
    for message in messages:
        yield from (str(part.get("text", "")) for part in parts(message) if part.get("type") == "text")


def media_type(part: Json) -> str | None:
    """Return the MIME type of a part's medium; None if the part is not a medium."""
    if part.get("type") == "image_url":
        return _type_of_uri(media_uri(part))
    if part.get("type") == "input_audio":
        kind = str(mapping(part.get("input_audio")).get("format", "wav"))
        return kind if "/" in kind else f"audio/{kind}"
    return None


def media_uri(part: Json) -> str:
    """Return the URI of an `image_url` part; empty if it has none."""
    image = part.get("image_url")
    return str(image if isinstance(image, str) else mapping(image).get("url", ""))


def _type_of_uri(uri: str) -> str:
    if uri.startswith("data:"):
        return re.split("[;,]", uri.removeprefix("data:"), maxsplit=1)[0] or "text/plain"
    return mimetypes.guess_type(uri.partition("?")[0])[0] or "image/*"
