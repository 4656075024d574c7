"""Plain http is spoken on this machine only, and never through a proxy of the environment."""

import pytest

from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator

DEAD = "http://127.0.0.1:9"


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_server_on_this_machine_is_reached_although_a_proxy_is_set(monkeypatch, tmp_path, variable):
    monkeypatch.setenv(variable, DEAD)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Emulator() as emulator:
        from google.oauth2 import service_account

        info = emulator.identity.service_account_info(emulator.url)
        credentials = service_account.Credentials.from_service_account_info(
            info, scopes=["https://www.googleapis.com/auth/cloud-platform"]
        )
        connection = Connection(
            base_url=emulator.base_url(), allow_hosts=[emulator.host], credentials=credentials, max_retries=0
        )
        (reply,) = VertexCompatClient(connection).chat(
            [{"role": "user", "content": "Hello"}], Options(model="google/gemini-3.5-flash")
        )
    assert reply.text
