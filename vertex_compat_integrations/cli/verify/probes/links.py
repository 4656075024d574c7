"""Probes of media by `gs://` links, the form in which `media_bucket=` sends large media."""

from typing import Any

from vertex_compat_integrations.cli.verify.probes.probe import MODEL, SHORT, Probe, good
from vertex_compat_integrations.cli.verify.service import Json

_PAGE = "https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/call-gemini-using-openai-library"
_PICTURE = "gs://cloud-samples-data/generative-ai/image/scones.jpg"
"""A public object of Google's, which its pages use."""


def _about(part: Any) -> Json:
    content = [{"type": "text", "text": "What is in the picture? One word."}, part]
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], "max_tokens": SHORT}


PROBES = (
    Probe(
        "64_link_to_a_bucket",
        "Is a gs:// link accepted as the url of an image_url part?",
        _PAGE,
        "accepted",
        good,
        _about({"type": "image_url", "image_url": {"url": _PICTURE}}),
    ),
    Probe(
        "65_link_with_a_type",
        "Is a gs:// link accepted as the data of an input_audio part, with any MIME type as its format?",
        _PAGE,
        "accepted",
        good,
        _about({"type": "input_audio", "input_audio": {"data": _PICTURE, "format": "image/jpeg"}}),
    ),
)
