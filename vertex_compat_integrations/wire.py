"""Types and constants of the endpoint's wire format, shared by the client and the emulator.

The types are those of OpenAI's Chat Completions as Vertex AI has them, with Google's own fields. There is no behaviour
here: client (`core`) and emulator each have their own, and neither imports the other's.

Source of the shapes: Google's page on Vertex AI's OpenAI compatibility ("overview" and "examples", 2026-09-03).
"""

from typing import Any, Literal, NamedTuple, NotRequired, TypeAlias, TypedDict

CHAT_PATH = "/chat/completions"
EMBEDDINGS_PATH = "/embeddings"

EMULATOR_HOST_VARIABLE = "VERTEX_COMPAT_EMULATOR_HOST"
EMULATOR_TOKEN = "vertex-compat-emulator"  # noqa: S105 - a public word that no other server accepts
EMULATOR_TOKEN_OF = f"{EMULATOR_TOKEN}/"
"""Before the name of a service account: the emulator's token for an account that would be impersonated."""
EMULATOR_FINGERPRINT = "vertex-compat-emulator"
"""The start of `system_fingerprint` in every answer of the emulator."""

SKIP_SIGNATURE = "skip_thought_signature_validator"
"""The documented value in place of a thought signature that does not exist (Google, "Thought signatures")."""

REQUEST_TYPE_HEADER = "X-Vertex-AI-LLM-Request-Type"
SHARED_REQUEST_TYPE_HEADER = "X-Vertex-AI-LLM-Shared-Request-Type"

Json: TypeAlias = dict[str, Any]
"""A JSON object, as sent or received."""

ExtraContent: TypeAlias = dict[str, Any]
"""`extra_content`: namespaced (`google`, `vertex`, …), opaque, sent back exactly where it was received."""


class ImageUrl(TypedDict):
    """The URL of an image (or, as a data URI, of any medium): `https://`, `gs://` or `data:`."""

    url: str
    detail: NotRequired[str]


class InputAudio(TypedDict):
    """A medium as base64 or URI; the endpoint accepts any MIME type as `format`."""

    data: str
    format: str


class TextPart(TypedDict):
    """A piece of text."""

    type: Literal["text"]
    text: str
    extra_content: NotRequired[ExtraContent]


class ImagePart(TypedDict):
    """An image; with a data URI also a PDF, a video or audio."""

    type: Literal["image_url"]
    image_url: ImageUrl
    extra_content: NotRequired[ExtraContent]


class AudioPart(TypedDict):
    """Audio, or any medium with its MIME type as format."""

    type: Literal["input_audio"]
    input_audio: InputAudio
    extra_content: NotRequired[ExtraContent]


ContentPart: TypeAlias = TextPart | ImagePart | AudioPart


class FunctionCall(TypedDict):
    """A function's name and its arguments, a JSON object as a string."""

    name: str
    arguments: str


class ToolCall(TypedDict):
    """A tool call that the model requests."""

    id: str
    type: Literal["function"]
    function: FunctionCall
    extra_content: NotRequired[ExtraContent]


class SystemMessage(TypedDict):
    """Instructions."""

    role: Literal["system"]
    content: str | list[ContentPart]


class UserMessage(TypedDict):
    """The user's input."""

    role: Literal["user"]
    content: str | list[ContentPart]
    name: NotRequired[str]
    extra_content: NotRequired[ExtraContent]


class Thoughts(TypedDict):
    """The thoughts of an answer, and the model that produced them; the name is empty if the server names no model."""

    text: str
    model: str


class AssistantMessage(TypedDict):
    """The model's text and tool calls.

    `reasoning_content` holds thoughts in the form in which open models take them back. `thoughts` is the client's own
    record, from which `reasoning_content` is made; it is never sent.
    """

    role: Literal["assistant"]
    content: NotRequired[str | list[ContentPart] | None]
    tool_calls: NotRequired[list[ToolCall]]
    name: NotRequired[str]
    extra_content: NotRequired[ExtraContent]
    reasoning_content: NotRequired[str]
    thoughts: NotRequired[Thoughts]


class ToolMessage(TypedDict):
    """The result of a tool call."""

    role: Literal["tool"]
    tool_call_id: str
    content: str | list[ContentPart]
    name: NotRequired[str]
    extra_content: NotRequired[ExtraContent]


Message: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage


class Function(TypedDict):
    """A function's declaration; `parameters` is an OpenAPI 3.0 schema, not JSON Schema."""

    name: str
    description: NotRequired[str]
    parameters: NotRequired[Json]
    strict: NotRequired[bool]


class Tool(TypedDict):
    """A tool that the model may call."""

    type: Literal["function"]
    function: Function


ToolChoice: TypeAlias = Literal["auto", "none", "required", "validated"] | Json
"""`validated` is Google's own; a mapping names one function."""


class EmbeddingRequest(TypedDict):
    """The body of a request for embeddings: OpenAI's shape; Google publishes no page on it (unverified live)."""

    model: str
    input: list[str]
    dimensions: NotRequired[int]
    encoding_format: NotRequired[Literal["float", "base64"]]


class ErrorAnswer(NamedTuple):
    """An error answer, unchanged, for code that shows it as the SDK does.

    Attributes:
        status: HTTP status.
        headers: Names and values, without the headers for the body's encoding.
        body: The body, decoded from its content encoding; only the part that was read.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
