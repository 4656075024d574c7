"""Arguments of LangChain's other classes: their meaning here, and what to use instead.

Source of the names: `langchain_openai.ChatOpenAI`, `langchain_google_vertexai.ChatVertexAI`,
`langchain_google_genai.ChatGoogleGenerativeAI`.
"""

from collections.abc import Collection, Mapping
from typing import Any

from vertex_compat_integrations.core.adapters.constructor_words import (
    GENERATION_WORDS,
    Converted,
    Foreign,
    advice,
    own_call,
    own_words,
    with_answer_format,
)
from vertex_compat_integrations.core.settings.options import Options

ALIASES = {
    "openai_api_key": "api_key",
    "google_api_key": "api_key",
    "openai_api_base": "base_url",
    "openai_proxy": "proxy",
    "stream_chunk_timeout": "gap_timeout",
    "endpoint_version": "api_version",
    "additional_headers": "default_headers",
    "candidate_count": "n",
    "retries": "max_retries",
}
"""Other classes' name → the name here."""

_TRANSPORT = Foreign("This package creates the SDK's clients itself: set http_client=, proxy=, ca_bundle= or timeout=.")
_RESPONSES = "This endpoint has chat completions only, no Responses API; leave it out."
_PLACE = Foreign(
    "location= sets Google's host, endpoint_host= a dedicated one, base_url= any URL prefix; quota_project= is charged."
)
_METADATA = Foreign("Pass headers as default_headers=.", ((), []))
_ORGANIZATION = Foreign("Use project=, a Google Cloud project; quota_project= charges another one.")


def _from_model_kwargs(value: Mapping[str, Any]) -> dict[str, Any]:
    """Separate options by their names; other keys go into the request's body, where ChatOpenAI puts them."""
    options = {name: each for name, each in value.items() if name in _OPTIONS}
    rest = {name: each for name, each in value.items() if name not in _OPTIONS}
    return {**options, **({"extra_body": rest} if rest else {})}


_OPTIONS = {*Options.model_fields, *Options.setting_aliases}


def _from_reasoning(value: Mapping[str, Any]) -> dict[str, Any]:
    thinking = {"include_thoughts": True} if value.get("summary") else {}
    return {"reasoning_effort": value.get("effort"), **thinking}


def _from_logprobs(value: Any) -> dict[str, Any]:
    """A number other than 0 and 1 is the number of likely tokens (ChatVertexAI)."""
    return {"logprobs": value} if value in (False, True) else {"logprobs": True, "top_logprobs": value}


FOREIGN: Mapping[str, Foreign | Converted] = {
    "model_kwargs": Converted("options by their names; other keys become `extra_body`", _from_model_kwargs),
    "reasoning": Converted("`effort` is `reasoning_effort`, a `summary` is `include_thoughts`", _from_reasoning),
    **GENERATION_WORDS,
    "logprobs": Converted("a number becomes `top_logprobs`", _from_logprobs),
    "logit_bias": Converted(
        "the same, its keys as text", lambda value: {"logit_bias": {str(key): each for key, each in value.items()}}
    ),
    **dict.fromkeys(("client", "async_client", "root_client", "root_async_client", "client_preview"), _TRANSPORT),
    **dict.fromkeys(("http_socket_options", "client_args", "client_cert_source"), _TRANSPORT),
    **dict.fromkeys(("context_management", "include", "truncation"), Foreign(_RESPONSES)),
    **dict.fromkeys(("use_previous_response_id", "use_responses_api"), Foreign(_RESPONSES, (False,))),
    **dict.fromkeys(("client_options", "api_endpoint"), _PLACE),
    **dict.fromkeys(("default_metadata", "default_metadata_input"), _METADATA),
    **dict.fromkeys(("openai_organization", "organization"), _ORGANIZATION),
    **dict.fromkeys(("api_transport", "transport"), Foreign("Requests use REST; leave it out.", ("rest",))),
    "vertexai": Foreign("This class only uses Vertex AI; leave it out.", (True,)),
    "verbosity": Foreign("Gemini has no such setting; put it into the prompt."),
    "tiktoken_model_name": Foreign(
        "Tokens are estimated locally; pass custom_get_token_ids= to count them differently."
    ),
    "default_query": Foreign("The endpoint accepts no query; nor is one sent to a base_url= server."),
    "include_response_headers": Foreign("Answers have no headers; leave it out.", (False,)),
    "disabled_params": Foreign("Unset options are not sent; leave it out.", ({},)),
    "prompt_cache_options": Foreign("Equal prefixes are cached automatically; see cached_content=."),
    "request_parallelism": Foreign('Pass max_concurrency in the config: batch(…, {"max_concurrency": 5}).', (5,)),
    "full_model_name": Foreign("Pass publisher/name as model=."),
    "tuned_model_name": Foreign("Set its deployed endpoint with endpoint= and location=."),
    "examples": Foreign("Put the examples into the messages.", ([],)),
    "perform_literal_eval_on_string_raw_content": Foreign("Content is never evaluated; leave it out.", (False,)),
    "wait_exponential_kwargs": Foreign("Waits follow the service's request, or grow up to 60 s; see max_retries=."),
    "convert_system_message_to_human": Foreign("Gemini accepts system messages; leave it out.", (False,)),
}
"""Argument → how it is handled."""


def own_arguments(
    values: Mapping[str, Any], class_name: str, field_names: Collection[str], aliases: Mapping[str, str]
) -> dict[str, Any]:
    """Return the constructor's arguments under this package's names.

    Raises:
        SettingsError: An argument of another class asks for something that this class cannot do.
    """
    return own_words(with_answer_format(values), FOREIGN, class_name, field_names, aliases)


_ALIASES_OF_OPTIONS = {alias: name for alias, name in ALIASES.items() if name in Options.model_fields}


def own_arguments_of_call(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a call's arguments under this package's names; see `own_call`."""
    return own_call(call, FOREIGN, _ALIASES_OF_OPTIONS)


def advice_on(name: str) -> str:
    """Return what to use instead of a call's argument that is not an option."""
    return advice(name, FOREIGN, [*_OPTIONS, *_ALIASES_OF_OPTIONS])
