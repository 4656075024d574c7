"""Equal settings give the same source of tokens, which refreshes once."""

import gc
import time
import weakref

from google.oauth2 import credentials as user_credentials

from vertex_compat_integrations.core.auth.shared import LASTING_SOURCES, Sources, identity_of
from vertex_compat_integrations.core.auth.token_source import token_source


class Provider:
    """A callable, also as a bound method."""

    def __call__(self):
        return "token", time.time() + 3600

    async def later(self):
        return self()


def user_object(server):
    info = server.identity.authorized_user_info(server.url)
    return user_credentials.Credentials.from_authorized_user_info(info).with_token_uri(f"{server.url}/token")


def test_the_oldest_of_too_many_lasting_sources_is_let_go():
    sources = Sources()
    first = sources.find(0, object, is_lasting=True)
    assert sources.find(0, object, is_lasting=True) is first
    for number in range(1, LASTING_SOURCES + 1):
        sources.find(number, object, is_lasting=True)
    assert sources.find(0, object, is_lasting=True) is not first


def test_a_passing_source_lives_as_long_as_somebody_uses_it():
    sources = Sources()
    source = sources.find("key", Provider, is_lasting=False)
    assert sources.find("key", Provider, is_lasting=False) is source
    gone = weakref.ref(source)
    del source
    gc.collect()
    assert gone() is None


def test_a_bound_method_has_one_identity():
    provider = Provider()
    assert identity_of(provider.later) == identity_of(provider.later)
    assert identity_of(provider.later) != identity_of(Provider().later)


def test_equal_settings_share_one_source_and_others_do_not(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    assert token_source() is token_source()
    assert token_source() is not token_source(quota_project="payer")
    user = user_object(server)
    assert token_source(credentials=user) is token_source(credentials=user)
    assert token_source(credentials=user) is not token_source(credentials=user_object(server))


def test_a_thousand_constructions_ask_for_one_token(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    for _ in range(1000):
        token_source().headers(server.url, 5)
    assert server.count() == 1


def test_the_same_callable_gives_the_same_source():
    provider = Provider()
    assert token_source(credentials=provider) is token_source(credentials=provider)
    # A bound method is a new object at each look.
    assert token_source(credentials=provider.later) is token_source(credentials=provider.later)
    assert token_source(credentials=provider) is not token_source(credentials=Provider())
    assert token_source(credentials=provider) is not token_source(credentials=provider, quota_project="payer")
