"""Known locations, and the nearest to a slip."""

import pytest

from vertex_compat_integrations.core.catalogue import catalogue_rows
from vertex_compat_integrations.core.catalogue.regions import is_known_location, nearest_location


def test_every_location_that_a_row_names_is_known():
    named = {location for row in catalogue_rows() for location in row.facts.locations}
    assert named
    assert {location for location in named if not is_known_location(location)} == set()


@pytest.mark.parametrize(
    ("slip", "nearest"),
    [
        ("us-central", "us-central1"),
        ("us_central1", "us-central1"),
        ("US West1", "us-west1"),
        ("us-centrl1", "us-central1"),
        ("europe-west13", "europe-west3"),
        ("eu-west4", "europe-west4"),
        ("qqqq", "global"),
    ],
)
def test_the_nearest_is_what_was_meant(slip, nearest):
    assert not is_known_location(slip)
    assert nearest_location(slip) == nearest
