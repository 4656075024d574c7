"""The constructor words of LangChain's other classes: what they mean here, and what to say instead.

Source of the words: `langchain_openai.ChatOpenAI`, `langchain_google_vertexai.ChatVertexAI`,
`langchain_google_genai.ChatGoogleGenerativeAI`.
"""

from collections.abc import Collection, Mapping
from typing import Any

from vertex_compat_integrations.core.adapters.constructor_words import (
    GENERATION_WORDS,
    Converted,
    Foreign,
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

_TRANSPORT = Foreign("The SDK's clients are the package's own: set http_client=, proxy=, ca_bundle= or timeout=.")
_RESPONSES = "This endpoint has chat completions only, no Responses API; leave it out."
_PLACE = Foreign(
    "location= gives Google's host, endpoint_host= a dedicated one, base_url= any URL prefix; quota_project= pays."
)
_METADATA = Foreign("Give headers as default_headers=.", ((), []))
_ORGANIZATION = Foreign("Use project=, a Google Cloud project; quota_project= charges another one.")


def _from_model_kwargs(value: Mapping[str, Any]) -> dict[str, Any]:
    """Options under their own names; what is none goes into the request's body, where ChatOpenAI puts it."""
    options = {name: each for name, each in value.items() if name in _OPTIONS}
    rest = {name: each for name, each in value.items() if name not in _OPTIONS}
    return {**options, **({"extra_body": rest} if rest else {})}


_OPTIONS = {*Options.model_fields, *Options.setting_aliases}


def _from_reasoning(value: Mapping[str, Any]) -> dict[str, Any]:
    thinking = {"include_thoughts": True} if value.get("summary") else {}
    return {"reasoning_effort": value.get("effort"), **thinking}


def _from_logprobs(value: Any) -> dict[str, Any]:
    """A number that is no switch is that of the likely tokens (ChatVertexAI)."""
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
    **dict.fromkeys(("api_transport", "transport"), Foreign("Requests go by REST; leave it out.", ("rest",))),
    "vertexai": Foreign("This class speaks to Vertex AI only; leave it out.", (True,)),
    "verbosity": Foreign("Gemini has no such setting; say it in the prompt."),
    "tiktoken_model_name": Foreign("Tokens are estimated here; custom_get_token_ids= counts otherwise."),
    "default_query": Foreign("The endpoint takes no query; a server behind base_url= neither gets one."),
    "include_response_headers": Foreign("Answers bring no headers along; leave it out.", (False,)),
    "disabled_params": Foreign("What is not set is not sent; leave it out.", ({},)),
    "prompt_cache_options": Foreign("Equal beginnings are cached by themselves; see cached_content=."),
    "request_parallelism": Foreign('Give max_concurrency in the config: batch(…, {"max_concurrency": 5}).', (5,)),
    "full_model_name": Foreign("Give publisher/name as model=."),
    "tuned_model_name": Foreign("Name its deployed endpoint with endpoint=, and location=."),
    "examples": Foreign("Put the examples into the messages.", ([],)),
    "perform_literal_eval_on_string_raw_content": Foreign("Content is never evaluated; leave it out.", (False,)),
    "wait_exponential_kwargs": Foreign("Waits follow the service's hint, else grow up to 60 s; see max_retries=."),
    "convert_system_message_to_human": Foreign("Gemini takes system messages; leave it out.", (False,)),
}
"""Word → what is to be known of it."""


def own_arguments(
    values: Mapping[str, Any], class_name: str, field_names: Collection[str], aliases: Mapping[str, str]
) -> dict[str, Any]:
    """The constructor's arguments in words of ours.

    Raises:
        SettingsError: A word of another class asks for something that is not so.
    """
    return own_words(with_answer_format(values), FOREIGN, class_name, field_names, aliases)
