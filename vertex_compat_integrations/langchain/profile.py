"""The catalogue's facts as LangChain's model profile."""

from collections.abc import Mapping
from typing import Any

from langchain_core.language_models.model_profile import ModelProfile

from vertex_compat_integrations.core.catalogue import ModelFacts, facts_for
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination, resolve_model_name


def catalogue_profile(connection: Connection, model: str, model_facts: JsonObject | None) -> ModelProfile:
    """Return the profile that a model has by the catalogue and its own facts."""
    name = resolve_model_name(model, resolve_destination(connection))
    return build_profile(name, facts_for(name, model_facts))


def without_profile_of_another_model(values: Any) -> Any:
    """Return a model's arguments without a profile that was filled in for another model, as in a copy."""
    if isinstance(values, Mapping) and (profile := values.get("profile")):
        name = profile.get("name")
        facts = facts_for(name or "", values.get("model_facts"))
        if name and name != values.get("model") and profile == build_profile(name, facts):
            return {key: value for key, value in values.items() if key != "profile"}
    return values


def build_profile(model: str, facts: ModelFacts) -> ModelProfile:
    """Build the profile of a model with these facts.

    `structured_output` decides how LangChain's agents request structured answers: True lets them send the schema
    together with the tools, which Gemini 3 accepts; otherwise they use a tool for the answer.
    """
    profile = ModelProfile(
        name=model,
        max_input_tokens=facts.input_tokens,
        max_output_tokens=facts.output_tokens,
        text_inputs=True,
        image_inputs="image" in facts.inputs,
        image_url_inputs="image" in facts.inputs,
        pdf_inputs="pdf" in facts.inputs,
        audio_inputs="audio" in facts.inputs,
        video_inputs="video" in facts.inputs,
        image_tool_message=facts.gemini and facts.demands_signatures,
        pdf_tool_message=facts.gemini and facts.demands_signatures,
        text_outputs=True,
        image_outputs="image" in facts.outputs,
        audio_outputs="audio" in facts.outputs,
        video_outputs=False,
        tool_calling=facts.calls_tools,
        tool_choice="required" in facts.tool_choices,
        structured_output=facts.gemini and facts.tools_with_json,
        reasoning_output=facts.thinking is not None,
        temperature="temperature" not in facts.ignores,
    )
    if not facts.gemini:
        profile["open_weights"] = not model.startswith("xai/")
    if facts.thinking in ("level", "effort"):
        profile["reasoning_effort_levels"] = list(facts.thinking_levels)
    if facts.replacement is not None:
        profile["status"] = "deprecated"
    return profile
