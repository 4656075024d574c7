"""Exact token counts of a request, by Google's native method `countTokens`.

`POST …/publishers/google/models/M:countTokens`, on the host and with the credential of the endpoint. The answer's
`totalTokens` counts contents, instructions and tool declarations. Sources, unverified live:
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models/countTokens,
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/get-token-count (no charge; 3,000 requests a minute).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.builder import CallBuilder
from vertex_compat_integrations.core.calls.call import Call, CallTerms
from vertex_compat_integrations.core.calls.chat import MessagesCall
from vertex_compat_integrations.core.catalogue import LAST_ASSISTANT_MESSAGE
from vertex_compat_integrations.core.endpoint import OPENAPI
from vertex_compat_integrations.core.errors import SettingsError, UnexpectedReplyError, UnsupportedContentError
from vertex_compat_integrations.core.http_errors import decode_stream_failure
from vertex_compat_integrations.core.json_values import google_extras, mapping_in
from vertex_compat_integrations.core.native.contents import native_request
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.request.build import Request
from vertex_compat_integrations.core.settings.destination import Destination
from vertex_compat_integrations.core.settings.options import Options

_GOOGLE = "google/"
_NATIVE_PATH = re.compile(rf"/projects/[^/]+/locations/[^/]+/endpoints/{OPENAPI}$")
_CAPACITY_HEADERS = frozenset({wire.REQUEST_TYPE_HEADER, wire.SHARED_REQUEST_TYPE_HEADER})
_ESTIMATE = "Use an estimate, such as LangChain's get_num_tokens_from_messages without exact=True."


def check_native(destination: Destination, model: str, *, gemini: bool, what: str) -> None:
    """Refuse destinations and models that Google's native API does not serve; `what` names the request in the error.

    Raises:
        SettingsError: The server is the user's own, or the model is not one of Google's Gemini models.
    """
    base_url = destination.base_url
    if destination.own_server or (base_url is not None and not _NATIVE_PATH.search(base_url)):
        raise SettingsError(f"{what}: your own server has no native API of Google's.", hint=_ESTIMATE)
    if not (gemini and model.startswith(_GOOGLE)):
        raise SettingsError(f"{what}: {model} is not a Gemini model of Google's.", hint=_ESTIMATE)


def begin_count(calls: CallBuilder, messages: Sequence[wire.Message], options: Options) -> "CountCall":
    """Build and check the call; nothing is sent yet.

    Raises:
        SettingsError: The options are invalid, or this model's tokens cannot be counted there.
    """
    destination, options, terms = calls.terms_for(options)
    check_native(destination, options.model, gemini=terms.facts.gemini, what="Token counts")
    return CountCall(messages, options, terms, skip_values=calls.skip_values(options.model))


class CountCall(MessagesCall[int]):
    """One request for a token count."""

    _stream = False
    is_native = True
    operation = "count_tokens"

    def __init__(self, messages: Sequence[wire.Message], options: Options, terms: CallTerms, **more: Any) -> None:
        """Build the request.

        The messages may be a part of a conversation. If it ends with the model's words, it is counted as it is. Other
        incomplete conversations are counted as `repair_history=True` would send them.

        Raises:
            SettingsError: The options are invalid or contradict each other; nothing is sent.
        """
        name = quote(options.model.removeprefix(_GOOGLE), safe="@")
        self.path = f"/publishers/google/models/{name}:countTokens"
        facts = replace(terms.facts, refuses=terms.facts.refuses - {LAST_ASSISTANT_MESSAGE})
        if all(message["role"] == "system" for message in messages):
            # A conversation needs more than instructions; sent as the user's, they have the same number of tokens.
            messages = [cast("wire.Message", {**message, "role": "user"}) for message in messages]
        super().__init__(messages, options, replace(terms, facts=facts, repairs=True), **more)

    def _build(self) -> Request:
        request = super()._build()
        if google_extras(request.body).get("cached_content"):
            raise UnsupportedContentError(
                "cached_content cannot be counted.", hint="Leave it out; the cache's own metadata has its token count."
            )
        body = native_request(request.body)
        # The method has no `toolConfig`: the choice among the tools is not counted.
        body.pop("toolConfig", None)
        headers = {name: value for name, value in request.headers.items() if name not in _CAPACITY_HEADERS}
        return Request(body, headers)

    def _mend(self, error: Any) -> bool:
        """Prepare a request with a fresh token; this method checks no signatures, so these need no repair."""
        return Call._mend(self, error)  # noqa: SLF001 - the method of the base class, past its override

    def _decode(self, body: bytes) -> int:
        """Return the number of tokens.

        Raises:
            UnexpectedReplyError: The answer has no number of tokens.
        """
        answer = decode_json(body)
        if (failure := decode_stream_failure(answer)) is not None:
            raise failure
        count = mapping_in(answer).get("totalTokens")
        if type(count) is not int or count < 0:
            raise UnexpectedReplyError("The answer has no token count.")
        return count
