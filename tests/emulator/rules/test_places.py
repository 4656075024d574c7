"""The tiers of shared capacity are offered in some locations, and the usage tells which one was had."""

import pytest

from vertex_compat_integrations.wire import REQUEST_TYPE_HEADER, SHARED_REQUEST_TYPE_HEADER

LOCATIONS = ("global", "us", "eu", "us-central1", "europe-west4")


def traffic(reply):
    return reply.body["usage"]["extra_properties"]["google"]["traffic_type"]


@pytest.mark.parametrize("request_type", [None, "shared"])
@pytest.mark.parametrize(
    ("tier", "locations", "name"),
    [("priority", {"global", "us", "eu"}, "ON_DEMAND_PRIORITY"), ("flex", {"global"}, "ON_DEMAND_FLEX")],
)
def test_a_tier_is_had_where_it_is_offered(ask, tier, locations, name, request_type):
    headers = {SHARED_REQUEST_TYPE_HEADER: tier, **({REQUEST_TYPE_HEADER: request_type} if request_type else {})}
    replies = {location: ask(location=location, headers=headers) for location in LOCATIONS}
    assert {location: reply.status for location, reply in replies.items()} == {
        location: 200 if location in locations else 400 for location in LOCATIONS
    }
    assert {traffic(replies[location]) for location in locations} == {name}


@pytest.mark.parametrize("headers", [{}, {REQUEST_TYPE_HEADER: "shared"}])
def test_without_a_tier_it_is_the_standard_one(ask, headers):
    assert {traffic(ask(location=location, headers=headers)) for location in LOCATIONS} == {"ON_DEMAND"}


@pytest.mark.parametrize("tier", ["priority", "flex"])
def test_bought_throughput_has_no_tier(ask, tier):
    headers = {REQUEST_TYPE_HEADER: "dedicated", SHARED_REQUEST_TYPE_HEADER: tier}
    assert traffic(ask(location="us-central1", headers=headers)) == "PROVISIONED_THROUGHPUT"
