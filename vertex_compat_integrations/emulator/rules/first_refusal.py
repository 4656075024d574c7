"""The table of rules by which the emulator refuses requests, as Vertex AI does."""

from vertex_compat_integrations.emulator.chat_request import ChatRequest
from vertex_compat_integrations.emulator.dialect.signature_book import SignatureBook
from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.emulator.rules.history import HISTORY_RULES
from vertex_compat_integrations.emulator.rules.parameters import PARAMETER_RULES, SHAPE_RULES
from vertex_compat_integrations.emulator.rules.places import PLACE_RULES
from vertex_compat_integrations.emulator.rules.rule import Rule
from vertex_compat_integrations.emulator.rules.sampling import SAMPLING_RULES
from vertex_compat_integrations.emulator.rules.schemas import check_response_schema, check_tool_schema
from vertex_compat_integrations.emulator.rules.signatures import SIGNATURE_RULES
from vertex_compat_integrations.emulator.rules.thinking import THINKING_RULES


def _tool_schemas(request: ChatRequest) -> Refusal | None:
    for place, function in enumerate(request.functions):
        if function.get("parameters") is None:
            continue
        refusal = check_tool_schema(function["parameters"], str(function.get("name", "")), place)
        if refusal:
            return refusal
    return None


def _response_schema(request: ChatRequest) -> Refusal | None:
    return check_response_schema(request.response_schema) if request.response_schema is not None else None


RULES: tuple[Rule, ...] = (
    *SHAPE_RULES,
    *PLACE_RULES,
    *SAMPLING_RULES,
    *THINKING_RULES,
    *PARAMETER_RULES,
    *HISTORY_RULES,
    Rule("tools' parameters in the schema subset", _tool_schemas),
    Rule("response schema in the schema subset", _response_schema),
)
"""The rules that need only the request, in the order of checking."""


def first_refusal(request: ChatRequest, book: SignatureBook, *, is_strict: bool) -> Refusal | None:
    """Return the first reason to refuse a request; None if it is accepted."""
    for rule in RULES:
        if request.traits.surface in rule.surfaces and (refusal := rule.check(request)):
            return refusal
    if request.traits.surface != "gemini":
        return None
    for signature_rule in SIGNATURE_RULES:
        if (is_strict or not signature_rule.is_strict) and (refusal := signature_rule.check(request, book)):
            return refusal
    return None
