"""Which HTTP library the installed SDK speaks through."""

import openai

from vertex_compat_integrations.core.transport.http_library import LIBRARY


def test_it_is_the_library_of_the_sdk_s_own_clients():
    assert issubclass(openai.DefaultHttpxClient, LIBRARY.Client)
    assert issubclass(openai.DefaultAsyncHttpxClient, LIBRARY.AsyncClient)
    assert LIBRARY.__name__ == ("httpx" if openai.__version__.startswith("2.") else "httpx2")
