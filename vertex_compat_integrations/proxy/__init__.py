"""A server for code that cannot be edited: accepts OpenAI's Chat Completions, forwards to Vertex AI's endpoint.

`with Proxy(connection) as proxy:` runs it in a thread. `core.openai_form` converts requests and answers; `access`
decides which requests are accepted.
"""

try:
    import aiohttp  # noqa: F401 - only checks that it is installed
except ImportError:
    raise ImportError('The proxy needs aiohttp: pip install "vertex-compat-integrations[proxy]"') from None

from vertex_compat_integrations.proxy.access_log import AccessLog
from vertex_compat_integrations.proxy.exchange import Exchange
from vertex_compat_integrations.proxy.model_names import Names
from vertex_compat_integrations.proxy.server import Proxy

__all__ = ["AccessLog", "Exchange", "Names", "Proxy"]
