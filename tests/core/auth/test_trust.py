"""A credential goes to Google, to hosts that the program names, and nowhere else."""

import pytest

from vertex_compat_integrations.core.auth.trust import check_trust
from vertex_compat_integrations.core.errors import SettingsError

GOOGLE = "https://aiplatform.googleapis.com"
OWN = "https://models.example.com"
OTHER = "https://other.example.com"


@pytest.mark.parametrize(
    ("origin", "allow_hosts"),
    [
        (GOOGLE, ()),
        ("https://us-central1-aiplatform.googleapis.com", ()),
        ("http://127.0.0.1:8000", ["127.0.0.1"]),
        (OWN, [OWN]),
        (OWN, ["models.example.com"]),
    ],
)
def test_googles_credentials_go_to_google_and_to_hosts_that_are_named(origin, allow_hosts):
    check_trust(origin, None, allow_hosts)


@pytest.mark.parametrize(
    ("origin", "allow_hosts", "reason"),
    [
        (OWN, (), "not one of Google's hosts"),
        ("https://googleapis.com.example.com", (), "not one of Google's hosts"),
        (OWN, [OTHER], "not one of Google's hosts"),
        ("http://models.example.com", ["models.example.com"], "plain http"),
        ("http://aiplatform.googleapis.com", (), "plain http"),
    ],
)
def test_they_go_nowhere_else(origin, allow_hosts, reason):
    with pytest.raises(SettingsError, match=reason):
        check_trust(origin, None, allow_hosts)


def test_a_credential_of_ones_own_stays_with_the_first_origin():
    class Credential:
        pass

    credential = Credential()
    check_trust(OWN, credential, ())
    check_trust(OWN, credential, ())
    with pytest.raises(SettingsError, match=r"was set for https://models\.example\.com"):
        check_trust(GOOGLE, credential, [GOOGLE])
    with pytest.raises(SettingsError, match="was set for"):
        check_trust(OTHER, credential, [OTHER])


def test_hosts_that_were_named_when_it_was_first_given_stay_allowed():
    def credential() -> str:
        return "token"

    check_trust(OWN, credential, [OTHER])
    check_trust(OTHER, credential, ())


def test_one_given_for_google_goes_to_all_of_googles_locations():
    def credential() -> str:
        return "token"

    check_trust(GOOGLE, credential, ())
    check_trust("https://europe-west4-aiplatform.googleapis.com", credential, ())
