"""What to do, by what is known of model, place and credential."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from vertex_compat_integrations.core.auth.google import IMPERSONATION_HINT, LOGIN_HINT
from vertex_compat_integrations.core.calls.advice import ModelAdvice, hint_of_way, refused_payer, unknown_location
from vertex_compat_integrations.core.calls.places import Place
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    CredentialsError,
    DeadlineExceededError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)
from vertex_compat_integrations.core.http_errors import PROJECT_HINT
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination

SOURCE = SimpleNamespace(renewal="Renew it.")
MODEL = "google/gemini-3.5-flash"
PREFIX = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi"


def way(error, environment=None, **settings):
    return hint_of_way(error, resolve_destination(Connection(project="p", **settings), environment or {}), SOURCE)


def advice(location="global", url=None, has_choice=False, model=MODEL, **facts):
    return ModelAdvice(model, facts_for(model, facts), location, url, has_choice)


class TestARefusedPayer:
    def test_the_refused_project_and_account_are_named(self):
        place = Place("global", project="team-b", service_account="caller@b")
        named = refused_payer(PermissionDeniedError("x"), place)
        assert named.startswith("The refused one of projects= is project 'team-b' with service account 'caller@b'")
        assert "service_accounts= is service account 'caller@b'" in refused_payer(
            PermissionDeniedError("x"), Place("global", service_account="caller@b")
        )

    def test_one_of_no_choice_is_not_named(self):
        assert refused_payer(PermissionDeniedError("x"), Place("us")) is None

    def test_of_credentials_only_a_refused_impersonation_is_about_an_account(self):
        place = Place("global", service_account="caller@b")
        assert refused_payer(CredentialsError("x", hint=LOGIN_HINT), place) is None
        assert "caller@b" in refused_payer(CredentialsError("x", hint=IMPERSONATION_HINT), place)


class TestTheWay:
    def test_of_a_known_location_and_of_an_own_server_the_error_says_enough(self):
        assert way(ConnectionFailedError("x"), location="us-central1") is None
        assert way(ConnectionFailedError("x"), base_url="http://localhost:1/v1") is None

    def test_an_unknown_location_is_the_reason(self):
        assert way(ConnectionFailedError("x"), location="us-central").endswith("Pass location='us-central1'.")

    def test_an_emulator_that_is_not_there_is_to_be_started(self):
        hint = way(ConnectionFailedError("x"), {"VERTEX_COMPAT_EMULATOR_HOST": "localhost:1"}, location="us-central")
        assert "VERTEX_COMPAT_EMULATOR_HOST names localhost:1" in hint

    def test_a_deadline_is_none_of_the_way(self):
        assert way(DeadlineExceededError("x"), location="us-central") is None

    def test_a_refused_token_is_renewed_where_it_is_from_unless_google_gives_a_reason(self):
        assert way(AuthenticationError("x")) == "Renew it."
        assert way(AuthenticationError("x", hint="No API keys.")) is None

    def test_other_errors_have_other_reasons(self):
        assert way(RateLimitError("x"), location="us-central") is None


def test_an_unknown_location_is_named_with_the_nearest():
    assert "'us-centrl1' is not named" in unknown_location("us-centrl1")
    assert "'us-central1'" in unknown_location("us-centrl1")


class TestCapacity:
    @pytest.mark.parametrize("asked", [{"location": "global"}, {"location": None, "url": f"{PREFIX}/chat/completions"}])
    def test_at_global_several_locations_help_and_global_does_not(self, asked):
        words = advice(**asked).where_capacity_is()
        assert "locations=['global', 'us', 'eu']" in words
        assert "location='global'" not in words

    def test_who_named_several_knows_of_them(self):
        assert "locations=" not in advice(has_choice=True).where_capacity_is()

    @pytest.mark.parametrize(("tried", "is_advised"), [(["global", "us"], False), (["eu", "us"], True)])
    def test_a_location_that_was_tried_is_not_advised(self, tried, is_advised):
        facts = advice("us", has_choice=True)
        words = replace(facts, tried=frozenset(tried)).where_capacity_is()
        assert ("location='global'" in words) is is_advised

    def test_a_model_of_one_location_is_at_no_other(self):
        assert "location" not in advice(locations=["global"]).where_capacity_is()


class TestWhereItIs:
    def test_a_missing_project_is_no_matter_of_the_model(self):
        error = NotFoundError("x", hint=PROJECT_HINT)
        assert advice("mars", locations=["global"]).where_it_is(error) is None

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            (
                {"retires": "2025-01-31", "replacement": "a/b"},
                " retired on 2025-01-31, by Google's pages: use a/b.",
            ),
            (
                {"retires": "2999-01-31", "replacement": "a/b"},
                " is announced to retire on 2999-01-31: use a/b.",
            ),
            ({"retires": "2025-01"}, f"{MODEL} retired on 2025-01, by Google's pages: see Google's model card."),
            ({"route": "Imagen's route"}, "Imagen's route"),
            ({"locations": ["us", "eu"]}, "served at us, eu: pass location='us'."),
        ],
    )
    def test_the_end_the_route_or_the_location(self, facts, words):
        none = {"retires": None, "replacement": None, "route": None, "locations": []}
        assert words in advice(**(none | facts)).where_it_is(NotFoundError("x"))

    def test_a_slip_is_answered_with_the_name(self):
        slip = advice(model="google/gemini-3.5-flahs", locations=[])
        assert slip.where_it_is(NotFoundError("x")) == "Did you mean model='google/gemini-3.5-flash'?"
