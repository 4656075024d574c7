"""Types and constants of the endpoint's wire format, shared by the client and the emulator.

Types of OpenAI's Chat Completions as Vertex AI has them, with Google's own fields. No behaviour: client (`core`) and
emulator each have their own, and neither imports the other's.

Source of the shapes: Google's page on Vertex AI's OpenAI compatibility ("overview" and "examples", 2026-09-03).
"""

from typing import Any, Literal, NamedTuple, NotRequired, TypeAlias, TypedDict

CHAT_PATH = "/chat/completions"
EMBEDDINGS_PATH = "/embeddings"

EMULATOR_HOST_VARIABLE = "VERTEX_COMPAT_EMULATOR_HOST"
EMULATOR_TOKEN = "vertex-compat-emulator"  # noqa: S105 - a public word, worth nothing anywhere else
EMULATOR_FINGERPRINT = "vertex-compat-emulator"
"""`system_fingerprint` of every answer of the emulator begins with this."""

SKIP_SIGNATURE = "skip_thought_signature_validator"
"""The documented value for a thought signature that never was (Google, "Thought signatures")."""

REQUEST_TYPE_HEADER = "X-Vertex-AI-LLM-Request-Type"
SHARED_REQUEST_TYPE_HEADER = "X-Vertex-AI-LLM-Shared-Request-Type"

Json: TypeAlias = dict[str, Any]
"""A JSON object as it came or goes."""

ExtraContent: TypeAlias = dict[str, Any]
"""`extra_content`: namespaced (`google`, `vertex`, …), opaque, echoed exactly where it came."""


class ImageUrl(TypedDict):
    """Where an image (or, as a data URI, any medium) is: `https://`, `gs://` or `data:`."""

    url: str
    detail: NotRequired[str]


class InputAudio(TypedDict):
    """A medium as base64 or URI; the endpoint takes any MIME type as `format`."""

    data: str
    format: str


class TextPart(TypedDict):
    """A piece of text."""

    type: Literal["text"]
    text: str
    extra_content: NotRequired[ExtraContent]


class ImagePart(TypedDict):
    """An image; with a data URI also a PDF, a video or a sound."""

    type: Literal["image_url"]
    image_url: ImageUrl
    extra_content: NotRequired[ExtraContent]


class AudioPart(TypedDict):
    """A sound, or any medium with its MIME type as format."""

    type: Literal["input_audio"]
    input_audio: InputAudio
    extra_content: NotRequired[ExtraContent]


ContentPart: TypeAlias = TextPart | ImagePart | AudioPart


class FunctionCall(TypedDict):
    """A function's name and its arguments, a JSON object as string."""

    name: str
    arguments: str


class ToolCall(TypedDict):
    """A call that the model asks for."""

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
    """The thoughts of an answer, and the model that it came from; an empty name is that of a server that tells none."""

    text: str
    model: str


class AssistantMessage(TypedDict):
    """The model's text and tool calls.

    `reasoning_content` are thoughts as open models take them back; `thoughts` is the client's own note of them, from
    which it is made, and never sent.
    """

    role: Literal["assistant"]
    content: NotRequired[str | list[ContentPart] | None]
    tool_calls: NotRequired[list[ToolCall]]
    name: NotRequired[str]
    extra_content: NotRequired[ExtraContent]
    reasoning_content: NotRequired[str]
    thoughts: NotRequired[Thoughts]


class ToolMessage(TypedDict):
    """What a tool answered."""

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
    """What the embeddings route takes: OpenAI's shape; Google publishes no page on it, so it is unverified live."""

    model: str
    input: list[str]
    dimensions: NotRequired[int]
    encoding_format: NotRequired[Literal["float", "base64"]]


class ErrorAnswer(NamedTuple):
    """An error answer as it came, for what shows it as the SDK does.

    Attributes:
        status: HTTP status.
        headers: Names and values, without those that speak of the body's encoding.
        body: The body, decoded from its content encoding; at most what was read of it.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
