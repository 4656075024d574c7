"""A server for code that cannot be edited: OpenAI's Chat Completions in, Vertex AI's endpoint out.

`with Proxy(connection) as proxy:` serves it from a thread. It knows Vertex AI through `core` alone: `core.openai_form`
changes requests and answers, `access` says which requests are let in.
"""

try:
    import aiohttp  # noqa: F401 - only asked whether it is there
except ImportError:
    raise ImportError('The proxy needs aiohttp: pip install "vertex-compat-integrations[proxy]"') from None

from vertex_compat_integrations.proxy.access_log import AccessLog
from vertex_compat_integrations.proxy.exchange import Exchange
from vertex_compat_integrations.proxy.model_names import Names
from vertex_compat_integrations.proxy.server import Proxy

__all__ = ["AccessLog", "Exchange", "Names", "Proxy"]
