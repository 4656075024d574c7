"""The state for a pickle has neither tokens nor HTTP clients; copies share both."""

import copy
import pickle

import pytest
from google.oauth2.credentials import Credentials
from pydantic import BaseModel, SecretStr

from vertex_compat_integrations.core.adapters.pickling import shared_by_copies, state_to_pickle
from vertex_compat_integrations.core.errors import CredentialsError, VertexCompatWarning
from vertex_compat_integrations.core.settings.connection import Connection


def fetch_token() -> str:
    return "t"


def packed(**settings):
    return state_to_pickle(BaseModel.__getstate__(Connection(**settings)))


def test_a_token_is_replaced_by_what_explains_its_absence():
    state = packed(api_key="ya29.secret", project="p")
    assert b"ya29" not in pickle.dumps(state)
    assert state["__dict__"]["project"] == "p"
    lost = pickle.loads(pickle.dumps(state["__dict__"]["api_key"]))
    assert isinstance(lost, SecretStr)
    with pytest.raises(CredentialsError, match="left out when this object was pickled"):
        lost.get_secret_value()


def test_googles_credentials_stay_without_their_token_and_callables_as_they_are():
    google = Credentials(token="secret", refresh_token="r")
    there = packed(credentials=google)["__dict__"]["credentials"]
    assert (there.refresh_token, there.token) == ("r", None)
    assert packed(credentials=fetch_token)["__dict__"]["credentials"] is fetch_token


def test_clients_are_left_out_with_a_warning():
    with pytest.warns(VertexCompatWarning, match="http_client cannot be pickled"):
        state = packed(http_client=object())
    assert (state["__dict__"]["http_client"], state["__dict__"]["http_async_client"]) == (None, None)
    assert state["__pydantic_private__"]["_client"] is None


def test_copies_share_credentials_and_clients():
    connection = Connection(credentials=Credentials(token="t"), http_client=object())
    again = copy.deepcopy(connection, shared_by_copies(connection))
    assert again.credentials is connection.credentials
    assert again.http_client is connection.http_client
