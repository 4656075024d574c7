"""Arguments of LlamaIndex's other classes: their meaning here, and what to use instead.

Source of the names: `llama_index.llms.openai.OpenAI`, `llama_index.llms.openai_like.OpenAILike`,
`llama_index.llms.google_genai.GoogleGenAI`, `llama_index.llms.vertex.Vertex`.
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
    plain,
    with_answer_format,
)
from vertex_compat_integrations.core.settings.base import all_aliases, unknown_setting
from vertex_compat_integrations.core.settings.options import Options

ALIASES = {
    "api_base": "base_url",
    "max_new_tokens": "max_tokens",
    "async_http_client": "http_async_client",
}
"""Other classes' name → the name here."""


_OWN_TRANSPORT = Foreign(
    "This package creates the SDK's clients itself: set http_client=, proxy=, ca_bundle= or timeout=."
)


def _from_generation_config(value: Any) -> dict[str, Any]:
    """Return the settings of a mapping, or of google-genai's `GenerateContentConfig`.

    Raises:
        SettingsError: It has a field that is not a setting here.
    """
    aliases = {**all_aliases(Options), "candidate_count": "n"}
    fields = with_answer_format(plain(value))
    settings = own_words(fields, GENERATION_WORDS, "VertexCompat", Options.model_fields, aliases)
    if unknown := [name for name in settings if name not in Options.model_fields]:
        raise unknown_setting(unknown[0], [*Options.model_fields, *aliases])
    return settings


FOREIGN: Mapping[str, Foreign | Converted] = {
    "is_chat_model": Foreign("The endpoint has chat completions only; leave it out.", (True,)),
    "reuse_client": Foreign("Connections are pooled for each event loop; leave it out.", (True,)),
    "should_use_structured_outputs": Foreign(
        'Structured answers use response_format; for function calling set pydantic_program_mode="function".', (True,)
    ),
    "strict": Foreign('Pass strict= with the call; or tool_choice="validated", the equivalent for Gemini.', (False,)),
    "tokenizer": Foreign("The service counts tokens; LlamaIndex's own estimates use Settings.tokenizer."),
    "audio_config": Foreign('Use modalities=, and extra_body={"audio": …} for more.', ({},)),
    "openai_client": _OWN_TRANSPORT,
    "async_openai_client": _OWN_TRANSPORT,
    "organization": Foreign("Use project=, a Google Cloud project."),
    "api_type": Foreign("There is only one kind of endpoint; leave it out."),
    "vertexai_config": Converted("`project`, `location`, `credentials`", dict),
    "http_options": _OWN_TRANSPORT,
    "generation_config": Converted("its fields, by their names", _from_generation_config),
    "built_in_tool": Converted("`tools`", lambda value: {"tools": [plain(value)]}),
    "file_mode": Foreign("Files are sent inline, or by URL; leave it out.", ("inline", "hybrid")),
    "debug_config": Foreign("Nothing is replayed; use the emulator offline."),
    "examples": Foreign("Put the examples into the messages."),
    "iscode": Foreign("Set the model with model=."),
}
"""Argument → how it is handled."""


HEADER_WORDS = frozenset({"default_headers", "extra_headers", "headers"})


def own_arguments(
    values: Mapping[str, Any], class_name: str, field_names: Collection[str], aliases: Mapping[str, str]
) -> dict[str, Any]:
    """Return the constructor's arguments under this package's names.

    Raises:
        SettingsError: An argument of another class asks for something that this class cannot do.
    """
    named = {name: value for name, value in values.items() if name != "class_name" or value != class_name}
    return own_words(named, FOREIGN, class_name, field_names, aliases)


_IN_CONSTRUCTOR = Foreign("Pass it to the constructor.")
_WORDS_OF_CALLS = {
    **GENERATION_WORDS,
    **FOREIGN,
    **dict.fromkeys(("system_prompt", "context_window", "additional_kwargs", "model_facts"), _IN_CONSTRUCTOR),
    "image_documents": Foreign("Pass it to complete(); a message holds ImageBlock blocks."),
}
_ALIASES_OF_OPTIONS = {alias: name for alias, name in ALIASES.items() if name in Options.model_fields} | {
    "candidate_count": "n"
}


def own_arguments_of_call(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a call's arguments under this package's names; see `own_call`."""
    return own_call(call, _WORDS_OF_CALLS, _ALIASES_OF_OPTIONS)


def advice_on(name: str) -> str:
    """Return what to use instead of a call's argument that is not an option."""
    return advice(name, _WORDS_OF_CALLS, [*Options.model_fields, *Options.setting_aliases, *_ALIASES_OF_OPTIONS])
