"""llama.cpp's server with a real model, as a self-deployed endpoint."""

from vertex_compat_integrations.emulator.real_model.local_model import LocalModel, missing

__all__ = ["RESOURCE", "LlamaServer", "missing"]

RESOURCE = "/v1/projects/p/locations/us-central1/endpoints/1234567890"
"""The path of a self-deployed endpoint; the server puts it before `/chat/completions`."""


class LlamaServer(LocalModel):
    """A running server; ends with its block. Inside it may still be loading: see `wait`."""

    def __init__(self) -> None:
        super().__init__(RESOURCE, waits=False)

    @property
    def base_url(self) -> str:
        return self.url
